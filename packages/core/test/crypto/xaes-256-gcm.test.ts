import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'

import { backend } from '#backend'
import { XAES_NONCE, XAES_TAG, XaesKey, xaesOpen, xaesSeal } from '#core/crypto/xaes-256-gcm.js'

import { bytes, copyOf, flip, hex } from '../format/arbitraries.ts'

const key32 = bytes(32)
const anything = fc.uint8Array({ maxLength: 300 })

test('what is sealed opens, and is longer by a nonce and a tag', () => {
  fc.assert(
    fc.property(key32, anything, anything, (key, aad, plaintext) => {
      const sealed = xaesSeal(key, aad, plaintext)

      expect(sealed.length).toBe(XAES_NONCE + plaintext.length + XAES_TAG)
      expect(copyOf(xaesOpen(key, aad, sealed))).toEqual(plaintext)
    }),
  )
})

test('a message with any bit changed is refused', () => {
  fc.assert(
    fc.property(key32, anything, anything, fc.nat(), (key, aad, plaintext, bit) => {
      const sealed = xaesSeal(key, aad, plaintext)

      expect(xaesOpen(key, aad, sealed)).toBeDefined()
      expect(xaesOpen(key, aad, flip(sealed, bit))).toBeUndefined()
    }),
  )
})

test('every bit of one message counts', () => {
  const key = new Uint8Array(32).fill(7)
  const aad = Uint8Array.of(1, 2, 3)
  const sealed = xaesSeal(key, aad, new Uint8Array(20).fill(9))

  expect(xaesOpen(key, aad, sealed)).toBeDefined()
  for (let bit = 0; bit < 8 * sealed.length; bit++) expect(xaesOpen(key, aad, flip(sealed, bit))).toBeUndefined()
})

test('a message that is cut or extended, at either end, is refused', () => {
  fc.assert(
    fc.property(key32, anything, anything, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 }), (key, aad, plaintext, at, extra) => {
      const sealed = xaesSeal(key, aad, plaintext)
      const cut = at % sealed.length

      expect(xaesOpen(key, aad, sealed)).toBeDefined()
      expect(xaesOpen(key, aad, sealed.subarray(0, cut))).toBeUndefined()
      expect(xaesOpen(key, aad, sealed.subarray(sealed.length - cut))).toBeUndefined()
      expect(xaesOpen(key, aad, Uint8Array.of(...sealed, ...extra))).toBeUndefined()
      expect(xaesOpen(key, aad, Uint8Array.of(...extra, ...sealed))).toBeUndefined()
    }),
  )
})

test('another key, or other associated data, is refused', () => {
  fc.assert(
    fc.property(key32, fc.uint8Array({ minLength: 1, maxLength: 80 }), anything, fc.nat(), (key, aad, plaintext, bit) => {
      const sealed = xaesSeal(key, aad, plaintext)

      expect(xaesOpen(key, aad, sealed)).toBeDefined()
      expect(xaesOpen(flip(key, bit), aad, sealed)).toBeUndefined()
      expect(xaesOpen(key, flip(aad, bit), sealed)).toBeUndefined()
      expect(xaesOpen(key, aad.subarray(1), sealed)).toBeUndefined()
      expect(xaesOpen(key, aad.subarray(0, -1), sealed)).toBeUndefined()
      expect(xaesOpen(key, Uint8Array.of(...aad, 0), sealed)).toBeUndefined()
    }),
  )
})

test('a key that is kept gives the same bytes for each message as a fresh one', () => {
  fc.assert(
    fc.property(key32, fc.array(fc.tuple(bytes(24), anything, anything), { minLength: 1, maxLength: 5 }), (key, messages) => {
      const kept = new XaesKey(key)
      for (const [nonce, aad, plaintext] of messages) {
        const sealed = kept.seal(nonce, aad, plaintext)

        expect(copyOf(sealed)).toEqual(copyOf(new XaesKey(key).seal(nonce, aad, plaintext)))
        expect(copyOf(xaesOpen(key, aad, Uint8Array.of(...nonce, ...sealed)))).toEqual(plaintext)
      }
    }),
  )
})

test('a key that is kept no longer needs the bytes it was made from, a Buffer neither', () => {
  const nonce = new Uint8Array(24).fill(1)
  const none = new Uint8Array(0)
  const expected = copyOf(new XaesKey(new Uint8Array(32).fill(7)).seal(nonce, none, Uint8Array.of(1)))
  for (const key of [new Uint8Array(32).fill(7), Buffer.alloc(32, 7)]) {
    const kept = new XaesKey(key)
    key.fill(0)

    expect(copyOf(kept.seal(nonce, none, Uint8Array.of(1)))).toEqual(expected)
  }
})

