/** Keys that are held for the next use: of the periods in which something has just happened. */

import { StrongroomError } from '@strongroom/core'

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
    const held = this.#held.get(period)
    if (held !== undefined) {
      try {
        return work(await held)
      } catch (error) {
        if (!(error instanceof StrongroomError && error.code === 'handle_expired')) throw error
        if (this.#held.get(period) === held) this.#held.delete(period)
      }
    }
    return work(await this.#openNow(period, at))
  }

  #openNow(period: number, at: number): Promise<PseudonymKeys> {
    const others = this.#held.get(period)
    if (others !== undefined) return others
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
