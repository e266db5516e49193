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

/** HKDF-SHA-256 (RFC 5869), 32 bytes out. Without a salt: 32 zero bytes. */
export function hkdfSha256(ikm: Uint8Array, info: Uint8Array, salt?: Uint8Array): Uint8Array {
  return backend.hkdfSha256(ikm, salt, info, 32)
}

/** Compares in time that depends on the lengths only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return backend.equal(a, b)
}

/** Overwrites key bytes that are no longer needed. The engine may have made copies: this shortens their life, no more. */
export function wipe(...all: readonly Uint8Array[]): void {
  for (const bytes of all) bytes.fill(0)
}
