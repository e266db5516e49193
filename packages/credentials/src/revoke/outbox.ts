/**
 * Tokens that are to be revoked, though their connection and its key are gone. Each is encrypted under a key of the vault's own that is
 * destroyed on a fixed day, whether or not the provider has answered by then. Whose they are, and until when they are kept, the key of the entry
 * says: so that receipts can.
 */

import {
  type Clock,
  encryptedToText,
  field,
  type Field,
  keptEntryKey,
  type PeriodKey,
  scanEntries,
  type StateStore,
  type StateVersion,
  StrongroomError,
  type Vault,
} from '@strongroom/core'
import { z } from 'zod'

import { isConflict } from '../records/connection-store.ts'
import { type DueRecord, dueRecords } from '../records/due-records.ts'
import { decodeEntry, encodeEntry, FORM } from '../records/json-form.ts'
import type { TokenHint } from './revocation-endpoint.ts'

/** The namespace of the state store that they are in. */
export const REVOCATIONS = 'strongroom/revocations'
const DAY = 86_400_000
/** That a token is kept at most. */
const WEEK = 7 * DAY
/** Longer than an erasure takes, from the shred to its certificate. */
const NOTED_FOR = 366 * DAY
const PAGE = 100

/** A revocation that waits. */
export interface PendingRevocation {
  /** The key of the connection's entry: events call it by that. */
  readonly connection: string
  readonly provider: string
  readonly hint: TokenHint
  readonly attempts: number
  /** The token, in text form; empty once nobody asks any more, and it was not confirmed. */
  readonly token: string
}

export interface StoredRevocation {
  readonly key: string
  /** After that nobody tries any more, and the key is destroyed. UTC milliseconds. */
  readonly until: number
  readonly pending: PendingRevocation
  readonly stored: StateVersion
}

const TOKEN: Field<string> = field('strongroom/revocations', 'token', z.string())
const pendingForm: z.ZodType<PendingRevocation & { readonly form: number }> = z.strictObject({
  form: z.literal(FORM),
  connection: z.string(),
  provider: z.string(),
  hint: z.enum(['refresh_token', 'access_token']),
  attempts: z.number().int().min(0),
  token: z.string(),
})

export class RevocationOutbox {
  readonly #vaultId: string
  readonly #store: StateStore
  readonly #clock: Clock
  readonly #keyAt: (at: number) => PeriodKey

  constructor(vault: Vault) {
    this.#vaultId = vault.id
    this.#store = vault.stateStore
    this.#clock = vault.clock
    this.#keyAt = (at) => vault.periodKey({ use: 'revocation', at })
  }

  /**
   * @param references - from the tenant's down to the connection's
   * @param id - the same twice is one revocation
   * @throws StrongroomError `conflict` where somebody else does the same, and what stores and keys throw
   */
  async add(
    references: readonly string[],
    id: string,
    what: Pick<PendingRevocation, 'connection' | 'provider' | 'hint'>,
    token: string,
    due: number,
  ): Promise<StoredRevocation> {
    const there = await this.find(references, id)
    if (there !== undefined && (await this.#opens(there))) return there
    // From longer ago than it is kept, or not from here: it would stand where a token has to.
    if (there !== undefined) await this.remove(there)
    // Its end lies within the week that begins now.
    const seal = this.#keyAt(this.#clock.now() + WEEK - DAY)
    const key = keptEntryKey(this.#vaultId, references, seal.until, id)
    const pending = { ...what, attempts: 0, token: encryptedToText(await seal.encrypt(TOKEN, token, boundTo(key, what))) }
    try {
      return stored(key, pending, await this.#put(key, pending, 'absent', due))
    } catch (error) {
      const other = isConflict(error) ? await this.find(references, id) : undefined
      if (other === undefined) throw error
      return other
    }
  }

  async find(references: readonly string[], id: string): Promise<StoredRevocation | undefined> {
    const entries = await this.#store.scan(REVOCATIONS, `${[this.#vaultId, ...references].join('/')}/`, { limit: PAGE })
    const found = entries.find(({ key }) => key.endsWith(`/${id}`))
    return found === undefined ? undefined : stored(found.key, decode(found.value), found.version)
  }

  /** @throws StrongroomError `shredded` where its day is over, `decrypt_failed` */
  async tokenOf({ key, until, pending }: StoredRevocation): Promise<string> {
    return this.#keyAt(until - 1).decrypt(TOKEN, pending.token, boundTo(key, pending))
  }

  async #opens(there: StoredRevocation): Promise<boolean> {
    try {
      return (await this.tokenOf(there)) !== ''
    } catch (error) {
      if (isUnreadable(error)) return false
      throw error
    }
  }

  /** Puts it off, so that nobody else takes it before then. @throws StrongroomError `conflict` where somebody has */
  async claim({ key, pending, stored: version }: StoredRevocation, until: number): Promise<StoredRevocation> {
    const next = { ...pending, attempts: pending.attempts + 1 }
    return stored(key, next, await this.#put(key, next, version, until))
  }

  /** Leaves a note that it was never confirmed, without the token: so that the certificate of an erasure can say it. @throws as `claim` */
  async note({ key, pending, stored: version }: StoredRevocation): Promise<void> {
    await this.#put(key, { ...pending, token: '' }, version, this.#clock.now() + NOTED_FOR)
  }

  async remove({ key, stored: expected }: StoredRevocation): Promise<void> {
    await this.#store.delete(REVOCATIONS, key, { expected })
  }

  async due(limit: number): Promise<readonly DueRecord<StoredRevocation>[]> {
    const due = { namespace: REVOCATIONS, vaultId: this.#vaultId, before: this.#clock.now(), limit }
    return dueRecords(this.#store, due, ({ key, value, version }) => stored(key, decode(value), version))
  }

  /** All beneath a place, damaged ones too. Reads by pages. @param references - from the tenant's down */
  async *list(references: readonly string[]): AsyncGenerator<{ readonly until: number; readonly read: () => StoredRevocation }> {
    const prefix = `${[this.#vaultId, ...references].join('/')}/`
    for await (const { key, value, version } of scanEntries(this.#store, REVOCATIONS, prefix))
      yield { until: untilOf(key), read: () => stored(key, decode(value), version) }
  }

  #put(key: string, pending: PendingRevocation, expected: StateVersion | 'absent', due: number): Promise<StateVersion> {
    return this.#store.put(REVOCATIONS, key, encodeEntry(pending), { expected, due })
  }
}

/** Whether nobody can read a token any more: its day is over, or it is no entry that was made here. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof StrongroomError && ['shredded', 'decrypt_failed', 'invalid_argument'].includes(error.code)
}

/** Whether nobody asks about it any more, and it was not confirmed. */
export function isNoted({ pending }: Pick<StoredRevocation, 'pending'>): boolean {
  return pending.token === ''
}

function stored(key: string, pending: PendingRevocation, version: StateVersion): StoredRevocation {
  return { key, until: untilOf(key), pending, stored: version }
}

function untilOf(key: string): number {
  return Number(key.split('/').at(-2))
}

// So that nobody who writes the store has it sent to another provider.
function boundTo(key: string, { provider, hint }: Pick<PendingRevocation, 'provider' | 'hint'>): { readonly record: string } {
  return { record: `${provider}/${hint}/${key}` }
}

function decode(bytes: Uint8Array): PendingRevocation {
  return decodeEntry<PendingRevocation>(pendingForm, bytes)
}
