/** Keys of the vault's own, one for each period, and the note of each that sees to its end. */

import type { PeriodKey, PeriodKeyOptions, Vault } from '@strongroom/core'

import { isConflict } from './records/connection-store.ts'

const NAMESPACE = 'strongroom/credential-periods'
const MOST_AT_ONCE = 100
// So many periods that are over are looked at without a note, once in each process.
const LOOKED_BACK = 14
const FORM = 1

export class NotedKeys {
  readonly #vault: Vault
  readonly #use: PeriodKeyOptions['use']
  readonly #spare: number
  readonly #noted = new Set<number>()
  readonly #gone = new Set<number>()

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
      const until = Number(key.slice(mine.length))
      if (!key.startsWith(mine)) continue
      // Who writes the store can have any note come early, and make one of no period.
      if (Number.isSafeInteger(until) && until > 0) {
        if (this.toOpen(until - 1).until + this.#spare > clock.now()) continue
        destroyed += await this.#destroy(until)
      }
      await stateStore.delete(NAMESPACE, key, { expected: version }).catch(unlessConflict)
    }
    for (const until of this.#lately()) destroyed += await this.#destroy(until)
    return destroyed
  }

  // Notes go with a store that is restored from before them.
  #lately(): readonly number[] {
    const { until: next } = this.toOpen(this.#vault.clock.now() - this.#spare)
    const length = this.toOpen(next).until - next
    return Array.from({ length: LOOKED_BACK }, (_, i) => next - (i + 1) * length).filter((until) => !this.#gone.has(until))
  }

  async #destroy(until: number): Promise<number> {
    const key = this.toOpen(until - 1)
    const isThere = ['active', 'suspended'].includes(await key.state())
    if (isThere) await key.shred({ reason: 'retentionEnded' })
    this.#gone.add(until)
    return isThere ? 1 : 0
  }
}

function unlessConflict(error: unknown): void {
  if (!isConflict(error)) throw error
}
