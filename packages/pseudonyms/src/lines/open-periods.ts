/** The keys of the periods that lines are about: each is opened once, and again when its lease is over. */

import { type PeriodSpan, StrongroomError } from '@strongroom/core'

import { isExpired, MOST_TRIES } from '../keys/expired.ts'
import type { PseudonymKeys } from '../keys/pseudonym-keys.ts'
import type { Pseudonyms } from '../pseudonyms.ts'

/** In place of texts, for a period that has no keys any more, or none yet. */
export const REFUSED = 'refused'

// Lines of a month, mixed, are within it.
const MOST_PERIODS = 64
// What is forgotten is asked for once more.
const MOST_OVER = 4096

export class OpenPeriods {
  readonly #pseudonyms: Pseudonyms
  readonly #open = new Map<number, PseudonymKeys>()
  // What is over stays over.
  readonly #over = new Set<number>()
  #last: PeriodSpan | undefined
  // Up to here an instant is not ahead, as far as the clock was looked at.
  #latest = 0

  constructor(pseudonyms: Pseudonyms) {
    this.#pseudonyms = pseudonyms
  }

  /** The period in which an instant lies: that of the vault's clock unless given. @throws StrongroomError `invalid_argument` */
  spanOf(instant: number | undefined): PeriodSpan {
    const last = this.#last
    if (last !== undefined && instant !== undefined && instant >= last.from && instant < last.to) return last
    this.#last = this.#pseudonyms.spanOf(instant === undefined ? {} : { at: instant })
    return this.#last
  }

  /** Whether an instant is further ahead of the vault's clock than any that is taken: then it is nobody's time yet, and has no key. */
  isAhead(instant: number | undefined): boolean {
    if (instant === undefined || instant <= this.#latest) return false
    this.#latest = this.#pseudonyms.latest()
    return instant > this.#latest
  }

  /**
   * The texts that stand for addresses of a period. A lease that has expired is taken anew.
   *
   * @throws StrongroomError whatever hinders, but that the period is over, or its key destroyed, or that it has not come
   */
  async pseudonymise({ period, from }: PeriodSpan, blocks: Uint8Array): Promise<readonly string[] | typeof REFUSED> {
    if (this.#over.has(period)) return REFUSED
    try {
      return await this.#pseudonymise(period, from, blocks)
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      // The only argument that comes from a line.
      if (error.code === 'invalid_argument' && error.argument === 'at') return REFUSED
      if (error.code !== 'period_over' && error.code !== 'shredded') throw error
      this.#drop(period)
      this.#over.add(period)
      const [first] = this.#over
      if (this.#over.size > MOST_OVER && first !== undefined) this.#over.delete(first)
      return REFUSED
    }
  }

  dispose(): void {
    for (const period of this.#open.keys()) this.#drop(period)
  }

  async #pseudonymise(period: number, at: number, blocks: Uint8Array): Promise<readonly string[]> {
    for (let tries = 1; ; tries++) {
      const keys = this.#open.get(period) ?? (await this.#take(period, at))
      try {
        return keys.pseudonymiseBlocks(blocks)
      } catch (error) {
        if (!isExpired(error) || tries === MOST_TRIES) throw error
        this.#drop(period)
      }
    }
  }

  async #take(period: number, at: number): Promise<PseudonymKeys> {
    const taken = await this.#pseudonyms.unlock({ at })
    this.#open.set(period, taken)
    const [oldest] = this.#open.keys()
    if (this.#open.size > MOST_PERIODS && oldest !== undefined) this.#drop(oldest)
    return taken
  }

  #drop(period: number): void {
    this.#open.get(period)?.dispose()
    this.#open.delete(period)
  }
}
