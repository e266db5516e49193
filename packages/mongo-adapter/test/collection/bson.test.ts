// Values of BSON come back as the driver gives them with the same options, wherever those are set; beside the driver itself on plaintext.
import { encrypted, encryptedCollection, type EncryptedCollection } from '@strongroom/mongo-adapter'
import {
  Binary,
  type BSONSerializeOptions,
  type Collection,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MongoClient,
  ObjectId,
  UUID,
} from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { outcome } from '../refusals.ts'
import { uri, world, type World } from './support.ts'

type Thing = Document & { _id: string }
const ThingSchema = z.object({
  _id: z.string(),
  org: z.string(),
  plain: z.unknown(),
  secret: encrypted(z.unknown(), { padded: true }),
  list: z.array(encrypted(z.unknown())).optional(),
})

const values: readonly [string, unknown][] = [
  ['int', 5],
  ['negative zero', -0],
  ['double', 5.5],
  ['NaN', Number.NaN],
  ['Int32', new Int32(5)],
  ['Double', new Double(5)],
  ['Long', Long.fromNumber(5)],
  ['large Long', Long.fromString('9007199254740993')],
  ['bigint', 5n],
  ['large bigint', 9007199254740993n],
  ['Decimal128', Decimal128.fromString('1.10')],
  ['string', 'Canary'],
  ['empty string', ''],
  ['boolean', false],
  ['date', new Date(5)],
  ['ObjectId', new ObjectId('0123456789abcdef01234567')],
  ['UUID', new UUID('00112233-4455-4677-8899-aabbccddeeff')],
  ['bytes', Uint8Array.of(1, 2, 3)],
  ['no bytes', new Uint8Array(0)],
  ['binary of a subtype', new Binary(Uint8Array.of(1, 2), 0x81)],
  ['object', { a: { b: [1, Long.ONE, { c: null }] }, d: undefined, e: /x/i }],
  ['array', [1, undefined, 'x', Uint8Array.of(1)]],
  ['empty object', {}],
  ['empty array', []],
  ['null', null],
  ['undefined', undefined],
]

