// Documents, filters and updates that are themselves of hard kinds; members whose names all objects inherit; hard numbers in an index.
import { inspect } from 'node:util'

import { encrypted, encryptedCollection, type EncryptedCollection } from '@strongroom/mongo-adapter'
import { type Collection, Decimal128, type Document, Double, Int32, Long } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { dataCommands, uri, world, type World } from '../collection/support.ts'
import { refusalOf } from '../refusals.ts'

const CANARY = 'Canary-Value'
type Thing = Document & { _id: string }
const indexed = () => encrypted(z.unknown(), { index: { scope: 'tenant' } }).optional()
const ThingSchema = z.object({
  _id: z.string(),
  org: z.string(),
  secret: indexed(),
  constructor: indexed(),
  toString: encrypted(z.string()).optional(),
  hasOwnProperty: z.object({ valueOf: encrypted(z.string()), then: z.string() }).optional(),
  isPrototypeOf: z.unknown().optional(),
})
const ada = { _id: 'ada', org: 'acme' }

class Person {
  readonly _id = 'ada'
  readonly org = 'acme'
  readonly secret: string
  constructor(secret: string) {
    this.secret = secret
  }
}
class Told extends Person {
  #times = 0
  toBSON(): object {
    return this.#times++ === 0 ? { ...this } : { ...ada, org: 'rival', isPrototypeOf: CANARY }
  }
}
const throwing = (name: string): object =>
  Object.defineProperty({ ...ada, secret: CANARY }, name, {
    enumerable: true,
    get(): never {
      throw new Error(CANARY)
    },
  })
