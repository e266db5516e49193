// What random operations found once, each by itself: the encrypted collection answers as the plain one.
import type { Document } from 'mongodb'
import { beforeAll, describe, expect, test } from 'vitest'

import { uri } from '../../support.ts'
import { ALL, openOrders, type Orders } from '../orders.ts'
import type { Target } from './perform.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let o: Orders
  let plain: Target
  beforeAll(async () => {
    o = await openOrders()
    plain = o.w.client.db(o.stored.dbName).collection('plain')
    await plain.insertMany(ALL.map((each): Document => ({ ...each })))
    for (const each of [plain, o.orders as unknown as Target]) {
      await each.insertOne({ _id: 'n1', orgId: 'acme', personId: 'ada', code: null, tags: [], items: [] } as Document)
      await each.insertOne({ _id: 'n0', orgId: 'acme', personId: 'ada', tags: ['red', null] } as Document)
      await each.insertOne({ _id: 'n2', orgId: 'acme', personId: 'ada', address: {}, items: [{}] } as Document)
    }
  })

  const both = async (call: (target: Target) => Promise<unknown>): Promise<void> =>
    expect(await call(o.orders as unknown as Target)).toEqual(await call(plain))

  test.each<[string, Document]>([
    ['another path than the one in a list that is searched by', { plan: 1 }],
    ['a path beside it', { 'items.text': 1, plan: 1 }],
    ['nothing of what the owner is', { 'address.street': 1, _id: 0 }],
    ['all but the path that is searched by', { 'items.sku': 0 }],
    ['all but what holds it', { items: 0 }],
    ['all but the owner, with _id said', { _id: 1, orgId: 0 }],
    ['all but _id and the owner', { _id: 0, orgId: 0, personId: 0 }],
  ])('projections: %s', async (_, projection) => {
    for (const filter of [{ orgId: 'acme', 'items.sku': { $ne: 'sku 0 of a1' } }, { orgId: 'acme', items: { $size: 0 } }, {}])
      await both((target) => target.find(filter, { projection }).sort({ _id: 1 }).toArray())
  })

  test.each([{ $ne: 'red' }, { $nin: [] }, { $nin: ['red', 'blue'] }, { $in: ['red'] }])(
    'elements that are null: %o',
    async ($elemMatch) => {
      await both((target) => target.find({ orgId: 'acme', tags: { $elemMatch } }).sort({ _id: 1 }).toArray())
    },
  )

  test.each(['code', 'tags', 'plan'])('distinct values of %s, null among them', async (path) => {
    await both(async (target) => (await target.distinct(path, { orgId: 'acme' })).map(String).sort())
  })
})
