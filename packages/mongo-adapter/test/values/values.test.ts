// Values: read once, encoded as docs/format.md says, and back as the driver would give them.
import { runInNewContext } from 'node:vm'
import { CanonicalScalar, field } from '@strongroom/core'
import {
  Binary,
  BSON,
  BSONRegExp,
  type BSONSerializeOptions,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { bsonScalar } from '../../dist/values/bson-scalar.js'
import { encodeValue, type FieldValue, passThrough, valueDecoder } from '../../dist/values/bson-value.js'
import { isTree, resolveDocument, type Tree } from '../../dist/values/resolve.js'
import { outcome, refusalOf } from '../refusals.ts'

const id = new ObjectId('656565656565656565656565')
const DOCUMENT = { argument: 'document', operators: false, ignoreUndefined: false } as const
const resolve = (value: unknown, changes = {}): Tree => resolveDocument(value, { ...DOCUMENT, ...changes })
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const VALUES: readonly [string, unknown, string][] = [
  ['a string', 'ada', '02616461'],
  ['an empty string', '', '02'],
  ['an int32', 7, '1007000000'],
  ['minus zero', -0, '010000000000000080'],
  ['a double', 0.1, '019a9999999999b93f'],
  ['a large integer', 2 ** 31, '01000000000000e041'],
  ['an Int32', new Int32(7), '1007000000'],
  ['a Double that is whole', new Double(7), '010000000000001c40'],
  ['a Long', Long.fromString('-9007199254740992'), '12000000000000e0ff'],
  ['a bigint', -9007199254740992n, '12000000000000e0ff'],
  ['true', true, '0801'],
  ['a date', new Date(1795305600000), '0900748d00a2010000'],
  ['an ObjectId', id, '07656565656565656565656565'],
  ['bytes', new Binary(new Uint8Array([0, 255]), 0), '050000ff'],
  ['a UUID', new UUID('0e984725-c51c-4bf4-9960-e1c80e27aba0'), '05040e984725c51c4bf49960e1c80e27aba0'],
  ['a decimal', new Decimal128('1.5'), `13${hex(new Decimal128('1.5').bytes)}`],
  ['an object', { a: 1 }, `03${hex(BSON.serialize({ a: 1 }))}`],
  ['an array', [1, 'x'], `04${hex(BSON.serialize({ 0: 1, 1: 'x' }))}`],
  ['an empty object', {}, '030500000000'],
  ['an empty array', [], '040500000000'],
]
const READING: readonly BSONSerializeOptions[] = [
  {},
  { promoteValues: false },
  { promoteLongs: false },
  { useBigInt64: true },
  { promoteBuffers: true },
  { bsonRegExp: true },
]

/** What core does with a field's values, which no other package sees. */
interface Framing {
  frame(value: FieldValue): Uint8Array
  decode(encoded: { readonly type: number; readonly body: Uint8Array }): FieldValue
}
const ANY = z.custom<FieldValue>(() => true)
const FIELD = field('users', 'email', ANY, { codec: passThrough }) as unknown as Framing

describe('frames', () => {
  test.each(VALUES)('%s', (_, value, frame) => {
    const framed = FIELD.frame(encodeValue(value, 'email'))
    expect(hex(framed)).toBe(frame)
    const decoded = FIELD.decode({ type: framed[0] as number, body: framed.subarray(1) })
    // As the driver would give it with the same options.
    for (const options of READING)
      expect(valueDecoder(options)(decoded)).toEqual(
        BSON.deserialize(BSON.serialize({ v: value }), options as BSON.DeserializeOptions)['v'],
      )
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x80, 0xff])('binary of subtype %i: alone, and within others', (subtype) => {
    // A vector begins with its type and its padding.
    const value = new Binary(
      Buffer.from(subtype === 9 ? '0300000102030405060708090a0b0c0d' : '000102030405060708090a0b0c0d0e0f', 'hex'),
      subtype,
    )
    const values: readonly unknown[] = [value, { a: value }, [value, { b: [value] }]]
    for (const each of [...values, ...(subtype === 4 ? [new Binary(new Uint8Array(3), 4)] : [])])
      for (const options of [...READING, { promoteBuffers: true, promoteValues: false }]) {
        const framed = FIELD.frame(encodeValue(each, 'email'))
        const read = valueDecoder(options)(FIELD.decode({ type: framed[0] as number, body: framed.subarray(1) }))
        const expected = BSON.deserialize(BSON.serialize({ v: each }), options as BSON.DeserializeOptions)['v'] as object
        expect(read).toEqual(expected)
        expect((read as object).constructor).toBe(expected.constructor)
      }
    expect(hex(FIELD.frame(encodeValue(value, 'email')))).toBe(`05${hex(Uint8Array.of(subtype))}${hex(value.value())}`)
    expect(hex(FIELD.frame(encodeValue(new Binary(new Uint8Array(0), subtype), 'email')))).toBe(`05${hex(Uint8Array.of(subtype))}`)
    expect(valueDecoder({})({ type: 0x05, body: Uint8Array.of(subtype) })).toEqual(new Binary(Buffer.alloc(0), subtype))
  })

  test.each<[string, unknown]>([
    ['a regular expression', /x/],
    ['a BSONRegExp', new BSONRegExp('x')],
    ['a timestamp', new Timestamp(1n)],
    ['a key of bounds', new MinKey()],
    ['the other', new MaxKey()],
    ['code', new Code('x')],
    ['null', null],
  ])('refused: %s', async (_, value) => {
    const error = await refusalOf(() => encodeValue(value, 'email'))
    expect([error.code, error.argument]).toEqual(['invalid_argument', 'email'])
  })

  test('bodies that are none of their type', () => {
    for (const [type, body] of [
      [0x10, 3],
      [0x12, 7],
      [0x08, 0],
      [0x07, 11],
      [0x03, 4],
      [0x05, 0],
      [0x70, 2],
      [0x0b, 2],
    ] as const)
      expect(valueDecoder({})({ type, body: new Uint8Array(body) })).toBeUndefined()
    expect(valueDecoder({})({ type: 0x10, body: new Uint8Array(4) })).toBe(0)
    // Neither what is no UTF-8 is made good, nor is a mark at the beginning lost.
    for (const body of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0xc3]])
      expect(() => FIELD.decode({ type: 0x02, body: Uint8Array.from(body) })).toThrow(expect.objectContaining({ code: 'schema_mismatch' }))
    expect(FIELD.decode({ type: 0x02, body: Uint8Array.of(0xef, 0xbb, 0xbf, 0x61) })).toBe('\uFEFFa')
  })
})

