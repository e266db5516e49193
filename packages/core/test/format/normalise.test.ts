// What is taken for the same, and what is refused (docs/format.md, "Normalisers"; its worked values are read by docs-format.test.ts).
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Normaliser } from '#core/format/index-value.js'
import { NORMALISERS, normalisedScalar, normaliserOf, requireIndexable } from '#core/format/normalise.js'
import { canonicalScalar } from '#core/format/scalar.js'

import { refusal } from './refusal.ts'

const TEXTS: readonly Normaliser[] = ['email/1', 'text/1']

function normalised(normaliser: Normaliser, value: string): string {
  return Buffer.from(normalisedScalar(normaliser, value, 'value').subarray(1)).toString('utf8')
}

function same(normaliser: Normaliser, ...texts: readonly string[]): void {
  expect(new Set(texts.map((text) => normalised(normaliser, text))).size).toBe(1)
}

function different(normaliser: Normaliser, ...texts: readonly string[]): void {
  expect(new Set(texts.map((text) => normalised(normaliser, text))).size).toBe(texts.length)
}

describe('email/1', () => {
  test('one address, however it is typed', () => {
    same('email/1', 'ada@example.com', 'Ada@Example.com', ' ADA@EXAMPLE.COM\r\n', '\ufeffada@example.com\u00a0')
    same('email/1', 'zoë@example.com', 'zoe\u0308@example.com', 'ZOË@EXAMPLE.COM')
    same('email/1', 'ΟΔΟΣ@example.gr', 'οδοσ@example.gr', 'οδος@example.gr')
  })

  test('never one address of two that different people can own', () => {
    different('email/1', 'mike@example.com', 'mıke@example.com', 'm\u0456ke@example.com')
    different('email/1', 'iris@example.com', 'iriſ@example.com', 'İris@example.com')
    different('email/1', 'fin@example.com', 'ﬁn@example.com')
    different('email/1', 'ada@example.com', 'ａda@example.com', 'a.da@example.com', 'ada+x@example.com', 'a da@example.com')
    different('email/1', 'strasse@example.com', 'straße@example.com')
    different('email/1', 'x@bücher.example', 'x@xn--bcher-kva.example')
  })
})

describe('text/1', () => {
  test('case, width, ligatures and white space do not count', () => {
    same('text/1', 'Ada Lovelace', '  ada\t\n LOVELACE ', 'Ａｄａ\u3000Lovelace', 'ada\u2009lovelace')
    same('text/1', 'ﬁn', 'FIN', 'fin')
    same('text/1', 'ガ', 'ｶﾞ')
    same('text/1', '', ' ', '\u3000')
  })

  test('letters, accents and punctuation do', () => {
    different('text/1', 'ada', 'áda', 'a-da', 'a da', 'adа')
    different('text/1', 'straße', 'strasse')
  })
})

test('what has ASCII only is made into what it is made into beside other letters', () => {
  const ascii = fc.string({ unit: fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code)), minLength: 1 })
  fc.assert(
    fc.property(ascii, fc.constantFrom(...TEXTS), (text, normaliser) => {
      expect(normalised(normaliser, `é${text}é`).slice(1, -1)).toBe(normalised(normaliser, `x${text}x`).slice(1, -1))
    }),
    { numRuns: 2000 },
  )
})

describe('phone/1', () => {
  test('one number, however it is written', () => {
    same('phone/1', '+4915112345678', '+49 151 1234-5678', '+49 (151) 12345678', '+49.151.12345678', '+49/151/12345678')
    same(
      'phone/1',
      '+4915112345678',
      '\u202a+49 151 12345678\u202c',
      '+49\u2011151\u201112345678',
      '＋４９１５１１２３４５６７８',
      '+٤٩١٥١۱۲۳۴۵۶۷۸',
    )
  })

  test.each([
    '0151 12345678',
    '004915112345678',
    '4915112345678',
    '+49 (0) 151 12345678',
    '+49 (00) 151 12345678',
    '+0151 12345678',
    '+49 151 12345678 x5',
    '+49 151 12345678,5',
    'tel:+4915112345678',
    '++4915112345678',
    '49+15112345678',
    '+123456',
    '+1234567890123456',
    '',
    '+',
    'SECRET',
  ])('refused, because it would be a guess: %j', (text) => {
    expect(refusal(() => normalisedScalar('phone/1', text, 'value'))).toEqual({ code: 'invalid_argument', argument: 'value', leaks: false })
    expect(normalised('phone/1', '+1234567')).toBe('+1234567')
    expect(normalised('phone/1', '+123456789012345')).toBe('+123456789012345')
  })
})

