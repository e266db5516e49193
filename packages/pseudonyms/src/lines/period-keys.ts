/** The keys of the periods that lines are about: each is opened once, and again when its lease is over. */

import { StrongroomError } from '@strongroom/core'

/** Keys of one period, for batches. */
export interface PeriodKeys {
  /** The period, in UTC milliseconds: `to` is not in it. */
  readonly from: number
  readonly to: number
  /** @param blocks - 16 bytes for each address. @returns what stands for them */
  pseudonymiseBlocks(blocks: Uint8Array): string[]
  dispose(): void
}

/** What has them. */
export interface PeriodKeySource {
  /** How long a period is, in milliseconds. */
  readonly period: number
  unlock(options: { readonly at: number }): Promise<PeriodKeys>
}

/** In place of keys, for a period that has none any more. */
export const REFUSED = 'refused'

/** Lines of a month, mixed, are within it. */
const MOST_PERIODS = 64

export class OpenPeriods {
  readonly #source: PeriodKeySource
  readonly #open = new Map<number, PeriodKeys | typeof REFUSED>()

  constructor(source: PeriodKeySource) {
    this.#source = source
  }

  /** The number of the period in which an instant lies. */
  periodOf(instant: number): number {
    return Math.floor(instant / this.#source.period)
  }

  /** @returns `REFUSED` for a period whose keys are no more. @throws StrongroomError whatever else hinders */
  async keys(period: number): Promise<PeriodKeys | typeof REFUSED> {
    const open = this.#open.get(period) ?? (await this.#unlock(period))
    // The one that was used last goes last.
    this.#open.delete(period)
    this.#open.set(period, open)
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= MOST_PERIODS) break
      this.#drop(oldest)
    }
    return open
  }

  /** The texts of addresses. A lease that is over is taken anew, once. */
  async pseudonymise(period: number, blocks: Uint8Array): Promise<readonly string[] | typeof REFUSED> {
    for (let attempt = 0; ; attempt++) {
      const keys = await this.keys(period)
      if (keys === REFUSED) return REFUSED
      try {
        return keys.pseudonymiseBlocks(blocks)
      } catch (error) {
        if (attempt > 0 || !(error instanceof StrongroomError) || error.code !== 'handle_expired') throw error
        this.#drop(period)
      }
    }
  }

  dispose(): void {
    for (const period of this.#open.keys()) this.#drop(period)
  }

  async #unlock(period: number): Promise<PeriodKeys | typeof REFUSED> {
    try {
      return await this.#source.unlock({ at: period * this.#source.period })
    } catch (error) {
      if (error instanceof StrongroomError && error.code === 'period_over') return REFUSED
      throw error
    }
  }

  #drop(period: number): void {
    const open = this.#open.get(period)
    this.#open.delete(period)
    if (open !== undefined && open !== REFUSED) open.dispose()
  }
}
