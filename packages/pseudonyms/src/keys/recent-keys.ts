/** Keys that are held for the next use: of the periods in which something has just happened. */

import { isExpired, MOST_TRIES } from './expired.ts'
import type { PseudonymKeys } from './pseudonym-keys.ts'

// Lines that come late are of a few days, not of all.
const MOST = 16

export class RecentKeys {
  readonly #open: (at: number) => Promise<PseudonymKeys>
  readonly #periodOf: (at: number) => number
  // In the order in which they were opened.
  readonly #held = new Map<number, Promise<PseudonymKeys>>()

  constructor(open: (at: number) => Promise<PseudonymKeys>, periodOf: (at: number) => number) {
    this.#open = open
    this.#periodOf = periodOf
  }

  /** Works with the keys of an instant, opened anew where those that are held are too old. */
  async use<T>(at: number, work: (keys: PseudonymKeys) => T): Promise<T> {
    const period = this.#periodOf(at)
    for (let tries = 1; ; tries++) {
      const held = this.#held.get(period) ?? this.#openNow(period, at)
      try {
        return work(await held)
      } catch (error) {
        if (!isExpired(error) || tries === MOST_TRIES) throw error
        if (this.#held.get(period) === held) this.#held.delete(period)
      }
    }
  }

  #openNow(period: number, at: number): Promise<PseudonymKeys> {
    const opening = this.#open(at)
    this.#held.set(period, opening)
    opening.catch(() => {
      if (this.#held.get(period) === opening) this.#held.delete(period)
    })
    const [oldest] = this.#held
    if (this.#held.size > MOST && oldest !== undefined) {
      this.#held.delete(oldest[0])
      // One that was refused is told to whoever asked for it.
      void oldest[1].then(
        (keys) => keys.dispose(),
        () => undefined,
      )
    }
    return opening
  }
}