describe('none/1', () => {
  test('is the scalar itself, of any type', () => {
    for (const value of [5, 5n, 'Ada ', true, new Date(0), new Uint8Array(3)])
      expect(normalisedScalar('none/1', value, 'value')).toEqual(canonicalScalar(value, 'value'))
    different('none/1', 'é', 'e\u0301', 'É')
    expect(refusal(() => normalisedScalar('none/1', {}, 'value')).code).toBe('invalid_argument')
  })
})

describe.each(['email/1', 'text/1', 'phone/1'] as const)('%s', (normaliser) => {
  test.each([5, 5n, true, new Date(0), new Uint8Array(3), null, undefined, {}, ['SECRET'], Object('SECRET')])(
    'takes only strings: %s',
    (value) => {
      expect(refusal(() => normalisedScalar(normaliser, value, 'value'))).toEqual({
        code: 'invalid_argument',
        argument: 'value',
        leaks: false,
      })
    },
  )
})

describe.each(TEXTS)('%s', (normaliser) => {
  test('refuses lone surrogates, and what a later Unicode may give a meaning', () => {
    for (const text of ['SECRET\ud800', '\udc00SECRET', 'SECRET\u0378', 'SECRET\uffff', 'SECRET\u{10ffff}'])
      expect(refusal(() => normalisedScalar(normaliser, text, 'value'))).toEqual({
        code: 'invalid_argument',
        argument: 'value',
        leaks: false,
      })
    expect(normalised(normaliser, 'secret\ue000')).toBe('secret\ue000')
  })

  test('normalising what is normalised changes nothing: every code point, and texts of them', () => {
    for (let code = 0; code < 0x11_0000; code++) {
      if ((code >= 0xd800 && code < 0xe000) || /\p{Cn}/u.test(String.fromCodePoint(code))) continue
      const once = normalised(normaliser, `a${String.fromCodePoint(code)}b`)
      if (normalised(normaliser, once) !== once) expect.fail(`U+${code.toString(16)}`)
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
        fc.pre(text.isWellFormed() && !/\p{Cn}/u.test(text))
        const once = normalised(normaliser, text)
        expect(normalised(normaliser, once)).toBe(once)
      }),
      { numRuns: 500 },
    )
  })

  test('the same in lower and in upper case, composed and decomposed, wherever lower case alone can say so', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abzAZéÉñÑσΣςäÄдД .@+-'), maxLength: 12 }), (text) => {
        same(normaliser, text, text.toLowerCase(), text.toUpperCase(), text.normalize('NFD'))
      }),
    )
  })
})

test('an option names a normaliser, and what is none is refused', () => {
  expect(Object.keys(NORMALISERS)).toEqual(['email', 'phone', 'text', 'none'])
  expect([normaliserOf('email'), normaliserOf('none'), normaliserOf(undefined)]).toEqual(['email/1', 'none/1', 'none/1'])
  for (const name of ['email/1', 'Email', 'toString', '__proto__', 5, null, {}])
    expect(refusal(() => normaliserOf(name))).toMatchObject({ code: 'invalid_argument', argument: 'normalize' })
})

test('whether a value can be indexed is asked without a key, and names the argument of whoever asks', () => {
  for (const [normalize, value] of [
    ['email', 'a@b.c'],
    ['phone', '+4420794600'],
    ['text', ''],
    ['none', 5],
  ] as const)
    expect(requireIndexable(normalize, value, 'x')).toBeUndefined()
  for (const [normalize, value] of [
    ['phone', 'SECRET'],
    ['email', 5],
    ['none', { a: 'SECRET' }],
    ['none', 'SECRET'.repeat(20_000)],
  ] as const)
    expect(refusal(() => requireIndexable(normalize, value, 'x'))).toEqual({ code: 'invalid_argument', argument: 'x', leaks: false })
  expect(refusal(() => requireIndexable('mail' as never, 'x', 'x'))).toMatchObject({ code: 'invalid_argument', argument: 'normalize' })
})
