import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'

import { jsonCodec } from '#core/format/value-codec.js'

import { coreValue, date, hex, int64, json, number, text } from './arbitraries.ts'
import { refusal } from './refusal.ts'

const roundTrip = (value: unknown): unknown => jsonCodec.decode(jsonCodec.encode(value))
const typeOf = (value: unknown): number => jsonCodec.encode(value).type

test('every value of core comes back as it was', () => {
  fc.assert(
    fc.property(coreValue, (value) => {
      expect(isDeepStrictEqual(roundTrip(value), value)).toBe(true)
    }),
    { numRuns: 3000 },
  )
})

test('what is decoded is encoded to the same bytes again', () => {
  fc.assert(
    fc.property(coreValue, (value) => {
      const { type, body } = jsonCodec.encode(value)
      const again = jsonCodec.encode(jsonCodec.decode({ type, body }))

      expect(again.type).toBe(type)
      expect(hex(again.body)).toBe(hex(body))
    }),
    { numRuns: 2000 },
  )
})

test('each kind of value has its own type', () => {
  fc.assert(
    fc.property(text, int64, date, fc.uint8Array(), json, (string, bigint, instant, bytes, tree) => {
      expect([string, bigint, instant, bytes, tree, true].map(typeOf)).toEqual([0x02, 0x12, 0x09, 0x05, 0x70, 0x08])
    }),
  )
  fc.assert(
    fc.property(number, (n) => {
      const small = Number.isInteger(n) && Math.abs(n) <= 2 ** 31 && n !== 2 ** 31 && !Object.is(n, -0)
      expect(typeOf(n)).toBe(small ? 0x10 : 0x01)
    }),
  )
})

test('−0, NaN and infinite numbers survive on their own, and −0 inside JSON', () => {
  for (const value of [-0, Number.NaN, Infinity, -Infinity, 5e-324]) expect(roundTrip(value)).toBe(value)
  expect(roundTrip([-0, { a: -0 }])).toStrictEqual([-0, { a: -0 }])
})

test('empty values are values', () => {
  for (const value of ['', 0, false, 0n, [], {}, new Uint8Array(0)]) expect(roundTrip(value)).toStrictEqual(value)
})

test('objects without a prototype, and keys that look like members, are plain data', () => {
  const bare = Object.assign(Object.create(null) as object, { constructor: 'a', toString: 'b', hasOwnProperty: null, 7: 'c' })

  expect(roundTrip(bare)).toStrictEqual({ ...bare })
  expect(Object.getPrototypeOf(roundTrip(bare))).toBe(Object.prototype)
})

test('JSON goes a hundred levels deep and no deeper', () => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

  expect(isDeepStrictEqual(roundTrip(nested(100)), nested(100))).toBe(true)
  expect(refusal(() => jsonCodec.encode(nested(101)))).toEqual({ code: 'invalid_argument', argument: 'value', leaks: false })
})

