/** The same bytes where there is no `node:crypto`: `@noble/ciphers`, `@noble/curves`, `@noble/hashes`, the platform's `getRandomValues`. */

import { ecb, gcm } from '@noble/ciphers/aes.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'

import type { Backend } from './backend.ts'

const TAG = 16
// The most that getRandomValues gives in one call (Web Crypto API, section 10.1.1).
const RANDOM_LIMIT = 65_536

const encoder = new TextEncoder()
const BASE64URL = /^[A-Za-z0-9_-]*$/

/** The backend on `@noble`. */
export const backend: Backend = {
  name: 'portable',
  randomFill(bytes) {
    for (let at = 0; at < bytes.length; at += RANDOM_LIMIT) {
      globalThis.crypto.getRandomValues(bytes.subarray(at, at + RANDOM_LIMIT) as Uint8Array<ArrayBuffer>)
    }
  },
  byteAndText(byte, text) {
    const utf8 = encoder.encode(text)
    const bytes = new Uint8Array(1 + utf8.length)
    bytes[0] = byte
    bytes.set(utf8, 1)
    utf8.fill(0)
    return bytes
  },
  base64url,
  fromBase64url(text) {
    if (!BASE64URL.test(text)) return undefined
    let binary: string
    try {
      binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    } catch {
      return undefined
    }
    const bytes = new Uint8Array(binary.length)
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
    // Only the last group of characters can be spelt in more than one way.
    const lastGroup = bytes.subarray(bytes.length - (bytes.length % 3))
    return text.length === Math.ceil((bytes.length * 4) / 3) && text.endsWith(base64url(lastGroup)) ? bytes : undefined
  },
  sha256: (data) => sha256(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hkdfSha256: (ikm, salt, info, length) => hkdf(sha256, ikm, salt, info, length),
  equal(a, b) {
    if (a.length !== b.length) return false
    let difference = 0
    for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
    return difference === 0
  },
  aes256(key) {
    const copy = new Uint8Array(key)
    return { encrypt: (blocks) => ecb(copy, { disablePadding: true }).encrypt(blocks) }
  },
  gcmSeal(key, nonce, aad, plaintext, out, offset) {
    out.set(gcm(key, nonce, aad).encrypt(plaintext), offset)
  },
  gcmOpen(key, nonce, aad, sealed) {
    if (sealed.length < TAG) return undefined
    try {
      return gcm(key, nonce, aad).decrypt(sealed)
    } catch {
      return undefined
    }
  },
  ed25519PublicKey: (seed) => ed25519.getPublicKey(seed),
  ed25519Sign: (seed, message) => ed25519.sign(message, seed),
  ed25519Verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    return ed25519.verify(signature, message, publicKey, { zip215: false }) && isExact(publicKey, message, signature)
  },
}

function base64url(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

// @noble checks the equation of RFC 8032, section 5.1.7, multiplied by the cofactor. OpenSSL checks it as it stands: points that differ
// by one of small order are not the same, and an R of small order is refused as the key is. Called for what @noble found in order: the
// key is a point, S is below the order.
function isExact(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const { Point } = ed25519
  const r = signature.subarray(0, 32)
  const k = littleEndian(sha512.create().update(r).update(publicKey).update(message).digest()) % Point.Fn.ORDER
  const s = littleEndian(signature.subarray(32))
  const point = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(publicKey).multiplyUnsafe(k))
  return backend.equal(point.toBytes(), r) && !point.isSmallOrder()
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number)
  return value
}
