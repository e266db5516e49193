import fc from 'fast-check'
import { expect, test } from 'vitest'

import { base64url, fromBase64url } from '#core/crypto/text.js'
import { concat, lp, split, toNumber, u32, u64, u8 } from '#core/format/bytes.js'

const anything = fc.uint8Array({ maxLength: 60 })

test('what LP joined, split parts again, into copies', () => {
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 6 }), (parts) => {
      const joined = concat(...parts.map(lp))
      const found = split(joined)
      joined.fill(0xff)

      expect(found).toEqual(parts)
    }),
  )
})

test('what is no whole number of LP(x) is not split', () => {
  fc.assert(
    fc.property(fc.array(anything, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 3 }), (parts, some) => {
      const joined = concat(...parts.map(lp))
      const last = 4 + (parts.at(-1) as Uint8Array).length

      expect(split(joined)).toEqual(parts)
      // Cut anywhere in the last part, or followed by a piece of a length, or by a length and too little.
      for (let cut = 1; cut < last; cut++) expect(split(joined.subarray(0, -cut))).toBeUndefined()
      expect(split(concat(joined, new Uint8Array(some)))).toBeUndefined()
      expect(split(concat(joined, u32(some), new Uint8Array(some - 1)))).toBeUndefined()
      expect(split(concat(joined, u32(2 ** 32 - 1), new Uint8Array(some)))).toBeUndefined()
    }),
  )
})

test('whole numbers come back from their bytes', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger().map(Math.abs), (n) => {
      expect(toNumber(u64(n))).toBe(n)
      expect(toNumber(u32(n % 2 ** 32))).toBe(n % 2 ** 32)
      expect(toNumber(u8(n % 256))).toBe(n % 256)
    }),
  )
  expect(Number.isSafeInteger(toNumber(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0)))).toBe(false)
  expect(Number.isSafeInteger(toNumber(Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 1)))).toBe(false)
})

test('base64url is that of RFC 4648, section 10, without padding, and only of at least one byte', () => {
  // The examples there, "f" to "foobar".
  const examples = ['Zg', 'Zm8', 'Zm9v', 'Zm9vYg', 'Zm9vYmE', 'Zm9vYmFy']
  for (const [i, text] of examples.entries()) {
    const bytes = new TextEncoder().encode('foobar'.slice(0, i + 1))
    expect(base64url(bytes)).toBe(text)
    expect(fromBase64url(text)).toEqual(bytes)
  }
  expect(base64url(Uint8Array.of(0xfb, 0xff, 0xbf))).toBe('-_-_')
  for (const refused of ['', 'Z', 'Zm9vY', 'Zg==', 'Zh', 'Zm9', '+/+/', 'Zm9v\n', ' Zm9v']) expect(fromBase64url(refused)).toBeUndefined()
})