describe("a body that is malformed, or of a type that is not core's, is not decoded", () => {
  const cases: [string, number, readonly number[], readonly number[]][] = [
    ['text that is not UTF-8', 0x02, [0x61], [0xff]],
    ['text with an encoded surrogate', 0x02, [0xee, 0x80, 0x80], [0xed, 0xa0, 0x80]],
    ['text with an overlong encoding', 0x02, [0x2f], [0xc0, 0xaf]],
    ['an int32 that is short', 0x10, [1, 0, 0, 0], [1, 0, 0]],
    ['an int32 that is long', 0x10, [1, 0, 0, 0], [1, 0, 0, 0, 0]],
    ['a double that is short', 0x01, [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0]],
    ['an int64 that is long', 0x12, [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['a boolean of 2', 0x08, [1], [2]],
    ['a boolean of two bytes', 0x08, [1], [1, 0]],
    ['a boolean of no byte', 0x08, [0], []],
    ['a date that no Date holds', 0x09, [0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0x7f]],
    ['binary of another subtype', 0x05, [0, 9], [4, 9]],
    ['binary without a subtype', 0x05, [0], []],
    ['JSON that ends early', 0x70, [0x5b, 0x5d], [0x5b]],
    ['JSON that is not UTF-8', 0x70, [0x5b, 0x5d], [0x22, 0xff, 0x22]],
    ['no JSON at all', 0x70, [0x5b, 0x5d], []],
  ]
  test.each(cases)('%s', (_, type, good, bad) => {
    expect(jsonCodec.decode({ type, body: Uint8Array.from(good) })).toBeDefined()
    expect(jsonCodec.decode({ type, body: Uint8Array.from(bad) })).toBeUndefined()
  })

  test.each([0x00, 0x03, 0x04, 0x06, 0x07, 0x0a, 0x0b, 0x11, 0x13, 0x71, 0x7f, 0xff])('type %i', (type) => {
    expect(jsonCodec.decode({ type: 0x05, body: new Uint8Array(12) })).toBeDefined()
    expect(jsonCodec.decode({ type, body: new Uint8Array(12) })).toBeUndefined()
  })
})

test('a byte order mark and U+0000 are part of the text', () => {
  for (const value of ['\ufeffa', '\0', 'a\0']) expect(roundTrip(value)).toBe(value)
})

describe('refused before any encryption, by name of the argument and without the value', () => {
  class Person {
    name = 'SECRET'
  }
  const throwing = new Proxy(
    { a: 1 },
    {
      get() {
        throw new Error('SECRET')
      },
    },
  )
  const throwingKeys = new Proxy(
    { a: 1 },
    {
      ownKeys() {
        throw new Error('SECRET')
      },
    },
  )
  const throwingPrototype = new Proxy(
    { a: 1 },
    {
      getPrototypeOf() {
        throw new TypeError('SECRET')
      },
    },
  )
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const cyclic: Record<string, unknown> = { a: 'SECRET' }
  cyclic['self'] = cyclic
  const cyclicArray: unknown[] = ['SECRET']
  cyclicArray.push({ back: cyclicArray })
  const sparse: unknown[] = ['SECRET']
  sparse[2] = 'SECRET'
  const hidden = Object.defineProperty({ a: 1 }, 'SECRET', { value: 'SECRET', enumerable: false })

  test.each<[string, unknown, unknown]>([
    ['undefined', undefined, 'SECRET'],
    ['null', null, 'SECRET'],
    ['a symbol', Symbol('SECRET'), 'SECRET'],
    ['a function', () => 'SECRET', 'SECRET'],
    ['a lone surrogate', 'SECRET\udc00', 'SECRET\ud800\udc00'],
    ['a lone surrogate inside', { a: ['SECRET\ud800'] }, { a: ['SECRET'] }],
    ['a lone surrogate in a key', { 'SECRET\ud800': 1 }, { SECRET: 1 }],
    ['a bigint of more than 64 bits', 2n ** 63n, 2n ** 63n - 1n],
    ['a bigint below 64 bits', -(2n ** 63n) - 1n, -(2n ** 63n)],
    ['a bigint inside', { SECRET: 1n }, { SECRET: 1 }],
    ['NaN inside', { SECRET: Number.NaN }, Number.NaN],
    ['an infinite number inside', ['SECRET', -Infinity], -Infinity],
    ['undefined inside an object', { SECRET: undefined }, { SECRET: null }],
    ['undefined inside an array', ['SECRET', undefined], ['SECRET', null]],
    ['a hole in an array', sparse, ['SECRET', null, 'SECRET']],
    ['a named property on an array', Object.assign(['SECRET'], { SECRET: 1 }), ['SECRET']],
    ['a symbol property on an array', Object.assign(['SECRET'], { [Symbol('SECRET')]: 1 }), ['SECRET']],
    ['an instance of a class of arrays', new (class extends Array<string> {})('SECRET', 'SECRET'), ['SECRET', 'SECRET']],
    ['a hole behind a named property', Object.assign(Array(1), { SECRET: 1 }), [null]],
    [
      'a getter that throws a false error of ours',
      {
        get a(): string {
          throw Object.assign(new Error('SECRET'), { name: 'StrongroomError' })
        },
      },
      {
        get a() {
          return 'SECRET'
        },
      },
    ],
    ['more than 16 MiB of bytes', new Uint8Array(2 ** 24 + 1), new Uint8Array(1)],
    ['a function inside', { SECRET: () => 1 }, { SECRET: 1 }],
    ['a toJSON method', { toJSON: () => 'SECRET' }, { toJSON: 'SECRET' }],
    ['a symbol inside', { a: Symbol('SECRET') }, { a: 'SECRET' }],
    ['a symbol as a key', { [Symbol('SECRET')]: 1 }, { SECRET: 1 }],
    ['a key __proto__', JSON.parse('{"__proto__":{"SECRET":1}}'), { proto: { SECRET: 1 } }],
    ['a key __proto__ inside', { a: [JSON.parse('{"__proto__":"SECRET"}')] }, { a: ['SECRET'] }],
    ['a hidden property', hidden, { a: 1 }],
    ['a Map', new Map([['SECRET', 1]]), { SECRET: 1 }],
    ['a Set', new Set(['SECRET']), ['SECRET']],
    ['a class instance', new Person(), { name: 'SECRET' }],
    ['a class instance inside', [new Person()], [{ name: 'SECRET' }]],
    ['a boxed string', new String('SECRET'), 'SECRET'],
    ['a boxed number inside', { SECRET: new Number(1) }, { SECRET: 1 }],
    ['a regular expression', /SECRET/, 'SECRET'],
    ['an error', new Error('SECRET'), 'SECRET'],
    ['a promise', Promise.resolve('SECRET'), 'SECRET'],
    ['an invalid date', new Date(Number.NaN), new Date(0)],
    ['a date inside', { SECRET: new Date(0) }, new Date(0)],
    ['bytes inside', { SECRET: Uint8Array.of(1) }, Uint8Array.of(1)],
    ['something that only looks like a date', Object.create(Date.prototype), new Date(0)],
    ['something that only looks like bytes', Object.create(Uint8Array.prototype), Uint8Array.of(1)],
    ['an array buffer', new ArrayBuffer(4), new Uint8Array(4)],
    ['sixteen-bit integers', new Uint16Array(4), new Uint8Array(4)],
    ['a cyclic object', cyclic, { a: 'SECRET' }],
    ['a cyclic array', cyclicArray, ['SECRET']],
    [
      'a getter that throws',
      {
        get a(): string {
          throw new Error('SECRET')
        },
      },
      {
        get a() {
          return 'SECRET'
        },
      },
    ],
    [
      'a getter that throws no error',
      {
        get a(): string {
          throw 'SECRET'
        },
      },
      {
        get a() {
          return 'SECRET'
        },
      },
    ],
    ['a proxy that throws when it is read', throwing, { a: 1 }],
    ['a proxy that throws when its keys are listed', throwingKeys, { a: 1 }],
    ['a proxy that throws when its prototype is read', throwingPrototype, { a: 1 }],
    ['a proxy that was revoked', revoked.proxy, {}],
  ])('%s', (_, bad, good) => {
    expect(roundTrip(good)).toBeDefined()
    expect(refusal(() => jsonCodec.encode(bad))).toEqual({ code: 'invalid_argument', argument: 'value', leaks: false })
  })
})

test('decoded bytes are a copy of their own, whatever becomes of the frame', () => {
  const body = jsonCodec.encode(Uint8Array.of(1, 2, 3)).body
  for (const stored of [body.slice(), Buffer.from(body)]) {
    const decoded = jsonCodec.decode({ type: 0x05, body: stored })
    stored.fill(0)

    expect(decoded).toStrictEqual(Uint8Array.of(1, 2, 3))
  }
})

test('encoded bytes are a copy of their own, whatever becomes of the value', () => {
  const value = Uint8Array.of(1, 2, 3)
  const { body } = jsonCodec.encode(value)
  value.fill(0)

  expect(body).toEqual(Uint8Array.of(0, 1, 2, 3))
})

test('a value that changes while it is read is stored as it was read once', () => {
  let reads = 0
  const counting = {
    get a(): string {
      return `read ${++reads}`
    },
  }

  expect(roundTrip(counting)).toEqual({ a: 'read 1' })
  expect(reads).toBe(1)
})
