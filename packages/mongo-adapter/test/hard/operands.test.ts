// What stands where an operator of an encrypted path takes no value: it may be one all the same, and is not sent.
import { beforeEach, describe, expect, test } from 'vitest'

import { ada, dataCommands, looseUsers, uri, world, type World } from '../collection/support.ts'
import { refusalOf } from '../refusals.ts'

const CANARY = 'Canary-Lovelace'
const pinned = { _id: 'ada', orgId: 'acme' }

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertOne(ada)
    w.commands.length = 0
  })
  const sent = (): string => JSON.stringify(w.commands.map(({ command }) => command))

  test.each<[string, object]>([
    ['$exists', { name: { $exists: CANARY } }],
    ['$exists of a number', { age: { $exists: 36 } }],
    ['$exists of what holds it', { address: { $exists: CANARY } }],
    ['$exists within $not', { name: { $not: { $exists: CANARY } } }],
    ['$size', { phones: { $size: CANARY } }],
    ['$size of what holds it', { notes: { $size: CANARY } }],
  ])('of a filter: %s', async (_, filter) => {
    const error = await refusalOf(() => w.users.find(filter as never).toArray())
    expect([error.code, error.message.includes('Canary'), dataCommands(w)]).toEqual(['invalid_argument', false, []])
  })

  test.each<[string, object]>([
    ['$pop', { $pop: { phones: CANARY } }],
    ['$position', { $push: { phones: { $each: ['+1234567'], $position: CANARY } } }],
    ['$slice', { $push: { phones: { $each: ['+1234567'], $slice: CANARY } } }],
  ])('of an update: %s', async (_, change) => {
    const error = await refusalOf(() => w.users.updateOne(pinned, change))
    expect([error.code, error.message.includes('Canary'), dataCommands(w)]).toEqual(['invalid_argument', false, []])
  })

  test.each<[string, (value: unknown) => object]>([
    ['$set', (value) => ({ $set: { other: { a: [value] } } })],
    ['$push', (value) => ({ $push: { other: value } })],
    ['$each', (value) => ({ $push: { other: { $each: [value] } } })],
    ['$addToSet', (value) => ({ $addToSet: { other: value } })],
  ])('documents that %s puts at plain paths have keys as documents have', async (_, change) => {
    for (const value of [{ 'b.c': CANARY }, { a: [{ $set: CANARY }] }]) {
      const error = await refusalOf(() => looseUsers(w).updateOne(pinned, change(value)))
      expect([error.code, error.message.includes('Canary'), dataCommands(w)]).toEqual(['invalid_argument', false, []])
    }
    expect(await looseUsers(w).updateOne(pinned, change({ b: CANARY }))).toMatchObject({ matchedCount: 0 })
  })

  test('$unset takes any, and sends none', async () => {
    await w.users.updateOne(pinned, { $unset: { name: CANARY, plan: CANARY, 'address.street': { a: CANARY }, none: CANARY } } as never)
    expect(sent()).not.toContain('Canary')
    const { name: _, plan: __, ...rest } = ada
    expect(await w.users.findOne(pinned)).toEqual({ ...rest, address: { city: 'London' } })
  })

  test('those that are what the operators take', async () => {
    const found = async (filter: object): Promise<number> => w.users.countDocuments(filter as never)
    for (const yes of [true, 1]) expect(await found({ name: { $exists: yes }, address: { $exists: yes } })).toBe(1)
    for (const no of [false, 0]) expect(await found({ name: { $exists: no } })).toBe(0)
    expect(await found({ phones: { $size: 2 }, notes: { $size: 1 } })).toBe(1)
    await w.users.updateOne(pinned, { $push: { phones: { $each: ['+1234567'], $position: 0, $slice: 2 } } })
    await w.users.updateOne(pinned, { $pop: { phones: 1 } })
    expect((await w.users.findOne(pinned))?.phones).toEqual(['+1234567'])
  })
})