const OPTIONS: readonly BSONSerializeOptions[] = [
  {},
  { promoteLongs: false },
  { promoteValues: false },
  { promoteBuffers: true },
  { promoteBuffers: true, promoteValues: false },
  { useBigInt64: true },
  { useBigInt64: true, promoteBuffers: true },
  { bsonRegExp: true },
  { ignoreUndefined: true },
  { ignoreUndefined: true, promoteLongs: false, bsonRegExp: true },
]

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeAll(async () => {
    w = await world()
  })
  const clients: MongoClient[] = []
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
  })

  let runs = 0
  interface Places {
    readonly plain: Collection<Thing>
    readonly things: EncryptedCollection<Thing>
    readonly call: BSONSerializeOptions
  }
  function placesOf(where: string, options: BSONSerializeOptions): Places {
    const name = `bson${runs++}`
    const client = where === 'client' ? new MongoClient(uri as string, { ...options }) : w.client
    if (where === 'client') clients.push(client)
    const db = client.db(w.stored.dbName, where === 'database' ? { ...options } : {})
    const own = where === 'collection' ? { ...options } : {}
    const things = encryptedCollection(w.vault, db.collection(`${name}e`, own), { schema: ThingSchema, tenant: 'org', subject: '_id' })
    return {
      plain: db.collection<Thing>(`${name}p`, own),
      things: things as unknown as EncryptedCollection<Thing>,
      call: where === 'call' ? options : {},
    }
  }

  describe.each(['client', 'database', 'collection', 'call'])('options of the %s', (where) => {
    test.each(OPTIONS.map((options) => [JSON.stringify(options), options] as const))('%s', async (_, options) => {
      const { plain, things, call } = placesOf(where, options)
      const writing = call.ignoreUndefined === undefined ? {} : { ignoreUndefined: call.ignoreUndefined }
      const documents = values.map(([name, value]) => ({
        _id: name,
        org: 'acme',
        plain: value,
        secret: value,
        ...(name === 'null' || name === 'undefined' ? {} : { list: [value, null] }),
      }))
      // The driver ignores `undefined` in the values of arrays in no case.
      await plain.insertMany(documents as never, writing)
      await things.insertMany(documents, writing)
      const [expected, got] = await Promise.all([
        plain.find({}, call).sort({ _id: 1 }).toArray(),
        things.find({}, call).sort({ _id: 1 }).toArray(),
      ])
      expect(got).toStrictEqual(expected)
      for (const document of got) expect(document['secret']).toStrictEqual(document['plain'])
      const one = { _id: 'array' }
      expect(await things.findOne(one, call)).toStrictEqual(await plain.findOne(one as never, call))
      const distinct = await things.distinct('plain', { _id: 'large Long' }, call)
      expect(distinct).toStrictEqual(await plain.distinct('plain', { _id: 'large Long' } as never, call))
    })

    test.each([
      { useBigInt64: true, promoteLongs: false },
      { useBigInt64: true, promoteValues: false },
    ])('what the driver does not do: %j', async (options) => {
      const { plain, things, call } = placesOf(where, {})
      await plain.insertOne({ _id: 'x' as never })
      await things.insertOne({ _id: 'x', org: 'acme', plain: 1, secret: 1 })
      const messages = []
      for (const read of [() => plain.findOne({}, { ...call, ...options }), () => things.findOne({}, { ...call, ...options })])
        messages.push(
          await read().then(
            () => 'done',
            (error: unknown) => (error as Error).message,
          ),
        )
      expect(messages[1]).toBe(messages[0])
    })
  })

  test('updates and replacements write the same types', async () => {
    const { plain, things } = placesOf('call', {})
    for (const [name, value] of values) {
      const filter = { _id: name, org: 'acme' }
      await plain.insertOne({ ...filter, plain: 0, secret: 0 } as never)
      await things.insertOne({ ...filter, plain: 0, secret: 0 })
      for (const users of [plain as unknown as Places['things'], things])
        await users.updateOne(filter, { $set: { plain: value, secret: value } })
      expect(await things.findOne(filter, { promoteValues: false })).toStrictEqual(
        await plain.findOne(filter as never, { promoteValues: false }),
      )
      for (const users of [plain as unknown as Places['things'], things])
        await users.replaceOne(filter, { org: 'acme', secret: value, plain: [value] })
      expect(await things.findOne(filter, { promoteValues: false })).toStrictEqual(
        await plain.findOne(filter as never, { promoteValues: false }),
      )
    }
  })

  test('undefined in filters, updates and documents follows ignoreUndefined', async () => {
    for (const ignoreUndefined of [true, false]) {
      const { plain, things } = placesOf('collection', { ignoreUndefined })
      const documents = [
        { _id: 'a', org: 'acme', plain: 1, secret: 1 },
        { _id: 'b', org: 'acme', plain: null, secret: null },
        { _id: 'c', org: 'acme', plain: undefined, secret: undefined },
      ]
      await plain.insertMany(documents as never)
      await things.insertMany(documents)
      for (const filter of [
        { plain: undefined },
        { secret: undefined },
        { org: 'acme', secret: { $in: [null] } },
        { $or: [{ plain: undefined }, { _id: 'a' }] },
      ]) {
        const [expected, got] = [await plain.find(filter as never).toArray(), await things.find(filter).toArray()]
        expect([filter, got.length]).toEqual([filter, expected.length])
        expect(await things.countDocuments(filter)).toBe(expected.length)
      }
      const pinned = { _id: 'a', org: 'acme' }
      for (const users of [plain as unknown as Places['things'], things])
        await users.updateOne(pinned, { $set: { plain: 2, secret: undefined } })
      expect(await things.findOne(pinned)).toStrictEqual(await plain.findOne(pinned as never))
    }
  })

  test('serializeFunctions stores no function, wherever it is set', async () => {
    for (const where of ['client', 'database', 'collection', 'call']) {
      const { things } = placesOf(where, { serializeFunctions: true })
      const leak = { _id: 'x', org: 'acme', plain: 1, secret: { f: () => 'Canary' } }
      expect(await outcome(() => things.insertOne(leak))).toBe('invalid_argument')
      expect(await outcome(() => things.insertOne({ ...leak, secret: 1, plain: () => 'Canary' }))).toBe('invalid_argument')
      expect(await outcome(() => things.insertOne({ ...leak, secret: 1 }, { serializeFunctions: true } as never))).toBe(
        'unsupported_operation',
      )
      await things.insertOne({ ...leak, secret: 1 })
    }
  })

  test('promoteBuffers does not take from ids and names what they are', async () => {
    const schema = z.object({
      _id: z.instanceof(Binary),
      org: z.instanceof(UUID),
      secret: encrypted(z.string(), { index: { scope: 'tenant' } }),
    })
    const org = new UUID()
    await w.vault.tenants.create(org.toHexString())
    const things = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('buffers', { promoteBuffers: true }), {
      schema,
      tenant: 'org',
      subject: 'org',
    })
    const _id = new Binary(Uint8Array.of(1, 2, 3), 0x81)
    await things.insertOne({ _id, org, secret: 'Canary' })
    const expected = { _id: Buffer.of(1, 2, 3), org: Buffer.from(org.value()), secret: 'Canary' }
    expect(await things.findOne({})).toStrictEqual(expected)
    expect(await things.find({ org, secret: 'Canary' }).toArray()).toStrictEqual([expected])
    expect(await things.countDocuments({ org, secret: 'Canary' })).toBe(1)
    expect(await things.deleteMany({ org, secret: 'Canary' })).toMatchObject({ deletedCount: 1 })
  })
})
