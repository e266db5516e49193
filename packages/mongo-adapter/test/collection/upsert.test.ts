// Upserts: what is inserted is what MongoDB would make of filter and update, encrypted for whom they name.
import { encrypted, encryptedCollection, type EncryptedCollection } from '@strongroom/mongo-adapter'
import { type Collection, type Document, ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { outcome, refusalOf } from '../refusals.ts'
import { ada, dataCommands, looseUsers, uri, User, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeAll(async () => {
    w = await world()
  })
  beforeEach(async () => {
    // secantusd keeps entries of a unique index for values that were taken away.
    await w.stored.drop()
    await w.users.createIndexes()
    await w.plain.deleteMany({})
    await w.users.insertOne(ada)
    await w.plain.insertOne(ada)
    w.commands.length = 0
  })
  const upsert = { upsert: true } as const
  const pins = { _id: 'zoe', orgId: 'acme' }
  const sent = (): string => JSON.stringify(w.commands.map(({ command }) => command))

  test.each<[string, object, object]>([
    ['values of $set and $setOnInsert', pins, { $set: { name: 'Canary-Zoe' }, $setOnInsert: { age: 5, plan: 'pro' } }],
    ['equality with what is encrypted', { ...pins, email: 'Canary@Example.com', age: 7 }, { $set: { plan: 'x' } }],
    ['that, which the update sets', { ...pins, email: 'canary@example.com' }, { $set: { email: 'Canary2@example.com' } }],
    ['that, which the update takes away', { ...pins, email: 'canary@example.com' }, { $unset: { email: '' } }],
    [
      'equality by $eq, in $and, and in $or of one',
      { $and: [pins, { age: { $eq: 7 } }, { $or: [{ plan: 'x' }] }] },
      { $set: { name: 'x' } },
    ],
    ['null', { ...pins, email: null }, { $set: { plan: 'x' } }],
    ['conditions that say no value', { ...pins, age: { $ne: 7 }, email: { $exists: true }, plan: { $gt: 'x' } }, { $set: { name: 'x' } }],
    ['paths of objects', { ...pins, 'address.city': 'Paris' }, { $set: { 'address.street': 'Canary 5' } }],
    [
      'an object that takes the place of such a path',
      { ...pins, 'address.city': 'Paris' },
      { $set: { address: { street: 'Canary', city: 'x' } } },
    ],
    ['positions', { ...pins, 'phones.0': '+442079460001' }, { $set: { name: 'x' } }],
    ['elements', pins, { $push: { phones: { $each: ['+442079460001'], $slice: 1 } } }],
    ['whose it is, on insert', { plan: 'new' }, { $set: { name: 'x' }, $setOnInsert: { _id: 'zoe', orgId: 'acme' } }],
    ['nothing but that', { plan: 'new' }, { $setOnInsert: { _id: 'zoe', orgId: 'acme', name: 'Canary' } }],
  ])('%s', async (_, filter, change) => {
    for (const [method, id] of [
      ['updateOne', 'zoe'],
      ['updateMany', 'yan'],
    ] as const) {
      // Each has an id, a plan and an address of its own.
      const own = (given: object): object =>
        JSON.parse(JSON.stringify(given).replaceAll('zoe', id).replaceAll('"new"', `"${id}"`).replaceAll('anary', `anary-${id}`)) as object
      const [where, what] = [own(filter), own(change)]
      w.commands.length = 0
      const answer = await w.users[method](where as never, what, upsert)
      expect(sent().toLowerCase()).not.toContain('canary')
      expect(answer).toEqual(await w.plain[method](where as never, what as never, upsert))
      expect(answer).toMatchObject({ upsertedCount: 1, upsertedId: id, matchedCount: 0 })
      expect(await (await w.reopen()).findOne({ _id: id })).toEqual(await w.plain.findOne({ _id: id }))
    }
    expect(await w.users.findOne({ _id: 'ada' })).toEqual(ada)
  })

  test('a pattern is no value; an element that is added to a set is pushed', async () => {
    await w.users.updateOne({ ...pins, plan: /x/ }, { $addToSet: { phones: '+442079460001' } }, upsert)
    expect(await w.users.findOne(pins)).toEqual({ ...pins, phones: ['+442079460001'] })
  })

  test('on a match, what is for new documents is not written', async () => {
    const change = { $set: { plan: 'x' }, $setOnInsert: { name: 'Canary', orgId: 'rival', age: 1 } }
    expect(await outcome(() => w.users.updateOne({ orgId: 'acme', email: ada.email }, change, upsert))).toBe('invalid_argument')
    const own = { $set: { plan: 'x' }, $setOnInsert: { name: 'Canary', _id: 'zoe', age: 1 } }
    expect(await w.users.updateOne({ orgId: 'acme', email: ada.email }, own, upsert)).toMatchObject({ matchedCount: 1, upsertedCount: 0 })
    expect(await w.users.updateOne({ orgId: 'acme', email: ada.email }, { $setOnInsert: { name: 'Canary' } })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 0,
    })
    expect(await w.users.find().toArray()).toEqual([{ ...ada, plan: 'x' }])
    expect(sent()).not.toContain('Canary')
  })

  test('replaceOne and findOneAndReplace', async () => {
    const replacement = { orgId: 'acme', name: 'Canary', plan: 'x' }
    expect(await w.users.replaceOne({ _id: 'zoe', plan: 'y' }, replacement, upsert)).toMatchObject({ upsertedId: 'zoe', matchedCount: 0 })
    expect(await w.users.replaceOne({ plan: 'y' }, { ...replacement, _id: 'yan' }, upsert)).toMatchObject({ upsertedId: 'yan' })
    expect(
      await w.users.findOneAndReplace({ _id: 'yan' }, { orgId: 'acme', name: 'again' }, { ...upsert, returnDocument: 'after' }),
    ).toEqual({
      _id: 'yan',
      orgId: 'acme',
      name: 'again',
    })
    expect(await w.users.find().sort({ _id: 1 }).toArray()).toEqual([
      ada,
      { _id: 'yan', orgId: 'acme', name: 'again' },
      { _id: 'zoe', ...replacement },
    ])
  })

  test('what a filter does not let through is not written, also where it has the id: it is a duplicate', async () => {
    for (const write of [
      () => w.users.updateOne({ _id: 'ada', orgId: 'acme', email: 'other@example.com' }, { $set: { name: 'x' } }, upsert),
      () => w.users.replaceOne({ _id: 'ada', plan: 'other' }, { orgId: 'acme', name: 'x' }, upsert),
      () => w.users.findOneAndUpdate({ _id: 'ada', orgId: 'rival' }, { $set: { name: 'x' } }, upsert),
    ])
      await expect(write()).rejects.toMatchObject({ code: 11_000 })
    expect(await w.users.findOne({ _id: 'ada' })).toEqual(ada)
  })

  describe('ids', () => {
    const schema = z.object({ _id: z.instanceof(ObjectId), orgId: z.string(), who: z.string(), name: encrypted(z.string()).optional() })
    type Note = z.output<typeof schema>
    const notes = (): EncryptedCollection<Note> =>
      encryptedCollection(w.vault, w.stored.db.collection('notes'), { schema, tenant: 'orgId', subject: 'who' }) as never

    test('are made here where the schema says that they are ObjectIds, and bind the values', async () => {
      for (const write of [
        (who: string) => notes().updateOne({ orgId: 'acme', who }, { $set: { name: who } }, upsert),
        (who: string) => notes().replaceOne({ who }, { orgId: 'acme', who, name: who }, upsert),
      ]) {
        const who = `p${Math.random()}`
        const { upsertedId } = await write(who)
        expect(upsertedId).toBeInstanceOf(ObjectId)
        expect(await notes().findOne({ who })).toEqual({ _id: upsertedId, orgId: 'acme', who, name: who })
        expect(await write(who)).toMatchObject({ matchedCount: 1, upsertedId: null })
      }
    })

    test('are demanded where it says something else, before anything is sent', async () => {
      for (const write of [
        () => w.users.updateOne({ orgId: 'acme', plan: 'x' }, { $set: { name: 'x' } }, upsert),
        () => w.users.replaceOne({ plan: 'x' }, { orgId: 'acme', name: 'x' }, upsert),
      ])
        expect((await refusalOf(write)).argument).toBe('_id')
      expect(dataCommands(w)).toEqual([])
    })
  })

  test.each<[string, string, object, object]>([
    ['nobody', 'invalid_argument', { _id: 'zoe' }, { $set: { plan: 'x' } }],
    ['another than the filter', 'invalid_argument', pins, { $setOnInsert: { orgId: 'rival' } }],
    ['another id than the filter', 'invalid_argument', pins, { $setOnInsert: { _id: 'yan' } }],
    [
      'what the update takes out of an object',
      'unsupported_operation',
      { ...pins, 'phones.0': '+1234567' },
      { $unset: { 'phones.0': '' } },
    ],
    ['an id that is null', 'invalid_argument', { orgId: 'acme', plan: 'none' }, { $setOnInsert: { _id: null } }],
    ['an id that is null, in the filter', 'invalid_argument', { orgId: 'acme', _id: null }, { $set: { plan: 'x' } }],
    ['two values', 'unsupported_operation', { ...pins, $and: [{ plan: 'x' }, { plan: 'y' }] }, { $set: { name: 'x' } }],
    ['$in of one value', 'unsupported_operation', { ...pins, email: { $in: ['a@b.cc'] } }, { $set: { name: 'x' } }],
    ['$all of one value', 'unsupported_operation', { ...pins, phones: { $all: ['+1234567'] } }, { $set: { name: 'x' } }],
    ['a path through an array', 'invalid_argument', { ...pins, 'notes.title': 'x' }, { $set: { name: 'x' } }],
    ['a value where an array belongs', 'invalid_argument', { ...pins, phones: '+1234567' }, { $set: { name: 'x' } }],
    ['what the update adds to', 'unsupported_operation', { ...pins, 'phones.0': '+1234567' }, { $push: { phones: '+1234567' } }],
  ])('refused, and nothing is sent and no key made: %s', async (_, code, filter, change) => {
    const before = w.keyStore.snapshot().length
    for (const write of [
      () => w.users.updateOne(filter as never, change, upsert),
      () => w.users.findOneAndUpdate(filter as never, change, upsert),
    ])
      expect(await outcome(write)).toBe(code)
    expect(await outcome(() => w.users.updateOne(pins, { $set: { name: 'x' } }, { upsert: 1 as never }))).toBe('invalid_argument')
    expect(await outcome(() => w.users.updateOne(pins, { $set: { name: 'x' } }, { ...upsert, writeConcern: { w: 0 } }))).toBe(
      'unsupported_operation',
    )
    expect(dataCommands(w)).toEqual([])
    expect(w.keyStore.snapshot().length).toBe(before)
  })

  test('within a scope, which says whose', async () => {
    const acme = w.users.for({ tenant: 'acme' })
    expect(await acme.updateOne({ _id: 'zoe' }, { $set: { name: 'x' } }, upsert)).toMatchObject({ upsertedId: 'zoe' })
    expect(await acme.updateOne({ _id: 'yan', orgId: 'acme' }, { $set: { name: 'y' } }, upsert)).toMatchObject({ upsertedId: 'yan' })
    await acme.bulkWrite([{ updateOne: { filter: { _id: 'kim', orgId: 'acme' }, update: { $set: { name: 'z' } }, upsert: true } }])
    const hers = w.users.for({ tenant: 'rival', subject: 'eve' })
    expect(await hers.replaceOne({}, { name: 'e' } as never, { upsert: true })).toMatchObject({ upsertedId: 'eve' })
    expect(
      await w.users
        .find({ _id: { $ne: 'ada' } })
        .sort({ _id: 1 })
        .toArray(),
    ).toEqual([
      { _id: 'eve', orgId: 'rival', name: 'e' },
      { _id: 'kim', orgId: 'acme', name: 'z' },
      { _id: 'yan', orgId: 'acme', name: 'y' },
      { _id: 'zoe', orgId: 'acme', name: 'x' },
    ])
  })

  describe('when somebody else inserts at the same time', () => {
    /** Inserts before each insertion. */
    function rivalled(insert: (call: number) => Promise<unknown>): { users: World['users']; calls: () => number } {
      const collection = w.client.db(w.stored.dbName).collection('users') as unknown as Collection
      const own = collection.updateOne.bind(collection)
      let calls = 0
      collection.updateOne = async (filter, update, options) => {
        if (options?.upsert === true) await insert(++calls)
        return own(filter, update as Document, options)
      }
      const users = encryptedCollection(w.vault, collection, { schema: User, tenant: 'orgId', subject: '_id' }) as unknown as World['users']
      return { users, calls: () => calls }
    }

    test('theirs is written', async () => {
      const { users, calls } = rivalled(() => w.users.insertOne({ _id: 'zoe', orgId: 'acme', email: 'zoe@example.com' }))
      const filter = { _id: 'zoe', orgId: 'acme' }
      expect(await users.updateOne(filter, { $set: { name: 'Canary' } }, upsert)).toMatchObject({ matchedCount: 1, upsertedCount: 0 })
      expect([calls(), await w.users.findOne(filter)]).toEqual([1, { ...filter, email: 'zoe@example.com', name: 'Canary' }])
    })

    test('a duplicate that stays one is thrown after five times, and at once in a transaction', async () => {
      const { users, calls } = rivalled(() => Promise.resolve())
      const call = (options: object = {}): Promise<unknown> =>
        users.updateOne({ ...pins, plan: 'x' }, { $set: { email: 'ada@EXAMPLE.com' } }, { ...upsert, ...options })
      await expect(call()).rejects.toMatchObject({ code: 11_000, keyPattern: { email: 1 } })
      expect(calls()).toBe(5)
      const session = w.client.startSession()
      try {
        session.startTransaction()
        await expect(call({ session })).rejects.toMatchObject({ code: 11_000 })
        expect(calls()).toBe(6)
        await session.abortTransaction()
      } finally {
        await session.endSession()
      }
    })
  })

  test('plain members of documents that take any', async () => {
    const loose = looseUsers(w)
    expect(await loose.updateOne({ ...pins, any: { thing: 1 } }, { $inc: { count: 2 }, $set: { email: 'x' } }, upsert)).toMatchObject({
      upsertedId: 'zoe',
    })
    expect(await loose.findOne()).toEqual({ ...pins, any: { thing: 1 }, count: 2, email: 'x' })
  })
})
