// bulkWrite: all of it is encrypted before the first command, operations stay what they are, and errors say which failed and not what was in it.
import { type AnyBulkWriteOperation, BSON, type Document, type MongoBulkWriteError } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { outcome } from '../refusals.ts'
import { ada, bob, dataCommands, type Person, rival, uri, world, type World } from './support.ts'

type Operations = AnyBulkWriteOperation<Person & Document>[]

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeAll(async () => {
    w = await world()
  })
  beforeEach(async () => {
    // secantusd keeps entries of a unique index for values that were taken away.
    for (const each of [w.stored, w.plain]) await each.drop().catch(() => undefined)
    await w.users.createIndexes()
    await w.plain.createIndex({ email: 1 }, { unique: true, partialFilterExpression: { email: { $type: 'string' } } })
    for (const each of [w.users, w.plain]) await each.insertMany([ada, bob, rival])
    w.commands.length = 0
  })
  const pinned = { _id: 'ada', orgId: 'acme' }
  const zoe: Person = { _id: 'zoe', orgId: 'rival', email: 'Canary-Zoe@example.com', name: 'Canary-Zoe' }
  const duplicate: Person = { ...zoe, _id: 'other', email: bob.email as string }
  const state = async (users: World['plain']): Promise<unknown> => users.find().sort({ _id: 1 }).toArray()

  /** What an answer or an error says, without what is not said here. */
  const said = async (call: Promise<object>): Promise<Document> => {
    const answer: object = await call.catch((error: unknown) => error as object)
    const { name, code, insertedCount, matchedCount, deletedCount, upsertedCount, insertedIds, upsertedIds, writeErrors } =
      answer as MongoBulkWriteError
    const failed = [writeErrors ?? []].flat().map((each) => [each.index, each.code])
    return { name, code, insertedCount, matchedCount, deletedCount, upsertedCount, insertedIds, upsertedIds, failed }
  }

  const all: Operations = [
    { insertOne: { document: zoe } },
    { updateOne: { filter: pinned, update: { $set: { name: 'Canary-New' }, $push: { phones: '+1234567' } as never } } },
    { updateMany: { filter: { plan: 'free' }, update: { $set: { plan: 'x' } } } },
    { insertOne: { document: duplicate } },
    { replaceOne: { filter: { _id: 'bob', orgId: 'acme' }, replacement: { orgId: 'acme', name: 'Canary-Bob' } as never } },
    {
      updateOne: {
        filter: { _id: 'kim', orgId: 'rival' },
        update: { $set: { name: 'Canary-Kim' }, $setOnInsert: { age: 5 } },
        upsert: true,
      },
    },
    { replaceOne: { filter: { _id: 'yan', orgId: 'rival' }, replacement: { orgId: 'rival', name: 'Canary-Yan' } as never, upsert: true } },
    { insertOne: { document: zoe } },
    { deleteOne: { filter: { _id: 'eve' } } },
    { deleteMany: { filter: { plan: 'none' } } },
  ]

  test.each([
    ['in order', true, all],
    ['in any order', false, all],
    ['none of which fails', true, all.filter((_, i) => i !== 3 && i !== 7)],
  ])('the answer, or the error, is the driver’s: %s', async (_, ordered, operations) => {
    expect(await said(w.users.bulkWrite(operations, { ordered }))).toEqual(await said(w.plain.bulkWrite(operations, { ordered })))
    expect(await state(w.users as never)).toEqual(await state(w.plain))
    expect(BSON.EJSON.stringify(w.commands.filter(({ command }) => Object.values(command).includes('users')))).not.toContain('Canary')
  })

  test('what failed is named, and not shown', async () => {
    const error = (await w.users.bulkWrite(all, { ordered: false }).catch((thrown: unknown) => thrown)) as MongoBulkWriteError
    const failed = [error.writeErrors].flat()
    expect(failed.map((each) => [each.index, each.err.op as unknown])).toEqual([
      [3, { insertOne: '[redacted]' }],
      [7, { insertOne: '[redacted]' }],
    ])
    expect(failed[0]?.errmsg).toBe('E11000 duplicate key error: another document has the same email')
    expect(JSON.stringify([error, error.message, error.stack, error.result])).not.toMatch(/canary|bob@example/i)
  })

  test('keys are asked for once', async () => {
    const users = await w.reopen()
    w.queries.count = 0
    await users.bulkWrite(
      Array.from({ length: 50 }, (_, i) => ({ insertOne: { document: { ...zoe, _id: `z${i}`, email: `z${i}@example.com` } } })),
    )
    const many = w.queries.count
    const other = await w.reopen()
    w.queries.count = 0
    await other.bulkWrite([{ insertOne: { document: { ...zoe, _id: 'one', email: 'one@example.com' } } }])
    expect(many).toBeLessThanOrEqual(w.queries.count + 2)
  })

  test.each<[string, string, Operations]>([
    ['whose it is, is not said', 'unsupported_operation', [{ updateOne: { filter: { plan: 'pro' }, update: { $set: { name: 'x' } } } }]],
    ['the id is not said', 'unsupported_operation', [{ updateMany: { filter: { orgId: 'acme' }, update: { $set: { name: 'x' } } } }]],
    [
      'an upsert of somebody',
      'unsupported_operation',
      [{ updateOne: { filter: { orgId: 'acme', plan: 'x' }, update: { $set: { plan: 'x' } }, upsert: true } }],
    ],
    ['a search by an index', 'unsupported_operation', [{ deleteOne: { filter: { email: ada.email as string } } }]],
    [
      'that, of all others',
      'unsupported_operation',
      [{ updateMany: { filter: { email: { $ne: ada.email as string } }, update: { $set: { plan: 'x' } } } }],
    ],
    [
      '$addToSet of what is encrypted',
      'unsupported_operation',
      [{ updateOne: { filter: pinned, update: { $addToSet: { phones: '+1234567' } } } }],
    ],
    ['a pipeline', 'unsupported_operation', [{ updateOne: { filter: pinned, update: [{ $set: { name: 'x' } }] } }]],
    ['another owner', 'unsupported_operation', [{ replaceOne: { filter: pinned, replacement: { orgId: 'rival' } as never } }]],
    ['a replacement without one', 'invalid_argument', [{ replaceOne: { filter: pinned, replacement: { name: 'x' } as never } }]],
    ['an operation that there is not', 'invalid_argument', [{ upsertOne: { filter: pinned } } as never]],
    ['two in one', 'invalid_argument', [{ deleteOne: { filter: pinned }, deleteMany: { filter: pinned } } as never]],
    ['an option that there is not', 'invalid_argument', [{ deleteOne: { filter: pinned, limit: 1 } } as never]],
    ['no operation', 'invalid_argument', [5 as never]],
    ['no filter', 'invalid_argument', [{ deleteOne: {} } as never]],
    ['a tenant that there is not', 'not_found', [{ insertOne: { document: { ...zoe, orgId: 'nobody' } } }]],
  ])('refused as a whole, and nothing is sent and no key made: %s', async (_, code, bad) => {
    const before = w.keyStore.snapshot().length
    const stranger: Operations = [{ insertOne: { document: { _id: 'stranger', orgId: 'acme', name: 'x' } } }]
    for (const operations of [bad, [...stranger, ...bad]]) expect(await outcome(() => w.users.bulkWrite(operations))).toBe(code)
    expect(await outcome(() => w.users.bulkWrite({} as never))).toBe('invalid_argument')
    expect(dataCommands(w)).toEqual([])
    expect(w.keyStore.snapshot().length).toBe(before)
  })

  test('nothing to do is the driver’s error', async () => {
    await expect(w.users.bulkWrite([])).rejects.toThrow((await w.plain.bulkWrite([]).catch((error: Error) => error)) as Error)
  })

  test('in a scope', async () => {
    const acme = w.users.for({ tenant: 'acme' })
    await acme.bulkWrite([
      { insertOne: { document: { _id: 'kim', name: 'Kim' } as never } },
      { updateOne: { filter: { _id: 'ada' }, update: { $set: { name: 'Canary-New' } } } },
      { deleteOne: { filter: { _id: 'eve' } } },
    ])
    expect((await w.users.find().sort({ _id: 1 }).toArray()).map(({ _id, name }) => [_id, name])).toEqual([
      ['ada', 'Canary-New'],
      ['bob', bob.name],
      ['eve', rival.name],
      ['kim', 'Kim'],
    ])
  })
})
