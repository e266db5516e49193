/** The two clocks that a vault reads. */
export interface Clock {
  /** UTC milliseconds since 1970. May jump. */
  now(): number
  /** Milliseconds since any fixed point. Never goes back, but may stop while the machine sleeps. */
  monotonic(): number
}

/**
 * The machine's own clocks: the default of `openVault`.
 *
 * @example
 * ```ts
 * import { type Clock, systemClock } from '@strongroom/core'
 *
 * const anHourAhead: Clock = { now: () => systemClock.now() + 3_600_000, monotonic: () => systemClock.monotonic() }
 * ```
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