test('both halves of the nonce count: the first makes the message key, the second goes to GCM', () => {
  const key = new Uint8Array(32).fill(7)
  const none = new Uint8Array(0)
  const sealed = xaesSeal(key, none, Uint8Array.of(1))

  expect(xaesOpen(key, none, sealed)).toBeDefined()
  for (let bit = 0; bit < 192; bit++) expect(xaesOpen(key, none, flip(sealed, bit))).toBeUndefined()
})

describe('a key that seals many messages with nonces of its own', () => {
  const key = new Uint8Array(32).fill(7)
  const aad = Uint8Array.of(1, 2, 3)
  // Room in front, as for a header.
  const AT = 17
  const sealRandom = (kept: XaesKey, plaintext: Uint8Array): Uint8Array => {
    const out = new Uint8Array(AT + XAES_NONCE + plaintext.length + XAES_TAG)
    kept.sealRandom(out, AT, aad, plaintext)
    return out
  }

  test('gives what a fresh key gives for each nonce, and no nonce twice, nor half of one', () => {
    const kept = new XaesKey(key)
    const seen = new Set<string>()
    for (let i = 0; i < 500; i++) {
      const plaintext = new Uint8Array(i % 70).fill(i)
      const out = sealRandom(kept, plaintext)
      const nonce = out.subarray(AT, AT + XAES_NONCE)

      expect(out.subarray(0, AT).every((byte) => byte === 0)).toBe(true)
      expect(hex(out.subarray(AT + XAES_NONCE))).toBe(hex(new XaesKey(key).seal(nonce, aad, plaintext)))
      expect(copyOf(xaesOpen(key, aad, out.subarray(AT)))).toEqual(plaintext)
      expect(copyOf(kept.open(out, AT, aad))).toEqual(plaintext)
      seen.add(hex(nonce.subarray(0, 12))).add(hex(nonce.subarray(12)))
    }

    expect(seen.size).toBe(1000)
  })

  test('opens others in between without losing its place', () => {
    const kept = new XaesKey(key)
    const other = xaesSeal(key, aad, Uint8Array.of(9))
    for (let i = 0; i < 100; i++) {
      const out = sealRandom(kept, Uint8Array.of(i))

      expect(copyOf(kept.open(other, 0, aad))).toEqual(Uint8Array.of(9))
      kept.seal(new Uint8Array(24), aad, Uint8Array.of(0))
      expect(copyOf(xaesOpen(key, aad, out.subarray(AT)))).toEqual(Uint8Array.of(i))
    }
  })

  test('draws the second half of each nonce when it is used: in another process, from another block', () => {
    const kept = new XaesKey(key)
    for (let i = 0; i < 10; i++) sealRandom(kept, Uint8Array.of(1))
    const fill = vi.spyOn(backend, 'randomFill')
    const { pid } = process
    try {
      Object.defineProperty(process, 'pid', { value: pid + 1, configurable: true, enumerable: true, writable: true })
      sealRandom(kept, Uint8Array.of(1))

      expect(fill).toHaveBeenCalled()
    } finally {
      Object.defineProperty(process, 'pid', { value: pid, configurable: true, enumerable: true, writable: true })
      fill.mockRestore()
    }
  })
})

test('keys of another length, and nonces, are refused before any encryption', () => {
  const none = new Uint8Array(0)
  expect(xaesSeal(new Uint8Array(32), none, none).length).toBe(40)
  for (const length of [0, 16, 24, 31, 33, 64]) {
    expect(() => xaesSeal(new Uint8Array(length), none, none)).toThrow('key must be 32 bytes')
    expect(() => xaesOpen(new Uint8Array(length), none, new Uint8Array(40))).toThrow('key must be 32 bytes')
  }
  const key = new XaesKey(new Uint8Array(32))
  expect(key.seal(new Uint8Array(24), none, none).length).toBe(16)
  for (const length of [0, 12, 23, 25]) expect(() => key.seal(new Uint8Array(length), none, none)).toThrow('nonce must be 24 bytes')
})

test('sealing draws a new nonce every time', () => {
  const key = new Uint8Array(32).fill(7)
  const none = new Uint8Array(0)
  const nonces = new Set(Array.from({ length: 1000 }, () => String(xaesSeal(key, none, none).subarray(0, XAES_NONCE))))

  expect(nonces.size).toBe(1000)
})
