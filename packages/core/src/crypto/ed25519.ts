/** Ed25519 signatures (RFC 8032, section 5.1): the pure form, without a context and without hashing the message first. */

import { backend } from '#backend'

import { invalidArgument } from '../errors.ts'

/** Bytes of a seed, of a public key and of a signature. */
export const ED25519_SEED = 32
export const ED25519_PUBLIC_KEY = 32
export const ED25519_SIGNATURE = 64

/**
 * The public key of a seed, 32 bytes (section 5.1.5).
 *
 * @param seed - 32 secret bytes; RFC 8032 calls them the private key
 * @throws StrongroomError `invalid_argument`
 */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  requireSeed(seed)
  return backend.ed25519PublicKey(seed)
}

/**
 * The signature of a message, R 32 ‖ S 32 (section 5.1.6). It is always the same for one seed and message.
 *
 * @param seed - 32 secret bytes
 * @param message - begins with a label of its own for each kind of thing that is signed
 * @throws StrongroomError `invalid_argument`
 */
export function ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array {
  requireSeed(seed)
  return backend.ed25519Sign(seed, message)
}

/**
 * Whether the holder of a public key signed a message (section 5.1.7). False, and never an error, for keys and signatures of another
 * length, for those that are not canonical, for public keys of small order, under which anything could pass, and for an R of small order.
 */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return backend.ed25519Verify(publicKey, message, signature)
}

function requireSeed(seed: Uint8Array): void {
  if (seed.length !== ED25519_SEED) throw invalidArgument('seed', 'must be 32 bytes')
}
