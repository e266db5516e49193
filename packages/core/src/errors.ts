/**
 * Everything that Strongroom throws: one class, a `code` from a closed union, a message that says what to do and
 * never holds a value, a key or a token.
 */

/** The closed list of what can go wrong. Switch on it; a message may change, a code does not. */
export type StrongroomErrorCode =
  /** An argument is of the wrong type, size or form. `argument` names it. Nothing was sent and nothing was encrypted. */
  | 'invalid_argument'
  /** Stored bytes do not open here: altered, cut, from another place, or under a key that does not exist. */
  | 'decrypt_failed'
  /** The value is authentic, but the schema of its field refuses it: the declaration has changed since it was written. Or: what was to be written does not fit. */
  | 'schema_mismatch'
  /** The key was destroyed on purpose and will not come back. */
  | 'shredded'
  /** The value is of a key version that `retireVersion` has ended; whose it is lives. Put back a copy of the data that was re-encrypted since. */
  | 'retired'
  /** The key is suspended: neither encrypts nor decrypts until it is resumed. */
  | 'suspended'
  /** The key only decrypts. */
  | 'deactivated'
  /** The operation is denied by the vault's gate. */
  | 'denied'
  /** A handle from `unlock()` has been disposed, has outlived the cache bound, or its key was shredded or suspended. */
  | 'handle_expired'
  /** No such tenant; create it first. */
  | 'not_found'
  /** The key of that period is destroyed, or about to be: what happened so long ago is refused. */
  | 'period_over'
  /** Another writer was first; read again and retry. */
  | 'conflict'
  /** No key provider for that region in this process, or the provider serves another region. */
  | 'region_refused'
  /** The key provider did not answer, or answered with a failure. */
  | 'key_provider_unavailable'
  /** The key provider did not answer in time. */
  | 'key_provider_timeout'
  /** The key provider refuses for now, because it was asked too often. */
  | 'key_provider_throttled'
  /** The key provider does not hold the root key that this vault was made with. */
  | 'wrong_root_key'
  /** The root key version that wrapped this key has been destroyed. */
  | 'root_version_destroyed'
  /** The root key file is missing, damaged, readable by others, older than one seen before, or of an unknown format. */
  | 'root_key_file_invalid'
  /** The passphrase or the raw key does not open the root key file. */
  | 'wrong_passphrase'
  | 'key_store_unavailable'
  | 'state_store_unavailable'
  /** An epoch cannot be rotated or closed yet: the message says what comes first. Nothing was destroyed. */
  | 'epoch_blocked'
  /** A key version still has something that only it opens: values, or children. Nothing was destroyed. */
  | 'still_referenced'
  /** What is to be shredded has connections to other systems, and nothing in this process can revoke their tokens. Nothing was destroyed. */
  | 'revocation_required'
  /** A legal hold stands on what is to be destroyed, above it or beneath it. Nothing was destroyed. */
  | 'held'
  /** A receipt that no trusted key has signed, or that was altered. */
  | 'receipt_invalid'
  /** A closure certificate that no trusted key has signed, or that was altered. */
  | 'certificate_invalid'
  /** An erasure of this, or of what it is beneath, is under way: wait for its end. */
  | 'erasure_pending'
  /** The grace of an erasure is over: it cannot be taken back any more. */
  | 'grace_over'
  /** The ledger of shreds does not continue what the key store knows of it: cut, forged, or restored from before. */
  | 'ledger_invalid'
  /** There is no vault in this key store; `initVault` makes one. */
  | 'vault_not_initialised'
  /** There already is one; nothing was changed. */
  | 'already_exists'
  /** The vault was closed. */
  | 'vault_closed'
  /** This cannot be done on protected data; nothing was sent. */
  | 'unsupported_operation'
  /** A search by a blind index of a tenant has to say which tenant; nothing was sent. */
  | 'tenant_required'
  /** The tokens of a connection are no longer good, or nobody knows whether they are: the customer must connect again. */
  | 'reauthorisation_required'
  /** The customer, or the provider, has not agreed to a connection. */
  | 'authorisation_denied'
  /** The authorisation server did not answer, or answered that it cannot. */
  | 'authorisation_server_unavailable'
  | 'authorisation_server_timeout'
  /** The authorisation server refuses for now, because it was asked too often. */
  | 'authorisation_server_throttled'
  /** The authorisation server refuses this service's client, or the request as it is. */
  | 'authorisation_server_refused'
  /** The authorisation server answered with something that is no answer. */
  | 'authorisation_server_malformed'

/** How to make a {@link StrongroomError}: the underlying failure, and the argument at fault, where there is one. */
export interface StrongroomErrorOptions {
  readonly cause?: unknown
  readonly argument?: string
}

/**
 * The one error class. Its `code` is stable; its message names the argument or the thing to do, never a value.
 *
 * @example
 * ```ts
 * import { StrongroomError } from '@strongroom/core'
 *
 * function explain(error: unknown): string {
 *   return error instanceof StrongroomError && error.code === 'shredded' ? 'This account is gone.' : 'Try again later.'
 * }
 * ```
 */
export class StrongroomError extends Error {
  override readonly name = 'StrongroomError'
  readonly code: StrongroomErrorCode
  /** The argument at fault, for `invalid_argument`. */
  readonly argument: string | undefined

  constructor(code: StrongroomErrorCode, message: string, options: StrongroomErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.argument = options.argument
  }

  toJSON(): { name: string; code: StrongroomErrorCode; message: string } {
    return { name: this.name, code: this.code, message: this.message }
  }
}

/**
 * For stores, providers and adapters: an `invalid_argument` error that names the argument and says what it must be. Never pass the value.
 *
 * @example
 * ```ts
 * import { invalidArgument } from '@strongroom/core'
 *
 * function page(limit: number): void {
 *   if (!Number.isSafeInteger(limit)) throw invalidArgument('limit', 'must be a whole number')
 * }
 * ```
 */
export function invalidArgument(argument: string, mustBe: string): StrongroomError {
  return new StrongroomError('invalid_argument', `${argument} ${mustBe}`, { argument })
}

/**
 * For stores, providers and adapters: the one error for every failure to open stored bytes. It never says which check failed.
 *
 * @example
 * ```ts
 * import { decryptFailed } from '@strongroom/core'
 *
 * function whole(bytes: Uint8Array): Uint8Array {
 *   if (bytes.length < 57) throw decryptFailed()
 *   return bytes
 * }
 * ```
 */
export function decryptFailed(): StrongroomError {
  return new StrongroomError(
    'decrypt_failed',
    'the stored value does not open here: it was altered, its key does not exist, or it belongs to another tenant, subject, item, field or record',
  )
}

/** For whatever is asked of a closed vault. */
export function vaultClosed(): StrongroomError {
  return new StrongroomError('vault_closed', 'the vault was closed; open it again with openVault')
}

/** True for a {@link StrongroomError} with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly StrongroomErrorCode[]): error is StrongroomError {
  return error instanceof StrongroomError && codes.includes(error.code)
}
