/** Every key that is derived from another (docs/format.md, "Derivations"). A node's secret is never used in any other way. */

import { hkdfSha256, hmacSha256 } from '../crypto/hash.ts'
import { ascii, concat, copy, lp } from './bytes.ts'

const COMMIT = ascii('strongroom/v1/commit')
const SEAL = ascii('strongroom/v1/seal')
const CHILDREN = ascii('strongroom/v1/children')
const NOTES = ascii('strongroom/v1/notes')
const WRAP = ascii('strongroom/v1/wrap')
const WRAPPING_KEY_CHECK = ascii('strongroom/v1/wrapping-key-check')
const TAG = lp(ascii('strongroom/v1/tag'))
const INDEX_TAG = lp(ascii('strongroom/v1/index-tag'))
const NO_PARENT = new Uint8Array(32)

/** The closed list of what a service key may be for. Each use has a derivation of its own. */
export type ServiceUse = 'ref' | 'ledger' | 'index' | 'signing-certificate' | PeriodUse | RawKeyUse

/** Those whose keys live for a period and are then destroyed. */
export type PeriodUse = 'connect' | 'revocation'

/** Those whose keys leave core as bytes, for what core does not do itself. */
export type RawKeyUse =
  | 'pseudonym-deterministic'
  | 'pseudonym-prefix'
  | 'pseudonym-nd'
  | 'pseudonym-ndx'
  | 'pseudonym-token'
  | 'pseudonym-id'

/** Bytes of a node's secret, of every derived key and of a commitment. */
export const KEY_BYTES = 32
/** Bytes of the tag that a value carries. */
export const TAG_BYTES = 16

/** C: commits to the secret; kept in the key record, also after shredding. */
export function commitment(secret: Uint8Array): Uint8Array {
  return hkdfSha256(secret, COMMIT)
}

/** The key that seals values, for XAES-256-GCM. */
export function sealKey(secret: Uint8Array): Uint8Array {
  return hkdfSha256(secret, SEAL)
}

/** What a node gives to the wrap keys of its children. */
export function childSalt(secret: Uint8Array): Uint8Array {
  return hkdfSha256(secret, CHILDREN)
}

/** The key that authenticates the vault's notes of when keys are to end: of the vault's own node alone. */
export function noteKey(secret: Uint8Array): Uint8Array {
  return hkdfSha256(secret, NOTES)
}

/** The key that wraps a node's secret: from the tenant's wrapping key and the parent's salt (none at the top). */
export function childWrapKey(wrappingKey: Uint8Array, parentSalt: Uint8Array | undefined): Uint8Array {
  return hkdfSha256(wrappingKey, WRAP, parentSalt ?? NO_PARENT)
}

/** The key of a service node for its one use. */
export function serviceKey(secret: Uint8Array, use: ServiceUse): Uint8Array {
  return hkdfSha256(secret, ascii(`strongroom/v1/use/${use}`))
}

/** The key with which a wrapping key checks its own place. */
export function wrappingKeyCheckKey(wrappingKey: Uint8Array): Uint8Array {
  return hkdfSha256(wrappingKey, WRAPPING_KEY_CHECK)
}

/** The tag in encrypted values: 16 bytes, made from C and the context, so that two collections share no visible id. */
export function valueTag(c: Uint8Array, context: Uint8Array): Uint8Array {
  return copy(hmacSha256(c, concat(TAG, lp(context))), 0, TAG_BYTES)
}

/** The tag in index values: 4 bytes. */
export function indexTag(c: Uint8Array): Uint8Array {
  return copy(hmacSha256(c, INDEX_TAG), 0, 4)
}
