/** The handle of `unlock()`: keys held open for synchronous batches, no longer than the cache bound. */

import { wipe } from '../crypto/hash.ts'
import { decryptFailed, invalidArgument, StrongroomError } from '../errors.ts'
import type { Encrypted, Field } from '../field.ts'
import { isBytes } from '../format/bytes.ts'
import { isValueOf, openValue, sealFrame } from '../keys/seal-value.ts'
import { type HeldPath, leaf } from './held-path.ts'
import { recordScalar, requireField, storedBytes, type ValueOptions } from './value-arguments.ts'

/**
 * A subject's or item's keys, open. Made by `unlock()`.
 *
 * @example
 * ```ts
 * import { field, type Subject } from '@strongroom/core'
 * import { z } from 'zod'
 *
 * const email = field('users', 'email', z.email())
 * async function encryptAll(alice: Subject, addresses: readonly string[]) {
 *   const keys = await alice.unlock()
 *   try {
 *     return addresses.map((address) => keys.encrypt(email, address))
 *   } finally {
 *     keys.dispose()
 *   }
 * }
 * ```
 */
export interface UnlockedKeys {
  /** As `encrypt` of the subject, at once. @throws StrongroomError also `handle_expired` */
  encrypt<T>(field: Field<T>, value: T, options?: ValueOptions): Encrypted<T>
  /** As `decrypt` of the subject, at once. @throws StrongroomError also `handle_expired` */
  decrypt<T>(field: Field<T>, stored: Encrypted<T> | Uint8Array | string, options?: ValueOptions): T
  /**
   * Whether bytes begin as values do that these keys encrypted in the context of a field, be it by a version that is gone. Nothing is decrypted, and
   * `onAccess` is not called. Headers are public: whoever has a value can put its own before other bytes.
   *
   * @throws StrongroomError `invalid_argument`, `handle_expired`
   */
  isOwnValue(field: Field<unknown>, stored: Uint8Array): boolean
  /** Every call after this throws `handle_expired`. */
  dispose(): void
  [Symbol.dispose](): void
}

export class Lease implements UnlockedKeys {
  readonly #held: HeldPath
  readonly #readOnly: boolean
  readonly #decryptAs: 'decrypt' | 'decryptBeforeShred'

  constructor(held: HeldPath, readOnly: boolean, decryptAs: 'decrypt' | 'decryptBeforeShred' = 'decrypt') {
    this.#held = held
    this.#readOnly = readOnly
    this.#decryptAs = decryptAs
  }

  encrypt<T>(field: Field<T>, value: T, options?: ValueOptions): Encrypted<T> {
    requireField(field)
    const record = recordScalar(options)
    const frame = field.frame(value)
    try {
      if (this.#readOnly)
        throw new StrongroomError('unsupported_operation', 'this handle was unlocked with readOnly; unlock without it to encrypt')
      const path = this.#held.use('encrypt', field)
      if (path === undefined) throw decryptFailed()
      return sealFrame(leaf(path), field.names[0], frame, record)
    } finally {
      wipe(frame)
    }
  }

  decrypt<T>(field: Field<T>, stored: Encrypted<T> | Uint8Array | string, options?: ValueOptions): T {
    requireField(field)
    const record = recordScalar(options)
    const bytes = storedBytes(stored)
    const path = this.#held.use(this.#decryptAs, field)
    if (path === undefined) throw decryptFailed()
    return openValue(leaf(path), field, bytes, record)
  }

  isOwnValue(field: Field<unknown>, stored: Uint8Array): boolean {
    requireField(field)
    if (!isBytes(stored)) throw invalidArgument('stored', 'must be a Uint8Array')
    const path = this.#held.path()
    return path !== undefined && isValueOf(leaf(path), field, stored)
  }

  dispose(): void {
    this.#held.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
