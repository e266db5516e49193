/** Legal holds: while one stands on a place, above it or beneath it, nothing of it is destroyed. */

import { type Field, field, findHold, holdKey, randomBytes, type StateEntry, StrongroomError, type Vault } from '@strongroom/core'
import { z } from 'zod'

import { id, instant } from '../records/forms.ts'
import { prefixOf } from '../records/keys.ts'
import { isConflict, SealedEntries, unlessDamaged } from '../records/sealed-entries.ts'

const NAMESPACE = 'strongroom/holds'
const RELEASED = 'strongroom/released-holds'
/** Instead of the reason of one that does not open. */
const UNREADABLE = 'unreadable'

interface HoldRecord {
  readonly nonce: string
  readonly reason: string
  readonly since: number
}

interface ReleasedRecord extends Omit<HoldRecord, 'nonce'> {
  readonly released: number
  readonly releaseReason: string
}

/** A hold, as `holds()` gives it. */
export interface Hold {
  /** Of whose it is, from the tenant's down. */
  readonly references: readonly string[]
  readonly reason: string
  /** UTC milliseconds. */
  readonly since: number
  /** Once it stands no more. */
  readonly released?: { readonly at: number; readonly reason: string } | undefined
}

const text = z.string().min(1).max(1000)
const HOLD: Field<HoldRecord> = field(NAMESPACE, 'hold', z.strictObject({ nonce: id, reason: text, since: instant }))
const PAST: Field<ReleasedRecord> = field(
  RELEASED,
  'hold',
  z.strictObject({ reason: text, since: instant, released: instant, releaseReason: text }),
)

export class Holds {
  readonly #vault: Vault
  readonly #holds: SealedEntries<HoldRecord>
  readonly #released: SealedEntries<ReleasedRecord>

  constructor(vault: Vault) {
    this.#vault = vault
    this.#holds = new SealedEntries(vault, NAMESPACE, HOLD)
    this.#released = new SealedEntries(vault, RELEASED, PAST)
  }

  /** Whether nothing of a place may be destroyed. One that does not open stands as well: nobody can say what it was. */
  async stand(references: readonly string[]): Promise<boolean> {
    return (await findHold(this.#vault.stateStore, this.#vault.id, references)) !== undefined
  }

  /** @throws StrongroomError `already_exists` */
  async put(references: readonly string[], reason: string): Promise<void> {
    try {
      await this.#holds.put(this.#key(references), { nonce: newNonce(), reason, since: this.#vault.clock.now() }, 'absent')
    } catch (error) {
      if (!isConflict(error)) throw error
      throw new StrongroomError('already_exists', 'there is a hold on this place; release it first, or leave it to stand')
    }
  }

  /** Notes who has released it and when, and calls back before it stands no more. One that does not open can be released as well. @throws StrongroomError `not_found` */
  async release(references: readonly string[], releaseReason: string, noted: () => Promise<void> | void): Promise<void> {
    const key = this.#key(references)
    const entry = await this.#vault.stateStore.get(NAMESPACE, key)
    if (entry === undefined) throw new StrongroomError('not_found', 'there is no hold on this place')
    const hold = await this.#holds.open({ key, ...entry }).catch(unlessDamaged)
    const { nonce, reason, since } = hold?.value ?? { nonce: newNonce(), reason: UNREADABLE, since: 0 }
    const past = { reason, since, released: this.#vault.clock.now(), releaseReason }
    await this.#released.putUnlessThere(prefixOf(this.#vault.id, references) + nonce, past)
    await noted()
    await this.#holds.remove({ key, version: entry.version })
  }

  /** Those that stand, then those that were released. One that does not open is thrown for once all others were given. */
  async *list(): AsyncGenerator<Hold> {
    let failure: unknown
    const opened = async <T>(entries: SealedEntries<T>, entry: StateEntry): Promise<T | undefined> =>
      (await entries.open(entry).catch((error: unknown) => void (failure ??= error)))?.value
    for await (const entry of this.#holds.scan(prefixOf(this.#vault.id, []))) {
      const hold = await opened(this.#holds, entry)
      if (hold !== undefined) yield { references: referencesOf(entry.key), reason: hold.reason, since: hold.since }
    }
    for await (const entry of this.#released.scan(prefixOf(this.#vault.id, []))) {
      const past = await opened(this.#released, entry)
      if (past === undefined) continue
      const { reason, since, released, releaseReason } = past
      yield { references: referencesOf(entry.key), reason, since, released: { at: released, reason: releaseReason } }
    }
    if (failure !== undefined) throw failure
  }

  #key(references: readonly string[]): string {
    return holdKey(this.#vault.id, references)
  }
}

function newNonce(): string {
  return Buffer.from(randomBytes(16)).toString('hex')
}

function referencesOf(key: string): readonly string[] {
  return key.split('/').slice(1, -1)
}
