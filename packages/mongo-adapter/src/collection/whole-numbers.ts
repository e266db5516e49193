/** Numbers of options, checked before anything is sent. */

import { invalidArgument } from '@strongroom/core'

/** @throws StrongroomError `invalid_argument` */
export function whole(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value)) throw invalidArgument(name, 'must be a whole number')
  return value as number
}

/** @throws StrongroomError `invalid_argument` */
export function wholeFrom(least: number, name: string, value: unknown): number {
  if (whole(name, value) < least) throw invalidArgument(name, `must be a whole number from ${least}`)
  return value as number
}
