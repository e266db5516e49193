/** Erasures that are under way: one at most of each place. */

import { randomBytes, type StateEntry, type StateVersion, StrongroomError, type Vault } from '@strongroom/core'

import { idOf, openKey, prefixOf, readKey } from './keys.ts'
import { OPEN, type OpenRecord } from './record.ts'
import { isConflict, isDamaged, type SealedEntry, SealedEntries } from './sealed-entries.ts'

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

  /** @throws StrongroomError `decrypt_failed`, `schema_mismatch` */
  async find(references: readonly string[]): Promise<OpenErasure | undefined> {
    const entry = await this.stored(references)
    return entry === undefined ? undefined : this.open(entry)
  }

  /** The entry of a place as it is stored, whether or not it opens. */
  stored(references: readonly string[]): Promise<StateEntry | undefined> {
    return this.#entries.read(openKey(this.#vaultId, references))
  }

  /** @throws StrongroomError as `find` */
  async open(entry: StateEntry): Promise<OpenErasure> {
    try {
      return openErasure(await this.#entries.open(entry))
    } catch (error) {
      throw isDamaged(error) ? unreadable(entry, error) : error
    }
  }

  /** The one of a nonce. */
  async get({ references, nonce }: { readonly references: readonly string[]; readonly nonce: string }): Promise<OpenErasure | undefined> {
    const found = await this.find(references)
    return found?.record.nonce === nonce ? found : undefined
  }

  /**
   * @param expected - the version of what it takes the place of, `absent`: of nothing
   * @returns `undefined` where another is under way
   */
  async begin(
    references: readonly string[],
    record: OpenRecord,
    { due, expected }: { readonly due: number; readonly expected: StateVersion | 'absent' },
  ): Promise<OpenErasure | undefined> {
    try {
      return openErasure(await this.#entries.put(openKey(this.#vaultId, references), record, expected, due))
    } catch (error) {
      if (isConflict(error)) return undefined
      throw error
    }
  }

  /** @param due - when sweeping looks at it again. @throws StrongroomError `conflict` where somebody else has changed it */
  async save({ entry, record }: OpenErasure, changes: Partial<OpenRecord>, due: number): Promise<OpenErasure> {
    return openErasure(await this.#entries.put(entry.key, { ...record, ...changes }, entry.version, due))
  }

  /** As `save`, by whoever has claimed it: that the claim was moved meanwhile does not matter. */
  async saveClaimed(erasure: OpenErasure, changes: Partial<OpenRecord>, due: number): Promise<OpenErasure> {
    return this.#whileClaimed(erasure, (now) => this.save(now, changes, due))
  }

  /** Right before what nobody can take back. @throws StrongroomError `conflict` where somebody else has it, or it has ended */
  async requireClaimed({ references, record }: OpenErasure): Promise<void> {
    const found = await this.find(references)
    if (found === undefined || found.record.claim !== record.claim)
      throw new StrongroomError('conflict', 'somebody else works on this erasure, or it has ended')
  }

  /** As `remove`, by whoever has claimed it. */
  async removeClaimed(erasure: OpenErasure): Promise<boolean> {
    try {
      await this.#whileClaimed(erasure, ({ entry }) => this.#entries.delete(entry))
      return true
    } catch (error) {
      if (!isConflict(error)) throw error
      return false
    }
  }

  // Whoever else writes it, but for moving the claim, takes the claim away.
  async #whileClaimed<T>(erasure: OpenErasure, write: (now: OpenErasure) => Promise<T>): Promise<T> {
    const { claim } = erasure.record
    let now = erasure
    for (let tries = 1; ; tries++) {
      try {
        return await write(now)
      } catch (error) {
        if (!isConflict(error) || claim === undefined || tries === MOST_TRIES) throw error
        const found = await this.find(erasure.references)
        if (found?.record.claim !== claim) throw error
        now = found
      }
    }
  }

  /**
   * Changes one, whoever else changes it at the same time. Who had it claimed has it no more.
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
        return await this.save(now, { ...next.changes, claim: undefined }, next.due)
      } catch (error) {
        if (!isConflict(error) || tries === MOST_TRIES) throw error
      }
      now = await this.get({ references: erasure.references, nonce: erasure.record.nonce })
    }
    return undefined
  }

  /** @returns whether it was still the one that was read */
  remove({ entry }: OpenErasure): Promise<boolean> {
    return this.removeEntry(entry)
  }

  /** As `remove`, of one that does not open. */
  removeEntry(entry: Pick<StateEntry, 'key' | 'version'>): Promise<boolean> {
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

  /** Those that a hold on a place is about: its own, of what is above it, and of what is beneath it. */
  async *around(references: readonly string[]): AsyncGenerator<UnreadErasure> {
    for (const above of references.slice(1).map((_, i) => references.slice(0, i + 1))) {
      const entry = await this.stored(above)
      if (entry !== undefined) yield* this.#unread(entry)
    }
    yield* this.beneath(references)
  }

  #unread(entry: StateEntry): readonly UnreadErasure[] {
    const key = readKey(entry.key)
    if (key === undefined || key.nonce !== undefined) return []
    return [{ place: placeOf(entry), references: key.references, open: () => this.open(entry) }]
  }
}

/** One that was listed and not yet opened. */
export interface UnreadErasure {
  /** Namespace and key of its entry. */
  readonly place: string
  readonly references: readonly string[]
  /** @throws StrongroomError `decrypt_failed`, `schema_mismatch` */
  open(): Promise<OpenErasure>
}

/** Of who claims one: random, so that he knows his claim again. */
export function newClaim(): string {
  return Buffer.from(randomBytes(16)).toString('hex')
}

function placeOf({ key }: Pick<StateEntry, 'key'>): string {
  return `${ERASURES}/${key}`
}

function unreadable({ key }: StateEntry, cause: StrongroomError): StrongroomError {
  const id = readKey(key)?.references.join('.') ?? ''
  const what =
    cause.code === 'schema_mismatch'
      ? `is of another form: it was written by a newer version of this package, which has to go on with it; its id is ${id}`
      : `does not open: ask for the same erasure again, which replaces it, or discard it by its id, ${id}`
  return new StrongroomError(cause.code, `the record of an erasure that is under way ${what}`, { cause })
}

function openErasure({ key, value: record, version }: SealedEntry<OpenRecord>): OpenErasure {
  const { references } = readKey(key) as { readonly references: readonly string[] }
  return { id: idOf(references, record.nonce), references, record, entry: { key, version } }
}
