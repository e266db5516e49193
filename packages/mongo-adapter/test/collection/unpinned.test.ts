// Writes of encrypted values by filters that do not say whose the document is: it is looked up, and written only as long as it is the same.
import { encryptedCollection, partialResult } from '@strongroom/mongo-adapter'
import type { UpdateResult } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { outcome, refusalOf } from '../refusals.ts'
import { ada, bob, dataCommands, type Person, rival, uri, User, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeAll(async () => {
    w = await world()
  })
  beforeEach(async () => {
    // secantusd keeps entries of a unique index for values that were taken away.
    await w.stored.drop()
    await w.users.createIndexes()
    await w.users.insertMany([ada, bob, rival])
    w.commands.length = 0
  })
  const sent = (): string => JSON.stringify(w.commands.map(({ command }) => command))
  const nameOf = async (_id: string): Promise<unknown> => (await (await w.reopen()).findOne({ _id }))?.name
  const EMPTY = { acknowledged: true, matchedCount: 0, modifiedCount: 0, upsertedCount: 0, upsertedId: null }

  /** The collection, in which somebody does something before each write is sent, and after it. */
  function meddled(before: (call: number) => Promise<unknown>, after: () => Promise<unknown> = async () => undefined): World['users'] {
    const collection = w.client.db(w.stored.dbName).collection('users')
    let calls = 0
    for (const method of ['updateOne', 'bulkWrite', 'findOneAndUpdate'] as const) {
      const own = collection[method].bind(collection) as (...given: unknown[]) => Promise<never>
      Reflect.set(collection, method, async (...given: unknown[]) => {
        await before(++calls)
        const answer: unknown = await own(...given)
        await after()
        return answer
      })
    }
    return encryptedCollection(w.vault, collection, { schema: User, tenant: 'orgId', subject: '_id' }) as unknown as World['users']
  }
  const set = (_id: string, plan: string): Promise<UpdateResult> => w.stored.updateOne({ _id }, { $set: { plan } })

  test('the filter is sent again, with the id and the owner that were found', async () => {
    expect(await w.users.updateOne({ plan: 'pro' }, { $set: { name: 'Canary-New' } })).toMatchObject({ matchedCount: 1, modifiedCount: 1 })
    expect(dataCommands(w)).toEqual(['find', 'update'])
    expect(w.commands[1]?.command['updates'][0]).toMatchObject({
      q: { plan: 'pro', $and: [{ orgId: { $eq: 'acme' }, _id: { $eq: 'ada' } }] },
      collation: { locale: 'simple' },
    })
    expect(sent()).not.toContain('Canary')
    expect(await nameOf('ada')).toBe('Canary-New')
  })

  test('which one, a sort says', async () => {
    await w.users.updateOne({ age: 36, orgId: 'acme' }, { $set: { name: 'last' } }, { sort: { _id: -1 } })
    expect([await nameOf('ada'), await nameOf('bob')]).toEqual([ada.name, 'last'])
  })

  test('where there is none, the answer is the driver’s, and so are its errors', async () => {
    expect(await w.users.updateOne({ plan: 'none' }, { $set: { name: 'Canary' } })).toEqual(EMPTY)
    expect(await w.users.updateMany({ plan: 'none' }, { $set: { name: 'Canary' } })).toEqual(EMPTY)
    expect(await w.users.replaceOne({ plan: 'none' }, { orgId: 'acme', name: 'Canary' })).toEqual(EMPTY)
    const twice = { $set: { phones: ['+1234567'], 'phones.0': '+1234567' } } as never
    for (const plan of ['none', 'pro']) await expect(w.users.updateOne({ plan }, twice)).rejects.toMatchObject({ code: 40 })
    expect(sent()).not.toContain('Canary')
  })

  test('without acknowledgement the answers are those of the driver, which knows no counts', async () => {
    const unheard = { writeConcern: { w: 0 } } as const
    const answers = async (users: World['plain']): Promise<readonly unknown[]> => [
      await users.updateOne({ plan: 'pro' }, { $set: { name: 'x' } }, unheard),
      await users.updateMany({ plan: 'pro' }, { $set: { name: 'x' } }, unheard),
      await users.updateMany({ plan: 'none' }, { $set: { name: 'x' } }, unheard),
      await users.replaceOne({ plan: 'pro' }, { orgId: 'acme', plan: 'pro' }, unheard),
    ]
    expect(await answers(w.users as never)).toEqual(await answers(w.plain))
  })

  test('in a transaction, with all of it', async () => {
    const session = w.client.startSession()
    try {
      session.startTransaction()
      await w.users.updateOne({ plan: 'pro' }, { $set: { name: 'x' } }, { session })
      await w.users.updateMany({ age: 36, orgId: 'acme' }, { $set: { name: 'y' } }, { session })
      const before = dataCommands(w).filter((each) => each === 'find' || each === 'update')
      expect(before.length).toBeGreaterThan(3)
      for (const { commandName, command } of w.commands) expect([commandName, command['autocommit']]).toEqual([commandName, false])
      await session.abortTransaction()
    } finally {
      await session.endSession()
    }
    expect([await nameOf('ada'), await nameOf('bob')]).toEqual([ada.name, bob.name])
  })

  test('one that was changed meanwhile is looked for again', async () => {
    const users = meddled(async (call) => call === 1 && set('bob', 'other'))
    const options = { sort: { _id: 1 } } as const
    expect(await users.updateOne({ plan: 'free' }, { $set: { name: 'Canary-New' } }, options)).toMatchObject({ matchedCount: 1 })
    expect([await nameOf('bob'), await nameOf('eve')]).toEqual([bob.name, 'Canary-New'])
    const none = meddled(() => w.stored.updateMany({}, { $set: { plan: 'other' } }))
    expect(await none.updateOne({ plan: 'free' }, { $set: { name: 'x' } })).toEqual(EMPTY)
    expect(await none.findOneAndUpdate({ plan: 'free' }, { $set: { name: 'x' } })).toBeNull()
  })

  test('one that has become another’s meanwhile is written with the keys of that one', async () => {
    await w.users.insertOne({ _id: 'zoe', orgId: 'acme', plan: 'lone' })
    const users = meddled(async (call) => call === 1 && w.stored.updateOne({ _id: 'zoe' }, { $set: { orgId: 'rival' } }))
    await users.updateOne({ plan: 'lone' }, { $set: { name: 'Canary-New' } })
    expect(await (await w.reopen()).findOne({ _id: 'zoe' })).toEqual({ _id: 'zoe', orgId: 'rival', plan: 'lone', name: 'Canary-New' })
  })

  test('after five times it is a conflict, and nothing was written', async () => {
    const users = meddled(
      () => set('ada', 'away'),
      () => set('ada', 'pro'),
    )
    for (const write of [
      () => users.updateOne({ plan: 'pro' }, { $set: { name: 'x' } }),
      () => users.findOneAndUpdate({ plan: 'pro' }, { $set: { name: 'x' } }),
    ]) {
      w.commands.length = 0
      expect(await outcome(write)).toBe('conflict')
      expect(dataCommands(w).filter((each) => each === 'find')).toHaveLength(5)
    }
    expect(await nameOf('ada')).toBe(ada.name)
  })

  test('what an index finds is compared before anything is written', async () => {
    await w.users.insertOne({ _id: 'zoe', orgId: 'acme', plan: 'copied', age: 50 })
    const [good, other] = [await w.stored.findOne({ _id: 'ada' }), await w.stored.findOne({ _id: 'zoe' })]
    await w.stored.updateOne({ _id: 'zoe' }, { $set: { age: { c: other?.['age'].c, i: good?.['age'].i } } })
    w.commands.length = 0
    const filter = { orgId: 'acme', plan: 'copied', age: 36 }
    for (const write of [
      () => w.users.updateOne(filter, { $set: { name: 'x' } }),
      () => w.users.updateMany(filter, { $set: { name: 'x' } }),
      () => w.users.replaceOne(filter, { orgId: 'acme', name: 'x' }),
      () => w.users.findOneAndUpdate(filter, { $set: { name: 'x' } }),
      () => w.users.findOneAndUpdate(filter, { $set: { plan: 'x' } }),
      () => w.users.findOneAndReplace(filter, { orgId: 'acme', plan: 'x' }),
      () => w.users.findOneAndDelete(filter),
      () => w.users.updateOne(filter, { $set: { plan: 'x' }, $setOnInsert: { _id: 'yan' } }, { upsert: true }),
    ])
      expect(await outcome(write)).toBe('decrypt_failed')
    expect(new Set(dataCommands(w))).toEqual(new Set(['find']))
  })

  test('a document that says of nobody whose it is', async () => {
    await w.stored.updateOne({ _id: 'ada' }, { $unset: { orgId: 1 } })
    expect(await outcome(() => w.users.updateOne({ plan: 'pro' }, { $set: { name: 'x' } }))).toBe('decrypt_failed')
  })

  test('replaceOne: whose the document is stays as it is', async () => {
    expect(await outcome(() => w.users.replaceOne({ plan: 'pro' }, { orgId: 'rival', name: 'x' }))).toBe('unsupported_operation')
    expect(await outcome(() => w.users.replaceOne({ plan: 'pro' }, { name: 'x' } as never))).toBe('invalid_argument')
    expect(await w.users.replaceOne({ email: ada.email }, { orgId: 'acme', name: 'Canary-New' })).toMatchObject({ matchedCount: 1 })
    expect(await w.users.findOne({ _id: 'ada' })).toEqual({ _id: 'ada', orgId: 'acme', name: 'Canary-New' })
  })

  describe('updateMany', () => {
    const COUNT = 1200
    const many = Array.from({ length: COUNT }, (_, i): Person => ({
      _id: `p${i}`,
      orgId: i % 2 === 0 ? 'acme' : 'rival',
      plan: 'many',
      age: i,
    }))

    test('all that are found, each with values of its own', async () => {
      await w.users.insertMany(many)
      const address = { street: 'Canary-All', city: 'x' }
      expect(await w.users.updateMany({ plan: 'many' }, { $set: { name: 'Canary-All', age: 5, address } })).toEqual({
        ...EMPTY,
        matchedCount: COUNT,
        modifiedCount: COUNT,
      })
      expect(sent()).not.toContain('Canary-All')
      const read = await (await w.reopen()).find({ plan: 'many' }).toArray()
      expect(read.map(({ _id, name, age, address: there }) => [_id, name, age, there]).sort()).toEqual(
        many.map(({ _id }) => [_id, 'Canary-All', 5, address]).sort(),
      )
      expect(await w.users.countDocuments({ orgId: { $in: ['acme', 'rival'] }, age: 5 })).toBe(COUNT)
    })

    test('one that is no match any more is not counted', async () => {
      const users = meddled(() => set('bob', 'other'))
      expect(await users.updateMany({ plan: 'free' }, { $set: { name: 'x' } })).toMatchObject({ matchedCount: 1, modifiedCount: 1 })
    })

    test('a failure says what was done before it, as an error of one update', async () => {
      await w.users.updateOne({ _id: 'eve' }, { $set: { plan: 'same' } })
      for (const _id of ['ada', 'bob']) await set(_id, 'same')
      const error: unknown = await w.users
        .updateMany({ plan: 'same' }, { $set: { email: 'new@example.com' } })
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'MongoServerError', code: 11_000, keyPattern: { email: 1 } })
      expect(partialResult(error)).toEqual({ matchedCount: 1, modifiedCount: 1, deletedCount: 0 })
    })

    test('whoever is shredded is not written to, nor are those who are with them in a batch', async () => {
      await w.users.insertOne({ _id: 'zoe', orgId: 'acme', plan: 'gone', name: 'Zoe' })
      await w.users.insertOne({ _id: 'zed', orgId: 'acme', plan: 'gone', name: 'Zed' })
      await w.vault.tenant('acme').subject('zoe').shred()
      const error = await refusalOf(() => w.users.updateMany({ plan: 'gone' }, { $set: { name: 'x' } }))
      expect([error.code, partialResult(error)]).toEqual(['shredded', undefined])
      expect(await nameOf('zed')).toBe('Zed')
    })

    test('an update that is large goes to few documents at once', async () => {
      await w.users.insertMany(many.slice(0, 5))
      w.commands.length = 0
      await w.users.updateMany({ plan: 'many' }, { $set: { name: 'x'.repeat(6 * 1024 * 1024) } })
      expect(dataCommands(w).filter((each) => each === 'update')).toHaveLength(3)
    })
  })
})
