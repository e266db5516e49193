// Hard values, wherever they stand: stored as the driver would store them, or refused by a typed error. In either case nothing encrypted shows.
import { createRequire } from 'node:module'
import { inspect } from 'node:util'

import { StrongroomError } from '@strongroom/core'
import { encrypted, encryptedCollection, type EncryptedCollection } from '@strongroom/mongo-adapter'
import {
  Binary,
  BSON,
  BSONRegExp,
  type Collection,
  Code,
  DBRef,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { dataCommands, uri, world, type World } from '../collection/support.ts'

const { EJSON } = BSON
const CANARY = 'Canary-Value'
type Thing = Document & { _id: string }
const ThingSchema = z.looseObject({
  _id: z.string(),
  org: z.string(),
  plain: z.unknown().optional(),
  secret: encrypted(z.unknown()).optional(),
  list: z.array(encrypted(z.unknown())).optional(),
  inner: z.looseObject({ secret: encrypted(z.unknown(), { padded: true }) }).optional(),
})

class Point {
  readonly x = CANARY
  readonly #hidden = CANARY
  get y(): string {
    return this.#hidden
  }
}
class Calculated {
  #count = 0
  toBSON(): unknown {
    return { count: this.#count++, x: CANARY }
  }
}
class Told extends Point {
  toBSON(): unknown {
    throw new Error(CANARY)
  }
}

const throwing = (): object =>
  Object.defineProperty({}, 'x', {
    enumerable: true,
    get(): never {
      throw new Error(CANARY)
    },
  })
function changing(): object {
  let reads = 0
  return Object.defineProperty({}, 'x', { enumerable: true, get: () => (reads++ === 0 ? 1 : CANARY) })
}
function cyclic(): object {
  const a: Record<string, unknown> = { x: CANARY }
  a['a'] = [a]
  return a
}
const nested = (levels: number, value: unknown = CANARY): unknown => (levels === 0 ? value : { a: nested(levels - 1, value) })
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({ x: CANARY }, {})
  revoke()
  return proxy
}
function sparse(): unknown[] {
  const list: unknown[] = [CANARY]
  list[3] = 1
  return list
}
// Another copy of the same library, such as a dependency brings along.
const require = createRequire(import.meta.url)
const copy = createRequire(require.resolve('mongodb'))
  .resolve('bson')
  .replace(/\.cjs$/u, '.mjs')
const other = (await import(copy)) as { readonly ObjectId: typeof ObjectId; readonly Long: typeof Long }

/** `same`: as the driver alone does. `same, plain`: where nothing is encrypted; else refused. */
type Expected = 'same' | 'refused' | 'same, plain'
const VALUES: readonly [string, Expected, () => unknown][] = [
  ['an empty object', 'same', () => ({})],
  ['an empty array', 'same', () => []],
  ['an empty string', 'same', () => ''],
  ['empty ones in each other', 'same', () => [[], {}, [[]], { a: [] }, '', null]],
  ['null', 'same', () => null],
  ['undefined', 'same', () => undefined],
  ['undefined within', 'same', () => ({ a: undefined, b: [undefined, CANARY] })],
  ['an array with holes', 'same', sparse],
  ['an object without a prototype', 'same', () => Object.assign(Object.create(null) as object, { x: CANARY })],
  [
    'members named as those that all objects inherit',
    'same',
    () => ({ constructor: CANARY, toString: 1, valueOf: null, hasOwnProperty: [CANARY], then: CANARY }),
  ],
  [
    'those, made by JSON.parse',
    'same',
    () => JSON.parse(`{"constructor":{"prototype":"${CANARY}"},"toString":"x","length":5,"toBSON":"x"}`) as unknown,
  ],
  ['a member without a name', 'same', () => ({ '': CANARY })],
  ['members named by numbers', 'same', () => ({ 2: CANARY, 1: 'b', a: 'c', 0: 'd' })],
  ['__proto__, made by JSON.parse', 'refused', () => JSON.parse(`{"__proto__":{"x":"${CANARY}"}}`) as unknown],
  ['__proto__, deep', 'refused', () => JSON.parse(`[{"a":{"__proto__":"${CANARY}"}}]`) as unknown],
  ['__proto__ in a map', 'refused', () => new Map([['__proto__', CANARY]])],
  ['a prototype, by a literal', 'same', () => ({ __proto__: { x: CANARY }, a: 1 })],
  ['what looks like BSON, made by JSON.parse', 'refused', () => JSON.parse(`{"_bsontype":"Code","code":"${CANARY}"}`) as unknown],
  [
    'a map',
    'same',
    () =>
      new Map<string, unknown>([
        ['b', CANARY],
        ['a', new Map([['c', [new Map([['d', CANARY]])]]])],
      ]),
  ],
  ['a map with keys that are no strings', 'refused', () => new Map([[1, CANARY]])],
  ['that, deep', 'refused', () => ({ a: [new Map([[{}, CANARY]])] })],
  ['a set', 'refused', () => new Set([CANARY])],
  ['an instance of a class', 'same', () => new Point()],
  ['toBSON that gives another thing each time', 'same', () => new Calculated()],
  ['toBSON that throws', 'refused', () => new Told()],
  ['toBSON that gives a value', 'same', () => ({ toBSON: () => CANARY })],
  ['toBSON that gives a value of BSON', 'same', () => ({ toBSON: () => Long.fromNumber(5) })],
  ['toBSON that gives nothing', 'same', () => ({ a: { toBSON: () => undefined } })],
  [
    'toBSON that gives itself',
    'refused',
    () => ({
      x: CANARY,
      toBSON(): object {
        return { ...this }
      },
    }),
  ],
  [
    'a getter',
    'same',
    () => ({
      get x() {
        return CANARY
      },
    }),
  ],
  ['a getter that changes its answer', 'same', changing],
  ['a getter that throws', 'refused', throwing],
  ['a getter that throws, deep', 'refused', () => ({ a: [throwing()] })],
  ['a proxy', 'same', () => new Proxy({ x: CANARY, y: [1] }, {})],
  ['a proxy of an array', 'same', () => new Proxy([CANARY, { a: 1 }], {})],
  [
    'a proxy that throws',
    'refused',
    () =>
      new Proxy(
        { x: CANARY },
        {
          ownKeys() {
            throw new Error(CANARY)
          },
        },
      ),
  ],
  [
    'a proxy that has no prototype to tell',
    'refused',
    () =>
      new Proxy(
        { x: CANARY },
        {
          getPrototypeOf() {
            throw new Error(CANARY)
          },
        },
      ),
  ],
  ['a proxy of a date', 'refused', () => new Proxy(new Date(5), {})],
  ['a proxy that was revoked', 'refused', revoked],
  ['what holds itself', 'refused', cyclic],
  [
    'an array that holds itself',
    'refused',
    () => {
      const list: unknown[] = [CANARY]
      list.push(list)
      return list
    },
  ],
  ['keys with dots', 'refused', () => ({ 'a.b': CANARY })],
  ['keys with $', 'refused', () => ({ a: [{ $set: CANARY }] })],
  ['keys with a zero in them', 'refused', () => ({ 'a\0b': CANARY })],
  ['strings with a zero in them', 'same', () => `${CANARY}\0x`],
  ['a lone surrogate', 'refused', () => `${CANARY}\ud800`],
  ['a lone surrogate in a key', 'refused', () => ({ [`${CANARY}\udc00`]: 1 })],
  ['a pair of surrogates, and what is beyond', 'same', () => `${CANARY}\u{1f511}\u0000\uffff\ufeff`],
  ['NaN', 'same', () => Number.NaN],
  ['minus zero', 'same', () => -0],
  ['minus zero within', 'same', () => [-0, { a: -0 }]],
  ['infinities', 'same', () => [Infinity, -Infinity, { a: Number.NaN }]],
  [
    'the largest and the smallest number',
    'same',
    () => [Number.MAX_VALUE, Number.MIN_VALUE, Number.MAX_SAFE_INTEGER, 2 ** 53, -(2 ** 31), 2 ** 31],
  ],
  ['integers of 64 bits', 'same', () => [2n ** 63n - 1n, -(2n ** 63n), 0n, 9007199254740993n]],
  ['an integer of more', 'refused', () => 2n ** 63n],
  ['an integer of more, deep', 'refused', () => ({ a: [{ b: -(2n ** 63n) - 1n }] })],
  ['numbers of BSON', 'same', () => [new Int32(5), new Double(5), new Double(-0), Long.MAX_VALUE, Long.MAX_UNSIGNED_VALUE]],
  ['decimals', 'same', () => ['NaN', '-0', 'Infinity', '1E+6111', '0.10'].map((each) => Decimal128.fromString(each))],
  ['a decimal alone', 'same', () => Decimal128.fromString('-0E-6176')],
  ['an invalid date', 'same', () => new Date(Number.NaN)],
  ['the last date', 'same', () => new Date(8.64e15)],
  ['bytes', 'same', () => new TextEncoder().encode(CANARY)],
  ['a buffer, within', 'same', () => ({ a: [Buffer.from(CANARY)] })],
  ['a view of a part', 'same', () => new TextEncoder().encode(`xx${CANARY}xx`).subarray(2, -2)],
  ['other typed arrays', 'refused', () => Float64Array.of(1, 2)],
  ['a view of data', 'refused', () => ({ a: new DataView(new ArrayBuffer(8)) })],
  ['an ArrayBuffer', 'refused', () => new TextEncoder().encode(CANARY).buffer],
  [
    'binary of each kind',
    'same',
    () => [new Binary(Buffer.from(CANARY), 0x80), new Binary(Buffer.from(CANARY), 0), new UUID('00112233-4455-4677-8899-aabbccddeeff')],
  ],
  ['an ObjectId of another copy of the library', 'refused', () => new other.ObjectId('0123456789abcdef01234567')],
  ['a Long of another copy, deep', 'refused', () => ({ a: [{ b: other.Long.fromNumber(5) }] })],
  ['what only looks like an ObjectId', 'refused', () => ({ _bsontype: 'ObjectId', id: CANARY, toHexString: CANARY })],
  [
    'a reference, code and bounds, within',
    'same',
    () => ({
      a: new DBRef('c', new ObjectId('0123456789abcdef01234567'), 'db', { x: CANARY }),
      b: new Code(CANARY, { y: 1 }),
      c: new MinKey(),
      d: new MaxKey(),
      e: new Timestamp(5n),
      f: new BSONRegExp('x'),
    }),
  ],
  ['code', 'same, plain', () => new Code(CANARY)],
  ['a regular expression', 'same, plain', () => /x/iu],
  ['a function', 'refused', () => () => CANARY],
  ['a function, deep', 'refused', () => ({ a: [{ b: () => CANARY }] })],
  ['a symbol', 'refused', () => Symbol(CANARY)],
  ['boxed values', 'refused', () => [new String(CANARY), new Number(5), new Boolean(true)]], // oxlint-disable-line no-new-wrappers
  ['an error', 'refused', () => new Error(CANARY)],
  ['a promise', 'refused', () => Promise.resolve(CANARY)],
  ['90 levels', 'same', () => nested(90)],
  ['101 levels', 'refused', () => nested(101)],
]

type Place = (value: unknown) => Record<string, unknown>
const PLACES: readonly [string, boolean, Place][] = [
  ['plain', true, (plain) => ({ plain })],
  ['within a plain value', true, (value) => ({ plain: { a: [value] } })],
  ['undeclared', true, (undeclared) => ({ undeclared })],
  ['undeclared, beside something encrypted', true, (undeclared) => ({ inner: { undeclared } })],
  ['encrypted', false, (secret) => ({ secret })],
  ['in a list of what is encrypted', false, (value) => ({ list: [value, 'x'] })],
  ['within an object', false, (secret) => ({ inner: { secret } })],
]
const CALLS: readonly [string, (things: EncryptedCollection<Thing>, document: Thing) => Promise<unknown>][] = [
  ['insertOne', (things, document) => things.insertOne(document)],
  ['insertMany', (things, document) => things.insertMany([document])],
  ['replaceOne', (things, { _id, ...rest }) => things.replaceOne({ _id, org: 'acme' }, rest)],
  ['updateOne', (things, { _id, org: _org, ...rest }) => things.updateOne({ _id, org: 'acme' }, { $set: rest })],
]

/** As text, with all that it holds and nothing of it called. */
const shown = (value: unknown): string =>
  inspect(value, { depth: Infinity, showHidden: true, getters: false, maxArrayLength: null, maxStringLength: null })

/** What tells apart all that BSON tells apart; and a text, for whoever reads the failure. */
const asStored = (document: Document | null): object => ({
  text: EJSON.stringify(document, { relaxed: false }),
  bytes: Buffer.from(BSON.serialize(document ?? {})).toString('hex'),
})

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  let things: EncryptedCollection<Thing>
  let stored: Collection<Thing>
  let plain: Collection<Thing>
  beforeAll(async () => {
    w = await world()
    const db = w.client.db(w.stored.dbName)
    stored = db.collection('things')
    plain = db.collection('plainthings')
    things = encryptedCollection(w.vault, db.collection('things'), { schema: ThingSchema, tenant: 'org', subject: '_id' }) as never
  })

  async function rawBytes(): Promise<string> {
    const all = await stored.find({}, { raw: true }).toArray()
    return all.map((each) => Buffer.from(each as never).toString('latin1')).join('')
  }

  /** @returns the code of the refusal, or `undefined` */
  async function refusal(call: () => Promise<unknown>): Promise<string | undefined> {
    try {
      await call()
      return undefined
    } catch (error) {
      expect(error).toBeInstanceOf(StrongroomError)
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('Canary')
      return (error as StrongroomError).code
    }
  }

  describe.each(VALUES)('%s', (_, expected, make) => {
    test.each(PLACES)('%s', async (_place, isPlain, at) => {
      for (const [name, call] of CALLS) {
        await Promise.all([stored.deleteMany({}), plain.deleteMany({})])
        const first = { _id: 'x', org: 'acme' }
        if (!name.startsWith('insert')) {
          await plain.insertOne({ ...first, plain: 0, secret: 0 })
          await things.insertOne({ ...first, plain: 0, secret: 0 })
        }
        const before = await stored.find().toArray()
        const given = { ...first, ...at(make()) }
        const looked = shown(given)
        w.commands.length = 0
        const refused = await refusal(() => call(things, given))
        expect(dataCommands(w).length).toBe(refused === undefined ? 1 : 0)
        if (!isPlain) expect(JSON.stringify(w.commands.map(({ command }) => command)) + shown(w.commands)).not.toContain('Canary')
        if (expected !== 'same' && !(isPlain && expected === 'same, plain')) {
          expect(refused).toBe('invalid_argument')
          expect(await stored.find().toArray()).toEqual(before)
          expect(shown(given)).toBe(looked)
          continue
        }
        expect(refused).toBeUndefined()
        expect(shown(given)).toBe(looked)
        await call(plain as never, { ...first, ...at(make()) })
        for (const promoteValues of [true, false])
          expect(asStored(await things.findOne({ _id: 'x' }, { promoteValues }))).toEqual(
            asStored(await plain.findOne({ _id: 'x' }, { promoteValues })),
          )
        if (!isPlain) expect(await rawBytes()).not.toContain('Canary')
      }
    })
  })
})