describe('scalars', () => {
  const canonical = (bytes: string): CanonicalScalar => new CanonicalScalar(new Uint8Array(Buffer.from(bytes, 'hex')))
  test.each<[unknown, unknown]>([
    ['x', 'x'],
    [5, 5],
    [new Int32(5), 5],
    [new Double(0.5), 0.5],
    [Long.fromString('9223372036854775807'), 9223372036854775807n],
    [id, canonical('07656565656565656565656565')],
    [new Binary(new Uint8Array([1]), 0), canonical('050001')],
    [new UUID('0e984725-c51c-4bf4-9960-e1c80e27aba0'), canonical('05040e984725c51c4bf49960e1c80e27aba0')],
    [new Decimal128('5'), 5n],
    [new Decimal128('5.00'), 5n],
    [new Decimal128('-1.5E+3'), -1500n],
    [new Decimal128('0E+6000'), 0n],
    [new Decimal128('-0'), 0n],
    [new Decimal128('9223372036854775807'), 9223372036854775807n],
  ])('%s', (value, scalar) => {
    expect(bsonScalar(value, 'email')).toEqual(scalar)
  })

  test('binary of any size', () => {
    const scalar = bsonScalar(new Binary(new Uint8Array(1_000_000)), 'email')
    expect(scalar instanceof CanonicalScalar && scalar.bytes.length).toBe(1_000_002)
  })

  test.each([
    {},
    [[]],
    null,
    undefined,
    /x/,
    new MinKey(),
    new Timestamp(1n),
    ...['0.5', 'NaN', 'Infinity', '9223372036854775808', '1E+6000', '1E-10'].map((text) => new Decimal128(text)),
  ])('refused: %s', async (value) => {
    const error = await refusalOf(() => bsonScalar(value, 'email'))
    expect([error.code, error.argument]).toEqual(['invalid_argument', 'email'])
  })
})

