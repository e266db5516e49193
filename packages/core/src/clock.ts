/** The two clocks that a vault reads. */
export interface Clock {
  /** UTC milliseconds since 1970. May jump. */
  now(): number
  /** Milliseconds since any fixed point. Never goes back, but may stop while the machine sleeps. */
  monotonic(): number
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
