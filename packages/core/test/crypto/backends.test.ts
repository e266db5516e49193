import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { backend as node } from '#core/crypto/backend/node.js'
import { backend as portable } from '#core/crypto/backend/portable.js'

import { bytes, copyOf, flip, text } from '../format/arbitraries.ts'

const anything = fc.uint8Array({ maxLength: 300 })
const key32 = bytes(32)

describe('both backends give the same bytes', () => {
  test('for SHA-256, HMAC and HKDF', () => {
    fc.assert(
      fc.property(
        anything,
        anything,
        fc.option(anything, { nil: undefined }),
        fc.integer({ min: 1, max: 255 * 32 }),
        (a, b, salt, length) => {
          expect(copyOf(node.sha256(a))).toEqual(portable.sha256(a))
          expect(copyOf(node.hmacSha256(a, b))).toEqual(portable.hmacSha256(a, b))
          expect(copyOf(node.hkdfSha256(a, salt, b, length))).toEqual(portable.hkdfSha256(a, salt, b, length))
        },
      ),
    )
  })

  test('for text behind a byte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), text, (byte, value) => {
        const expected = Uint8Array.of(byte, ...new TextEncoder().encode(value))

        expect(copyOf(node.byteAndText(byte, value))).toEqual(expected)
        expect(portable.byteAndText(byte, value)).toEqual(expected)
      }),
    )
  })

  test('for base64url, and take and refuse the same texts', () => {
    const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    fc.assert(
      fc.property(anything, (value) => {
        const written = portable.base64url(value)

        expect(node.base64url(value)).toBe(written)
        expect(node.fromBase64url(written)).toEqual(value)
        expect(portable.fromBase64url(written)).toEqual(value)
      }),
    )
    const nearly = fc.string({ unit: fc.constantFrom(...ALPHABET, '=', '+', '/', ' ', '\n', '\0', '\u0661', '\u2014'), maxLength: 12 })
    fc.assert(
      fc.property(
        fc.oneof(nearly, fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 12 }), fc.string({ unit: 'binary' })),
        (read) => {
          expect(node.fromBase64url(read)).toEqual(portable.fromBase64url(read))
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('for AES blocks', () => {
    fc.assert(
      fc.property(key32, fc.integer({ min: 1, max: 4 }), fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (key, blocks, stream) => {
        const plain = Uint8Array.from(stream.take(16 * blocks))

        expect(copyOf(node.aes256(key).encrypt(plain))).toEqual(portable.aes256(key).encrypt(plain))
      }),
    )
  })

  test('for AES-GCM, and each opens what the other sealed', () => {
    fc.assert(
      fc.property(
        key32,
        bytes(12),
        anything,
        anything,
        fc.integer({ min: 0, max: 50 }),
        fc.nat(),
        (key, nonce, aad, plaintext, offset, bit) => {
          const [a, b] = [node, portable].map((backend) => {
            const out = new Uint8Array(offset + plaintext.length + 16 + 3)
            backend.gcmSeal(key, nonce, aad, plaintext, out, offset)
            return out
          }) as [Uint8Array, Uint8Array]

          expect(a).toEqual(b)
          // Nothing outside the message was written.
          expect([...a.subarray(0, offset), ...a.subarray(-3)]).toEqual(Array.from({ length: offset + 3 }, () => 0))
          const sealed = a.slice(offset, -3)
          for (const backend of [node, portable]) {
            expect(copyOf(backend.gcmOpen(key, nonce, aad, sealed))).toEqual(plaintext)
            expect(backend.gcmOpen(key, nonce, aad, flip(sealed, bit))).toBeUndefined()
            expect(backend.gcmOpen(key, nonce, aad, sealed.subarray(0, bit % sealed.length))).toBeUndefined()
          }
        },
      ),
    )
  })

  test('for Ed25519, and each verifies what the other signed', () => {
    fc.assert(
      fc.property(key32, anything, fc.nat(), (seed, message, bit) => {
        const publicKey = portable.ed25519PublicKey(seed)
        const signature = portable.ed25519Sign(seed, message)

        expect(copyOf(node.ed25519PublicKey(seed))).toEqual(publicKey)
        expect(copyOf(node.ed25519Sign(seed, message))).toEqual(signature)
        expect([publicKey.length, signature.length]).toEqual([32, 64])
        for (const backend of [node, portable]) {
          expect(backend.ed25519Verify(publicKey, message, signature)).toBe(true)
          expect(backend.ed25519Verify(publicKey, message, flip(signature, bit))).toBe(false)
          expect(backend.ed25519Verify(flip(publicKey, bit), message, signature)).toBe(false)
          expect(backend.ed25519Verify(publicKey, Uint8Array.of(...message, 0), signature)).toBe(false)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('for comparisons: equal exactly if every byte is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (a, bit) => {
        for (const backend of [node, portable]) {
          expect(backend.equal(a, a.slice())).toBe(true)
          expect(backend.equal(a, flip(a, bit))).toBe(false)
          expect(backend.equal(a, a.subarray(1))).toBe(false)
          expect(backend.equal(a, Uint8Array.of(...a, 0))).toBe(false)
        }
      }),
    )
  })
})

test.each([node, portable])(
  'digests, keys and plaintexts leave the $name backend as plain Uint8Arrays, whose slices are copies',
  (backend) => {
    const key = new Uint8Array(32)
    const nonce = key.subarray(0, 12)
    const out = new Uint8Array(20)
    backend.gcmSeal(key, nonce, key, key.subarray(0, 4), out, 0)
    const all = [
      backend.sha256(key),
      backend.hmacSha256(key, key),
      backend.hkdfSha256(key, undefined, key, 32),
      backend.gcmOpen(key, nonce, key, out),
      backend.ed25519PublicKey(key),
      backend.ed25519Sign(key, nonce),
    ]

    expect(all.map((result) => Object.getPrototypeOf(result) === Uint8Array.prototype)).toEqual(all.map(() => true))
  },
)

test.each([node, portable])('the $name backend keeps nothing of a key that it was given, a Buffer neither', (backend) => {
  for (const key of [new Uint8Array(32).fill(7), Buffer.alloc(32, 7)]) {
    const blocks = backend.aes256(key)
    const before = copyOf(blocks.encrypt(new Uint8Array(16)))
    key.fill(0)

    expect(copyOf(blocks.encrypt(new Uint8Array(16)))).toEqual(before)
  }
})

test.each([node, portable])('the $name backend signs from Buffers as well, and leaves them as they were', (backend) => {
  const [seed, message] = [Buffer.alloc(32, 7), Buffer.from('message')]
  const publicKey = Buffer.from(backend.ed25519PublicKey(seed))
  const signature = Buffer.from(backend.ed25519Sign(seed, message))

  expect(copyOf(signature)).toEqual(copyOf(backend.ed25519Sign(new Uint8Array(32).fill(7), new Uint8Array(message))))
  expect(backend.ed25519Verify(publicKey, message, signature)).toBe(true)
  expect([seed, message]).toEqual([Buffer.alloc(32, 7), Buffer.from('message')])
})

describe.each([node, portable])('random bytes of the $name backend', (backend) => {
  test('fill all of an array, also one longer than the platform gives in one call', () => {
    const block = new Uint8Array(3 * 65_536 + 1)
    backend.randomFill(block)

    // Each 64-byte piece would be zero with a chance of 2^-512.
    for (let at = 0; at + 64 <= block.length; at += 64) expect(block.subarray(at, at + 64).some((byte) => byte !== 0)).toBe(true)
    expect(new Set(block).size).toBe(256)
  })
})
