// Pipelines that read several collections, beside the same ones on plain collections; scopes; what nobody was told of.
import { encrypted, encryptedDb, plain } from '@strongroom/mongo-adapter'
import type { Document } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { dataCommands, uri } from '../collection/support.ts'
import { outcome, refusalOf } from '../refusals.ts'
import { openShop, type Shop } from './shop.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let s: Shop
  beforeAll(async () => {
    s = await openShop()
  })
  beforeEach(() => {
    s.w.commands.length = 0
  })

  const byId = { $sort: { _id: 1 } }
  const bought = { $lookup: { from: 'orders', localField: '_id', foreignField: 'buyer', as: 'orders' } }
  const written = { $lookup: { from: 'orders', localField: 'email', foreignField: 'mail', as: 'same' } }
  const eventsOf = { $lookup: { from: 'events', localField: '_id', foreignField: 'who', as: 'events' } }
  test.each<[string, Document[]]>([
    ['by a plaintext key', [byId, bought]],
    ['of members of what was joined', [byId, bought, { $project: { 'orders.text': 1, 'orders.total': 1, name: 1 } }]],
    ['$unwind', [bought, { $unwind: '$orders' }, { $sort: { 'orders._id': 1 } }]],
    [
      '$unwind and rename',
      [
        bought,
        { $unwind: '$orders' },
        { $project: { _id: 0, text: '$orders.text', whose: '$name', total: '$orders.total' } },
        { $sort: { total: 1 } },
      ],
    ],
    [
      '$unwind and $group',
      [
        bought,
        { $unwind: '$orders' },
        { $sort: { 'orders._id': 1 } },
        {
          $group: {
            _id: '$plan',
            sum: { $sum: '$orders.total' },
            texts: { $push: '$orders.text' },
            names: { $push: '$name' },
            whole: { $first: '$orders' },
          },
        },
        byId,
      ],
    ],
    [
      '$unwind of what was joined, and of what is in it',
      [
        bought,
        { $unwind: '$orders' },
        { $unwind: '$orders.lines' },
        { $sort: { 'orders.lines.sku': 1 } },
        { $set: { note: '$orders.lines.note' } },
      ],
    ],
    ['a $match of what was joined', [bought, { $unwind: '$orders' }, { $match: { 'orders.mail': 'cyd@example.com' } }]],
    [
      'with a pipeline',
      [
        byId,
        {
          $lookup: {
            ...bought.$lookup,
            pipeline: [{ $match: { mail: { $in: ['ada@example.com', 'x'] } } }, { $project: { wrote: '$text', mail: 1 } }],
          },
        },
      ],
    ],
    [
      'with a pipeline that groups',
      [
        byId,
        {
          $lookup: {
            ...bought.$lookup,
            pipeline: [{ $sort: { _id: 1 } }, { $group: { _id: '$shop.org', last: { $last: '$text' }, n: { $sum: '$total' } } }, byId],
          },
        },
      ],
    ],
    ['by an indexed key', [byId, { $match: { email: { $ne: null } } }, written]],
    [
      'by an indexed key, of null and nothing',
      [byId, { $lookup: { from: 'users', localField: 'email', foreignField: 'email', as: 'same' } }],
    ],
    [
      'by an indexed key after a rename',
      [
        byId,
        { $match: { email: { $ne: null } } },
        { $project: { at: '$email' } },
        { $lookup: { ...written.$lookup, localField: 'at' } },
        { $unwind: '$same' },
        { $sort: { _id: 1, 'same._id': 1 } },
      ],
    ],
    ['into a plain collection', [byId, eventsOf, { $set: { n: { $size: '$events' } } }]],
    ['into a plain collection, with a pipeline', [byId, { $lookup: { ...eventsOf.$lookup, pipeline: [{ $project: { kind: 1 } }] } }]],
    [
      'from a plain collection on',
      [
        byId,
        {
          $lookup: {
            ...eventsOf.$lookup,
            pipeline: [{ $lookup: { from: 'orders', localField: 'who', foreignField: 'buyer', as: 'orders' } }],
          },
        },
      ],
    ],
    [
      'after $group',
      [byId, { $group: { _id: '$plan', id: { $first: '$_id' } } }, byId, { $lookup: { ...bought.$lookup, localField: 'id' } }],
    ],
    ['in $facet', [{ $facet: { a: [byId, bought], b: [{ $count: 'n' }] } }]],
    ['$unionWith', [{ $unionWith: 'orders' }, { $sort: { name: 1, total: 1, orgId: 1, _id: 1 } }].slice(0, 1)],
    [
      '$unionWith and a pipeline',
      [
        { $project: { name: 1 } },
        { $unionWith: { coll: 'orders', pipeline: [{ $project: { name: '$text', total: 1 } }] } },
        { $project: { _id: 0, name: 1 } },
      ],
    ],
    [
      '$unionWith of three',
      [
        { $project: { name: 1 } },
        { $unionWith: { coll: 'orders', pipeline: [{ $group: { _id: '$buyer', name: { $first: '$text' } } }, byId] } },
        { $unionWith: 'events' },
        { $limit: 8 },
      ],
    ],
    ['$unionWith and $count', [{ $unionWith: 'orders' }, { $unionWith: 'events' }, { $count: 'n' }]],
    [
      '$unionWith and $group of what is plain',
      [
        { $set: { kind: 'u' } },
        { $unionWith: { coll: 'orders', pipeline: [{ $set: { kind: 'o' } }] } },
        { $group: { _id: '$kind', n: { $sum: 1 } } },
        byId,
      ],
    ],
  ])('%s', async (_, pipeline) => {
    const ours = await s.shop.users.aggregate(pipeline).toArray()
    expect(ours).toEqual(await s.bare.collection('users').aggregate(pipeline).toArray())
    expect(ours.length).toBeGreaterThan(0)
    expect(JSON.stringify(ours)).not.toContain('_strongroom')
  })

  test('$match behind $unionWith is by what is plain in both', async () => {
    const union = { $unionWith: { coll: 'orders', pipeline: [{ $set: { plan: 'order' } }] } }
    const found = await s.shop.users
      .aggregate([union, { $match: { plan: { $in: ['pro', 'order'] } } }, { $project: { plan: 1 } }])
      .toArray()
    expect(found.map(({ _id }) => _id as unknown)).toEqual(['ada', 'eve', 1, 2, 3, 4])
  })

  describe('of a scope', () => {
    test('what is joined is of the same tenant', async () => {
      const acme = s.shop.users.for({ tenant: 'acme' })
      const found = await acme.aggregate([byId, bought, { $project: { 'orders._id': 1 } }]).toArray()
      expect(found).toEqual([
        { _id: 'ada', orders: [{ _id: 1 }, { _id: 2 }] },
        { _id: 'bob', orders: [] },
        { _id: 'cyd', orders: [{ _id: 3 }] },
      ])
      const names = await acme.aggregate([{ $unionWith: 'orders' }, { $project: { _id: 1 } }]).toArray()
      expect(names.map(({ _id }) => _id as unknown)).toEqual(['ada', 'bob', 'cyd', 1, 2, 3])
    })

    test('and of the same person', async () => {
      const cyd = s.shop.users.for({ tenant: 'acme', subject: 'cyd' })
      expect(
        await cyd
          .aggregate([{ $lookup: { ...bought.$lookup, localField: 'orgId', foreignField: 'shop.org' } }, { $project: { 'orders._id': 1 } }])
          .toArray(),
      ).toEqual([{ _id: 'cyd', orders: [{ _id: 3 }] }])
      const everything = await cyd.aggregate([{ $unionWith: 'orders' }]).toArray()
      expect(everything.map(({ _id }) => _id as unknown)).toEqual(['cyd', 3])
    })

    test('a join by an index of a tenant works there, and nowhere else', async () => {
      const nicks = { $lookup: { from: 'orders', localField: 'nick', foreignField: 'alias', as: 'named' } }
      const found = await s.shop.users
        .for({ tenant: 'acme' })
        .aggregate([byId, nicks, { $project: { 'named.text': 1 } }])
        .toArray()
      expect(found).toEqual([
        { _id: 'ada', named: [{ text: 'one' }] },
        { _id: 'bob', named: [] },
        { _id: 'cyd', named: [{ text: 'two' }] },
      ])
      expect(await outcome(() => s.shop.users.aggregate([nicks]))).toBe('unsupported_operation')
    })

    test('a search by an index of a tenant in what is joined', async () => {
      const withText = { $lookup: { ...bought.$lookup, pipeline: [{ $match: { text: 'two' } }, { $project: { text: 1 } }] } }
      expect(
        await s.shop.users
          .for({ tenant: 'acme' })
          .aggregate([{ $match: { _id: 'ada' } }, withText, { $project: { orders: 1 } }])
          .toArray(),
      ).toEqual([{ _id: 'ada', orders: [{ _id: 2, text: 'two' }] }])
      expect(await outcome(() => s.shop.users.aggregate([withText]))).toBe('tenant_required')
      const pinned = { $lookup: { ...bought.$lookup, pipeline: [{ $match: { text: 'two', 'shop.org': 'acme' } }] } }
      expect(await s.shop.users.aggregate([{ $match: { _id: 'ada' } }, pinned, { $project: { 'orders._id': 1 } }]).toArray()).toEqual([
        { _id: 'ada', orders: [{ _id: 2 }] },
      ])
    })

    test('a plain collection says of nobody whose its documents are', async () => {
      const acme = s.shop.users.for({ tenant: 'acme' })
      for (const stage of [eventsOf, { $unionWith: 'events' }])
        expect(await outcome(() => acme.aggregate([stage]))).toBe('unsupported_operation')
      expect(dataCommands(s.w)).toEqual([])
    })
  })

  test.each<[string, Document[]]>([
    ['a collection that nobody named', [{ $lookup: { ...bought.$lookup, from: 'others' } }]],
    ['one that nobody named, in $unionWith', [{ $unionWith: 'others' }]],
    ['a name that every object has', [{ $unionWith: 'constructor' }]],
    ['one that nobody named, within $facet', [{ $facet: { a: [{ $unionWith: 'others' }] } }]],
    ['one that nobody named, within a pipeline', [{ $lookup: { ...bought.$lookup, pipeline: [{ $unionWith: 'others' }] } }]],
    ['a database', [{ $lookup: { ...bought.$lookup, from: { db: 'other', coll: 'orders' } } }]],
    ['variables', [{ $lookup: { ...bought.$lookup, let: { mail: '$email' }, pipeline: [] } }]],
    ['no keys', [{ $lookup: { from: 'orders', as: 'orders', pipeline: [] } }]],
    ['a plain key and an encrypted one', [{ $lookup: { ...bought.$lookup, localField: 'email' } }]],
    ['keys without an index', [{ $lookup: { ...bought.$lookup, localField: 'name', foreignField: 'text' } }]],
    ['keys of two domains', [{ $lookup: { ...bought.$lookup, localField: 'email', foreignField: 'text' } }]],
    ['keys that are arrays', [{ $lookup: { ...bought.$lookup, localField: 'phones', foreignField: 'alias' } }]],
    ['a count behind a join by an index', [written, { $unwind: '$same' }, { $count: 'n' }]],
    ['a group behind a join by an index', [written, { $group: { _id: '$plan', n: { $sum: 1 } } }]],
    ['a limit behind a join by an index', [written, { $limit: 1 }]],
    ['how many a join by an index has found, by a member of theirs', [written, { $set: { n: { $size: '$same._id' } } }]],
    ['a sum of what a join by an index has found', [written, { $set: { n: { $sum: '$same.total' } } }]],
    ['what is plain in it, elsewhere', [written, { $project: { totals: '$same.total' } }]],
    ['a search by what is plain in it', [written, { $match: { 'same.total': 7 } }]],
    ['a search by a member of it', [written, { $match: { same: { $elemMatch: { total: 7 } } } }]],
    ['a search by how much it is', [written, { $match: { same: { $size: 2 } } }]],
    ['an order by what is plain in it', [written, { $sort: { 'same.total': 1 } }]],
    [
      'a join by what is plain in it',
      [written, { $lookup: { from: 'events', localField: 'same.buyer', foreignField: 'who', as: 'seen' } }],
    ],
    ['the number of what was joined by an index', [written, { $set: { n: { $size: '$same' } } }]],
    ['leaving out what was joined by an index', [written, { $unset: 'same' }]],
    ['keeping all but what was joined by an index', [written, { $project: { name: 1 } }]],
    ['putting something in place of what was joined by an index', [written, { $set: { same: 1 } }]],
    ['joining something in place of what was joined by an index', [written, { ...bought, $lookup: { ...bought.$lookup, as: 'same' } }]],
    ['moving what is in an array of documents', [bought, { $project: { texts: '$orders.text' } }]],
    ['grouping by what was joined', [bought, { $unwind: '$orders' }, { $group: { _id: '$orders.mail' } }]],
    ['searching behind $unionWith by what is encrypted in one', [{ $unionWith: 'orders' }, { $match: { email: 'ada@example.com' } }]],
    [
      'grouping encrypted values behind $unionWith',
      [
        { $project: { name: 1 } },
        { $unionWith: { coll: 'orders', pipeline: [{ $project: { name: '$text' } }] } },
        { $group: { _id: null, all: { $push: '$name' } } },
      ],
    ],
  ])('refused before anything is sent: %s', async (_, pipeline) => {
    const error = await refusalOf(() => s.shop.users.aggregate(pipeline))
    expect(['unsupported_operation', 'invalid_argument']).toContain(error.code)
    expect(error.message).not.toContain('ada@example.com')
    expect(dataCommands(s.w)).toEqual([])
  })

  test.each<[string, Document[], readonly string[]]>([
    ['the collection that nobody named', [{ $unionWith: 'others' }], ['others, which encryptedDb() was not told of']],
    ['both keys of a join', [{ $lookup: { ...bought.$lookup, localField: 'email' } }], ['email', 'buyer']],
    [
      'what an earlier stage has taken away',
      [{ $unset: 'email' }, { $match: { email: 'ada@example.com' } }],
      ['naming it', 'email', 'taken it away'],
    ],
  ])('what is refused is named: %s', async (_, pipeline, said) => {
    const { message } = await refusalOf(() => s.shop.users.aggregate(pipeline))
    for (const each of said) expect(message).toContain(each)
    expect(message).not.toContain('ada@example.com')
  })

  test('an index value that was copied onto one side of a join: nothing is joined by it', async () => {
    const there = { $match: { email: { $ne: null } } }
    const shown = [
      [written],
      [written, { $unwind: '$same' }, { $project: { _id: 0, plan: 1, 'same.total': 1 } }],
      [{ $project: { at: '$email' } }, { $lookup: { ...written.$lookup, localField: 'at' } }, { $project: { 'same.total': 1 } }],
      [written, { $project: { email: 0, 'same.mail': 0 } }],
    ]
    const [users, orders] = [s.db.collection('users'), s.db.collection('orders')]
    const ada = (await users.findOne({ name: { $exists: true }, _id: 'ada' as never })) as Document
    for (const [copied, id] of [
      [{ users }, 'cyd'],
      [{ orders }, 4],
    ] as const) {
      const [[name, collection] = ['', users]] = Object.entries(copied)
      const path = name === 'users' ? 'email.i' : 'mail.i'
      const own = (await collection.findOne({ _id: id as never })) as Document
      await collection.updateOne({ _id: id as never }, { $set: { [path]: (ada['email'] as Document)['i'] as unknown } })
      for (const stages of shown)
        expect([name, stages, await outcome(() => s.shop.users.aggregate([there, ...stages]).toArray())]).toEqual([
          name,
          stages,
          'decrypt_failed',
        ])
      await collection.replaceOne({ _id: id as never }, own)
      for (const stages of shown) expect((await s.shop.users.aggregate([there, ...stages]).toArray()).length).toBeGreaterThan(2)
    }
  })

  test('a position in an object of whatever members leads to its encrypted ones, and is refused', async () => {
    const loose = z.object({
      _id: z.string(),
      orgId: z.string(),
      inner: z.looseObject({ mail: encrypted(z.string(), { index: { scope: 'application' } }) }),
    })
    const options = { schema: loose, tenant: 'orgId', subject: '_id' } as const
    const { ones } = encryptedDb(s.w.vault, s.db, { ones: options, others: options })
    const search = { $match: { 'inner.0.mail': 'x' } }
    const join = { from: 'others', localField: '_id', foreignField: '_id', as: 'found', pipeline: [search, { $count: 'n' }] }
    expect(await outcome(() => ones.aggregate([{ $lookup: join }]))).toBe('unsupported_operation')
    expect(await outcome(() => ones.aggregate([{ $unionWith: { coll: 'others', pipeline: [{ $sort: { _id: 1 } }, search] } }]))).toBe(
      'unsupported_operation',
    )
  })

  test('what encryptedDb gives, and what it refuses', async () => {
    expect(Object.keys(s.shop).sort()).toEqual(['events', 'orders', 'users'])
    expect(s.shop.events.collectionName).toBe('events')
    const schema = z.object({ _id: z.string(), orgId: z.string(), name: encrypted(z.string()) })
    const { vault } = s.w
    for (const collections of [
      undefined,
      null,
      { a: undefined },
      { a: { kind: 'plain' } },
      { a: { ...plain() } },
      { a: { schema, tenant: 'x', subject: '_id' } },
    ])
      expect([collections, await outcome(() => encryptedDb(vault, s.db, collections as never))]).toEqual([collections, 'invalid_argument'])
    expect(await outcome(() => encryptedDb(vault, {} as never, {}))).toBe('invalid_argument')
    const hidden = schema.extend({ _strongroom: z.string() })
    const odd = encryptedDb(vault, s.db, {
      odd: { schema: hidden, tenant: 'orgId', subject: '_id' },
      users: { schema, tenant: 'orgId', subject: '_id' },
    })
    expect(await outcome(() => odd.odd.aggregate())).toBe('unsupported_operation')
    expect(await outcome(() => odd.users.aggregate([{ $unionWith: 'odd' }]))).toBe('unsupported_operation')
  })
})
