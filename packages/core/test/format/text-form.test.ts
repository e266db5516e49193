import fc from 'fast-check'
import { expect, test } from 'vitest'

import { isValueForm, valueFromText, valueToText } from '#core/format/encrypted-value.js'

import { hex } from './arbitraries.ts'

const value = fc.uint8Array({ minLength: 1, maxLength: 200 })
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

test('the text form is sr1. and base64url, and gives the bytes back', () => {
  fc.assert(
    fc.property(value, (bytes) => {
      const text = valueToText(bytes)

      expect(text).toBe(`sr1.${Buffer.from(bytes).toString('base64url')}`)
      expect(valueFromText(text)).toEqual(bytes)
    }),
  )
})

test('long values keep their bytes', () => {
  const long = Uint8Array.from({ length: 100_003 }, (_, i) => i % 251)

  expect(hex(valueFromText(valueToText(long)) as Uint8Array)).toBe(hex(long))
})

test('no other spelling of the same bytes is accepted', () => {
  fc.assert(
    fc.property(
      value,
      fc.nat(),
      fc.constantFrom(' ', '\n', '\r\n', '\t', '\0', '\u00a0', '\ufeff', '.', '=', '\u0661'),
      (bytes, at, character) => {
        const text = valueToText(bytes)
        const place = 4 + (at % (text.length - 3))

        expect(valueFromText(text)).toEqual(bytes)
        // Padding, white space or any other character: in front, in between, behind.
        for (const other of [text.slice(0, place) + character + text.slice(place), character + text, text + character, `${text}==`]) {
          expect(valueFromText(other)).toBeUndefined()
        }
        // Standard base64, with or without padding.
        const standard = Buffer.from(bytes).toString('base64')
        if (`sr1.${standard}` !== text) expect(valueFromText(`sr1.${standard}`)).toBeUndefined()
        const unpadded = `sr1.${standard.replaceAll('=', '')}`
        if (unpadded !== text) expect(valueFromText(unpadded)).toBeUndefined()
        // Another prefix, or none.
        for (const prefix of ['', 'sr1', 'SR1.', 'Sr1.', 'sr2.', 'sr1..', ' sr1.'])
          expect(valueFromText(prefix + text.slice(4))).toBeUndefined()
      },
    ),
  )
})

test('bits that stand for no byte must be zero', () => {
  for (const [length, unused] of [
    [1, 4],
    [2, 2],
    [4, 4],
    [58, 4],
    [59, 2],
  ] as const) {
    const bytes = new Uint8Array(length).fill(0xa5)
    const text = valueToText(bytes)
    const last = ALPHABET.indexOf(text.at(-1) as string)

    expect(valueFromText(text)).toEqual(bytes)
    for (let extra = 1; extra < 2 ** unused; extra++) expect(valueFromText(text.slice(0, -1) + ALPHABET[last + extra])).toBeUndefined()
  }
})

test('whatever text is accepted is the one text of its bytes', () => {
  const nearly = fc.tuple(fc.constantFrom('sr1.', 'sr1', ''), fc.string({ unit: fc.constantFrom(...ALPHABET, '=', '+', '/', ' ') }))
  fc.assert(
    fc.property(
      fc.oneof(
        nearly.map(([prefix, rest]) => prefix + rest),
        fc.string({ unit: 'binary' }),
      ),
      (text) => {
        const bytes = valueFromText(text)
        if (bytes !== undefined) expect(valueToText(bytes)).toBe(text)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a text that is cut is refused, or is another value', () => {
  fc.assert(
    fc.property(value, fc.nat(), (bytes, at) => {
      const text = valueToText(bytes)
      const cut = valueFromText(text.slice(0, at % text.length))

      expect(valueFromText(text)).toEqual(bytes)
      if (cut !== undefined) expect(cut.length).toBeLessThan(bytes.length)
    }),
  )
})

test('an envelope has its version and room for an empty value, at least 58 bytes', () => {
  const envelope = new Uint8Array(58)
  envelope[0] = 1

  expect(isValueForm(envelope)).toBe(true)
  expect(isValueForm(envelope.subarray(0, 57))).toBe(false)
  expect(isValueForm(new Uint8Array(0))).toBe(false)
  for (let version = 0; version < 256; version++) {
    envelope[0] = version
    expect(isValueForm(envelope)).toBe(version === 1)
  }
})
