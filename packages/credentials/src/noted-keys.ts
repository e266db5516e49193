/** Keys of the vault's own, one for each period, and the note of each that sees to its end. */

import type { PeriodKey, PeriodKeyOptions, Vault } from '@strongroom/core'

import { isConflict } from './records/connection-store.ts'

const NAMESPACE = 'strongroom/credential-periods'
const MOST_AT_ONCE = 100
const FORM = 1

export class NotedKeys {
  readonly #vault: Vault
  readonly #use: PeriodKeyOptions['use']
  readonly #spare: number
  readonly #noted = new Set<number>()

  /** @param spare - milliseconds behind its period for which a key is left there: whose clock is ahead by less takes it from nobody */
  constructor(vault: Vault, use: PeriodKeyOptions['use'], spare = 0) {
    this.#vault = vault
    this.#use = use
    this.#spare = spare
  }

  /** The key of the period in which an instant lies, to encrypt with; destroyed once the period is over. */
  async toSeal(at: number): Promise<PeriodKey> {
    const key = this.toOpen(at)
    // Before its key is made, so that none is forgotten.
    if (!this.#noted.has(key.until)) {
      const note = `${this.#vault.id}/${this.#use}/${key.until}`
      await this.#vault.stateStore
        .put(NAMESPACE, note, new Uint8Array([FORM]), { expected: 'absent', due: key.until + this.#spare })
        .catch(unlessConflict)
      this.#noted.add(key.until)
    }
    return key
  }

  /** The same key, to decrypt with. */
  toOpen(at: number): PeriodKey {
    return this.#vault.periodKey({ use: this.#use, at })
  }

  /** Destroys the keys of periods that are over. @returns how many */
  async destroyOld(): Promise<number> {
    const { stateStore, clock, id } = this.#vault
    const mine = `${id}/${this.#use}/`
    let destroyed = 0
    for (const { key, version } of await stateStore.due(NAMESPACE, clock.now(), MOST_AT_ONCE)) {
      if (!key.startsWith(mine)) continue
      await this.toOpen(Number(key.slice(mine.length)) - 1).shred({ reason: 'retentionEnded' })
      await stateStore.delete(NAMESPACE, key, { expected: version }).catch(unlessConflict)
      destroyed++
    }
    return destroyed
  }
}

function unlessConflict(error: unknown): void {
  if (!isConflict(error)) throw error
}
