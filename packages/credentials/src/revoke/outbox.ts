/**
 * Tokens that are to be revoked, though their connection and its key are gone. Each is encrypted under a key of the vault's own that is
 * destroyed on a fixed day, whether or not the provider has answered by then.
 */

import { type Clock, encryptedToText, field, type Field, type StateStore, type StateVersion, type Vault } from '@strongroom/core'
import { z } from 'zod'

import { NotedKeys } from '../noted-keys.ts'
import { isConflict } from '../records/connection-store.ts'
import { decodeEntry, encodeEntry, FORM } from '../records/json-form.ts'
import type { TokenHint } from './revocation-endpoint.ts'

const NAMESPACE = 'strongroom/revocations'
const DAY = 86_400_000

/** A revocation that waits. Instants are UTC milliseconds. */
export interface PendingRevocation {
  /** The entry of the connection, and its item: while it lives, nothing is revoked. */
  readonly of: { readonly key: string; readonly item: string }
  readonly provider: string
  readonly hint: TokenHint
  readonly attempts: number
  /** After that nobody tries any more, and the key is destroyed within a day and an hour. */
  readonly until: number
  /** The token, in text form. */
  readonly token: string
}

export interface StoredRevocation {
  readonly key: string
  readonly pending: PendingRevocation
  readonly stored: StateVersion
}

const TOKEN: Field<string> = field('strongroom/revocations', 'token', z.string())
const pendingForm: z.ZodType<PendingRevocation & { readonly form: number }> = z.strictObject({
  form: z.literal(FORM),
  of: z.strictObject({ key: z.string(), item: z.string() }),
  provider: z.string(),
  hint: z.enum(['refresh_token', 'access_token']),
  attempts: z.number().int().min(0),
  until: z.number().int().min(0),
  token: z.string(),
})

export class RevocationOutbox {
  readonly #vault: Vault
  readonly #store: StateStore
  readonly #clock: Clock
  readonly #within: number
  readonly #keys: NotedKeys

  /** @param within - milliseconds that a token is kept for this at most */
  constructor(vault: Vault, within: number) {
    this.#vault = vault
    this.#store = vault.stateStore
    this.#clock = vault.clock
    this.#within = within
    this.#keys = new NotedKeys(vault, 'revocation', DAY)
  }

  /** @param id - the same twice is one revocation */
  async add(id: string, what: Pick<PendingRevocation, 'of' | 'provider' | 'hint'>, token: string, due: number): Promise<StoredRevocation> {
    const key = this.#keyOf(id)
    const until = this.#clock.now() + this.#within
    const sealed = encryptedToText(await (await this.#keys.toSeal(until)).encrypt(TOKEN, token, boundTo(key, what)))
    const pending = { ...what, attempts: 0, until, token: sealed }
    try {
      return { key, pending, stored: await this.#put(key, pending, 'absent', due) }
    } catch (error) {
      const there = isConflict(error) ? await this.find(id) : undefined
      if (there === undefined) throw error
      return there
    }
  }

  find(id: string): Promise<StoredRevocation | undefined> {
    return this.read(this.#keyOf(id))
  }

  async read(key: string): Promise<StoredRevocation | undefined> {
    const there = await this.#store.get(NAMESPACE, key)
    return there === undefined ? undefined : { key, pending: decode(there.value), stored: there.version }
  }

  #keyOf(id: string): string {
    return `${this.#vault.id}/${id}`
  }

  /** @throws StrongroomError `shredded` where its day is over, `decrypt_failed` */
  async tokenOf({ key, pending }: StoredRevocation): Promise<string> {
    return this.#keys.toOpen(pending.until).decrypt(TOKEN, pending.token, boundTo(key, pending))
  }

  /** Puts it off, so that nobody else takes it before then. @throws StrongroomError `conflict` where somebody has */
  async claim({ key, pending, stored }: StoredRevocation, until: number): Promise<StoredRevocation> {
    const next = { ...pending, attempts: pending.attempts + 1 }
    return { key, pending: next, stored: await this.#put(key, next, stored, until) }
  }

  /** @returns how many keys were destroyed, whose day is over */
  destroyOldKeys(): Promise<number> {
    return this.#keys.destroyOld()
  }

  async remove({ key, stored }: StoredRevocation): Promise<void> {
    await this.#store.delete(NAMESPACE, key, { expected: stored })
  }

  /** @returns each by itself: one that is damaged keeps no other from being revoked */
  async due(limit: number): Promise<readonly (() => StoredRevocation)[]> {
    const entries = await this.#store.due(NAMESPACE, this.#clock.now(), limit)
    return entries
      .filter(({ key }) => key.startsWith(`${this.#vault.id}/`))
      .map(({ key, value, version }) => () => ({ key, pending: decode(value), stored: version }))
  }

  #put(key: string, pending: PendingRevocation, expected: StateVersion | 'absent', due: number): Promise<StateVersion> {
    return this.#store.put(NAMESPACE, key, encodeEntry(pending), { expected, due })
  }
}

// So that nobody who writes the store has it sent to another provider.
function boundTo(key: string, { provider, hint }: Pick<PendingRevocation, 'provider' | 'hint'>): { readonly record: string } {
  return { record: `${provider}/${hint}/${key}` }
}

function decode(bytes: Uint8Array): PendingRevocation {
  return decodeEntry<PendingRevocation>(pendingForm, bytes)
}
