/** The notes that see to the end of each period's key: in the state store, and there before the key is made, so that none is forgotten. */

import { hasCode } from '../errors.ts'
import type { RawKeyUse } from '../format/derivations.ts'
import { hex } from '../format/bytes.ts'
import type { KeyContext } from '../keys/key-context.ts'
import type { PeriodSeries } from './period-series.ts'

const NAMESPACE = 'strongroom/period-keys'
const FORM = 1
const PAGE = 1000
const KEY =
  /^(?<vault>[0-9a-f]{32})\/(?<tenant>[0-9a-f]{32})\/(?<use>[a-z-]+)\/(?<length>\d{1,16})\/(?<name>(?:[0-9a-f]{2})+)\/(?<period>\d{1,16})$/

/** A note, as it was read. */
export interface PeriodNote extends PeriodSeries {
  readonly period: number
  readonly entry: { readonly key: string; readonly version: string }
}

export class PeriodNotes {
  readonly #context: Pick<KeyContext, 'stateStore' | 'vaultId'>
  readonly #uses: readonly string[]

  constructor(context: Pick<KeyContext, 'stateStore' | 'vaultId'>, uses: readonly RawKeyUse[]) {
    this.#context = context
    this.#uses = uses
  }

  /** Notes that the key of a period is to be destroyed at an instant. One that is there stays as it is: what was promised first holds. */
  async note(series: PeriodSeries, period: number, due: number): Promise<void> {
    const key = `${this.#prefixOf(series)}${period}`
    await this.#context.stateStore.put(NAMESPACE, key, Uint8Array.of(FORM), { expected: 'absent', due }).catch(unlessConflict)
  }

  /** Those that are due, of all tenants, oldest first. */
  async due(now: number, limit: number): Promise<readonly PeriodNote[]> {
    const entries = await this.#context.stateStore.due(NAMESPACE, now, limit)
    return entries.map((entry) => this.#read(entry)).filter((note) => note !== undefined)
  }

  /** All of a series. */
  async *of(series: PeriodSeries): AsyncGenerator<PeriodNote> {
    const prefix = this.#prefixOf(series)
    for (let after: string | undefined; ;) {
      const page = await this.#context.stateStore.scan(NAMESPACE, prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) })
      for (const entry of page) {
        const note = this.#read(entry)
        if (note !== undefined) yield note
      }
      after = page.at(-1)?.key
      if (page.length < PAGE) return
    }
  }

  /** For one whose key is destroyed. */
  async remove({ entry: { key, version } }: Pick<PeriodNote, 'entry'>): Promise<void> {
    await this.#context.stateStore.delete(NAMESPACE, key, { expected: version }).catch(unlessConflict)
  }

  #prefixOf({ tenantRef, use, length, name }: PeriodSeries): string {
    return `${hex(this.#context.vaultId)}/${tenantRef}/${use}/${length}/${hex(name)}/`
  }

  // Of another vault in the same store: not ours. Names and numbers are read strictly: a reference computed of them is all that is shredded.
  #read(entry: { readonly key: string; readonly version: string }): PeriodNote | undefined {
    const { vault, tenant: tenantRef = '', use = '', length, name = '', period } = KEY.exec(entry.key)?.groups ?? {}
    if (vault !== hex(this.#context.vaultId) || !this.#uses.includes(use)) return undefined
    const bytes = Uint8Array.from(name.match(/../gu) ?? [], (digits) => Number.parseInt(digits, 16))
    return { tenantRef, use: use as RawKeyUse, name: bytes, length: Number(length), period: Number(period), entry }
  }
}

function unlessConflict(error: unknown): void {
  if (!hasCode(error, 'conflict')) throw error
}
