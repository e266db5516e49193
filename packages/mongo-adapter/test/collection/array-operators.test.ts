// Elements of encrypted arrays that are taken out, and added where there is none that is equal: by their index values.
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { Binary } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { outcome } from '../refusals.ts'
import { ada, bob, dataCommands, uri, User, world, type World } from './support.ts'

const [ONE, TWO, THREE] = ['+442079460001', '+442079460002', '+4930901820'] as const

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeAll(async () => {
    w = await world()
  })
  beforeEach(async () => {
    // secantusd keeps entries of a unique index for values that were taken away.
    await w.stored.drop()
    await w.users.createIndexes()
    await w.users.insertMany([{ ...ada, phones: [ONE, TWO, ONE] }, bob])
    w.commands.length = 0
  })
  const phones = async (): Promise<unknown> => (await (await w.reopen()).findOne({ _id: 'ada' }))?.phones
  const sent = (): string => JSON.stringify(w.commands.map(({ command }) => command))

  test.each<[string, object, readonly string[]]>([
    ['a value', { $pull: { phones: ONE } }, [TWO]],
    ['as it is compared', { $pull: { phones: '+44 (20) 7946-0001' } }, [TWO]],
    ['$eq', { $pull: { phones: { $eq: TWO } } }, [ONE, ONE]],
    ['$in', { $pull: { phones: { $in: [ONE, TWO, THREE] } } }, []],
    ['$pullAll', { $pullAll: { phones: [TWO, THREE] } }, [ONE, ONE]],
    ['none', { $pullAll: { phones: [] } }, [ONE, TWO, ONE]],
    ['what is not there', { $pull: { phones: THREE } }, [ONE, TWO, ONE]],
    ['beside other changes', { $pull: { phones: ONE }, $set: { name: 'Canary' }, $pullAll: {} }, [TWO]],
  ])('$pull: %s', async (_, change, left) => {
    // Whoever it is of is looked up, and where it is said it is not.
    expect(await w.users.updateOne({ plan: 'pro' }, change)).toMatchObject({ matchedCount: 1 })
    expect(await phones()).toEqual(left)
    await w.users.updateOne({ _id: 'ada' }, { $set: { phones: [ONE, TWO, ONE] } })
    await w.users.updateMany({ _id: 'ada', orgId: 'acme' }, change)
    expect(await phones()).toEqual(left)
    expect(sent()).not.toMatch(/\+?44207|Canary/)
  })

  const NOTES = [
    { title: 'one', text: 'Canary', tag: 'crimson' },
    { title: 'two', text: 'Canary', tag: 'azure' },
    { title: 'three', text: 'Canary' },
  ]

  const tag = encrypted(z.string(), { index: { scope: 'tenant' } }).optional()
  const Tagged = User.extend({ notes: z.array(z.object({ title: z.string(), text: encrypted(z.string()), tag })).optional() })
  const tagged = () =>
    encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('users'), { schema: Tagged, tenant: 'orgId', subject: '_id' })

  test.each<[string, object, readonly string[]]>([
    ['by what is plain', { title: 'one' }, ['two', 'three']],
    ['by a list', { title: { $in: ['one', 'three', 'four'] } }, ['two']],
    ['by an index', { tag: 'crimson' }, ['two', 'three']],
    ['by an index and what is plain', { title: { $ne: 'two' }, tag: { $in: ['crimson', 'azure'] } }, ['two', 'three']],
    ['by what an index does not have', { tag: { $ne: 'crimson' } }, ['one']],
    ['by what is missing', { tag: null }, ['one', 'two']],
    ['by whether there is an encrypted value', { text: { $exists: true } }, []],
    ['whatever they are', {}, []],
    ['none', { title: 'four' }, ['one', 'two', 'three']],
  ])('$pull of objects: %s', async (_, notes, left) => {
    const users = tagged()
    const titles = async (): Promise<unknown> => (await users.findOne({ _id: 'ada' }))?.notes?.map(({ title }) => title)
    const change = { $pull: { notes } }
    const pinned = { _id: 'ada', orgId: 'acme' }
    for (const write of [
      () => users.updateOne(pinned, change),
      () => users.updateOne({ plan: 'pro' }, change),
      () => users.updateMany({ plan: 'pro' }, { ...change, $set: { name: 'Canary' } }),
      () => users.updateOne({ _id: 'ada' }, { ...change, $push: { phones: THREE } }),
      () => users.findOneAndUpdate({ email: ada.email }, change),
      () => users.bulkWrite([{ updateOne: { filter: pinned, update: change } }]),
    ]) {
      await users.updateOne({ _id: 'ada' }, { $set: { notes: NOTES } })
      await write()
      expect(await titles()).toEqual(left)
    }
    expect(sent()).not.toMatch(/Canary|crimson|azure/)
  })

  test('$pull of objects by logic is sent as a filter of them', async () => {
    const change = { $pull: { notes: { $or: [{ title: 'one' }, { tag: 'azure' }] } } }
    // Not every server for tests knows that.
    await Promise.allSettled([tagged().updateOne({ _id: 'ada', orgId: 'acme' }, change)])
    expect(w.commands.at(-1)?.command).toMatchObject({
      updates: [{ u: { $pull: { notes: { $or: [{ title: 'one' }, { 'tag.i': { $in: [expect.any(Binary)] } }] } } } }],
    })
  })

  test('$pull of objects by what is plain takes one command, and no key', async () => {
    await w.users.updateOne({ plan: 'pro' }, { $pull: { notes: { title: 'one' } } })
    expect(dataCommands(w)).toEqual(['update'])
  })

  test('$addToSet: what is not there is pushed, and what is there is matched', async () => {
    expect(await w.users.updateOne({ _id: 'ada', orgId: 'acme' }, { $addToSet: { phones: THREE } })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 1,
    })
    expect(dataCommands(w)).toEqual(['update'])
    w.commands.length = 0
    for (const same of [THREE, '+49 30 901820', { $each: [THREE] }])
      expect(await w.users.updateOne({ plan: 'pro' }, { $addToSet: { phones: same as never } })).toMatchObject({
        matchedCount: 1,
        modifiedCount: 0,
      })
    expect(await w.users.findOneAndUpdate({ _id: 'ada' }, { $addToSet: { phones: THREE } }, { projection: { phones: 1 } })).toEqual({
      _id: 'ada',
      phones: [ONE, TWO, ONE, THREE],
    })
    // Where there is no array yet, and where there is no document.
    expect(await w.users.updateOne({ _id: 'bob' }, { $addToSet: { phones: THREE } })).toMatchObject({ modifiedCount: 1 })
    expect(await w.users.updateOne({ _id: 'nobody', orgId: 'acme' }, { $addToSet: { phones: THREE } })).toMatchObject({ matchedCount: 0 })
    expect(await phones()).toEqual([ONE, TWO, ONE, THREE])
    expect(sent()).not.toMatch(/4930|49 30/)
  })

  test('of many who add the same at once, one does', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => w.users.updateOne({ plan: 'pro' }, { $addToSet: { phones: THREE } })),
    )
    expect(answers.map(({ matchedCount }) => matchedCount)).toEqual(answers.map(() => 1))
    expect(answers.filter(({ modifiedCount }) => modifiedCount === 1)).toHaveLength(1)
    expect(await phones()).toEqual([ONE, TWO, ONE, THREE])
  })

  test('what is taken out between the two commands is added again', async () => {
    const collection = w.client.db(w.stored.dbName).collection('users')
    const own = collection.updateOne.bind(collection)
    let calls = 0
    collection.updateOne = async (...given) => {
      if (++calls === 2) await w.stored.updateOne({ _id: 'ada' }, { $set: { phones: [] } })
      return own(...given)
    }
    const users = encryptedCollection(w.vault, collection, { schema: User, tenant: 'orgId', subject: '_id' })
    expect(await users.updateOne({ _id: 'ada', orgId: 'acme' }, { $addToSet: { phones: ONE } })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 1,
    })
    expect([calls, await phones()]).toEqual([4, [ONE]])
  })

  test.each<[string, string, object]>([
    ['null', 'unsupported_operation', { $pull: { phones: null } }],
    ['null among others', 'unsupported_operation', { $pullAll: { phones: [ONE, null] } }],
    ['a range', 'unsupported_operation', { $pull: { phones: { $gt: ONE } } }],
    ['two conditions', 'unsupported_operation', { $pull: { phones: { $eq: ONE, $in: [ONE] } } }],
    ['what is no number', 'invalid_argument', { $pull: { phones: 'Canary' } }],
    ['no list', 'invalid_argument', { $pullAll: { phones: ONE } }],
    ['both operators', 'invalid_argument', { $pull: { phones: ONE }, $pullAll: { phones: [TWO] } }],
    ['objects by what has no index', 'unsupported_operation', { $pull: { notes: { text: 'Canary' } } }],
    [
      'objects by what is plain, or has no index',
      'unsupported_operation',
      { $pull: { notes: { $or: [{ title: 'one' }, { text: 'x' }] } } },
    ],
    ['objects by a range of what is encrypted', 'unsupported_operation', { $pull: { notes: { text: { $gt: 'a' } } } }],
    ['objects as a whole', 'unsupported_operation', { $pull: { notes: { $in: [{ title: 'one', text: 'Canary' }] } } }],
    ['what no object is', 'unsupported_operation', { $pull: { notes: 'Canary' } }],
    ['objects by paths that there are not', 'invalid_argument', { $pull: { notes: { tilte: 'Canary' } } }],
    ['objects by the operator of no filter', 'unsupported_operation', { $pull: { notes: { $unheard: 1 } } }],
    ['several objects as wholes', 'unsupported_operation', { $pullAll: { notes: [{ title: 'one', text: 'Canary' }] } }],
    ['what is no array', 'unsupported_operation', { $pull: { name: 'x' } }],
    ['a set of several', 'unsupported_operation', { $addToSet: { phones: { $each: [ONE, THREE] } } }],
    ['a set beside anything else', 'unsupported_operation', { $addToSet: { phones: THREE }, $set: { plan: 'x' } }],
    ['two sets', 'unsupported_operation', { $addToSet: { phones: THREE, tags: 'x' } }],
    ['null in a set', 'unsupported_operation', { $addToSet: { phones: null } }],
    ['objects in a set', 'unsupported_operation', { $addToSet: { notes: { title: 'x', text: 'y' } } }],
  ])('refused, and nothing is sent: %s', async (_, code, change) => {
    expect(await outcome(() => w.users.updateOne({ _id: 'ada', orgId: 'acme' }, change))).toMatch(
      code === 'unsupported_operation' ? /unsupported_operation|invalid_argument/ : /invalid_argument/,
    )
    expect(await outcome(() => w.users.updateMany({ plan: 'pro' }, { $addToSet: { phones: THREE } }))).toBe('unsupported_operation')
    expect(dataCommands(w)).toEqual([])
  })
})
