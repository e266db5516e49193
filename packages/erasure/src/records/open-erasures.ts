/** Erasures that are under way: one at most of each place. */

import type { StateEntry, Vault } from '@strongroom/core'

import { idOf, openKey, prefixOf, readKey } from './keys.ts'
import { OPEN, type OpenRecord } from './record.ts'
import { isConflict, type SealedEntry, SealedEntries } from './sealed-entries.ts'

/** One that is under way, as it was read or written last. */
export interface OpenErasure {
  readonly id: string
  readonly references: readonly string[]
  readonly record: OpenRecord
  readonly entry: Pick<StateEntry, 'key' | 'version'>
}

const ERASURES = 'strongroom/erasures'
// A conflict means that another writer got through.
const MOST_TRIES = 100

export class OpenErasures {
  readonly #entries: SealedEntries<OpenRecord>
  readonly #vaultId: string

  constructor(vault: Vault) {
    this.#entries = new SealedEntries(vault, ERASURES, OPEN)
    this.#vaultId = vault.id
  }

  async find(references: readonly string[]): Promise<OpenErasure | undefined> {
    const entry = await this.#entries.get(openKey(this.#vaultId, references))
    return entry === undefined ? undefined : openErasure(entry)
  }

  /** The one of a nonce. */
  async get({ references, nonce }: { readonly references: readonly string[]; readonly nonce: string }): Promise<OpenErasure | undefined> {
    const found = await this.find(references)
    return found?.record.nonce === nonce ? found : undefined
  }

  /** @returns `undefined` where another is under way */
  async begin(references: readonly string[], record: OpenRecord, due: number): Promise<OpenErasure | undefined> {
    try {
      return openErasure(await this.#entries.put(openKey(this.#vaultId, references), record, 'absent', due))
    } catch (error) {
      if (isConflict(error)) return undefined
      throw error
    }
  }

  /** @param due - when sweeping looks at it again. @throws StrongroomError `conflict` where somebody else has changed it */
  async save({ entry, record }: OpenErasure, changes: Partial<OpenRecord>, due: number): Promise<OpenErasure> {
    return openErasure(await this.#entries.put(entry.key, { ...record, ...changes }, entry.version, due))
  }

  /**
   * Changes one, whoever else changes it at the same time.
   *
   * @param change - what is to be changed, and when sweeping looks at it again; `undefined`: nothing
   * @returns what is there then; `undefined` where it has ended
   */
  async change(
    erasure: OpenErasure,
    change: (record: OpenRecord) => { readonly changes: Partial<OpenRecord>; readonly due: number } | undefined,
  ): Promise<OpenErasure | undefined> {
    let now: OpenErasure | undefined = erasure
    for (let tries = 1; now !== undefined; tries++) {
      const next = change(now.record)
      if (next === undefined) return now
      try {
        return await this.save(now, next.changes, next.due)
      } catch (error) {
        if (!isConflict(error) || tries === MOST_TRIES) throw error
      }
      now = await this.get({ references: erasure.references, nonce: erasure.record.nonce })
    }
    return undefined
  }

  /** @returns whether it was still the one that was read */
  remove({ entry }: OpenErasure): Promise<boolean> {
    return this.#entries.remove(entry)
  }

  /** Those that sweeping has to look at, each by itself: one that is damaged keeps no other from it. */
  async *due(before: number, from?: number): AsyncGenerator<UnreadErasure> {
    for await (const entry of this.#entries.due(before, from)) yield* this.#unread(entry)
  }

  /** Of a place and of all beneath it, or of all. */
  async *beneath(references: readonly string[]): AsyncGenerator<UnreadErasure> {
    for await (const entry of this.#entries.scan(prefixOf(this.#vaultId, references))) yield* this.#unread(entry)
  }

  /** Those that a hold on a place is about: of what is above it, its own, and of what is beneath it. Reads by pages. */
  async *around(references: readonly string[]): AsyncGenerator<OpenErasure> {
    for (let depth = 1; depth < references.length; depth++) {
      const above = await this.find(references.slice(0, depth))
      if (above !== undefined) yield above
    }
    for await (const unread of this.beneath(references)) yield await unread.open()
  }

  #unread(entry: StateEntry): readonly UnreadErasure[] {
    const key = readKey(entry.key)
    if (key === undefined || key.nonce !== undefined) return []
    return [
      { place: `${ERASURES}/${entry.key}`, references: key.references, open: async () => openErasure(await this.#entries.open(entry)) },
    ]
  }
}

/** One that was listed and not yet opened. */
export interface UnreadErasure {
  /** Namespace and key of its entry. */
  readonly place: string
  readonly references: readonly string[]
  /** @throws StrongroomError `decrypt_failed` */
  open(): Promise<OpenErasure>
}

function openErasure({ key, value: record, version }: SealedEntry<OpenRecord>): OpenErasure {
  const { references } = readKey(key) as { readonly references: readonly string[] }
  return { id: idOf(references, record.nonce), references, record, entry: { key, version } }
}
