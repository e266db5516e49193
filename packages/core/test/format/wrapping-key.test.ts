import fc from 'fast-check'
import { expect, test } from 'vitest'

import { openWrappingKeyPlaintext, wrappingKeyData, wrappingKeyPlaintext, type WrappingKeyPlace } from '#core/format/wrapping-key.js'

import { bytes, copyOf, flip } from './arbitraries.ts'

const place: fc.Arbitrary<WrappingKeyPlace> = fc.record({
  id: bytes(16),
  tenantRef: bytes(16),
  region: fc.string({ maxLength: 12 }),
  created: fc.maxSafeInteger().map(Math.abs),
})

test('a wrapping key comes back in its place: 64 bytes for the provider', () => {
  fc.assert(
    fc.property(bytes(32), bytes(16), place, (key, vault, p) => {
      const data = wrappingKeyData(vault, p)
      const plaintext = wrappingKeyPlaintext(key, data)

      expect(plaintext.length).toBe(64)
      expect(copyOf(openWrappingKeyPlaintext(plaintext, data))).toEqual(key)
    }),
  )
})

test('the key is a copy of its own: wiping what the provider returned leaves it', () => {
  const data = wrappingKeyData(new Uint8Array(16), { id: new Uint8Array(16), tenantRef: new Uint8Array(16), region: 'eu', created: 1 })
  const plaintext = wrappingKeyPlaintext(new Uint8Array(32).fill(7), data)
  for (const returned of [plaintext.slice(), Buffer.from(plaintext)]) {
    const key = openWrappingKeyPlaintext(returned, data)
    returned.fill(0)

    expect(copyOf(key)).toEqual(new Uint8Array(32).fill(7))
  }
})

test.each(['id', 'tenantRef', 'region', 'created'] as const)('a wrapping key is refused where %s is another', (component) => {
  fc.assert(
    fc.property(bytes(32), bytes(16), place, place, (key, vault, p, other) => {
      fc.pre(String(p[component]) !== String(other[component]))
      const plaintext = wrappingKeyPlaintext(key, wrappingKeyData(vault, p))

      expect(openWrappingKeyPlaintext(plaintext, wrappingKeyData(vault, p))).toBeDefined()
      expect(openWrappingKeyPlaintext(plaintext, wrappingKeyData(vault, { ...p, [component]: other[component] }))).toBeUndefined()
    }),
  )
})

test('a wrapping key is refused in another vault', () => {
  fc.assert(
    fc.property(bytes(32), bytes(16), place, fc.nat(), (key, vault, p, bit) => {
      const plaintext = wrappingKeyPlaintext(key, wrappingKeyData(vault, p))

      expect(openWrappingKeyPlaintext(plaintext, wrappingKeyData(vault, p))).toBeDefined()
      expect(openWrappingKeyPlaintext(plaintext, wrappingKeyData(flip(vault, bit), p))).toBeUndefined()
    }),
  )
})

test('with any bit changed, cut or extended it is refused', () => {
  const data = wrappingKeyData(new Uint8Array(16), { id: new Uint8Array(16), tenantRef: new Uint8Array(16), region: 'eu', created: 1 })
  const plaintext = wrappingKeyPlaintext(new Uint8Array(32).fill(7), data)

  expect(openWrappingKeyPlaintext(plaintext, data)).toBeDefined()
  for (let bit = 0; bit < 8 * plaintext.length; bit++) expect(openWrappingKeyPlaintext(flip(plaintext, bit), data)).toBeUndefined()
  for (let length = 0; length < plaintext.length; length++)
    expect(openWrappingKeyPlaintext(plaintext.subarray(0, length), data)).toBeUndefined()
  expect(openWrappingKeyPlaintext(Uint8Array.of(...plaintext, 0), data)).toBeUndefined()
})

test('a key without its check is refused', () => {
  const data = wrappingKeyData(new Uint8Array(16), { id: new Uint8Array(16), tenantRef: new Uint8Array(16), region: 'eu', created: 1 })
  const bare = new Uint8Array(64).fill(1)

  expect(openWrappingKeyPlaintext(wrappingKeyPlaintext(bare.subarray(0, 32), data), data)).toBeDefined()
  expect(openWrappingKeyPlaintext(bare, data)).toBeUndefined()
  expect(openWrappingKeyPlaintext(bare.subarray(0, 32), data)).toBeUndefined()
})
