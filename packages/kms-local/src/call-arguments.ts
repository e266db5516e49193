/** Guards of what the provider's methods are given. They run before the file is touched. */

import { invalidArgument } from '@strongroom/core'

import { isWhole, LAST_NUMBER } from './limits.ts'
import { property } from './options.ts'

export function bytesOf(holder: unknown, name: string): Uint8Array {
  return property(holder, name, (value) => bytes(value, name))
}

export function bytes(value: unknown, name: string): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw invalidArgument(name, 'must be a Uint8Array')
}

export function versionNumber(value: unknown): number {
  if (isWhole(value, 1, LAST_NUMBER)) return value
  throw invalidArgument('number', 'must be a whole number from 1 to 2^32 − 1')
}

export function signalOf(options: unknown): AbortSignal | undefined {
  if (options === undefined) return undefined
  return property(options, 'signal', (value) => {
    if (value === undefined || value instanceof AbortSignal) return value
    throw invalidArgument('signal', 'must be an AbortSignal')
  })
}
