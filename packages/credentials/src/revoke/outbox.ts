/**
 * Tokens that are to be revoked, though their connection and its key are gone. Each is encrypted under a key of the vault's own that is
 * destroyed on a fixed day, whether or not the provider has answered by then.
 */

import {
  type Clock,
  encryptedToText,
  field,
  type Field,
  randomBytes,
  type StateStore,
  type StateVersion,
  type Vault,
} from '@strongroom/core'
import { z } from 'zod'

import { isConflict } from '../records/connection-store.ts'
import type { TokenHint } from './revocation-endpoint.ts'

const NAMESPACE = 'strongroom/revocations'
const DAY = 86_400_000
const FORM = 1

/** A revocation that waits. Instants are UTC milliseconds. */
export interface PendingRevocation {
  readonly provider: string
  readonly hint: TokenHint
  readonly attempts: number
  /** After that nobody tries any more, and the key is destroyed within a day. */
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

  /** @param within - milliseconds that a token is kept for this at most */
  constructor(vault: Vault, within: number) {
    this.#vault = vault
    this.#store = vault.stateStore
    this.#clock = vault.clock
    this.#within = within
  }

  /** @param id - 32 hexadecimal digits; the same twice is one revocation */
  async add(id: string, provider: string, token: string, hint: TokenHint): Promise<StoredRevocation> {
    const until = this.#clock.now() + this.#within
    const period = periodOf(until)
    const key = [this.#vault.id, String(period).padStart(8, '0'), id].join('/')
    const sealed = encryptedToText(await this.#vault.periodKey({ use: 'revocation', period }).encrypt(TOKEN, token, { record: key }))
    const pending = { provider, hint, attempts: 0, until, token: sealed }
    try {
      return { key, pending, stored: await this.#put(key, pending, 'absent', this.#clock.now()) }
    } catch (error) {
      if (!isConflict(error)) throw error
      const there = await this.#store.get(NAMESPACE, key)
      if (there === undefined) return this.add(newId(), provider, token, hint)
      return { key, pending: decode(there.value), stored: there.version }
    }
  }

  /** @throws StrongroomError `shredded` where its day is over, `decrypt_failed` */
  async tokenOf({ key, pending }: StoredRevocation): Promise<string> {
    return this.#vault.periodKey({ use: 'revocation', period: periodOf(pending.until) }).decrypt(TOKEN, pending.token, { record: key })
  }

  /** Puts it off, so that nobody else takes it before then. @throws StrongroomError `conflict` where somebody has */
  async claim({ key, pending, stored }: StoredRevocation, until: number): Promise<StoredRevocation> {
    const next = { ...pending, attempts: pending.attempts + 1 }
    return { key, pending: next, stored: await this.#put(key, next, stored, until) }
  }

  async remove({ key, stored }: StoredRevocation): Promise<void> {
    await this.#store.delete(NAMESPACE, key, { expected: stored })
  }

  async due(limit: number): Promise<readonly StoredRevocation[]> {
    const entries = await this.#store.due(NAMESPACE, this.#clock.now(), limit)
    return entries
      .filter(({ key }) => key.startsWith(`${this.#vault.id}/`))
      .map(({ key, value, version }) => ({ key, pending: decode(value), stored: version }))
  }

  #put(key: string, pending: PendingRevocation, expected: StateVersion | 'absent', due: number): Promise<StateVersion> {
    return this.#store.put(NAMESPACE, key, new TextEncoder().encode(JSON.stringify({ form: FORM, ...pending })), { expected, due })
  }
}

/** The day whose key seals what is kept until then. */
export function periodOf(until: number): number {
  return Math.floor(until / DAY)
}

export function newId(): string {
  return Buffer.from(randomBytes(16)).toString('hex')
}

function decode(bytes: Uint8Array): PendingRevocation {
  const { form: _, ...pending } = pendingForm.parse(JSON.parse(new TextDecoder().decode(bytes)))
  return pending
}
