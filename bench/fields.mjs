// One field of 16 B to 1 MiB, encrypted and decrypted, beside the primitives that a team would call itself: with the same
// associated data, a nonce from a pool, and nonce, ciphertext and tag joined to one value, because that is what is stored.
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, randomFillSync, webcrypto } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { field } from '@strongroom/core'
import { gcm } from '@noble/ciphers/aes.js'
import { z } from 'zod'

import { run } from '../scripts/pnpm.mjs'
import { nodeOf } from '../tools/nodes/nodes.mjs'
import { interleave } from './interleave.mjs'

export const SIZES = [16, 64, 256, 1024, 16 * 1024, 256 * 1024, 1024 * 1024]

const NONCE = 12
const TAG = 16

/** Text of that many bytes. */
export function text(size) {
  return randomBytes(size).toString('base64').slice(0, size)
}

/** @returns for each size `{ size, encrypt, decrypt }`, each with the summaries of `ours`, `raw`, `noble`, `web` and `awaited` (the asynchronous call) */
export async function fields(vault, sizes = SIZES) {
  const notes = field('users', 'notes', z.string())
  const alice = vault.tenant('bench').subject('alice')
  const results = []
  for (const size of sizes) {
    const value = text(size)
    const keys = await alice.unlock()
    const stored = keys.encrypt(notes, value)
    const others = await primitives(value)
    const encrypt = await interleave({
      ours: () => keys.encrypt(notes, value),
      ...others.encrypt,
      awaited: () => alice.encrypt(notes, value),
    })
    const decrypt = await interleave({
      ours: () => keys.decrypt(notes, stored),
      ...others.decrypt,
      awaited: () => alice.decrypt(notes, stored),
    })
    results.push({ size, encrypt, decrypt })
  }
  return results
}

/** The same on another version of Node.js, in a process of its own. @returns `{ versions, rows }` */
export function fieldsOn(major) {
  const worker = fileURLToPath(new URL('fields-worker.mjs', import.meta.url))
  return JSON.parse(run(nodeOf(major), [worker], fileURLToPath(new URL('.', import.meta.url))))
}

/** The calls that a team would write itself, on one text. */
export async function primitives(value) {
  const key = randomBytes(32)
  const keyObject = createSecretKey(key)
  // As long as the library's own for such a field: label, header, context, field, record.
  const aad = randomBytes(24 + 17 + 9 + 9 + 1)
  const nonce = noncePool()
  const webKey = await webcrypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()

  const raw = () => {
    const iv = nonce()
    const cipher = createCipheriv('aes-256-gcm', keyObject, iv, { authTagLength: TAG })
    cipher.setAAD(aad)
    const body = cipher.update(value, 'utf8')
    cipher.final()
    return Buffer.concat([iv, body, cipher.getAuthTag()])
  }
  const noble = () => {
    const iv = nonce()
    return Buffer.concat([iv, gcm(key, iv, aad).encrypt(encoder.encode(value))])
  }
  const web = async () => {
    const iv = nonce()
    const options = { name: 'AES-GCM', iv, additionalData: aad, tagLength: 128 }
    return Buffer.concat([iv, new Uint8Array(await webcrypto.subtle.encrypt(options, webKey, encoder.encode(value)))])
  }
  const stored = raw()
  const iv = stored.subarray(0, NONCE)
  const body = stored.subarray(NONCE)
  return {
    encrypt: { raw, noble, web },
    decrypt: {
      raw: () => {
        const decipher = createDecipheriv('aes-256-gcm', keyObject, iv, { authTagLength: TAG })
        decipher.setAAD(aad)
        decipher.setAuthTag(body.subarray(-TAG))
        const plain = decipher.update(body.subarray(0, -TAG), undefined, 'utf8')
        return plain + decipher.final('utf8')
      },
      noble: () => decoder.decode(gcm(key, iv, aad).decrypt(body)),
      web: async () =>
        decoder.decode(await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: aad, tagLength: 128 }, webKey, body)),
    },
  }
}

function noncePool() {
  const pool = new Uint8Array(4096)
  let next = pool.length
  return () => {
    if (next + NONCE > pool.length) {
      randomFillSync(pool)
      next = 0
    }
    next += NONCE
    return pool.slice(next - NONCE, next)
  }
}
