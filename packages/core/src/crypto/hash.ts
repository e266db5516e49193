/** Hashes and derivations, and the comparison that secrets need. All SHA-256 (FIPS 180-4). */

import { backend } from '#backend'

/** SHA-256, 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  return backend.sha256(data)
}

/** HMAC-SHA-256 (RFC 2104), 32 bytes. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return backend.hmacSha256(key, data)
}

/**
 * HKDF-SHA-256 (RFC 5869), 32 bytes out.
 *
 * @param ikm - input keying material: a secret of full entropy
 * @param info - what the derived key is for; a label of its own for each use
 * @param salt - without one: 32 zero bytes
 * @example
 * ```ts
 * import { hkdfSha256, randomBytes } from '@strongroom/core'
 *
 * const wrapKey = hkdfSha256(randomBytes(32), new TextEncoder().encode('my-provider/v1/wrap'))
 * ```
 */
export function hkdfSha256(ikm: Uint8Array, info: Uint8Array, salt?: Uint8Array): Uint8Array {
  return backend.hkdfSha256(ikm, salt, info, 32)
}

/**
 * Whether two byte strings are equal, in time that depends on their lengths only.
 *
 * @example
 * ```ts
 * import { equalBytes } from '@strongroom/core'
 *
 * const same = equalBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2]))   // true
 * ```
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return backend.equal(a, b)
}

/**
 * Overwrites key bytes that are no longer needed. The engine may have made copies: this shortens their life, no more.
 *
 * @example
 * ```ts
 * import { randomBytes, wipe } from '@strongroom/core'
 *
 * const key = randomBytes(32)
 * wipe(key)
 * ```
 */
export function wipe(...all: readonly Uint8Array[]): void {
  for (const bytes of all) bytes.fill(0)
}
