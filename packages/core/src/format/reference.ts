/** Path references: keyed, so that the key store holds no names (docs/format.md, "Key records"). 16 bytes each. */

import { hmacSha256, sha256 } from '../crypto/hash.ts'
import { ascii, concat, copy, EMPTY, lp, u8, u64 } from './bytes.ts'
import type { ServiceUse } from './derivations.ts'
import type { NodeKind } from './records.ts'

const REF = lp(ascii('strongroom/v1/ref'))
const REF_ROOT = lp(ascii('strongroom/v1/ref-root'))
const FIRST_WRAPPING_KEY = lp(ascii('strongroom/v1/first-wrapping-key'))
const NEXT_WRAPPING_KEY = lp(ascii('strongroom/v1/next-wrapping-key'))

export const REF_BYTES = 16
/** The vault's own node has the reference of 16 zero bytes, and is its own tenant. */
export const VAULT_REF: Uint8Array = new Uint8Array(REF_BYTES)
/** The parent reference of the vault and of tenants. */
export const NO_REF: Uint8Array = EMPTY

/** The reference of a named node under a `ref` key. */
export function nodeRef(refKey: Uint8Array, kind: NodeKind, parentRef: Uint8Array, name: Uint8Array): Uint8Array {
  return copy(hmacSha256(refKey, concat(REF, u8(kind), lp(parentRef), lp(name))), 0, REF_BYTES)
}

/** The reference of the `ref` key of the vault or of a tenant: the only one that needs no key to be computed. */
export function refKeyRef(vaultId: Uint8Array, parentRef: Uint8Array): Uint8Array {
  return copy(sha256(concat(REF_ROOT, vaultId, lp(parentRef))), 0, REF_BYTES)
}

/** Which of a service key's lives: none, a generation (it is rotated), or a period (it ends with its time). */
export type ServiceLife = { readonly generation: number } | { readonly period: number } | undefined

/** A service node's name: LP(use) ‖ LP(name) ‖ u8 (0 none, 1 generation, 2 period) ‖ u64. */
export function serviceName(use: ServiceUse, name: Uint8Array, life?: ServiceLife): Uint8Array {
  const [kind, number] = life === undefined ? [0, 0] : 'generation' in life ? [1, life.generation] : [2, life.period]
  return concat(lp(ascii(use)), lp(name), u8(kind), u64(number))
}

/**
 * The id of a tenant's first wrapping key. It is fixed by the place, so that of many processes that create a tenant at
 * once one makes the key and the others find it.
 */
export function firstWrappingKeyId(vaultId: Uint8Array, tenantRef: Uint8Array): Uint8Array {
  return copy(sha256(concat(FIRST_WRAPPING_KEY, vaultId, lp(tenantRef))), 0, REF_BYTES)
}

/** The id of the wrapping key that follows another: fixed as well, so that of many runners of one rotation one makes it. */
export function nextWrappingKeyId(vaultId: Uint8Array, id: Uint8Array): Uint8Array {
  return copy(sha256(concat(NEXT_WRAPPING_KEY, vaultId, lp(id))), 0, REF_BYTES)
}
