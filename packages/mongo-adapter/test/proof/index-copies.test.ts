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

  test('an index value that is taken away hides a document from a search for it, but not from the search for all others', async () => {
    await o.stored.updateOne({ _id: 'b1' }, { $unset: { 'code.i': 1 } })
    expect(await o.orders.find({ code: 'code of b1' }).toArray()).toEqual([])
    expect((await refusalOf(() => o.orders.find({ code: { $ne: 'x' } }).toArray())).code).toBe('decrypt_failed')
  })
})
