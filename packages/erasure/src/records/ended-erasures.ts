/** Erasures that have ended: first without a certificate, with a note that they wait for their epoch; then with it. */

import { type StateEntry, type Vault } from '@strongroom/core'

import { CERTIFICATE, ERASED, type ErasedRecord } from './ended.ts'
import { closingKey, endedKey, type ErasureKey, idOf, prefixOf, readClosingKey, readKey } from './keys.ts'
import { type SealedEntry, SealedEntries, unlessConflict } from './sealed-entries.ts'

const CLOSINGS = 'strongroom/closings'
const FORM = 1
const PAGE = 500
// Behind every digit, and so behind all of a region.
const LAST = '~'

/** Which one it is. */
export interface EndedKey {
  readonly references: readonly string[]
  readonly nonce: string
}

/** A note that one waits for its epoch. What it says nobody believes: it only says where to look. */
export interface ClosingNote extends EndedKey {
  readonly region: string
  readonly rootVersion: number
  readonly entry: Pick<StateEntry, 'key' | 'version'>
}

export class EndedErasures {
  readonly #vault: Vault
  readonly #erased: SealedEntries<ErasedRecord>
  readonly #certificates: SealedEntries<string>

  constructor(vault: Vault) {
    this.#vault = vault
    this.#erased = new SealedEntries(vault, 'strongroom/erasures', ERASED)
    this.#certificates = new SealedEntries(vault, 'strongroom/certificates', CERTIFICATE)
  }

  async erased({ references, nonce }: EndedKey): Promise<SealedEntry<ErasedRecord> | undefined> {
    return this.#erased.get(endedKey(this.#vault.id, references, nonce))
  }

  async certificate({ references, nonce }: EndedKey): Promise<string | undefined> {
    return (await this.#certificates.get(endedKey(this.#vault.id, references, nonce)))?.value
  }

  /** In place of what somebody has put who was killed then: he had looked earlier. @throws StrongroomError `conflict` */
  async putErased({ references, nonce }: EndedKey, record: ErasedRecord): Promise<void> {
    const key = endedKey(this.#vault.id, references, nonce)
    await this.#erased.put(key, record, (await this.#erased.read(key))?.version ?? 'absent')
  }

  putCertificate({ references, nonce }: EndedKey, certificate: string): Promise<void> {
    return this.#certificates.putUnlessThere(endedKey(this.#vault.id, references, nonce), certificate)
  }

  async removeErased(entry: SealedEntry<ErasedRecord>): Promise<void> {
    await this.#erased.remove(entry)
  }

  /** All that are erased and not closed. */
  async *list(): AsyncGenerator<{ readonly id: string; readonly references: readonly string[]; open(): Promise<ErasedRecord> }> {
    for await (const entry of this.#erased.scan(prefixOf(this.#vault.id, []))) {
      const { references, nonce } = readKey(entry.key) ?? ({} as Partial<ErasureKey>)
      if (references === undefined || nonce === undefined) continue
      yield { id: idOf(references, nonce), references, open: async () => (await this.#erased.open(entry)).value }
    }
  }

  /** Notes that one waits for its epoch. */
  async note({ references, nonce }: EndedKey, { region, rootVersion }: Pick<ErasedRecord, 'region' | 'rootVersion'>): Promise<void> {
    const key = closingKey(this.#vault.id, region, rootVersion, references, nonce)
    await this.#vault.stateStore.put(CLOSINGS, key, Uint8Array.of(FORM), { expected: 'absent' }).catch(unlessConflict)
  }

  async removeNote({ entry: { key, version } }: Pick<ClosingNote, 'entry'>): Promise<void> {
    await this.#vault.stateStore.delete(CLOSINGS, key, { expected: version }).catch(unlessConflict)
  }

  /** Regions of which anything waits: one look for each. */
  async *regions(): AsyncGenerator<string> {
    for (let after: string | undefined; ;) {
      const [first] = await this.#page(prefixOf(this.#vault.id, []), 1, after)
      if (first === undefined) return
      const note = readClosingKey(first.key)
      if (note !== undefined) yield note.region
      after = note === undefined ? first.key : prefixOf(this.#vault.id, [note.region]) + LAST
    }
  }

  /** Those of a region, in the order of their root versions. Reads by pages: the first by itself, since most often nothing behind it is needed. */
  async *notes(region: string): AsyncGenerator<ClosingNote> {
    let limit = 1
    for (let after: string | undefined; ;) {
      const page = await this.#page(prefixOf(this.#vault.id, [region]), limit, after)
      for (const entry of page) {
        const note = readClosingKey(entry.key)
        if (note !== undefined) yield { ...note, entry }
      }
      after = page.at(-1)?.key
      if (page.length < limit) return
      limit = PAGE
    }
  }

  #page(prefix: string, limit: number, after: string | undefined): Promise<readonly StateEntry[]> {
    return this.#vault.stateStore.scan(CLOSINGS, prefix, { limit, ...(after === undefined ? {} : { after }) })
  }
}
