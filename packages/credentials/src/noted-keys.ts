/** Keys of the vault's own, one for each period, and the note of each that sees to its end. */

import type { PeriodKey, PeriodKeyOptions, Vault } from '@strongroom/core'

import { isConflict } from './records/connection-store.ts'

const NAMESPACE = 'strongroom/credential-periods'
const MOST_AT_ONCE = 100
// Behind the end of a period: whose clock is an hour ahead destroys no key that others use, for which there is no second.
const SPARE = 3_600_000
const FORM = 1

export class NotedKeys {
  readonly #vault: Vault
  readonly #use: PeriodKeyOptions['use']
  readonly #length: number
  readonly #noted = new Set<number>()

  /** @param length - of a period, milliseconds */
  constructor(vault: Vault, use: PeriodKeyOptions['use'], length: number) {
    this.#vault = vault
    this.#use = use
    this.#length = length
  }

  /** The key of the period in which an instant lies, to encrypt with; destroyed an hour after the period is over. */
  async toSeal(instant: number): Promise<PeriodKey> {
    const period = Math.floor(instant / this.#length)
    // Before its key is made, so that none is forgotten.
    if (!this.#noted.has(period)) {
      const due = (period + 1) * this.#length + SPARE
      const key = `${this.#vault.id}/${this.#use}/${period}`
      await this.#vault.stateStore.put(NAMESPACE, key, new Uint8Array([FORM]), { expected: 'absent', due }).catch(unlessConflict)
      this.#noted.add(period)
    }
    return this.#of(period)
  }

  /** The same key, to decrypt with. */
  toOpen(instant: number): PeriodKey {
    return this.#of(Math.floor(instant / this.#length))
  }

  /** Destroys the keys of periods that are over. @returns how many */
  async destroyOld(): Promise<number> {
    const { stateStore, clock, id } = this.#vault
    const mine = `${id}/${this.#use}/`
    let destroyed = 0
    for (const { key, version } of await stateStore.due(NAMESPACE, clock.now(), MOST_AT_ONCE)) {
      if (!key.startsWith(mine)) continue
      await this.#of(Number(key.slice(mine.length))).shred({ reason: 'retentionEnded' })
      await stateStore.delete(NAMESPACE, key, { expected: version }).catch(unlessConflict)
      destroyed++
    }
    return destroyed
  }

  #of(period: number): PeriodKey {
    return this.#vault.periodKey({ use: this.#use, period })
  }
}

function unlessConflict(error: unknown): void {
  if (!isConflict(error)) throw error
}
