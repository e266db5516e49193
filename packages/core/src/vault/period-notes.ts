/**
 * The notes that see to the end of each period's key: in the state store, and there before the key is made, so that none is forgotten. Each says
 * when, under a key of the vault: whoever can write the store, and no more, has no key end before its time.
 */

import { wipe } from '../crypto/hash.ts'
import { decryptFailed, hasCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { dueIn, periodNote } from '../format/period-note.ts'
import type { KeyTree } from '../keys/key-tree.ts'
import { dueEntries, scanEntries } from '../keys/state-pages.ts'
import type { StateEntry } from '../keys/state-store.ts'
import { keyEnd, type KeptSeries, type PeriodSeries } from './period-series.ts'

/** Of the state store. */
export const NAMESPACE = 'strongroom/period-keys'
// Of those that this process has noted; then it looks again.
const MOST_NOTED = 10_000
const KEY = /^[0-9a-f]{32}\/(?<tenant>[0-9a-f]{32})\/(?<use>[a-z-]+)\/(?<length>\d{1,16})\/(?<name>(?:[0-9a-f]{2})*)\/(?<period>\d{1,16})$/

/** A note, as it was found. */
export interface FoundNote {
  readonly entry: { readonly key: string; readonly version: string }
  /** Where it is, for whoever has to look. */
  readonly place: string
  /** Whose end it is about, by its place in the store. */
  readonly about: (PeriodSeries & { readonly period: number }) | undefined
  /** When that key is to end; `undefined` where this vault has not said so. */
  readonly due: number | undefined
}

export class PeriodNotes {
  readonly #tree: KeyTree
  readonly #noted = new Set<string>()

  constructor(tree: KeyTree) {
    this.#tree = tree
  }

  /** Notes when the key of a period is to end. A note that is there stays as it is: what was promised first holds. */
  async note(series: KeptSeries, period: number): Promise<void> {
    const key = `${this.#prefixOf(series)}${period}`
    if (this.#noted.has(key)) return
    const due = keyEnd(series, period)
    const value = await this.#withKey((noteKey) => periodNote(noteKey, key, due))
    await this.#tree.context.stateStore.put(NAMESPACE, key, value, { expected: 'absent', due }).catch(unlessConflict)
    if (this.#noted.size === MOST_NOTED) this.#noted.clear()
    this.#noted.add(key)
  }

  /** Those of the vault that are due, oldest first. Reads by pages. */
  async *due(now: number): AsyncGenerator<FoundNote> {
    const { stateStore, vaultId } = this.#tree.context
    for await (const entry of dueEntries(stateStore, NAMESPACE, { vaultId: hex(vaultId), before: now })) {
      const found = await this.#read(entry)
      // Somebody had it come early, or late.
      yield found.due === entry.due ? found : { ...found, due: undefined }
    }
  }

  /** All of a series. Reads by pages. */
  async *of(series: PeriodSeries): AsyncGenerator<FoundNote> {
    for await (const entry of scanEntries(this.#tree.context.stateStore, NAMESPACE, this.#prefixOf(series))) yield this.#read(entry)
  }

  /** For one whose key is destroyed. */
  async remove({ entry: { key, version } }: Pick<FoundNote, 'entry'>): Promise<void> {
    await this.#tree.context.stateStore.delete(NAMESPACE, key, { expected: version }).catch(unlessConflict)
  }

  /** Whether a note is one of a series, or claims to be. */
  isOf({ entry }: Pick<FoundNote, 'entry'>, series: PeriodSeries): boolean {
    return entry.key.startsWith(this.#prefixOf(series))
  }

  #prefixOf({ tenantRef, use, length, name }: PeriodSeries): string {
    return `${hex(this.#tree.context.vaultId)}/${tenantRef}/${use}/${length}/${hex(name)}/`
  }

  async #read({ key, value, version }: StateEntry): Promise<FoundNote> {
    const due = await this.#withKey((noteKey) => dueIn(noteKey, key, value))
    return { entry: { key, version }, place: `${NAMESPACE}/${key}`, about: aboutOf(key), due }
  }

  async #withKey<T>(use: (key: Uint8Array) => T): Promise<T> {
    const { active } = (await this.#tree.vault()).node
    if (active === undefined) throw decryptFailed()
    const key = active.noteKey()
    try {
      return use(key)
    } finally {
      wipe(key)
    }
  }
}

// Read strictly, though nothing is destroyed that this alone says.
function aboutOf(key: string): FoundNote['about'] {
  const { tenant: tenantRef, use, length, name = '', period } = KEY.exec(key)?.groups ?? {}
  if (tenantRef === undefined) return undefined
  const bytes = Uint8Array.from(name.match(/../gu) ?? [], (digits) => Number.parseInt(digits, 16))
  return { tenantRef, use: use as PeriodSeries['use'], name: bytes, length: Number(length), period: Number(period) }
}

function unlessConflict(error: unknown): void {
  if (!hasCode(error, 'conflict')) throw error
}
