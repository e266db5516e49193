// A path that a strict schema does not have, most of all one that is misspelt: what is asked of it would be sent as it is. So it is refused.
import { encrypted, encryptedCollection, type EncryptedCollection } from '@strongroom/mongo-adapter'
import { type Document } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { ada, dataCommands, looseUsers, uri, world, type World } from '../collection/support.ts'
import { outcome, refusalOf } from '../refusals.ts'

const CANARY = 'canary@example.com'
const pinned = { _id: 'ada', orgId: 'acme' }

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertOne(ada)
    w.commands.length = 0
  })

  async function refusedNaming(path: string, call: () => unknown): Promise<void> {
    const keys = w.keyStore.snapshot().length
    const error = await refusalOf(call)
    expect([error.code, error.message]).toEqual(['invalid_argument', expect.stringContaining(`, as ${path};`)])
    expect(JSON.stringify([error, error.stack, error.cause])).not.toContain('canary')
    expect([dataCommands(w), w.keyStore.snapshot().length]).toEqual([[], keys])
  }

  const misspelt: readonly [string, object][] = [
    ['emial', { emial: CANARY }],
    ['emial', { orgId: 'acme', emial: { $in: [CANARY] } }],
    ['emial', { $or: [{ email: CANARY }, { $and: [{ emial: { $ne: CANARY } }] }] }],
    ['emial', { emial: { $not: { $eq: CANARY } } }],
    ['emial.i', { 'emial.i': CANARY }],
    ['address.strete', { 'address.strete': CANARY }],
    ['address.0.strete', { 'address.0.strete': CANARY }],
    ['notes.txet', { 'notes.txet': CANARY }],
    ['notes.0.txet', { 'notes.0.txet': CANARY }],
    ['txet', { notes: { $elemMatch: { title: 'one', txet: CANARY } } }],
  ]
  const calls: readonly [string, (filter: never) => unknown][] = [
    ['find', (filter) => w.users.find(filter).toArray()],
    ['filter of a cursor', (filter) => w.users.find().filter(filter).toArray()],
    ['findOne', (filter) => w.users.findOne(filter)],
    ['countDocuments', (filter) => w.users.countDocuments(filter)],
    ['distinct', (filter) => w.users.distinct('plan', filter)],
    ['updateOne', (filter) => w.users.updateOne(filter, { $set: { plan: 'x' } })],
    ['updateMany', (filter) => w.users.updateMany(filter, { $set: { plan: 'x' } })],
    ['replaceOne', (filter) => w.users.replaceOne({ $and: [pinned, filter] }, { orgId: 'acme', name: 'x' })],
    ['deleteOne', (filter) => w.users.deleteOne(filter)],
    ['deleteMany', (filter) => w.users.deleteMany(filter)],
    ['find in a scope', (filter) => w.users.for({ tenant: 'acme' }).find(filter).toArray()],
  ]
  test.each(calls)('in a filter of %s', async (_, call) => {
    for (const [path, filter] of misspelt) await refusedNaming(path, () => call(filter as never))
    // The same where the schema has the path.
    await call({ email: CANARY } as never)
    expect(JSON.stringify(w.commands.map(({ command }) => command))).not.toContain('canary')
  })

  test('in what is sorted by, of which distinct values are asked, and what an index is of', async () => {
    await refusedNaming('plna', () => w.users.find({}, { sort: { plna: 1 } }))
    await refusedNaming('plna', () => w.users.find().sort(['plan', 'plna']))
    await refusedNaming('plna', () => w.users.updateOne({}, { $set: { plan: 'x' } }, { sort: { plna: 1 } }))
    await refusedNaming('emial', () => w.users.distinct('emial'))
    await refusedNaming('emial', () => w.users.createIndex({ emial: 1 }))
    await refusedNaming('emial', () => w.users.createIndexes([{ key: { plan: 1 } }, { key: { orgId: 1, emial: 1 } }]))
    await refusedNaming('emial', () => w.users.createIndex({ plan: 1 }, { partialFilterExpression: { emial: CANARY } }))
    await refusedNaming('emial', () => w.users.find({}, { hint: { emial: 1 } }))
    await refusedNaming('emial', () => w.users.countDocuments({}, { hint: { emial: 1 } }))

    await w.users.createIndex({ plan: 1 }, { partialFilterExpression: { plan: 'pro' } })
    expect(await w.users.find({ plan: 'pro' }, { sort: { plan: 1 }, hint: { plan: 1 } }).toArray()).toEqual([ada])
    expect(await w.users.find({}, { sort: { $natural: 1 } }).toArray()).toEqual([ada])
    expect(await w.users.find({}, { hint: { $natural: 1 } }).toArray()).toEqual([ada])
    expect(await w.users.distinct('plan')).toEqual(['pro'])
  })

  test('in arrayFilters, whose names an update has to use', async () => {
    const change = { $set: { 'notes.$[n].title': 'two' } } as never
    const by = (filter: object) => () => w.users.updateOne(pinned, change, { arrayFilters: [filter] })
    await refusedNaming('notes.txet', by({ 'n.txet': CANARY }))
    await refusedNaming('notes.txet', by({ $or: [{ 'n.title': 'one' }, { 'n.txet': CANARY }] }))
    const unused = await refusalOf(by({ 'm.text': CANARY }))
    expect([unused.code, unused.message.includes('canary')]).toEqual(['invalid_argument', false])
    expect(dataCommands(w)).toEqual([])
    await by({ 'n.title': 'one' })()
    expect((await w.users.findOne(pinned))?.notes?.[0]?.title).toBe('two')
  })

  test('_id is of every document, declared or not, and a projection may name anything', async () => {
    expect(await w.users.findOne({ _id: 'ada' }, { projection: { plna: 1 } })).toEqual({ _id: 'ada' })
    expect(await w.users.find({}, { sort: { _id: 1 }, hint: { _id: 1 } }).toArray()).toEqual([ada])
    expect(await w.users.find({ '_id.part': 1 } as never).toArray()).toEqual([])
  })

  test('a loose object takes any name, and only where it is loose', async () => {
    const loose = looseUsers(w)
    const eve = { _id: 'eve', orgId: 'acme', email: CANARY, other: { a: 1 }, inner: { city: 'x', street: 'y' } }
    await loose.insertOne(eve)
    expect(
      await loose
        .find({ other: { a: 1 } })
        .sort({ 'other.a': 1 })
        .toArray(),
    ).toEqual([eve])
    expect(await loose.distinct('other.a')).toEqual([1])
    w.commands.length = 0
    await refusedNaming('inner.ctiy', () => loose.find({ 'inner.ctiy': CANARY }))
  })

  describe('within objects and arrays that hold nothing encrypted', () => {
    const Order = z.object({
      _id: z.string(),
      orgId: z.string(),
      note: encrypted(z.string()).optional(),
      ship: z.object({ city: z.string(), steps: z.array(z.object({ day: z.number() })).optional() }).optional(),
      items: z.array(z.object({ title: z.string(), n: z.number().optional() })).optional(),
      any: z.unknown(),
    })
    const mine = { _id: 'o', orgId: 'acme' }
    const order = { ...mine, note: 'n', ship: { city: 'Oslo', steps: [{ day: 1 }] }, items: [{ title: 'one' }, { title: 'two' }] }
    let orders: EncryptedCollection<Document & { _id: string }>
    beforeEach(async () => {
      const collection = w.client.db(w.stored.dbName).collection('orders')
      orders = encryptedCollection(w.vault, collection, { schema: Order, tenant: 'orgId', subject: '_id' }) as never
      await orders.insertOne(order)
      w.commands.length = 0
    })

    test.each<[string, object]>([
      ['ctiy', { ship: { ctiy: CANARY } }],
      ['ctiy', { ship: { $in: [{ city: 'Oslo' }, { ctiy: CANARY }] } }],
      ['ctiy', { ship: { $ne: { ctiy: CANARY } } }],
      ['ctiy', { ship: { $gte: { ctiy: CANARY } } }],
      ['dya', { 'ship.steps': { $elemMatch: { dya: CANARY } } }],
      ['dya', { ship: { city: 'Oslo', steps: [{ dya: CANARY }] } }],
      ['tilte', { items: { tilte: CANARY } }],
      ['tilte', { items: [{ tilte: CANARY }] }],
      ['tilte', { items: { $elemMatch: { $or: [{ title: 'one' }, { tilte: CANARY }] } } }],
      ['tilte', { items: { $not: { $elemMatch: { tilte: { $ne: CANARY } } } } }],
      ['tilte', { items: { $all: [{ $elemMatch: { tilte: CANARY } }] } }],
    ])('no filter names %s: %j', async (name, filter) => {
      await refusedNaming(name, () => orders.find(filter).toArray())
    })

    test('filters of what is declared find as the driver does', async () => {
      for (const filter of [
        { ship: { city: 'Oslo', steps: [{ day: 1 }] } },
        { ship: { $in: [order.ship, 5, null] } },
        { 'ship.steps': { $elemMatch: { day: { $gte: 1 } } } },
        { items: { title: 'one' } },
        { items: order.items },
        { items: { $elemMatch: { title: 'one', n: null } } },
        { items: { $all: [{ $elemMatch: { title: 'one' } }, { $elemMatch: { title: 'two' } }] } },
        { items: { $not: { $elemMatch: { title: 'three' } } } },
        { any: { $ne: { whatever: 1 } } },
      ])
        expect([filter, (await orders.find(filter).toArray()).length]).toEqual([filter, 1])
    })

    test.each<[string, object, object?]>([
      ['ctiy', { $set: { ship: { city: 'x', ctiy: CANARY } } }],
      ['ctiy', { $max: { ship: { ctiy: CANARY } } }],
      ['dya', { $set: { 'ship.steps.0': { dya: CANARY } } }],
      ['dya', { $push: { 'ship.steps': { dya: CANARY } } }],
      ['tilte', { $set: { items: [{ tilte: CANARY }] } }],
      ['tilte', { $push: { items: { $each: [{ title: 'x' }, { tilte: CANARY }] } } }],
      ['tilte', { $addToSet: { items: { tilte: CANARY } } }],
      ['tilte', { $pull: { items: { tilte: CANARY } } }],
      ['tilte', { $pull: { items: { $or: [{ tilte: CANARY }] } } }],
      ['tilte', { $pullAll: { items: [{ tilte: CANARY }] } }],
      ['tilte', { $set: { 'items.$[x].n': 1 } }, { arrayFilters: [{ x: { tilte: CANARY } }] }],
    ])('no update writes or names %s: %j', async (name, change, options = {}) => {
      const keys = w.keyStore.snapshot().length
      const error = await refusalOf(() => orders.updateOne(mine, change, options))
      expect([error.code, error.message]).toEqual(['invalid_argument', expect.stringContaining(`as ${name};`)])
      expect(JSON.stringify([error, error.stack, error.cause])).not.toContain('canary')
      expect([dataCommands(w), w.keyStore.snapshot().length]).toEqual([[], keys])
    })

    test.each<[object, object]>([
      [{ $set: { ship: { city: 'Rome' } } }, { ship: { city: 'Rome' } }],
      [{ $set: { ship: null } }, { ship: null }],
      [{ $push: { items: { $each: [{ title: 'x', n: 1 }], $position: 0, $slice: 1 } } }, { items: [{ title: 'x', n: 1 }] }],
      [{ $addToSet: { items: { title: 'one' } } }, {}],
      [{ $pull: { items: { title: { $in: ['one'] } } } }, { items: [{ title: 'two' }] }],
      [{ $pullAll: { items: [{ title: 'one' }] } }, { items: [{ title: 'two' }] }],
      [{ $set: { any: { whatever: [{ is: 1 }] } } }, { any: { whatever: [{ is: 1 }] } }],
    ])('updates of what is declared: %j', async (change, changed) => {
      await orders.updateOne(mine, change)
      expect(await orders.findOne(mine)).toEqual({ ...order, ...changed })
    })

    test('a shape that the schema does not say is written by nobody, and what has one is read', async () => {
      const changes: object[] = [
        { $set: { ship: 'x' } },
        { $set: { items: { title: 'x' } } },
        { $push: { items: 'x' } },
        { $max: { ship: [] } },
      ]
      for (const change of changes)
        expect([change, await outcome(() => orders.updateOne(mine, change))]).toEqual([change, 'invalid_argument'])
      expect(dataCommands(w)).toEqual([])
      const other = { ship: 'by sea', items: { title: 'one' } }
      await orders.dangerouslyUnwrap().updateOne({ _id: 'o' as never }, { $set: other })
      expect(await orders.findOne({ note: { $exists: true } })).toEqual({ ...order, ...other })
      const place = { tenant: 'acme', subject: 'o', references: ['0'.repeat(32), '1'.repeat(32)] }
      expect(await orders.resource({ erase: 'values' }).verify(place)).toBe(1)
    })
  })
})
