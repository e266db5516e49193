/** Lengths of time, in milliseconds, by their names. */

const MINUTE = 60_000

/**
 * So many minutes, in milliseconds.
 *
 * @example
 * ```ts
 * import { minutes } from '@strongroom/core'
 *
 * const every = minutes(10)
 * ```
 */
export function minutes(count: number): number {
  return count * MINUTE
}

/**
 * So many hours, in milliseconds.
 *
 * @example
 * ```ts
 * import { hours } from '@strongroom/core'
 *
 * const period = hours(6)
 * ```
 */
export function hours(count: number): number {
  return count * 60 * MINUTE
}

/**
 * So many days of 24 hours, in milliseconds.
 *
 * @example
 * ```ts
 * import { days } from '@strongroom/core'
 *
 * const grace = days(30)
 * ```
 */
export function days(count: number): number {
  return count * 24 * 60 * MINUTE
}
