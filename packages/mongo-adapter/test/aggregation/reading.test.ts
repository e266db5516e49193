// What comes out of pipelines: shredded and suspended people, options of BSON, and what reading costs.
import { SHREDDED } from '@strongroom/mongo-adapter'
import { Binary, type Document, Long } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'

import { dataCommands, uri } from '../collection/support.ts'
import { outcome, refusalOf } from '../refusals.ts'
import { openShop, type Shop } from './shop.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let s: Shop
  beforeEach(async () => {
    s = await openShop()
  })
  const byId = { $sort: { _id: 1 } }
  const bought = { $lookup: { from: 'orders', localField: '_id', foreignField: 'buyer', as: 'orders' } }

  describe('people who are shredded', () => {
    beforeEach(() => s.w.vault.tenant('acme').subject('ada').shred())

    test('are marked wherever their values stand by now', async () => {
      const renamed = await s.shop.users
        .aggregate([byId, { $match: { orgId: 'acme' } }, { $project: { mail: '$email', plan: 1 } }])
        .toArray()
      expect(renamed).toEqual([
        { _id: 'ada', mail: SHREDDED, plan: 'pro' },
        { _id: 'bob', mail: null, plan: 'free' },
        { _id: 'cyd', mail: 'cyd@example.com', plan: 'free' },
      ])
      const grouped = await s.shop.users
        .aggregate([byId, { $group: { _id: '$orgId', names: { $push: '$name' }, first: { $first: '$phones' } } }, byId])
        .toArray()
      expect(grouped).toEqual([
        { _id: 'acme', names: [SHREDDED, 'Bob', 'Cyd'], first: [SHREDDED, SHREDDED] },
        { _id: 'rival', names: ['Eve'], first: null },
      ])
      const joined = await s.shop.users
        .aggregate([{ $match: { _id: 'ada' } }, bought, { $project: { 'orders._id': 1, 'orders.text': 1 } }])
        .toArray()
      // The fourth is of another of that name, in another tenant.
      expect(joined).toEqual([
        {
          _id: 'ada',
          orders: [
            { _id: 1, text: SHREDDED },
            { _id: 2, text: SHREDDED },
            { _id: 4, text: 'four' },
          ],
        },
      ])
    })

    test('throw where that was asked for, and only where something of theirs is read', async () => {
      const all = s.shop.users.aggregate([byId, { $project: { mail: '$email' } }], { shredded: 'throw' })
      const error = await refusalOf(() => all.toArray())
      expect([error.code, error.message]).toEqual(['shredded', expect.stringContaining('mail of the document with _id ada')])
      expect(await s.shop.users.aggregate([{ $match: { _id: { $ne: 'ada' } } }, { $count: 'n' }], { shredded: 'throw' }).toArray()).toEqual(
        [{ n: 3 }],
      )
      expect(await s.shop.users.aggregate([byId, { $project: { plan: 1 } }], { shredded: 'throw' }).toArray()).toHaveLength(4)
      expect(await outcome(() => s.shop.users.aggregate([], { shredded: 'no' as never }))).toBe('invalid_argument')
    })

    test('are found by no index, counted by none, and in no group of one', async () => {
      const ours = { $match: { email: { $in: ['ada@example.com', 'cyd@example.com'] } } }
      const ids = async (...pipeline: Document[]): Promise<readonly unknown[]> =>
        (await s.shop.users.aggregate(pipeline).toArray()).map(({ _id }) => _id as unknown)
      expect(await ids(ours)).toEqual(['cyd'])
      expect(await ids(ours, { $limit: 1 })).toEqual(['cyd'])
      expect(await s.shop.users.aggregate([ours, { $count: 'n' }]).toArray()).toEqual([{ n: 1 }])
      expect(await ids({ $set: { mail: '$email' } }, { $match: { mail: { $in: ['ada@example.com', 'cyd@example.com'] } } })).toEqual([
        'cyd',
      ])
      expect(
        await s.shop.users
          .aggregate([{ $group: { _id: '$email', n: { $sum: 1 } } }, { $match: { _id: { $ne: null } } }, { $set: { x: 1 } }])
          .toArray(),
      ).toHaveLength(2)
      const same = { $lookup: { from: 'orders', localField: 'email', foreignField: 'mail', as: 'same' } }
      // Of hers neither the address nor the orders can be compared any more.
      expect(await s.shop.users.aggregate([byId, same, { $project: { 'same._id': 1 } }]).toArray()).toEqual([
        { _id: 'bob', same: [] },
        { _id: 'cyd', same: [] },
        { _id: 'eve', same: [{ _id: 4 }] },
      ])
    })
  })

  test('people who are suspended', async () => {
    await s.w.vault.tenant('acme').subject('ada').suspend()
    expect(await outcome(() => s.shop.users.aggregate([{ $project: { mail: '$email' } }]).toArray())).toBe('suspended')
    expect(await outcome(() => s.shop.users.aggregate([{ $match: { email: 'ada@example.com' } }, { $count: 'n' }]).toArray())).toBe(
      'suspended',
    )
    expect(await s.shop.users.aggregate([byId, { $match: { _id: { $ne: 'ada' } } }, { $project: { name: 1 } }]).toArray()).toHaveLength(3)
    expect(await s.shop.users.aggregate([{ $group: { _id: '$plan', n: { $sum: 1 } } }, byId]).toArray()).toEqual([
      { _id: 'free', n: 2 },
      { _id: 'pro', n: 2 },
    ])
  })

  test('values that were moved onto another document do not open there, wherever they are taken', async () => {
    const users = s.db.collection<Document & { _id: string }>('users')
    const bob = await users.findOne({ _id: 'bob' })
    await users.updateOne({ _id: 'ada' }, { $set: { name: bob?.['name'] } })
    for (const pipeline of [
      [{ $project: { n: '$name' } }],
      [{ $group: { _id: null, all: { $push: '$name' } } }],
      [{ $set: { name: 'x', other: '$name' } }, { $unwind: '$other' }],
      [{ $facet: { a: [{ $project: { name: 1 } }] } }],
      [{ $match: { _id: 'none' } }, { $unionWith: { coll: 'users', pipeline: [{ $project: { _id: 0, n: '$name' } }] } }],
    ]) {
      const error = await refusalOf(() => s.shop.users.aggregate(pipeline).toArray())
      expect([error.code, error.message]).toEqual(['decrypt_failed', expect.stringContaining('of the document with _id ada')])
    }
  })

  test('values of BSON come back as they were asked for', async () => {
    await s.shop.orders.insertOne({ _id: 9, shop: { org: 'acme' }, buyer: 'bob', total: 1, mail: 'x' })
    const pipeline = [{ $match: { _id: 9 } }, { $set: { long: { $toLong: '$total' }, copy: '$mail' } }]
    const bare = s.db.collection('orders')
    for (const options of [{ promoteValues: false }, { promoteLongs: false }, { useBigInt64: true }, {}]) {
      const [ours] = await s.shop.orders.aggregate(pipeline, options).toArray()
      const [theirs] = await bare.aggregate(pipeline, options).toArray()
      const { _id, long, total } = theirs as Document
      expect(ours).toEqual({
        _id,
        long: long as unknown,
        total: total as unknown,
        shop: { org: 'acme' },
        buyer: 'bob',
        mail: 'x',
        copy: 'x',
      })
    }
    expect((await s.shop.orders.aggregate(pipeline, { promoteLongs: false }).toArray())[0]?.['long']).toEqual(Long.fromNumber(1))
    // A tag of $unionWith is a number as well.
    const union = [{ $unionWith: 'events' }]
    expect(await s.shop.users.aggregate(union, { promoteValues: false }).toArray()).toHaveLength(6)
    await bare.updateOne({ _id: 9 as never }, { $set: { total: new Binary(Uint8Array.of(1, 2)) } })
    const [read] = await s.shop.orders
      .aggregate([{ $match: { _id: 9 } }, { $project: { t: '$total' } }], { promoteBuffers: true })
      .toArray()
    expect(read?.['t']).toEqual(Buffer.from([1, 2]))
  })

  test('a query of the key store for each batch, whosever values are in it', async () => {
    const people = Array.from({ length: 120 }, (_, i) => ({ _id: `p${i}`, orgId: 'acme', plan: 'many', name: `n${i}` }))
    await s.w.users.insertMany(people)
    const read = async (batchSize: number): Promise<number> => {
      const cold = await s.w.reopen()
      // What a tenant costs once.
      await cold.findOne({ _id: 'p0' })
      s.w.queries.count = 0
      const pipeline = [{ $match: { plan: 'many' } }, { $set: { other: '$name' } }, { $group: { _id: '$_id', name: { $first: '$other' } } }]
      expect(await cold.aggregate(pipeline, { batchSize }).toArray()).toHaveLength(120)
      return s.w.queries.count
    }
    expect([await read(30), await read(60)]).toEqual([4, 2])
  })

  test('options of a call: for what is compared before as well', async () => {
    const found = { $match: { email: 'ada@example.com' } }
    const sent = async (options: object): Promise<readonly unknown[]> => {
      s.w.commands.length = 0
      await s.shop.users.aggregate([found, { $count: 'n' }], { comment: 'why', maxTimeMS: 60_000, ...options }).toArray()
      return s.w.commands.filter(({ commandName }) => ['find', 'aggregate'].includes(commandName)).map(({ command }) => command as unknown)
    }
    const hinted = { comment: 'why', maxTimeMS: 60_000, hint: { 'email.i': 1 }, readConcern: { level: 'majority' } }
    expect(await sent({ hint: { email: 1 }, readConcern: 'majority' })).toEqual([
      expect.objectContaining(hinted),
      expect.objectContaining(hinted),
    ])
    const folded = { collation: { locale: 'en', strength: 2 } }
    expect(await s.shop.users.aggregate([{ $match: { plan: 'PRO' } }, { $count: 'n' }], folded).toArray()).toEqual([{ n: 2 }])
    for (const call of [
      () => s.shop.users.aggregate([found], folded),
      () => s.shop.users.aggregate([{ $set: { mail: '$email' } }, { $match: { mail: 'x' } }], folded),
      () => s.shop.users.aggregate([{ $group: { _id: '$email' } }], folded),
      () => s.shop.users.for({ tenant: 'acme' }).aggregate([{ $match: { plan: 'PRO' } }], folded),
      () => s.shop.users.aggregate([], { hint: { name: 1 } }),
    ])
      expect(await outcome(call)).toBe('unsupported_operation')
  })

  test('within a transaction of the caller', async () => {
    await s.w.client.withSession((session) =>
      session.withTransaction(async () => {
        await s.shop.users.insertOne({ _id: 'new', orgId: 'acme', email: 'new@example.com', name: 'New' }, { session })
        const pipeline = [{ $match: { email: 'new@example.com' } }, { $group: { _id: '$email', names: { $push: '$name' } } }]
        expect(await s.shop.users.aggregate(pipeline, { session }).toArray()).toEqual([{ _id: 'new@example.com', names: ['New'] }])
        expect(await s.shop.users.aggregate(pipeline).toArray()).toEqual([])
      }),
    )
  })

  test('nothing is sent before it is read', async () => {
    s.w.commands.length = 0
    const cursor = s.shop.users.aggregate([{ $match: { email: 'ada@example.com' } }, { $count: 'n' }])
    expect(dataCommands(s.w)).toEqual([])
    expect(await cursor.toArray()).toEqual([{ n: 1 }])
    expect(dataCommands(s.w)).toEqual(['find', 'aggregate'])
  })
})
