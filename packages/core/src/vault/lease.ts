/** The handle of `unlock()`: keys held open for synchronous batches, no longer than the cache bound. */

import { wipe } from '../crypto/hash.ts'
import { decryptFailed, StrongroomError } from '../errors.ts'
import type { Encrypted, Field } from '../field.ts'
import type { Instant } from '../keys/key-cache.ts'
import type { KeyTree, OpenPath } from '../keys/key-tree.ts'
import { openValue, sealFrame } from '../keys/seal-value.ts'
import type { Gate, Whose } from './authorize.ts'
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
  /** Every call after this throws `handle_expired`. */
  dispose(): void
  [Symbol.dispose](): void
}

export interface LeaseOptions {
  readonly tree: KeyTree
  readonly gate: Gate
  readonly whose: Whose
  /** `undefined`: there is no key at that place, and the handle only reads. */
  readonly path: OpenPath | undefined
  /** When the opening of the path began. */
  readonly opened: Instant
  readonly readOnly: boolean
}

export class Lease implements UnlockedKeys {
  readonly #options: LeaseOptions
  #disposed = false

  constructor(options: LeaseOptions) {
    this.#options = options
    for (const key of this.#keys()) key.pin()
  }

  encrypt<T>(field: Field<T>, value: T, options?: ValueOptions): Encrypted<T> {
    requireField(field)
    const record = recordScalar(options)
    const frame = field.frame(value)
    try {
      if (this.#options.readOnly)
        throw new StrongroomError('unsupported_operation', 'this handle was unlocked with readOnly; unlock without it to encrypt')
      const path = this.#use('encrypt', field)
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
    const path = this.#use('decrypt', field)
    if (path === undefined) throw decryptFailed()
    return openValue(leaf(path), field, bytes, record)
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    for (const key of this.#keys()) key.unpin()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #keys(): readonly (OpenPath['tenant'] | OpenPath['nodes'][number])[] {
    const { path } = this.#options
    return path === undefined ? [] : [path.tenant, ...path.nodes]
  }

  #use(operation: 'encrypt' | 'decrypt', field: Field<unknown>): OpenPath | undefined {
    const { tree, gate, path, opened } = this.#options
    gate.authorize(operation, this.#options.whose, path?.tenant.node.record.region, field)
    // Behind the gate, which may have taken its time.
    if (this.#disposed || !(path === undefined ? tree.fresh(opened) : tree.usable(path))) {
      throw new StrongroomError(
        'handle_expired',
        'this handle was disposed, outlived the cache bound, or its key changed; call unlock() again',
      )
    }
    if (path !== undefined) gate.requireState(operation, path)
    return path
  }
}

/** The node at the end of a path. */
export function leaf(path: OpenPath): OpenPath['nodes'][number] {
  return path.nodes.at(-1) ?? path.tenant.node
}
