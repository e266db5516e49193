/** A connection as the state store has it: what may be read without a key, beside what is encrypted. */

import { z } from 'zod'

import type { Kind } from '../kinds/kinds.ts'
import { decodeEntry, encodeEntry, FORM } from './json-form.ts'

/** `live`; `reauthorisation_required`: the customer must connect again; `disconnecting`: on its way out, as good as gone. */
export type ConnectionState = 'live' | 'reauthorisation_required' | 'disconnecting'

/** Why a customer must connect again: the provider says the token is no good; nobody knows whether it was used up; it has expired and there is nothing to refresh it with. */
export type ReauthorisationReason = 'invalid_grant' | 'unknown_outcome' | 'expired'

/** A request for new tokens that is under way, or whose end nobody has written down. */
export interface Intent {
  /** Random, new for each request. */
  readonly id: string
  /** When it began, by the clock of the process that began it. UTC milliseconds. */
  readonly at: number
}

/** Requests with this refresh token of which nobody knows whether they were carried out. */
export interface Doubt {
  /** When the first of them began: by then it may have been used up. UTC milliseconds. */
  readonly since: number
  readonly requests: number
}

/** How the last request ended that brought no tokens: whoever waited for it is told the same. */
export interface Failure {
  readonly intent: string
  readonly code: string
  /** In a row. */
  readonly failures: number
  /** Until then nobody asks again. UTC milliseconds. */
  readonly retryAt: number
}

/** Instants are UTC milliseconds; sealed values are in text form. */
export interface ConnectionRecord {
  readonly provider: string
  readonly kind: Kind
  /** The item of the key tree that the secrets are encrypted under: random, and of this connection alone. */
  readonly item: string
  /** The item's reference, for whoever has to end it without knowing whose it is. */
  readonly reference: string
  readonly state: ConnectionState
  readonly reason?: ReauthorisationReason | undefined
  readonly created: number
  readonly updated: number
  /** Of the tokens: one more each time they are replaced. What is sealed below is bound to it. */
  readonly version: number
  /** When the access token is no longer good; `undefined` where the provider did not say. */
  readonly expires?: number | undefined
  /** From when on it is refreshed ahead of that. */
  readonly refreshAt?: number | undefined
  /** Whether a new access token can be asked for. */
  readonly refreshable: boolean
  /** `{ name, account, scopes }`. */
  readonly about: string
  readonly access?: string | undefined
  readonly lasting?: string | undefined
  readonly intent?: Intent | undefined
  readonly doubt?: Doubt | undefined
  readonly failure?: Failure | undefined
}

const text = z.string().min(1).max(500_000)
const instant = z.number().int().min(0)
const record: z.ZodType<ConnectionRecord & { readonly form: number }> = z.strictObject({
  form: z.literal(FORM),
  provider: z.string().min(1).max(64),
  kind: z.enum(['oauth2', 'clientCredentials', 'apiKey', 'webhookSecret']),
  item: z.string().regex(/^[0-9a-f]{32}$/),
  reference: z.string().regex(/^[0-9a-f]{32}$/),
  state: z.enum(['live', 'reauthorisation_required', 'disconnecting']),
  reason: z.enum(['invalid_grant', 'unknown_outcome', 'expired']).optional(),
  created: instant,
  updated: instant,
  version: z.number().int().min(1),
  expires: instant.optional(),
  refreshAt: instant.optional(),
  refreshable: z.boolean(),
  about: text,
  access: text.optional(),
  lasting: text.optional(),
  intent: z.strictObject({ id: z.string().regex(/^[0-9a-f]{32}$/), at: instant }).optional(),
  doubt: z.strictObject({ since: instant, requests: z.number().int().min(1) }).optional(),
  failure: z
    .strictObject({
      intent: z.string().regex(/^[0-9a-f]{32}$/),
      code: z.string().max(100),
      failures: z.number().int().min(1),
      retryAt: instant,
    })
    .optional(),
})

export function encodeRecord(connection: ConnectionRecord): Uint8Array {
  return encodeEntry(connection)
}

/** @throws StrongroomError `decrypt_failed` for bytes of another form */
export function decodeRecord(bytes: Uint8Array): ConnectionRecord {
  return decodeEntry<ConnectionRecord>(record, bytes)
}
