// An index value proves nothing: whoever copies one onto another document makes that document match no search, in whatever form it is copied.
import type { Binary, Document } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'

import { refusalOf } from '../refusals.ts'
import { uri } from '../support.ts'
import { a1, at, openOrders, type Order, type Orders } from './orders.ts'

interface Indexed {
  readonly c: Binary
  readonly i: Binary
}

/** What an attacker makes of the own value of a document and another's. */
const COPIES: readonly (readonly [string, (own: Indexed, stolen: Indexed) => unknown])[] = [
  ['in place of the own', (own, stolen) => ({ c: own.c, i: stolen.i })],
  ['beside the own', (own, stolen) => ({ c: own.c, i: [own.i, stolen.i] })],
  ['before the own', (own, stolen) => ({ c: own.c, i: [stolen.i, own.i] })],
  ['alone in a list', (own, stolen) => ({ c: own.c, i: [stolen.i] })],
  ['without a value', (_, stolen) => ({ i: stolen.i })],
  ['with null for a value', (_, stolen) => ({ c: null, i: stolen.i })],
  ['with its value', (_, stolen) => stolen],
  ['with its value, in a list', (own, stolen) => [own, stolen]],
  ['among other members', (own, stolen) => ({ x: stolen.c, c: own.c, i: stolen.i })],
]

/** Where it is copied, and the searches that would find it there. */
const PLACES: readonly (readonly [string, string, readonly object[]])[] = [
  [
    'code',
    'code',
    [{ code: a1.code }, { code: { $in: ['x', a1.code] } }, { $or: [{ code: a1.code }, { plan: 'none' }] }, { code: { $all: [a1.code] } }],
  ],
  [
    'label',
    'label',
    [
      { orgId: 'acme', label: a1.label },
      { orgId: 'acme', $or: [{ label: a1.label }, { code: 'x' }] },
    ],
  ],
  [
    'an element',
    'tags.1',
    [
      { orgId: 'acme', tags: a1.tags?.[1] },
      { orgId: 'acme', tags: { $elemMatch: { $eq: a1.tags?.[1] } } },
    ],
  ],
  [
    'a member of an element',
    'items.0.sku',
    [
      { orgId: 'acme', 'items.sku': a1.items?.[0]?.sku },
      { orgId: 'acme', items: { $elemMatch: { sku: a1.items?.[0]?.sku } } },
    ],
  ],
]