describe('what is handed over is read once', () => {
  test('getters, toBSON, maps, classes, own members only, dates and bytes as they are now', () => {
    let reads = 0
    class Name {
      readonly #name = 'Ada'
      toBSON(): unknown {
        return { first: this.#name }
      }
    }
    const bytes = new Uint8Array([1, 2])
    const date = new Date(5)
    const inherits = Object.create({ inherited: 1 }) as Record<string, unknown>
    inherits['own'] = 1
    const input = {
      get email() {
        reads++
        return reads === 1 ? 'ada@example.com' : 'other'
      },
      name: new Name(),
      map: new Map([['a', new Map([['b', 1]])]]),
      inherits,
      bytes,
      date,
      id,
      list: Object.assign([undefined, 1], { 3: new Name() }),
      none: undefined,
    }
    const tree = resolve(input)
    bytes[0] = 9
    date.setTime(9)
    expect(reads).toBe(1)
    expect(tree).toEqual({
      email: 'ada@example.com',
      name: { first: 'Ada' },
      map: { a: { b: 1 } },
      inherits: { own: 1 },
      bytes: new Binary(new Uint8Array([1, 2]), 0),
      date: new Date(5),
      id,
      list: [null, 1, null, { first: 'Ada' }],
      none: null,
    })
    expect(Object.hasOwn(resolve(input, { ignoreUndefined: true }), 'none')).toBe(false)
  })

  test('values of another realm are what they are there', () => {
    const there = runInNewContext(`({
      date: new Date(5), bytes: new Uint8Array([1, 2]), pattern: /x/gi, map: new Map([['a', new Date(6)]]), list: [new Date(7), {}], empty: {},
    })`) as Record<string, unknown>
    const tree = resolve(there)
    expect(tree).toEqual({
      date: new Date(5),
      bytes: new Binary(new Uint8Array([1, 2]), 0),
      pattern: /x/gi,
      map: { a: new Date(6) },
      list: [new Date(7), {}],
      empty: {},
    })
    expect([tree['date'] instanceof Date, tree['pattern'] instanceof RegExp, isTree(tree['empty'])]).toEqual([true, true, true])
    expect(resolve({ a: { toBSON: () => /x/ }, b: { toBSON: () => new Date(5) }, c: { toBSON: () => [id] } })).toEqual({
      a: /x/,
      b: new Date(5),
      c: [id],
    })
    expect(resolve({ a: Object.create(null) as unknown, b: new Map() })).toEqual({ a: {}, b: {} })
  })

  test('a map as it was when its reading began', () => {
    const map = new Map<string, unknown>()
    map.set('a', { toBSON: () => map.set('b', 2).size })
    expect(resolve({ map })).toEqual({ map: { a: 2 } })
  })

  test('classes that extend those of BSON are made into them, with what their toBSON says now', () => {
    class AsText extends ObjectId {
      toBSON(): unknown {
        return this.toHexString()
      }
    }
    class Same extends ObjectId {
      toBSON(): unknown {
        return this
      }
    }
    class Id extends ObjectId {}
    class Bytes extends Binary {}
    class Whole extends Int32 {}
    class Big extends Long {}
    const uuid = new UUID()
    const { text, ...rest } = resolve({
      text: new AsText(id.toHexString()),
      same: new Same(id.toHexString()),
      own: new Id(id.toHexString()),
      bytes: new Bytes(new Uint8Array([1]), 2),
      whole: new Whole(5),
      big: new Big(7, 1),
      uuid,
    })
    expect(text).toBe(id.toHexString())
    expect(rest).toEqual({
      same: id,
      own: id,
      bytes: new Binary(Buffer.from([1]), 2),
      whole: new Int32(5),
      big: new Long(7, 1),
      uuid,
    })
    expect(Object.values(rest).map((value) => Object.getPrototypeOf(value) as unknown)).toEqual(
      [ObjectId, ObjectId, Binary, Int32, Long, UUID].map(({ prototype }) => prototype),
    )
  })

  test('values of BSON are copies: what becomes of them afterwards changes nothing, and what they answer is what is sent', () => {
    const given = {
      id: new ObjectId(id.toHexString()),
      uuid: new UUID('0e984725-c51c-4bf4-9960-e1c80e27aba0'),
      bytes: new Binary(new Uint8Array([1, 2]), 7),
      whole: new Int32(5),
      unsigned: Long.MAX_UNSIGNED_VALUE,
      proxy: new Proxy(new ObjectId(id.toHexString()), {}),
      strange: Object.assign(new ObjectId(id.toHexString()), { toHexString: () => 'f'.repeat(24) }),
    }
    const resolved = resolve(given)
    given.id.id.fill(0)
    given.proxy.id.fill(0)
    given.uuid.buffer.fill(0)
    given.bytes.buffer.fill(0)
    given.whole.value = 6
    expect(BSON.serialize(resolved)).toEqual(
      BSON.serialize({
        id,
        uuid: new UUID('0e984725-c51c-4bf4-9960-e1c80e27aba0'),
        bytes: new Binary(new Uint8Array([1, 2]), 7),
        whole: new Int32(5),
        unsigned: Long.NEG_ONE,
        proxy: id,
        strange: id,
      }),
    )
    expect(bsonScalar(resolved['unsigned'], 'a')).toBe(-1n)
    expect((resolved['strange'] as ObjectId).toHexString()).toBe(id.toHexString())
  })

  const deep = (levels: number): unknown => {
    let value: unknown = 1
    for (let i = 0; i < levels; i++) value = i % 2 === 0 ? { a: value } : [value]
    return { value }
  }
  const itself: Record<string, unknown> = {}
  itself['itself'] = itself

  test.each<[string, unknown]>([
    ['no document', 'SECRET'],
    ['an array', ['SECRET']],
    ['an ObjectId', id],
    ['null', null],
    ['a dotted key', { 'a.b': 'SECRET' }],
    ['a key with $', { a: { $set: 'SECRET' } }],
    ['a key of a map', { a: new Map([['$x', 'SECRET']]) }],
    ['a key of a map that is no text', { a: new Map([[5, 'SECRET']]) }],
    ['__proto__', JSON.parse('{"__proto__":{"a":"SECRET"}}')],
    ['a key with a zero', { 'a\0': 'SECRET' }],
    ['half a character', { a: 'SECRET\ud800' }],
    ['a function', { a: () => 'SECRET' }],
    ['a symbol', { a: Symbol('SECRET') }],
    ['what only says that it is of BSON', { a: { _bsontype: 'ObjectId', id: 'SECRET' } }],
    ['a map that says so', { a: new Map([['_bsontype', 'SECRET']]) }],
    ['a proxy that says so, when it is read', { a: new Proxy({ _bsontype: 'SECRET' }, { has: () => false }) }],
    ['a set', { a: new Set(['SECRET']) }],
    ['a promise', { a: Promise.resolve('SECRET') }],
    ['an address', { a: new URL('https://SECRET.example') }],
    ['a boxed string', { a: Object('SECRET') as unknown }],
    ['an error', { a: Object.assign(new Error('SECRET'), { code: 5 }) }],
    ['a buffer without a view', { a: new ArrayBuffer(4) }],
    ['a proxy of a date', { a: new Proxy(new Date(), {}) }],
    ['a set of another realm', { a: runInNewContext("new Set(['SECRET'])") as unknown }],
    ['words of 32 bits', { a: new Uint32Array(1) }],
    ['more than 64 bits', { a: 2n ** 64n }],
    ['itself', itself],
    ['too deep', deep(102)],
    [
      'what throws',
      {
        get a() {
          throw new Error('SECRET')
        },
      },
    ],
    [
      'toBSON that throws',
      {
        toBSON: () => {
          throw new Error('SECRET')
        },
      },
    ],
    ['toBSON that gives no document', { toBSON: () => 'SECRET' }],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error('SECRET')
          },
        },
      ),
    ],
  ])('refused: %s', async (_, value) => {
    const error = await refusalOf(() => resolve(value))
    expect([error.code, error.argument]).toEqual(['invalid_argument', 'document'])
    expect(`${error.message}${JSON.stringify(error)}${String(error.cause)}`).not.toContain('SECRET')
    expect(await outcome(() => resolve(deep(90)))).toBe('done')
  })

  test('filters have operators and dots', () => {
    expect(resolve({ 'a.b': { $in: [1] } }, { operators: true })).toEqual({ 'a.b': { $in: [1] } })
  })
})
