// An encrypted collection on a server: the same answers as on plaintext, nothing of it on the wire, and what cannot be so is refused.
import { SHREDDED } from '@strongroom/mongo-adapter'
import { Binary, MongoServerError } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'

import { outcome, refusalOf } from '../refusals.ts'
import { ada, bob, dataCommands, rival, uri, world, type World } from './support.ts'

const sent = ({ commands }: World): string => JSON.stringify(commands.map(({ command }) => command)).toLowerCase()
describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertMany([ada, bob, rival])
  })

  test('what is stored and sent holds no plaintext, and comes back as it was', async () => {
    expect(await w.users.findOne({ _id: 'ada' })).toEqual(ada)
    expect(await w.users.find().sort({ _id: 1 }).toArray()).toEqual([ada, bob, rival])
    const stored = await w.stored.findOne({ _id: 'ada' })
    const email = stored?.['email'] as { c: Binary; i: Binary }
    expect([email.c.sub_type, email.i.sub_type, email.i.length()]).toEqual([0x80, 0x80, 21])
    expect(stored?.['name']).toBeInstanceOf(Binary)
    expect(stored?.['plan']).toBe('pro')
    expect((stored?.['address'] as { city: string } | undefined)?.city).toBe('London')
    // The digits of `$clusterTime` hold any short number now and then.
    for (const canary of [
      'canary',
      'example.com',
      '7946 000',
      '79460001',
      Buffer.from('Canary').toString('base64').slice(0, 7).toLowerCase(),
    ])
      expect(sent(w)).not.toContain(canary)
    expect(sent(w)).toContain('london')
  })

  test("the caller's documents are not changed", async () => {
    const document = Object.freeze({ _id: 'zoe', orgId: 'acme', name: 'Zoe', phones: Object.freeze(['+1234567']) as unknown as string[] })
    await w.users.insertOne(document)
    expect(await w.users.findOne({ _id: 'zoe' })).toEqual(document)
  })

  describe('filters', () => {
    const ids = async (filter: object): Promise<unknown[]> =>
      (
        await w.users
          .find(filter as never)
          .sort({ _id: 1 })
          .toArray()
      ).map(({ _id }) => _id)
    test.each<[string, object, readonly string[]]>([
      ['equality', { email: ' ADA@example.com' }, ['ada']],
      ['nothing', { email: 'nobody@example.com' }, []],
      ['$in', { email: { $in: ['ada@example.com', 'EVE@example.com'] } }, ['ada', 'eve']],
      ['$ne', { email: { $ne: 'ada@example.com' } }, ['bob', 'eve']],
      ['$nin', { email: { $nin: ['ada@example.com', 'bob@example.com'] } }, ['eve']],
      ['$not', { email: { $not: { $eq: 'ada@example.com' } } }, ['bob', 'eve']],
      ['of a tenant', { orgId: 'acme', age: 36 }, ['ada', 'bob']],
      ['of two tenants', { orgId: { $in: ['acme', 'rival'] }, age: 36 }, ['ada', 'bob', 'eve']],
      ['of a tenant in $and', { $and: [{ orgId: 'rival' }, { $or: [{ age: 36 }, { age: 37 }] }] }, ['eve']],
      ['of a tenant, negated', { orgId: { $in: ['acme', 'rival'] }, age: { $ne: 36 } }, []],
      ['an element', { orgId: 'acme', phones: '+442079460002' }, ['ada']],
      ['$all', { orgId: 'acme', phones: { $all: ['+442079460002', '+44 2079460001'] } }, ['ada']],
      ['$all of no elements', { orgId: 'acme', phones: { $all: [] } }, []],
      ['$elemMatch', { orgId: 'acme', phones: { $elemMatch: { $in: ['+442079460002'] } } }, ['ada']],
      ['$size', { phones: { $size: 2 } }, ['ada']],
      ['a position', { orgId: 'acme', 'phones.1': '+442079460002' }, ['ada']],
      ['$exists', { name: { $exists: true }, phones: { $exists: false } }, ['bob', 'eve']],
      ['null', { phones: null }, ['bob', 'eve']],
      ['null among some', { orgId: 'acme', email: { $in: [null, 'ada@example.com'] } }, ['ada']],
      ['plain within what is encrypted', { 'address.city': 'London' }, ['ada']],
      ['$elemMatch on plain beside encrypted', { notes: { $elemMatch: { title: 'one' } } }, ['ada']],
    ])('%s', async (_, filter, expected) => {
      expect(await ids(filter)).toEqual(expected)
      expect(await w.users.countDocuments(filter as never)).toBe(expected.length)
    })

    test.each<[string, object, string]>([
      ['no index', { name: 'Ada' }, 'unsupported_operation'],
      ['no index, below', { 'address.street': 'x' }, 'unsupported_operation'],
      ['no index, in $or', { $or: [{ plan: 'pro' }, { name: 'x' }] }, 'unsupported_operation'],
      ['no index, in $elemMatch', { notes: { $elemMatch: { text: 'x' } } }, 'unsupported_operation'],
      ['a parent', { address: { street: 'x', city: 'y' } }, 'unsupported_operation'],
      ['a whole array', { orgId: 'acme', phones: ['+1234567'] }, 'unsupported_operation'],
      ['a range', { orgId: 'acme', age: { $gt: 5 } }, 'unsupported_operation'],
      ['$regex', { email: { $regex: '^a' } }, 'unsupported_operation'],
      ['a regular expression', { email: /a/ }, 'unsupported_operation'],
      ['$type', { email: { $type: 'string' } }, 'unsupported_operation'],
      ['what is stored', { 'email.i': new Binary(new Uint8Array(21), 0x80) }, 'unsupported_operation'],
      ['$expr', { $expr: { $eq: ['$email', 'x'] } }, 'unsupported_operation'],
      ['$where', { $where: 'true' }, 'unsupported_operation'],
      ['$jsonSchema', { $jsonSchema: {} }, 'unsupported_operation'],
      ['$text', { $text: { $search: 'x' } }, 'unsupported_operation'],
      ['an operator that is not known', { plan: { $foo: 1 } }, 'unsupported_operation'],
      ['no tenant', { age: 36 }, 'tenant_required'],
      ['a tenant in $or only', { $or: [{ orgId: 'acme' }, { plan: 'x' }], age: 36 }, 'tenant_required'],
      ['a tenant that is excluded', { orgId: { $ne: 'acme' }, age: 36 }, 'tenant_required'],
      ['too many tenants', { orgId: { $in: Array.from({ length: 33 }, (_, i) => `t${i}`) }, age: 36 }, 'tenant_required'],
      ['a number that is no telephone number', { orgId: 'acme', phones: '0151 12345' }, 'invalid_argument'],
      ['an object', { email: { a: 1 } }, 'invalid_argument'],
    ])('refused, and nothing is sent: %s', async (_, filter, code) => {
      w.commands.length = 0
      for (const call of [
        () => w.users.find(filter as never).toArray(),
        () => w.users.findOne(filter as never),
        () => w.users.countDocuments(filter as never),
        () => w.users.deleteMany(filter as never),
        () => w.users.updateMany(filter as never, { $set: { plan: 'x' } }),
        () => w.users.distinct('plan', filter as never),
      ])
        expect(await outcome(call)).toBe(code)
      expect(dataCommands(w)).toEqual([])
    })
  })

  test('searching makes no key; a tenant without one finds nothing', async () => {
    await w.vault.tenants.create('empty')
    const before = w.keyStore.snapshot().length
    expect(await w.users.find({ orgId: 'empty', age: 36 }).toArray()).toEqual([])
    expect(await w.users.find({ orgId: 'empty', age: { $ne: 36 } }).toArray()).toEqual([])
    expect(w.keyStore.snapshot().length).toBe(before)
  })

  test('3,000 documents come in batches, with few queries to the key store', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ _id: `u${i}`, orgId: 'acme', plan: 'many', name: `n${i}` }))
    await w.users.insertMany(many)
    w.commands.length = 0
    w.queries.count = 0
    const found = []
    for await (const user of w.users.find({ plan: 'many' }).batchSize(500)) found.push(user)
    expect(found.map(({ name }) => name).sort()).toEqual(many.map(({ name }) => name).sort())
    expect(dataCommands(w).filter((name) => name === 'getMore').length).toBeGreaterThan(3)
  })

  test('the keys of a batch are loaded with one query', async () => {
    const many = Array.from({ length: 600 }, (_, i) => ({ _id: `u${i}`, orgId: 'acme', plan: 'many', name: `n${i}` }))
    await w.users.insertMany(many)
    const cold = await w.reopen()
    w.queries.count = 0
    expect(await cold.find({ plan: 'many' }).batchSize(200).toArray()).toHaveLength(600)
    // The tenant's own keys, then each of three batches, and of an empty last one nothing.
    expect(w.queries.count).toBeLessThanOrEqual(10)
    const warm = w.queries.count
    expect(await cold.find({ plan: 'many' }).toArray()).toHaveLength(600)
    expect(w.queries.count).toBe(warm)
  })

  test('sessions are passed on: what a transaction has written is seen within it, and gone when it is aborted', async () => {
    const session = w.client.startSession()
    try {
      session.startTransaction()
      await w.users.insertOne({ _id: 'zoe', orgId: 'acme', name: 'Zoe' }, { session })
      expect(await w.users.findOne({ _id: 'zoe' }, { session })).toEqual({ _id: 'zoe', orgId: 'acme', name: 'Zoe' })
      expect(await w.users.findOne({ _id: 'zoe' })).toBeNull()
      await session.abortTransaction()
    } finally {
      await session.endSession()
    }
    expect(await w.users.findOne({ _id: 'zoe' })).toBeNull()
  })

  test('BSON values come back as the options of the call say', async () => {
    const { Long, Int32, Double } = await import('mongodb')
    const pinned = { _id: 'ada', orgId: 'acme' }
    await w.users.updateOne(pinned, { $set: { age: Long.fromNumber(36) as never } })
    expect((await w.users.findOne(pinned))?.age).toBe(36)
    expect((await w.users.findOne(pinned, { promoteLongs: false }))?.age).toEqual(Long.fromNumber(36))
    expect((await w.users.findOne(pinned, { useBigInt64: true }))?.age).toBe(36n)
    // However it is typed, it is the same number to an index.
    for (const age of [36, 36n, new Int32(36), new Double(36), Long.fromNumber(36)])
      expect(await w.users.countDocuments({ orgId: 'acme', _id: 'ada', age } as never)).toBe(1)
  })

  describe('projections', () => {
    test.each<[object, unknown]>([
      [{ name: 1 }, { _id: 'ada', name: ada.name }],
      [{ name: 1, _id: 0 }, { name: ada.name }],
      [{ plan: 1, _id: 0 }, { plan: 'pro' }],
      [{ 'address.street': 1, _id: 0 }, { address: { street: ada.address.street } }],
      [
        { email: 0, name: 0, address: 0, phones: 0, notes: 0 },
        { _id: 'ada', orgId: 'acme', plan: 'pro', age: 36 },
      ],
      [
        { orgId: 0, _id: 0, email: 0, name: 0, address: 0, phones: 0, notes: 0 },
        { plan: 'pro', age: 36 },
      ],
      [{ _id: 1 }, { _id: 'ada' }],
      [{}, ada],
    ])('%o', async (projection, expected) => {
      expect(await w.users.findOne({ email: 'ada@example.com' }, { projection } as never)).toEqual(expected)
      expect(
        await w.users
          .find({ _id: 'ada' })
          .project(projection as never)
          .toArray(),
      ).toEqual([expected])
    })

    test.each<[object, string]>([
      [{ 'email.i': 1 }, 'unsupported_operation'],
      [{ x: '$email' }, 'unsupported_operation'],
      [{ phones: { $slice: 1 } }, 'unsupported_operation'],
      [{ 'phones.$': 1 }, 'unsupported_operation'],
      // The server takes the position for a member of each element, and stored elements have members.
      [{ 'phones.0': 1 }, 'unsupported_operation'],
      [{ 'phones.0': 0 }, 'unsupported_operation'],
      [{ plan: 1, name: 0 }, 'invalid_argument'],
      [{ plan: 0, name: 1, _id: 0 }, 'invalid_argument'],
    ])('refused: %o: %s', async (projection, code) => {
      w.commands.length = 0
      expect(await outcome(() => w.users.findOne({}, { projection } as never))).toBe(code)
      expect(dataCommands(w)).toEqual([])
    })

    test('sorting by what is encrypted', async () => {
      for (const sort of [{ email: 1 }, 'name', [['age', 1]], { 'address.street': 1 }, { 'email.i': 1 }, { address: 1 }]) {
        expect(await outcome(() => w.users.find({}, { sort } as never))).toBe('unsupported_operation')
        expect(await outcome(() => w.users.find().sort(sort as never))).toBe('unsupported_operation')
      }
    })
  })

  describe('updates', () => {
    test('of plain paths: one command, whatever the filter', async () => {
      w.commands.length = 0
      expect(await w.users.updateMany({ plan: 'free' }, { $set: { plan: 'pro' }, $unset: { name: 1 } })).toMatchObject({
        matchedCount: 2,
        modifiedCount: 2,
      })
      expect(dataCommands(w)).toEqual(['update'])
      expect(await w.users.findOne({ _id: 'bob' })).toEqual({ _id: 'bob', orgId: 'acme', plan: 'pro', email: bob.email, age: 36 })
    })

    test('of encrypted paths, pinned', async () => {
      const pinned = { _id: 'ada', orgId: 'acme' }
      expect(
        await w.users.updateOne(pinned, {
          $set: { name: 'Canary-New', address: { street: 'Canary 2', city: 'Paris' }, 'phones.0': '+15550001' } as never,
          $push: { notes: { title: 'two', text: 'Canary two' } },
        }),
      ).toMatchObject({ matchedCount: 1 })
      await w.users.updateOne(pinned, { $push: { phones: { $each: ['+15550002', '+15550003'], $position: 0 } } })
      await w.users.updateOne(pinned, { $set: { email: null } })
      expect(await w.users.findOne(pinned)).toEqual({
        ...ada,
        name: 'Canary-New',
        email: null,
        address: { street: 'Canary 2', city: 'Paris' },
        phones: ['+15550002', '+15550003', '+15550001', ada.phones[1]],
        notes: [...ada.notes, { title: 'two', text: 'Canary two' }],
      })
      expect(sent(w)).not.toContain('canary')
      expect(await w.users.find({ orgId: 'acme', phones: '+15550003' }).toArray()).toHaveLength(1)
    })

    test.each<[string, object, object]>([
      ['an operator of numbers', { _id: 'ada', orgId: 'acme' }, { $inc: { age: 1 } }],
      ['$min', { _id: 'ada', orgId: 'acme' }, { $min: { age: 1 } }],
      ['$push with $sort', { _id: 'ada', orgId: 'acme' }, { $push: { phones: { $each: ['+1234567'], $sort: 1 } } }],
      ['$rename onto what is encrypted', { _id: 'ada', orgId: 'acme' }, { $rename: { plan: 'name' } }],
      ['$rename of what is encrypted', { _id: 'ada', orgId: 'acme' }, { $rename: { name: 'plan' } }],
      ['into what is encrypted', { _id: 'ada', orgId: 'acme' }, { $set: { 'email.c': 'x' } }],
      ['the tenant', { _id: 'ada', orgId: 'acme' }, { $set: { orgId: 'rival' } }],
      ['the id', { _id: 'ada', orgId: 'acme' }, { $set: { _id: 'x' } }],
      ['$currentDate', { _id: 'ada', orgId: 'acme' }, { $currentDate: { name: true } }],
    ])('refused, and nothing is sent and no key made: %s', async (_, filter, change) => {
      w.commands.length = 0
      const before = w.keyStore.snapshot().length
      expect(await outcome(() => w.users.updateOne(filter as never, change))).toBe('unsupported_operation')
      for (const refused of [
        () => w.users.updateMany(filter as never, change),
        () => w.users.updateOne({ plan: 'pro' }, change, { upsert: true }),
        () => w.users.findOneAndUpdate(filter as never, change),
        () => w.users.bulkWrite([{ updateOne: { filter: filter as never, update: change } }]),
      ])
        expect(await outcome(refused)).toBe('unsupported_operation')
      expect(dataCommands(w)).toEqual([])
      expect(w.keyStore.snapshot().length).toBe(before)
    })

    test.each<[string, object]>([
      ['a path that is not declared', { $set: { other: 'x' } }],
      ['a member that is not declared', { $set: { address: { street: 'x', city: 'y', other: 'z' } } }],
      ['another shape', { $set: { address: 'Canary' } }],
      ['an element that is none', { $set: { phones: 'Canary' } }],
      ['a document with $', { $set: { address: { $x: 1 } } }],
      ['no operators', { name: 'x' }],
    ])('no update: %s', async (_, change) => {
      w.commands.length = 0
      expect(await outcome(() => w.users.updateOne({ _id: 'ada', orgId: 'acme' }, change))).toBe('invalid_argument')
      expect(dataCommands(w)).toEqual([])
    })

    test('a filter that says whose a document is means no other, whatever the collection takes for equal', async () => {
      for (const write of [
        () => w.users.updateOne({ _id: 'ada', orgId: 'acme' }, { $set: { name: 'x' } }),
        () => w.users.replaceOne({ _id: 'ada', orgId: 'acme' }, { orgId: 'acme', name: 'x' }),
      ]) {
        w.commands.length = 0
        await write()
        expect(w.commands.map(({ command }) => command['updates'][0].collation)).toEqual([{ locale: 'simple' }])
      }
    })

    test('replaceOne', async () => {
      await w.users.replaceOne({ _id: 'ada', orgId: 'acme' }, { orgId: 'acme', name: 'Canary-Replaced' })
      expect(await w.users.findOne({ _id: 'ada' })).toEqual({ _id: 'ada', orgId: 'acme', name: 'Canary-Replaced' })
      expect(await outcome(() => w.users.replaceOne({ _id: 'ada', orgId: 'acme' }, { orgId: 'rival', name: 'x' }))).toBe(
        'unsupported_operation',
      )
    })
  })

  test('inserts that fail anywhere send nothing', async () => {
    w.commands.length = 0
    for (const bad of [
      { _id: 'x', orgId: 'acme', address: 'Canary' },
      { _id: 'x', orgId: 'acme', other: 'Canary' },
      { _id: 'x', orgId: 'acme', phones: ['0151 1'] },
      { _id: 'x', name: 'Canary' },
      { orgId: 'acme', name: 'Canary' },
      { _id: 'x', orgId: 'acme', name: SHREDDED },
      { _id: 'x', orgId: 5, name: 'Canary' },
    ])
      expect(await outcome(() => w.users.insertMany([{ _id: 'good', orgId: 'acme', name: 'x' }, bad as never]))).toBe('invalid_argument')
    expect(await outcome(() => w.users.insertMany([{ _id: 'x', orgId: 'nobody', name: 'x' }]))).toBe('not_found')
    expect(dataCommands(w)).toEqual([])
  })

  test('deletes, counts, distinct values', async () => {
    expect((await w.users.distinct('plan')).sort()).toEqual(['free', 'pro'])
    expect((await w.users.distinct('phones', { orgId: 'acme' })).sort()).toEqual([...ada.phones].sort())
    expect(await w.users.distinct('age', { orgId: 'acme', age: 36 })).toEqual([36])
    expect(await outcome(() => w.users.distinct('name'))).toBe('unsupported_operation')
    expect(await w.users.estimatedDocumentCount()).toBe(3)
    expect(await w.users.deleteOne({ email: 'nobody@example.com' })).toMatchObject({ deletedCount: 0 })
    expect(await w.users.deleteOne({ email: 'ADA@example.com' })).toMatchObject({ deletedCount: 1 })
    expect(await w.users.deleteMany({ orgId: 'acme', age: 36 })).toMatchObject({ deletedCount: 1 })
    expect((await w.users.find().toArray()).map(({ _id }) => _id)).toEqual(['eve'])
  })

  test('a duplicate names the declared path and shows no value', async () => {
    for (const call of [
      () => w.users.insertOne({ ...bob, _id: 'b2', email: ' ADA@EXAMPLE.COM' }),
      () => w.users.insertMany([{ ...bob, _id: 'b2', email: 'ada@example.com' }]),
    ]) {
      const error = (await call().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )) as MongoServerError
      expect(error).toBeInstanceOf(MongoServerError)
      expect(error.code).toBe(11000)
      expect(error['keyPattern']).toEqual({ email: 1 })
      expect(error['keyValue']).toBeUndefined()
      expect(error.message).toBe('E11000 duplicate key error: another document has the same email')
    }
  })

  test('an index value copied onto another document finds, counts and deletes nothing', async () => {
    const target = await w.stored.findOne({ _id: 'ada' })
    await w.stored.deleteOne({ _id: 'ada' })
    await w.stored.updateOne({ _id: 'bob' }, { $set: { 'email.i': (target?.['email'] as { i: Binary } | undefined)?.i } })
    for (const call of [
      () => w.users.findOne({ email: 'ada@example.com' }),
      () => w.users.find({ email: 'ada@example.com' }).toArray(),
      () => w.users.findOne({ email: 'ada@example.com' }, { projection: { plan: 1 } }),
      () => w.users.countDocuments({ email: 'ada@example.com' }),
      () => w.users.deleteMany({ email: 'ada@example.com' }),
      () => w.users.updateMany({ email: 'ada@example.com' }, { $set: { plan: 'x' } }),
    ]) {
      const error = await refusalOf(call)
      expect(error.code).toBe('decrypt_failed')
      expect(error.message).toContain('email of the document with _id bob')
    }
    expect(await w.stored.countDocuments({ _id: 'bob', plan: 'free' })).toBe(1)
  })

  test('values moved between documents, paths and people do not open; plaintext in an encrypted path neither', async () => {
    const [a, b] = [await w.stored.findOne({ _id: 'ada' }), await w.stored.findOne({ _id: 'bob' })]
    for (const change of [
      { name: b?.['name'] as unknown },
      { name: (a?.['email'] as { c: unknown } | undefined)?.c },
      { name: 'Canary plaintext' },
      { address: 'x' },
      { orgId: 'rival' },
    ]) {
      await w.stored.updateOne({ _id: 'ada' }, { $set: change as never })
      const error = await refusalOf(() => w.users.findOne({ _id: 'ada' }))
      expect(error.code).toBe('decrypt_failed')
      expect(error.message).toContain('_id ada')
      await w.stored.replaceOne({ _id: 'ada' }, a as never)
      expect(await w.users.findOne({ _id: 'ada' })).toEqual(ada)
    }
  })

  test('shredded values: marked in lists, thrown for single documents, as asked', async () => {
    await w.vault.tenant('acme').subject('bob').shred()
    const marked = { _id: 'bob', orgId: 'acme', plan: 'free', email: SHREDDED, name: SHREDDED, age: SHREDDED }
    expect(await w.users.find({ orgId: 'acme' }).sort({ _id: 1 }).toArray()).toEqual([ada, marked])
    expect(await outcome(() => w.users.findOne({ _id: 'bob' }))).toBe('shredded')
    expect(await outcome(() => w.users.find({ orgId: 'acme' }, { shredded: 'throw' }).toArray())).toBe('shredded')
    expect(await w.users.findOne({ _id: 'bob' }, { shredded: 'mark' })).toEqual(marked)
    expect(JSON.stringify(marked)).toContain('[shredded]')
    // What cannot be compared any more is no hit.
    expect(await w.users.findOne({ email: 'bob@example.com' })).toBeNull()
    expect(await outcome(() => w.users.findOne({ email: SHREDDED } as never))).toBe('invalid_argument')
    expect(await outcome(() => w.users.insertOne({ _id: 'bob', orgId: 'acme', name: 'x' }))).toBe('shredded')
    await w.vault.tenant('acme').shred()
    expect((await w.users.find({ plan: 'pro' }).toArray())[0]?.name).toBe(SHREDDED)
  })

  test('for(): one tenant, one person', async () => {
    const acme = w.users.for({ tenant: 'acme' })
    expect((await acme.find({ age: 36 }).toArray()).map(({ _id }) => _id).sort()).toEqual(['ada', 'bob'])
    expect(await acme.findOne({ _id: 'eve' })).toBeNull()
    expect(await acme.deleteMany({ _id: 'eve' })).toMatchObject({ deletedCount: 0 })
    await acme.insertOne({ _id: 'zoe', name: 'Zoe' } as never)
    expect(await w.users.findOne({ _id: 'zoe' })).toEqual({ _id: 'zoe', name: 'Zoe', orgId: 'acme' })
    expect(await outcome(() => acme.insertOne({ _id: 'yan', orgId: 'rival', name: 'x' }))).toBe('invalid_argument')
    const her = w.users.for({ tenant: 'acme', subject: 'ada' })
    expect(await her.updateOne({}, { $set: { name: 'Canary-Her' } })).toMatchObject({ matchedCount: 1 })
    expect((await w.users.findOne({ _id: 'ada' }))?.name).toBe('Canary-Her')
    expect(await outcome(() => w.users.for({ tenant: { $ne: '' } }))).toBe('invalid_argument')
  })

  test('indexes are shown by declared paths', async () => {
    expect((await w.users.indexes()).map(({ key }) => Object.keys(key)[0]).sort()).toEqual(['_id', 'age', 'email', 'phones'])
  })
})