describe.skipIf(uri === undefined)('on a server', () => {
  let o: Orders
  beforeEach(async () => {
    o = await openOrders()
  })
  const snapshot = (): Promise<readonly Document[]> => o.stored.find().sort({ _id: 1 }).toArray()

  const actsOn = (filter: object): readonly (readonly [string, () => Promise<unknown>])[] => {
    const given = filter as never
    return [
      ['findOne', () => o.orders.findOne(given)],
      ['find', () => o.orders.find(given).toArray()],
      ['find, of a plain path', () => o.orders.find(given, { projection: { plan: 1 } }).toArray()],
      ['find, without owner and id', () => o.orders.find(given, { projection: { _id: 0, name: 1 } }).toArray()],
      ['countDocuments', () => o.orders.countDocuments(given)],
      ['aggregate, of a plain path', () => o.orders.aggregate([{ $match: filter }, { $project: { plan: 1 } }]).toArray()],
      ['aggregate, counted', () => o.orders.aggregate([{ $match: filter }, { $count: 'n' }]).toArray()],
      ['aggregate, grouped', () => o.orders.aggregate([{ $match: filter }, { $group: { _id: '$plan' } }]).toArray()],
      ['distinct', () => o.orders.distinct('plan', given)],
      ['distinct, encrypted', () => o.orders.distinct('code', given)],
      ['updateOne', () => o.orders.updateOne(given, { $set: { plan: 'stolen' } })],
      [
        'updateOne, encrypted',
        () => o.orders.updateOne({ $and: [{ _id: 'b1', orgId: 'acme', personId: 'bob' }, given] } as never, { $set: { name: 'x' } }),
      ],
      ['updateMany', () => o.orders.updateMany(given, { $set: { plan: 'stolen' } })],
      [
        'replaceOne',
        () =>
          o.orders.replaceOne(
            { $and: [{ _id: 'b1', orgId: 'acme', personId: 'bob' }, given] } as never,
            { orgId: 'acme', personId: 'bob' } as Order,
          ),
      ],
      ['deleteOne', () => o.orders.deleteOne(given)],
      ['deleteMany', () => o.orders.deleteMany(given)],
    ]
  }

  describe.each(PLACES)('%s', (_, path, filters) => {
    // A list as an element of a list is no hit.
    test.each(COPIES.filter(([name]) => !(path === 'tags.1' && name === 'with its value, in a list')))(
      '%s: nobody is taken for somebody else, and nothing is done to him',
      async (__, copy) => {
        const own = at(await o.stored.findOne({ _id: 'b1' }), path) as Indexed
        const stolen = at(await o.stored.findOne({ _id: 'a1' }), path) as Indexed
        await o.stored.updateOne({ _id: 'b1' }, { $set: { [path]: copy(own, stolen) } })
        // First with the person whose it is, then without.
        for (const there of [true, false]) {
          if (!there) await o.stored.deleteOne({ _id: 'a1' })
          const before = await snapshot()
          for (const filter of filters) {
            // That the server takes the copy for a hit: else nothing here is tested.
            expect(await o.stored.countDocuments({ [`${path.replaceAll(/\.\d+/g, '')}.i`]: stolen.i })).toBe(there ? 2 : 1)
            for (const [name, act] of actsOn(filter)) expect([name, (await refusalOf(act)).code]).toEqual([name, 'decrypt_failed'])
          }
          expect(await snapshot()).toEqual(before)
        }
      },
    )
  })

  const copied = (own: Document | null, stolen: Document | null, path: string): Indexed => ({
    c: (at(own, path) as Indexed).c,
    i: (at(stolen, path) as Indexed).i,
  })
  test.each<[string, (own: Document | null, stolen: Document | null) => Document, readonly object[]]>([
    [
      'at a position where no array is',
      (own, stolen) => ({ tags: { 0: copied(own, stolen, 'tags.0') }, items: { 0: { sku: copied(own, stolen, 'items.0.sku') } } }),
      [{ 'items.0.sku': a1.items?.[0]?.sku }, { 'tags.0': a1.tags?.[0] }, { $or: [{ 'items.0.sku': a1.items?.[0]?.sku }, { code: 'x' }] }],
    ],
    [
      'in a member of an element that is named like a position',
      (own, stolen) => ({ items: [{ sku: at(own, 'items.0.sku'), 0: { sku: copied(own, stolen, 'items.0.sku') } }] }),
      [
        { 'items.0.sku': a1.items?.[0]?.sku },
        { $and: [{ 'items.0.sku': { $in: ['x', a1.items?.[0]?.sku] } }] },
        { $or: [{ 'items.0.sku': a1.items?.[0]?.sku }, { code: 'x' }] },
        { 'items.0.sku': { $ne: 'x', $in: [a1.items?.[0]?.sku] } },
        { items: { $elemMatch: { '0.sku': a1.items?.[0]?.sku } } },
      ],
    ],
    [
      'there, and nothing of its own',
      (own, stolen) => ({ items: [{ 0: { sku: copied(own, stolen, 'items.0.sku') } }] }),
      [{ 'items.0.sku': a1.items?.[0]?.sku }],
    ],
  ])('%s: nobody is taken for somebody else, and nothing is done to him', async (_, stored, filters) => {
    const [own, stolen] = [await o.stored.findOne({ _id: 'b1' }), await o.stored.findOne({ _id: 'a1' })]
    await o.stored.updateOne({ _id: 'b1' }, { $set: stored(own, stolen) })
    const before = await snapshot()
    for (const filter of filters)
      for (const [name, act] of actsOn({ _id: 'b1', orgId: 'acme', ...filter }))
        expect([filter, name, (await refusalOf(act)).code]).toEqual([filter, name, 'decrypt_failed'])
    expect(await snapshot()).toEqual(before)
  })

  test('what holds no value that was searched for is no damage where a search does not ask for one', async () => {
    await o.orders.updateOne({ _id: 'b1', orgId: 'acme', personId: 'bob' }, { $unset: { tags: 1, items: 1, code: 1 } as never })
    await o.orders.updateOne({ _id: 'b1', orgId: 'acme', personId: 'bob' }, { $set: { 'items.0.sku': 'new', 'tags.0': 'tag' } as never })
    const filters: readonly object[] = [
      { 'items.0.sku': 'new' },
      { 'tags.0': 'tag' },
      { $or: [{ 'items.0.sku': 'new' }, { code: 'x' }] },
      { $or: [{ 'items.sku': 'x' }, { plan: 'free' }] },
      { 'items.sku': { $ne: 'x' } },
      { 'items.sku': { $nin: ['x'] } },
      { 'items.sku': { $not: { $in: ['x'] } } },
      { 'tags.0': { $in: ['x', 'tag'] } },
      { code: { $in: [null, 'x'] } },
      { code: { $exists: false }, tags: { $ne: 'x' } },
      { $nor: [{ 'items.0.sku': 'x' }] },
    ]
    for (const filter of filters) {
      const given = { _id: 'b1', orgId: 'acme', ...filter } as never
      expect([filter, await o.orders.find(given, { projection: { plan: 1 } }).toArray()]).toEqual([filter, [{ _id: 'b1', plan: 'free' }]])
      expect(await o.orders.countDocuments(given)).toBe(1)
      expect((await o.orders.updateOne(given, { $set: { plan: 'free' } })).matchedCount).toBe(1)
    }
    const given = { _id: 'b1', orgId: 'acme', 'items.0.sku': 'new' } as never
    expect(await o.orders.find(given, { projection: { 'items.text': 1, _id: 0 } }).toArray()).toEqual([{ items: {} }])
    const { items, tags, ...rest } = (await o.orders.findOne({ _id: 'b1' })) as Order
    expect([items, tags]).toEqual([{ 0: { sku: 'new' } }, { 0: 'tag' }])
    expect(await o.orders.find(given, { projection: { 'items.0': 0, tags: 0 } }).toArray()).toEqual([{ ...rest, items: {} }])
  })

  test('an index value that is taken away hides a document from a search for it, but not from the search for all others', async () => {
    await o.stored.updateOne({ _id: 'b1' }, { $unset: { 'code.i': 1 } })
    expect(await o.orders.find({ code: 'code of b1' }).toArray()).toEqual([])
    expect((await refusalOf(() => o.orders.find({ code: { $ne: 'x' } }).toArray())).code).toBe('decrypt_failed')
  })

  describe('in a pipeline', () => {
    const acme = { $match: { orgId: 'acme' } }
    const codes = { $lookup: { from: 'orders', localField: 'code', foreignField: 'code', as: 'same' } }
    const PIPELINES: readonly (readonly [string, string, readonly Document[]])[] = [
      ['a $match after a rename', 'code', [{ $project: { was: '$code' } }, { $match: { was: a1.code } }]],
      [
        'a $match after a rename, without it',
        'code',
        [{ $set: { was: '$code' } }, { $match: { was: a1.code } }, { $project: { plan: 1 } }],
      ],
      ['a $match after a rename, counted', 'code', [{ $set: { was: '$code' } }, { $match: { was: a1.code } }, { $count: 'n' }]],
      ['a $match of an index of a tenant', 'label', [acme, { $set: { was: '$label' } }, { $match: { was: a1.label } }]],
      ['a $match of an element', 'tags.1', [acme, { $unwind: '$tags' }, { $match: { tags: a1.tags?.[1] } }, { $project: { plan: 1 } }]],
      ['a $match of elements that were moved', 'tags.1', [acme, { $project: { all: '$tags' } }, { $match: { all: a1.tags?.[1] } }]],
      [
        'a $match of a member of an element',
        'items.0.sku',
        [acme, { $unwind: '$items' }, { $match: { 'items.sku': a1.items?.[0]?.sku } }, { $project: { 'items.text': 1 } }],
      ],
      [
        'a $match of a member of elements',
        'items.0.sku',
        [acme, { $set: { x: 1 } }, { $match: { items: { $elemMatch: { sku: a1.items?.[0]?.sku } } } }, { $project: { plan: 1 } }],
      ],
      ['$group by an index', 'code', [{ $group: { _id: '$code', n: { $sum: 1 } } }]],
      ['$group by an index of a tenant', 'label', [acme, { $group: { _id: { label: '$label' }, n: { $sum: 1 } } }]],
      ['$group by elements', 'tags.1', [acme, { $unwind: '$tags' }, { $group: { _id: '$tags', n: { $sum: 1 } } }]],
      ['a $match of what was grouped', 'code', [{ $group: { _id: '$_id', first: { $first: '$code' } } }, { $match: { first: a1.code } }]],
      [
        'a $match of what was pushed',
        'code',
        [{ $group: { _id: '$_id', all: { $push: '$code' } } }, { $unwind: '$all' }, { $match: { all: a1.code } }],
      ],
      ['a $match within $facet', 'code', [{ $facet: { a: [{ $match: { code: a1.code } }, { $count: 'n' }] } }]],
      ['$lookup, from the one', 'code', [{ $match: { _id: 'b1' } }, codes, { $project: { same: { plan: 1 } } }]],
      [
        '$lookup, from the one, and without it',
        'code',
        [{ $match: { _id: 'b1' } }, codes, { $project: { _id: 0, plan: 1, 'same.plan': 1 } }],
      ],
      ['$lookup, of the one', 'code', [{ $match: { _id: 'a1' } }, codes, { $unwind: '$same' }, { $project: { _id: 0, 'same.plan': 1 } }]],
      [
        'a $match within $lookup',
        'code',
        [
          {
            $lookup: {
              from: 'orders',
              localField: 'plan',
              foreignField: 'plan',
              as: 'all',
              pipeline: [{ $match: { code: a1.code } }, { $project: { plan: 1 } }],
            },
          },
        ],
      ],
      [
        'a $match of what was joined',
        'code',
        [
          { $lookup: { from: 'orders', localField: 'plan', foreignField: 'plan', as: 'all' } },
          { $unwind: '$all' },
          { $match: { 'all.code': a1.code } },
          { $project: { 'all.plan': 1 } },
        ],
      ],
      [
        'a $match of what was joined, in its array',
        'code',
        [
          { $lookup: { from: 'orders', localField: 'plan', foreignField: 'plan', as: 'all' } },
          { $match: { 'all.code': a1.code } },
          { $project: { 'all.plan': 1 } },
        ],
      ],
      [
        'a $match within $unionWith',
        'code',
        [
          { $match: { _id: 'none' } },
          { $unionWith: { coll: 'orders', pipeline: [{ $match: { code: a1.code } }, { $project: { plan: 1 } }] } },
        ],
      ],
    ]
    test.each(PIPELINES)('%s: nobody is taken for somebody else', async (pipelineName, path, pipeline) => {
      const answer = (): Promise<readonly Document[]> => o.orders.aggregate(pipeline).toArray()
      // As nobody has changed anything.
      const before = await answer()
      expect(before.length).toBeGreaterThan(0)
      const [own, stolen] = [at(await o.stored.findOne({ _id: 'b1' }), path), at(await o.stored.findOne({ _id: 'a1' }), path)]
      for (const [name, make] of COPIES) {
        // No hit: in a list of lists; and where this server joins by no element of a list.
        if (name === 'with its value, in a list' && (path === 'tags.1' || pipelineName === '$lookup, of the one')) continue
        await o.stored.updateOne({ _id: 'b1' }, { $set: { [path]: make(own as Indexed, stolen as Indexed) } })
        expect([name, (await refusalOf(answer)).code]).toEqual([name, 'decrypt_failed'])
      }
      await o.stored.updateOne({ _id: 'b1' }, { $set: { [path]: own } })
      expect(await answer()).toEqual(before)
    })

    test('records of whose something is that somebody has planted are not looked at', async () => {
      const [own, stolen] = [await o.stored.findOne({ _id: 'b1' }), await o.stored.findOne({ _id: 'a1' })]
      const record = { o: { t: 'acme', s: 'ada', i: 'a1' }, k: 1, m0: [stolen?.['code']] }
      for (const planted of [record, [record], 'x']) {
        await o.stored.updateOne({ _id: 'b1' }, { $set: { _strongroom: planted } })
        expect(await o.orders.aggregate([{ $match: { _id: 'b1' } }]).toArray()).toEqual(
          [await o.orders.findOne({ _id: 'b1' })].map((each) => {
            const { _strongroom: hidden, ...rest } = each as Document
            expect(hidden).toEqual(planted)
            return rest
          }),
        )
      }
      await o.stored.updateOne({ _id: 'b1' }, { $set: { name: stolen?.['name'], _strongroom: record } })
      expect((await refusalOf(() => o.orders.aggregate([{ $match: { _id: 'b1' } }]).toArray())).code).toBe('decrypt_failed')
      await o.stored.updateOne({ _id: 'b1' }, { $set: { name: { v: stolen?.['name'], o: record.o } } })
      expect((await refusalOf(() => o.orders.aggregate([{ $match: { _id: 'b1' } }]).toArray())).code).toBe('decrypt_failed')
      await o.stored.updateOne({ _id: 'b1' }, { $set: { name: own?.['name'] } })
    })
  })
})
