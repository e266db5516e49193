/** The fast path: `node:crypto`, that is OpenSSL. */

import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  randomFillSync,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'

import type { Backend } from './backend.ts'

const TAG = 16
const GCM = 'aes-256-gcm'
const GCM_OPTIONS = { authTagLength: TAG }
const HASH = 32
const MOST_BLOCKS = 255
const FIRST = Uint8Array.of(1)
// Used again for each value, since OpenSSL copies it: a view costs more than copying the bytes does.
const tag = new Uint8Array(TAG)
const NO_SALT = new Uint8Array(HASH)

// RFC 8410, sections 4 and 7: what stands before the 32 bytes of a key in DER.
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

// OpenSSL takes public keys that are not canonical, and those of small order, for which a signature says nothing about who made it.
// Node 26 refuses an R of small order, which no signer makes, and those before it do not.
const FIELD = 2n ** 255n - 19n
const ORDER_8 = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n
const SMALL_ORDER: readonly bigint[] = [0n, 1n, FIELD - 1n, ORDER_8, FIELD - ORDER_8]

// From Node 24 on, a raw key costs more in createCipheriv than making a KeyObject first; before, less. Measured by `pnpm bench`.
const messageKey: (key: Uint8Array) => KeyObject | Uint8Array =
  Number.parseInt(process.versions.node, 10) >= 24 ? (key) => createSecretKey(key) : (key) => key

// A Buffer's `slice` is a view where that of a Uint8Array is a copy: none leaves this file.
const plain = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)

function privateKey(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([PKCS8, seed])
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    der.fill(0)
  }
}

// The y of a point tells all that matters: none of small order has the y of one of large order.
function isOfLargeOrder(point: Uint8Array): boolean {
  let y = 0n
  for (let i = 31; i >= 0; i--) y = (y << 8n) | BigInt(i === 31 ? (point[i] as number) & 0x7f : (point[i] as number))
  return y < FIELD && !SMALL_ORDER.includes(y)
}

// RFC 5869, section 2.3, from the second block on.
function expand(prk: Buffer, info: Uint8Array, first: Buffer, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let block = first
  for (let at = 0, i = 1; ; i++) {
    out.set(block.subarray(0, length - at), at)
    at += HASH
    const next =
      at < length
        ? createHmac('sha256', prk)
            .update(block)
            .update(info)
            .update(Uint8Array.of(i + 1))
            .digest()
        : undefined
    block.fill(0)
    if (next === undefined) return out
    block = next
  }
}

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')

/** The backend on `node:crypto`. */
export const backend: Backend = {
  name: 'node',
  randomFill(bytes) {
    randomFillSync(bytes)
  },
  byteAndText(byte, text) {
    const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(text))
    bytes[0] = byte
    bytes.write(text, 1)
    return plain(bytes)
  },
  base64url,
  fromBase64url(text) {
    // Decoding is lenient: what comes back when it is encoded again says whether it was the one text.
    const bytes = plain(Buffer.from(text, 'base64url'))
    return base64url(bytes) === text ? bytes : undefined
  },
  sha256: (data) => plain(createHash('sha256').update(data).digest()),
  hmacSha256: (key, data) => plain(createHmac('sha256', key).update(data).digest()),
  // By the two steps of RFC 5869, section 2: `hkdfSync` makes a key object and an ArrayBuffer for each call, and takes twice as long.
  hkdfSha256(ikm, salt, info, length) {
    if (length > MOST_BLOCKS * HASH) throw new RangeError('HKDF gives at most 255 blocks')
    const prk = createHmac('sha256', salt ?? NO_SALT)
      .update(ikm)
      .digest()
    const first = createHmac('sha256', prk).update(info).update(FIRST).digest()
    const out = length === HASH ? plain(first) : expand(prk, info, first, length)
    prk.fill(0)
    return out
  },
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  aes256(key) {
    // One object for the life of the key: ECB without padding keeps no state between whole blocks.
    const cipher = createCipheriv('aes-256-ecb', createSecretKey(key), null).setAutoPadding(false)
    return { encrypt: (blocks) => plain(cipher.update(blocks)) }
  },
  gcmSeal(key, nonce, aad, plaintext, out, offset) {
    const cipher: CipherGCM = createCipheriv(GCM, messageKey(key), nonce, GCM_OPTIONS)
    cipher.setAAD(aad)
    out.set(cipher.update(plaintext), offset)
    cipher.final()
    out.set(cipher.getAuthTag(), offset + plaintext.length)
  },
  gcmOpen(key, nonce, aad, sealed) {
    const body = sealed.length - TAG
    if (body < 0) return undefined
    const decipher = createDecipheriv(GCM, messageKey(key), nonce, GCM_OPTIONS)
    decipher.setAAD(aad)
    for (let i = 0; i < TAG; i++) tag[i] = sealed[body + i] as number
    decipher.setAuthTag(tag)
    const plaintext = decipher.update(sealed.subarray(0, body))
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      return undefined
    }
    return plain(plaintext)
  },
  ed25519PublicKey(seed) {
    const der = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
    return new Uint8Array(der.subarray(SPKI.length))
  },
  ed25519Sign: (seed, message) => plain(sign(null, message, privateKey(seed))),
  ed25519Verify(publicKey, message, signature) {
    if (publicKey.length !== 32 || signature.length !== 64) return false
    if (!isOfLargeOrder(publicKey) || !isOfLargeOrder(signature.subarray(0, 32))) return false
    try {
      const key = createPublicKey({ key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' })
      return verify(null, message, key, signature)
    } catch {
      return false
    }
  },
}
