import type { Clock } from '../clock.ts'

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Lets time pass: both clocks move on. */
  advance(ms: number): void
  /** Sets the wall clock forward or back, as an operator or NTP would; the monotonic clock does not notice. */
  jump(ms: number): void
}

/**
 * Makes a clock for tests. `startMs` is its first wall time (UTC milliseconds); the monotonic clock begins at 0.
 * What waits out the cache bound, such as a close or a sweep of erasures, waits until somebody advances it meanwhile.
 *
 * @example
 * ```ts
 * import { manualClock } from '@strongroom/core/testing'
 *
 * const clock = manualClock(Date.UTC(2030, 0, 1))
 * clock.advance(60_000)
 * clock.monotonic() // 60000
 * ```
 */
export function manualClock(startMs: number): ManualClock {
  let wall = startMs
  let monotonic = 0
  return {
    now: () => wall,
    monotonic: () => monotonic,
    advance(ms) {
      wall += ms
      monotonic += ms
    },
    jump(ms) {
      wall += ms
    },
  }
}
