/** Encrypting and decrypting one value with an open node. Synchronous: nothing can change between check and use. */

import { RandomPool } from '../crypto/random.ts'
import { equalBytes } from '../crypto/hash.ts'
import { XAES_NONCE, XAES_TAG } from '../crypto/xaes-256-gcm.ts'
import { decryptFailed, StrongroomError } from '../errors.ts'
import type { Field, FieldName } from '../field.ts'
import { CIPHERTEXT_AT, HEADER_BYTES, isValueForm, NONCE_AT, valueData } from '../format/encrypted-value.ts'
import { TAG_BYTES, valueTag } from '../format/derivations.ts'
import { unframe } from '../format/frame.ts'
import { KeyState } from '../format/records.ts'
import type { OpenNode } from './open-node.ts'

const nonces = new RandomPool()

/**
 * Encrypts a frame under the node's active version, and wipes the frame.
 *
 * @param record - the canonical scalar of the record that the value belongs to
 * @throws StrongroomError `shredded`, `suspended`, `deactivated`
 */
export function sealFrame(node: OpenNode, name: FieldName, bytes: Uint8Array, record: Uint8Array | undefined): Uint8Array {
  const version = node.active
  if (version === undefined) throw stateError(node.state)
  const context = version.sealContext(name)
  const out = new Uint8Array(CIPHERTEXT_AT + bytes.length + XAES_TAG)
  out.set(context.header)
  nonces.fill(out, NONCE_AT, XAES_NONCE)
  const data = record === undefined ? context.unbound : valueData(context.prefix, record)
  version.sealKey().sealInto(out.subarray(NONCE_AT, CIPHERTEXT_AT), data, bytes, out, CIPHERTEXT_AT)
  bytes.fill(0)
  return out
}

/**
 * Decrypts with the version that the value's tag names, under the field's name or one of its previous ones.
 *
 * @throws StrongroomError `decrypt_failed`, `shredded`, `suspended`, `schema_mismatch`
 */
export function openValue<T>(node: OpenNode, field: Field<T>, stored: Uint8Array, record: Uint8Array | undefined): T {
  if (!isValueForm(stored)) throw decryptFailed()
  const tag = stored.subarray(1, 1 + TAG_BYTES)
  for (const name of field.names) {
    for (const version of node.versions) {
      const context = version.sealContext(name)
      if (!equalBytes(tag, context.header.subarray(1))) continue
      if (version.state === KeyState.suspended) throw stateError(KeyState.suspended)
      const data = record === undefined ? context.unbound : valueData(context.prefix, record)
      const bytes = version.sealKey().open(stored.subarray(HEADER_BYTES, CIPHERTEXT_AT), data, stored.subarray(CIPHERTEXT_AT))
      if (bytes === undefined) continue
      try {
        const encoded = unframe(bytes)
        if (encoded === undefined) throw decryptFailed()
        return field.decode(encoded)
      } finally {
        bytes.fill(0)
      }
    }
  }
  for (const name of field.names) {
    for (const gone of node.gone) {
      if (equalBytes(tag, valueTag(gone.commitment, name.context))) throw stateError(KeyState.shredded)
    }
  }
  throw decryptFailed()
}

/** The error that a key's state stands for. */
export function stateError(state: KeyState): StrongroomError {
  switch (state) {
    case KeyState.suspended:
      return new StrongroomError('suspended', 'this key is suspended; resume it first')
    case KeyState.shredded:
      return new StrongroomError('shredded', 'this key was destroyed on purpose; what it protected is gone')
    default:
      return new StrongroomError('deactivated', 'this key only decrypts')
  }
}