/** Answers once as it should. */
function changing(name: string, first: unknown, then: unknown): object {
  let reads = 0
  return Object.defineProperty({ ...ada, secret: CANARY }, name, { enumerable: true, get: () => (reads++ === 0 ? first : then) })
}

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  let things: EncryptedCollection<Thing>
  let stored: Collection<Thing>
  beforeEach(async () => {
    w = await world()
    const db = w.client.db(w.stored.dbName)
    stored = db.collection('things')
    things = encryptedCollection(w.vault, db.collection('things'), { schema: ThingSchema, tenant: 'org', subject: '_id' }) as never
    w.commands.length = 0
  })
  const sent = (): string =>
    inspect(
      w.commands.map(({ command }) => command),
      { depth: 20, maxStringLength: null },
    )

  async function refused(call: () => unknown): Promise<void> {
    const error = await refusalOf(call)
    expect(error.code).toBe('invalid_argument')
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('Canary')
    expect(dataCommands(w)).toEqual([])
  }

  test.each<[string, () => object]>([
    ['a map', () => new Map<string, unknown>([...Object.entries(ada), ['secret', CANARY]])],
    ['an instance of a class', () => new Person(CANARY)],
    ['toBSON that gives another document each time', () => new Told(CANARY)],
    ['a proxy', () => new Proxy({ ...ada, secret: CANARY }, {})],
    ['no prototype', () => Object.assign(Object.create(null) as object, ada, { secret: CANARY })],
    ['frozen', () => Object.freeze({ ...ada, secret: CANARY })],
    ['made by JSON.parse', () => JSON.parse(JSON.stringify({ ...ada, secret: CANARY })) as object],
    ['a tenant that changes when it is read again', () => changing('org', 'acme', 'rival')],
    ['an id that changes when it is read again', () => changing('_id', 'ada', 'eve')],
    ['a secret that changes when it is read again', () => changing('secret', CANARY, { $x: CANARY })],
  ])('a document: %s', async (_, make) => {
    const expected = { ...ada, secret: CANARY }
    await things.insertOne(make() as Thing)
    expect(await things.find().toArray()).toEqual([expected])
    await stored.deleteMany({})
    await things.insertMany([make() as Thing])
    expect(await things.findOne({ org: 'acme', secret: CANARY })).toEqual(expected)
    await things.updateOne(ada, { $set: { secret: 'x' } })
    await things.replaceOne(ada, make() as Thing)
    expect(await things.findOne({ org: 'acme', secret: CANARY })).toEqual(expected)
    expect(sent()).not.toContain('Canary')
  })

  test.each<[string, () => unknown]>([
    ['a getter that throws', () => throwing('secret')],
    ['a tenant that throws', () => throwing('org')],
    ['an id that throws', () => throwing('_id')],
    [
      'toBSON that throws',
      () => ({
        ...ada,
        secret: CANARY,
        toBSON: () => {
          throw new Error(CANARY)
        },
      }),
    ],
    ['toBSON that gives no document', () => ({ ...ada, toBSON: () => CANARY })],
    ['toBSON that gives a list', () => ({ ...ada, toBSON: () => [CANARY] })],
    ['a list', () => [CANARY]],
    ['a string', () => CANARY],
    ['nothing', () => undefined],
    ['null', () => null],
    ['a date', () => new Date(5)],
    ['bytes', () => Buffer.from(CANARY)],
    ['a function', () => () => CANARY],
    [
      'a proxy that was revoked',
      () => {
        const { proxy, revoke } = Proxy.revocable({ ...ada }, {})
        revoke()
        return proxy
      },
    ],
    ['a map with a key that is no string', () => new Map<unknown, unknown>([...Object.entries(ada), [Symbol('x'), CANARY]])],
    ['__proto__', () => JSON.parse(`{"_id":"ada","org":"acme","__proto__":{"secret":"${CANARY}"}}`) as unknown],
    ['an id that is a document', () => ({ ...ada, _id: { a: CANARY }, secret: CANARY })],
    ['members that the schema inherits, but does not declare', () => ({ ...ada, valueOf: { a: CANARY } })],
  ])('no document: %s', async (_, make) => {
    await refused(() => things.insertOne(make() as Thing))
    await refused(() => things.insertMany([{ _id: 'eve', org: 'acme' }, make() as Thing]))
    await refused(() => things.replaceOne(ada, make() as Thing))
    expect(await stored.countDocuments()).toBe(0)
  })

  test('no list of documents, and one that throws', async () => {
    const documents = [{ ...ada, secret: CANARY }]
    for (const none of [undefined, null, {}, new Set(documents), { 0: documents[0], length: 1 }, CANARY])
      await refused(() => things.insertMany(none as never))
    const hostile = new Proxy(documents, {
      get(target, key) {
        if (key === '0') throw new Error(CANARY)
        return Reflect.get(target, key) as unknown
      },
    })
    await refused(() => things.insertMany(hostile))
    const change = { $set: { secret: 1 } }
    await refused(() => things.updateOne(ada, change, { arrayFilters: hostile }))
    await refused(() => things.createIndexes(hostile as never))
    await things.insertMany(documents)
  })

  test('filters and updates: what throws, and what changes', async () => {
    await things.insertOne({ ...ada, secret: CANARY })
    w.commands.length = 0
    for (const filter of [
      throwing('secret'),
      throwing('org'),
      CANARY,
      [ada],
      JSON.parse('{"__proto__":{"secret":1}}'),
      new Map([[1, CANARY]]),
    ]) {
      await refused(() => things.find(filter as never).toArray())
      await refused(() => things.countDocuments(filter as never))
      await refused(() => things.distinct('secret', filter as never))
      await refused(() => things.deleteMany(filter as never))
      await refused(() => things.updateMany(filter as never, { $set: { isPrototypeOf: 1 } }))
    }
    for (const change of [
      throwing('$set'),
      { $set: throwing('secret') },
      CANARY,
      { $set: CANARY },
      { $set: JSON.parse(`{"__proto__":"${CANARY}"}`) as object },
    ])
      await refused(() => things.updateOne(ada, change as never))
    const once = new Map<string, unknown>([
      ['org', 'acme'],
      ['secret', CANARY],
    ])
    expect(await things.countDocuments(once as never)).toBe(1)
    expect(await things.countDocuments(changing('secret', CANARY, { $ne: CANARY }) as never)).toBe(1)
    await things.updateOne(changing('org', 'acme', 'rival') as never, { $set: changing2() })
    expect(await things.findOne(ada)).toEqual({ ...ada, secret: CANARY })
    expect(sent()).not.toContain('Canary')
  })
  function changing2(): object {
    let reads = 0
    return {
      get secret() {
        return reads++ === 0 ? CANARY : { $x: CANARY }
      },
    }
  }

  test('members whose names all objects inherit: plain, encrypted and searched by', async () => {
    const document = {
      ...ada,
      constructor: `${CANARY} constructor`,
      toString: `${CANARY} toString`,
      hasOwnProperty: { valueOf: `${CANARY} valueOf`, then: 'plain' },
      isPrototypeOf: { constructor: 'plain' },
    }
    const bytes = async (): Promise<string> =>
      (await stored.find({}, { raw: true }).toArray()).map((each) => Buffer.from(each as never).toString('latin1')).join('')
    await things.insertOne(document as never)
    expect(JSON.stringify(await things.findOne({ _id: 'ada' }))).toBe(JSON.stringify(document))
    expect(await bytes()).not.toContain('Canary')
    expect(await things.countDocuments({ org: 'acme', constructor: document.constructor } as never)).toBe(1)
    expect(await things.distinct('constructor', { org: 'acme' } as never)).toEqual([document.constructor])
    await things.updateOne(ada, { $set: { 'hasOwnProperty.valueOf': CANARY, constructor: CANARY } } as never)
    expect(await things.countDocuments({ org: 'acme', constructor: CANARY } as never)).toBe(1)
    const [read] = await things.find({}, { projection: { constructor: 1, 'hasOwnProperty.valueOf': 1 } }).toArray()
    expect(JSON.stringify(read)).toBe(JSON.stringify({ _id: 'ada', constructor: CANARY, hasOwnProperty: { valueOf: CANARY } }))
    expect(await bytes()).not.toContain('Canary')
    expect(sent()).not.toContain('Canary')
    await things.replaceOne(ada, { org: 'acme', isPrototypeOf: 1 })
    expect(JSON.stringify(await things.findOne({ _id: 'ada' }))).toBe(JSON.stringify({ ...ada, isPrototypeOf: 1 }))
  })

  // As MongoDB compares: numbers by their value, whatever their type.
  test.each<[string, unknown, unknown, number]>([
    ['minus zero', -0, 0, 1],
    ['zero', 0, -0, 1],
    ['NaN', Number.NaN, Number.NaN, 1],
    ['an infinity', Infinity, Infinity, 1],
    ['an infinity and the other', Infinity, -Infinity, 0],
    ['an int and a double', new Int32(5), new Double(5), 1],
    ['a Long and a bigint', Long.fromString('9007199254740993'), 9007199254740993n, 1],
    ['a Long and its neighbour', Long.fromString('9007199254740993'), 9007199254740992, 0],
    ['a decimal and a number', Decimal128.fromString('5.00'), 5, 1],
    ['a number and its text', 5, '5', 0],
    ['dates', new Date(5), new Date(5), 1],
    ['the empty string', '', '', 1],
    ['no bytes', new Uint8Array(0), Buffer.alloc(0), 1],
    ['a zero in a string', 'a\0b', 'a\0b', 1],
    ['that and a shorter one', 'a\0b', 'a', 0],
  ])('an index of %s', async (_, value, asked, found) => {
    const plain = w.client.db(w.stored.dbName).collection('plainthings')
    await plain.insertOne({ secret: value })
    expect(await plain.countDocuments({ secret: asked } as never)).toBe(found)
    await things.insertOne({ ...ada, secret: value })
    const filter = { org: 'acme', secret: asked } as never
    expect(await things.countDocuments(filter)).toBe(found)
    expect(await things.find(filter).toArray()).toHaveLength(found)
  })

  test.each([[{ a: 1 }], [[1]], [Decimal128.fromString('0.5')], [2n ** 63n], ['\ud800'], [/x/], [new Date(Number.NaN)]])(
    'no index of %s',
    async (value) => {
      await refused(() => things.insertOne({ ...ada, secret: value as never }))
      await refused(() => things.replaceOne(ada, { org: 'acme', secret: value }))
      await refused(() => things.updateOne(ada, { $set: { secret: value } }))
    },
  )
})
