// What every vector check needs: hex, comparisons that say which vector failed, and the folder of vectors.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export function unhex(text) {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Error('not lower-case hex')
  const out = new Uint8Array(text.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return out
}

export function hex(bytes) {
  let out = ''
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0')
  return out
}

export const utf8 = (text) => new TextEncoder().encode(text)

/** A copy with one bit changed. */
export function flipped(bytes, at, bit = 0) {
  const out = new Uint8Array(bytes)
  out[at] ^= 1 << bit
  return out
}

/** Throws unless `bytes` is exactly this hex. */
export function same(bytes, expected, what) {
  if (!(bytes instanceof Uint8Array)) throw new Error(`${what}: no bytes`)
  if (hex(bytes) !== expected) throw new Error(`${what}: other bytes`)
}

/** Throws unless two plain values are the same (`Object.is`). */
export function is(actual, expected, what) {
  if (!Object.is(actual, expected)) throw new Error(`${what}: another value`)
}

/** Throws unless `result` is `undefined`, which is how everything below the vault refuses bytes. */
export function refused(result, what) {
  if (result !== undefined) throw new Error(`${what}: accepted`)
}

/** Throws unless the call throws. */
export function throws(call, what) {
  try {
    call()
  } catch {
    return
  }
  throw new Error(`${what}: accepted`)
}

/** The folder named by STRONGROOM_VECTORS; `undefined` if that is not set. A folder that is set must exist. */
export function vectorsFolder() {
  const folder = process.env.STRONGROOM_VECTORS
  if (folder === undefined || folder === '') return undefined
  if (!existsSync(folder)) throw new Error('STRONGROOM_VECTORS is set, but there is no such folder')
  return folder
}

export function readVectors(folder, ...path) {
  return JSON.parse(readFileSync(join(folder, ...path), 'utf8'))
}
