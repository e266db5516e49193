/** Encrypting and decrypting one value with an open node. Synchronous: nothing can change between check and use. */

import { XAES_TAG } from '../crypto/xaes-256-gcm.ts'
import { decryptFailed, StrongroomError } from '../errors.ts'
import type { Field, FieldName } from '../field.ts'
import { CIPHERTEXT_AT, isValueForm, NONCE_AT, valueData, valueHeader } from '../format/encrypted-value.ts'
import { valueTag } from '../format/derivations.ts'
import { unframe } from '../format/frame.ts'
import { KeyState } from '../format/records.ts'
import type { GoneVersion, OpenNode } from './open-node.ts'

/**
 * Encrypts a frame under the node's active version. The caller wipes the frame.
 *
 * @param record - the canonical scalar of the record that the value belongs to
 * @throws StrongroomError `shredded`, `suspended`, `deactivated`
 */
export function sealFrame(node: OpenNode, name: FieldName, bytes: Uint8Array, record: Uint8Array | undefined): Uint8Array {
  const version = node.active
  if (version === undefined) throw stateError(node.state)
  const key = version.sealKey()
  const header = version.header(name)
  const out = new Uint8Array(CIPHERTEXT_AT + bytes.length + XAES_TAG)
  out.set(header)
  key.sealRandom(out, NONCE_AT, valueData(header, name.data, record), bytes)
  return out
}

/**
 * Decrypts with the version that the value's tag names, under the field's name or one of its previous ones.
 *
 * @throws StrongroomError `decrypt_failed`, `shredded`, `retired`, `suspended`, `schema_mismatch`
 */
export function openValue<T>(node: OpenNode, field: Field<T>, stored: Uint8Array, record: Uint8Array | undefined): T {
  if (!isValueForm(stored)) throw decryptFailed()
  for (const name of field.names) {
    for (const version of node.versions) {
      const header = version.header(name)
      if (!startsWith(stored, header)) continue
      if (version.state === KeyState.suspended) throw stateError(KeyState.suspended)
      const bytes = version.sealKey().open(stored, NONCE_AT, valueData(header, name.data, record))
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
  const gone = goneOf(node, field, stored)
  if (gone === undefined) throw decryptFailed()
  throw gone.isRetired ? retired() : stateError(KeyState.shredded)
}

/** Whether bytes begin as the values of a node's versions do, of those that are gone as well. */
export function isValueOf(node: OpenNode, field: Field<unknown>, bytes: Uint8Array): boolean {
  if (!isValueForm(bytes)) return false
  const isLive = field.names.some((name) => node.versions.some((version) => startsWith(bytes, version.header(name))))
  return isLive || goneOf(node, field, bytes) !== undefined
}

function goneOf<T>(node: OpenNode, field: Field<T>, bytes: Uint8Array): GoneVersion | undefined {
  for (const { contextBytes } of field.names)
    for (const gone of node.gone) if (startsWith(bytes, valueHeader(valueTag(gone.commitment, contextBytes)))) return gone
  return undefined
}

// Headers are public: anyone who has the stored value reads them. No secret is compared here.
function startsWith(bytes: Uint8Array, header: Uint8Array): boolean {
  for (let i = 0; i < header.length; i++) if (bytes[i] !== header[i]) return false
  return true
}

function retired(): StrongroomError {
  return new StrongroomError(
    'retired',
    'the key version of this value was ended after a rotation, and whose it is lives: put back a copy of the data that was re-encrypted since',
  )
}

/** The error that a key's state stands for. */
export function stateError(state: KeyState): StrongroomError {
  switch (state) {
    case KeyState.suspended:
      return new StrongroomError('suspended', 'this key is suspended; resume it first')
    case KeyState.shredded:
      return new StrongroomError(
        'shredded',
        'this key was destroyed on purpose; what it protected is gone, and only recreate makes a new one there',
      )
    default:
      return new StrongroomError('deactivated', 'this key only decrypts')
  }
}
