/**
 * XAES-256-GCM (C2SP, https://c2sp.org/XAES-256-GCM): AES-256-GCM with 192-bit nonces, which may be chosen at random for
 * 2^80 messages under one key. From each key and the first half of a nonce a one-message key is derived by CMAC (NIST SP 800-108r1).
 */

import { backend } from '#backend'

import type { AesBlocks } from './backend/backend.ts'

/** Bytes of key, nonce and authentication tag. */
export const XAES_KEY = 32
export const XAES_NONCE = 24
export const XAES_TAG = 16

const BLOCK = 16
const HALF_NONCE = 12

/** One key with its AES key schedule and CMAC subkey kept, so that a message costs two blocks more than plain GCM. */
export class XaesKey {
  readonly #blocks: AesBlocks
  readonly #derivation = new Uint8Array(2 * BLOCK)
  readonly #k1: Uint8Array

  constructor(key: Uint8Array) {
    this.#blocks = backend.aes256(key)
    this.#k1 = subkey(this.#blocks.encrypt(new Uint8Array(BLOCK)))
  }

  /** Writes ciphertext ‖ tag into `out` at `offset`. */
  sealInto(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, offset: number): void {
    const key = this.#messageKey(nonce)
    backend.gcmSeal(key, nonce.subarray(HALF_NONCE), aad, plaintext, out, offset)
    key.fill(0)
  }

  /** Ciphertext ‖ tag. */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const out = new Uint8Array(plaintext.length + XAES_TAG)
    this.sealInto(nonce, aad, plaintext, out, 0)
    return out
  }

  /** The plaintext, or `undefined` if the message is not authentic. */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const key = this.#messageKey(nonce)
    const plaintext = backend.gcmOpen(key, nonce.subarray(HALF_NONCE), aad, sealed)
    key.fill(0)
    return plaintext
  }

  // Section "Derivation": Kx = AES(K, M1 ⊕ K1) ‖ AES(K, M2 ⊕ K1) with Mi = 0x00 ‖ i ‖ 'X' ‖ 0x00 ‖ N[:12].
  #messageKey(nonce: Uint8Array): Uint8Array {
    const m = this.#derivation
    const k1 = this.#k1
    m[0] = k1[0] as number
    m[1] = 0x01 ^ (k1[1] as number)
    m[2] = 0x58 ^ (k1[2] as number)
    m[3] = k1[3] as number
    for (let i = 0; i < HALF_NONCE; i++) m[4 + i] = (nonce[i] as number) ^ (k1[4 + i] as number)
    m.copyWithin(BLOCK, 0, BLOCK)
    m[BLOCK + 1] = 0x02 ^ (k1[1] as number)
    return this.#blocks.encrypt(m)
  }
}

// NIST SP 800-38B, section 6.1: the first subkey, a doubling in GF(2^128), without a branch on its bits.
function subkey(l: Uint8Array): Uint8Array {
  const k1 = new Uint8Array(BLOCK)
  let carry = 0
  for (let i = BLOCK - 1; i >= 0; i--) {
    const byte = l[i] as number
    k1[i] = ((byte << 1) | carry) & 0xff
    carry = byte >> 7
  }
  k1[BLOCK - 1] = (k1[BLOCK - 1] as number) ^ (0x87 & -carry)
  return k1
}

/**
 * Seals under a key with a fresh random nonce.
 *
 * @param key - 32 bytes
 * @param aad - associated data: authenticated, not stored
 * @returns nonce (24 bytes) ‖ ciphertext ‖ tag (16 bytes)
 */
export function xaesSeal(key: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(XAES_NONCE + plaintext.length + XAES_TAG)
  const nonce = out.subarray(0, XAES_NONCE)
  backend.randomFill(nonce)
  new XaesKey(key).sealInto(nonce, aad, plaintext, out, XAES_NONCE)
  return out
}

/** Opens what {@link xaesSeal} returned; `undefined` if it is not authentic under this key and associated data. */
export function xaesOpen(key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < XAES_NONCE + XAES_TAG) return undefined
  return new XaesKey(key).open(sealed.subarray(0, XAES_NONCE), aad, sealed.subarray(XAES_NONCE))
}
