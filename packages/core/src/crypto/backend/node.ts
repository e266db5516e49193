/** The fast path: `node:crypto`, that is OpenSSL. */

import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
  timingSafeEqual,
} from 'node:crypto'

import type { Backend } from './backend.ts'

const TAG = 16
const GCM = 'aes-256-gcm'
const GCM_OPTIONS = { authTagLength: TAG }
const EMPTY = new Uint8Array(0)

// From Node 24 on, a raw key costs more in createCipheriv than making a KeyObject first; before, less. Measured by `pnpm bench`.
const messageKey: (key: Uint8Array) => KeyObject | Uint8Array =
  Number.parseInt(process.versions.node, 10) >= 24 ? (key) => createSecretKey(key) : (key) => key

// A Buffer's `slice` is a view where that of a Uint8Array is a copy: none leaves this file.
const plain = (buffer: Buffer): Uint8Array => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)

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
  sha256: (data) => plain(createHash('sha256').update(data).digest()),
  hmacSha256: (key, data) => plain(createHmac('sha256', key).update(data).digest()),
  hkdfSha256: (ikm, salt, info, length) => new Uint8Array(hkdfSync('sha256', ikm, salt ?? EMPTY, info, length)),
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
    decipher.setAuthTag(sealed.subarray(body))
    const plaintext = decipher.update(sealed.subarray(0, body))
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      return undefined
    }
    return plain(plaintext)
  },
}
