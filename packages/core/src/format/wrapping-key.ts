/** What a provider wraps: a tenant's wrapping key with a check of its place, keyed by the key itself (docs/format.md). */

import { equalBytes, hmacSha256 } from '../crypto/hash.ts'
import { ascii, concat, copy, lp, u64 } from './bytes.ts'
import { KEY_BYTES, wrappingKeyCheckKey } from './derivations.ts'
import type { WrappingKeyRecord } from './records.ts'

const WRAPPING_KEY = lp(ascii('strongroom/v1/wrapping-key'))

export type WrappingKeyPlace = Pick<WrappingKeyRecord, 'id' | 'tenantRef' | 'region' | 'created'>

/** The associated data, for the check and for providers that have native associated data. */
export function wrappingKeyData(vaultId: Uint8Array, place: WrappingKeyPlace): Uint8Array {
  return concat(WRAPPING_KEY, vaultId, place.id, place.tenantRef, lp(ascii(place.region)), u64(place.created))
}

/** key 32 ‖ check 32: what goes to the provider. */
export function wrappingKeyPlaintext(key: Uint8Array, data: Uint8Array): Uint8Array {
  return concat(key, hmacSha256(wrappingKeyCheckKey(key), data))
}

/** The key, or `undefined` if it does not belong to this place. */
export function openWrappingKeyPlaintext(plaintext: Uint8Array, data: Uint8Array): Uint8Array | undefined {
  if (plaintext.length !== KEY_BYTES + 32) return undefined
  const key = copy(plaintext, 0, KEY_BYTES)
  if (equalBytes(plaintext.subarray(KEY_BYTES), hmacSha256(wrappingKeyCheckKey(key), data))) return key
  key.fill(0)
  return undefined
}
