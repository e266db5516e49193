// XAES-256-GCM against https://c2sp.org/XAES-256-GCM: its two vectors and its accumulated test.
import { backend } from '#backend'
import { XaesKey, xaesOpen } from '#core/crypto/xaes-256-gcm.js'
import { shake128 } from '@noble/hashes/sha3.js'

import { flipped, hex, is, refused, same, unhex, utf8 } from './support.mjs'

/** The published vectors, with their intermediate values as far as the backend shows them. */
export function checkXaes({ vectors }) {
  let count = 0
  for (const [i, v] of vectors.entries()) {
    const what = `XAES vector ${i}`
    const key = unhex(v.key)
    const nonce = utf8(v.nonceAscii)
    const plaintext = utf8(v.plaintextAscii)
    const aad = utf8(v.aadAscii)

    // L is AES of the zero block under the key. K1 and Kx stay inside; Kx is checked by what it seals under Nx.
    same(backend.aes256(key).encrypt(new Uint8Array(16)), v.L, `${what}: L`)
    same(nonce.subarray(12), v.Nx, `${what}: Nx`)
    const inner = new Uint8Array(plaintext.length + 16)
    backend.gcmSeal(unhex(v.Kx), unhex(v.Nx), aad, plaintext, inner, 0)
    same(inner, v.ct, `${what}: sealed under Kx`)

    same(new XaesKey(key).seal(nonce, aad, plaintext), v.ct, `${what}: seal`)
    const stored = unhex(hex(nonce) + v.ct)
    same(xaesOpen(key, aad, stored), hex(plaintext), `${what}: open`)

    for (let at = 0; at < stored.length; at++) refused(xaesOpen(key, aad, flipped(stored, at, at % 8)), `${what}: byte ${at} changed`)
    for (let at = 0; at < key.length; at++) refused(xaesOpen(flipped(key, at, at % 8), aad, stored), `${what}: key byte ${at} changed`)
    for (let at = 0; at < aad.length; at++) refused(xaesOpen(key, flipped(aad, at), stored), `${what}: associated data ${at} changed`)
    refused(xaesOpen(key, utf8(`${v.aadAscii}x`), stored), `${what}: associated data extended`)
    count++
  }
  return count
}

/** Section "Test vectors": keys, nonces, plaintexts and associated data from SHAKE-128; every ciphertext is absorbed. */
export function checkXaesAccumulated(iterations, expected) {
  const stream = shake128.create({})
  const absorbed = shake128.create({ dkLen: 32 })
  for (let i = 0; i < iterations; i++) {
    const key = stream.xof(32)
    const nonce = stream.xof(24)
    const plaintext = stream.xof(stream.xof(1)[0])
    const aad = stream.xof(stream.xof(1)[0])
    const sealed = new XaesKey(key).seal(nonce, aad, plaintext)
    const opened = xaesOpen(key, aad, joined(nonce, sealed))
    if (opened === undefined || !backend.equal(opened, plaintext)) throw new Error(`iteration ${i}: does not open`)
    absorbed.update(sealed)
  }
  is(hex(absorbed.digest()), expected, `${iterations} iterations`)
  return iterations
}

/** Messages under one key that is kept, with nonces of its own: each must be what a fresh key makes for that nonce. */
export function checkXaesRandom(messages) {
  const key = new Uint8Array(32).fill(7)
  const aad = utf8('associated data')
  const kept = new XaesKey(key)
  for (let i = 0; i < messages; i++) {
    const plaintext = new Uint8Array(i % 50).fill(i)
    const out = new Uint8Array(24 + plaintext.length + 16)
    kept.sealRandom(out, 0, aad, plaintext)
    same(out.subarray(24), hex(new XaesKey(key).seal(out.subarray(0, 24), aad, plaintext)), `message ${i}: sealed`)
    same(xaesOpen(key, aad, out), hex(plaintext), `message ${i}: opened`)
  }
  return messages
}

function joined(a, b) {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
