/**
 * XAES-256-GCM (C2SP, https://c2sp.org/XAES-256-GCM): AES-256-GCM with 192-bit nonces, which may be chosen at random for
 * 2^80 messages under one key. From each key and the first half of a nonce a one-message key is derived by CMAC (NIST SP 800-108r1).
 */

import { backend } from '#backend'

import { invalidArgument } from '../errors.ts'
import type { AesBlocks } from './backend/backend.ts'
import { RandomPool } from './random.ts'

/** Bytes of key, nonce and authentication tag. */
export const XAES_KEY = 32
export const XAES_NONCE = 24
export const XAES_TAG = 16

const BLOCK = 16
const HALF_NONCE = 12
const MOST_AHEAD = 32

const nonces = new RandomPool()

/**
 * One key with its AES key schedule and CMAC subkey kept. For messages with random nonces, one-message keys are derived ahead,
 * many with one call of the block cipher, once a key is seen to be used often.
 */
export class XaesKey {
  readonly #blocks: AesBlocks
  readonly #k1: Uint8Array
  // Arrays that are used again for each message: views and allocations cost more than copying a few bytes does.
  readonly #messageKey = new Uint8Array(XAES_KEY)
  readonly #tail = new Uint8Array(HALF_NONCE)
  // First halves of nonces to come, the keys derived from them, and which is next. A first half that is met again after this memory
  // was copied does no harm: its second half is drawn when it is used, from a pool that notices such copies.
  #ahead = new Uint8Array(0)
  #aheadKeys: Uint8Array = new Uint8Array(0)
  #next = 0
  #count = 0

  /** @throws StrongroomError `invalid_argument` */
  constructor(key: Uint8Array) {
    if (key.length !== XAES_KEY) throw invalidArgument('key', 'must be 32 bytes')
    this.#blocks = backend.aes256(key)
    this.#k1 = subkey(this.#blocks.encrypt(new Uint8Array(BLOCK)))
  }

  /** Writes a fresh random nonce into `out` at `at`, and behind it ciphertext ‖ tag. */
  sealRandom(out: Uint8Array, at: number, aad: Uint8Array, plaintext: Uint8Array): void {
    if (this.#next === this.#count) this.#deriveAhead()
    const next = this.#next++
    const key = this.#messageKey
    for (let i = 0; i < XAES_KEY; i++) {
      key[i] = this.#aheadKeys[next * XAES_KEY + i] as number
      this.#aheadKeys[next * XAES_KEY + i] = 0
    }
    for (let i = 0; i < HALF_NONCE; i++) out[at + i] = this.#ahead[next * HALF_NONCE + i] as number
    nonces.fill(out, at + HALF_NONCE, HALF_NONCE)
    backend.gcmSeal(key, this.#tailOf(out, at), aad, plaintext, out, at + XAES_NONCE)
    key.fill(0)
  }

  /** Ciphertext ‖ tag, for a nonce that was never used with this key. */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (nonce.length !== XAES_NONCE) throw invalidArgument('nonce', 'must be 24 bytes')
    const out = new Uint8Array(plaintext.length + XAES_TAG)
    const key = this.#derive(nonce, 0, 1)
    backend.gcmSeal(key, this.#tailOf(nonce, 0), aad, plaintext, out, 0)
    key.fill(0)
    return out
  }

  /** Opens ciphertext ‖ tag behind the nonce at `at`; `undefined` if it is not authentic. */
  open(bytes: Uint8Array, at: number, aad: Uint8Array): Uint8Array | undefined {
    const key = this.#derive(bytes, at, 1)
    const plaintext = backend.gcmOpen(key, this.#tailOf(bytes, at), aad, bytes.subarray(at + XAES_NONCE))
    key.fill(0)
    return plaintext
  }

  /** Wipes the keys derived ahead. The key schedule is the backend's, and goes with this object. */
  destroy(): void {
    this.#aheadKeys.fill(0)
    this.#next = this.#count = 0
  }

  #deriveAhead(): void {
    const count = Math.min(MOST_AHEAD, Math.max(1, 2 * this.#count))
    if (this.#ahead.length !== count * HALF_NONCE) this.#ahead = new Uint8Array(count * HALF_NONCE)
    nonces.fill(this.#ahead, 0, count * HALF_NONCE)
    this.#aheadKeys = this.#derive(this.#ahead, 0, count)
    this.#count = count
    this.#next = 0
  }

  #tailOf(bytes: Uint8Array, at: number): Uint8Array {
    for (let i = 0; i < HALF_NONCE; i++) this.#tail[i] = bytes[at + HALF_NONCE + i] as number
    return this.#tail
  }

  // Section "Derivation": Kx = AES(K, M1 ⊕ K1) ‖ AES(K, M2 ⊕ K1) with Mi = 0x00 ‖ i ‖ 'X' ‖ 0x00 ‖ N[:12], here for `count` first
  // halves of nonces that stand one behind the other.
  #derive(halves: Uint8Array, at: number, count: number): Uint8Array {
    const k1 = this.#k1
    const m = new Uint8Array(count * 2 * BLOCK)
    for (let j = 0; j < count; j++) {
      const block = j * 2 * BLOCK
      for (let i = 0; i < HALF_NONCE; i++) {
        const byte = (halves[at + j * HALF_NONCE + i] as number) ^ (k1[4 + i] as number)
        m[block + 4 + i] = byte
        m[block + BLOCK + 4 + i] = byte
      }
      m[block] = m[block + BLOCK] = k1[0] as number
      m[block + 1] = 0x01 ^ (k1[1] as number)
      m[block + BLOCK + 1] = 0x02 ^ (k1[1] as number)
      m[block + 2] = m[block + BLOCK + 2] = 0x58 ^ (k1[2] as number)
      m[block + 3] = m[block + BLOCK + 3] = k1[3] as number
    }
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
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { randomBytes, xaesOpen, xaesSeal } from '@strongroom/core'
 *
 * const key = randomBytes(32)
 * const aad = new TextEncoder().encode('my-provider/v1')
 * const sealed = xaesSeal(key, aad, new Uint8Array(64))
 * const plaintext = xaesOpen(key, aad, sealed)   // undefined if any bit was altered
 * ```
 */
export function xaesSeal(key: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(XAES_NONCE + plaintext.length + XAES_TAG)
  new XaesKey(key).sealRandom(out, 0, aad, plaintext)
  return out
}

/**
 * Opens what {@link xaesSeal} returned; `undefined` if it is not authentic under this key and associated data.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { decryptFailed, xaesOpen } from '@strongroom/core'
 *
 * function open(key: Uint8Array, sealed: Uint8Array): Uint8Array {
 *   const plaintext = xaesOpen(key, new Uint8Array(0), sealed)
 *   if (plaintext === undefined) throw decryptFailed()
 *   return plaintext
 * }
 * ```
 */
export function xaesOpen(key: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
  return sealed.length < XAES_NONCE + XAES_TAG ? undefined : new XaesKey(key).open(sealed, 0, aad)
}
