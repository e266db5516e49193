// A call over several commands that fails after the first says what was done before.
import { StrongroomError } from '@strongroom/core'
import { encryptedCollection, partialResult } from '@strongroom/mongo-adapter'
import { MongoServerError } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'

import { withPartialResult } from '../../dist/collection/writes/partial-result.js'
import { refusalOf } from '../refusals.ts'
import { type Person, uri, User, world, type World } from './support.ts'

const COUNT = 250
const all = { orgId: 'acme', age: 36 }

// Calls that wait for the same keys are told of a failure by the same error.
test('an error that other calls have as well says nothing of this one', () => {
  const shared = new StrongroomError('invalid_argument', 'age is wrong', { argument: 'age', cause: new Error('below') })
  const [one, two] = [{ matchedCount: 2, modifiedCount: 1 }, { deletedCount: 5 }].map((before) => withPartialResult(shared, [before]))
  expect(partialResult(one)).toEqual({ matchedCount: 2, modifiedCount: 1, deletedCount: 0 })
  expect(partialResult(two)).toEqual({ matchedCount: 0, modifiedCount: 0, deletedCount: 5 })
  expect(partialResult(shared)).toBeUndefined()
  expect(withPartialResult(shared, [])).toBe(shared)
  expect(one).toBeInstanceOf(StrongroomError)
  expect(one).toMatchObject({ code: shared.code, message: shared.message, argument: 'age', cause: shared })
})

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertMany(Array.from({ length: COUNT }, (_, i): Person => ({ _id: `p${i}`, orgId: 'acme', age: i < 240 ? 36 : 40 })))
  })

  // One whose index value was copied from another: found only when its batch is compared.
  async function spoil(): Promise<void> {
    const [good, other] = [await w.stored.findOne({ _id: 'p0' }), await w.stored.findOne({ _id: 'p245' })]
    await w.stored.updateOne({ _id: 'p245' }, { $set: { age: { c: other?.['age'].c, i: good?.['age'].i } } })
  }

  test('updateMany', async () => {
    await spoil()
    const error = await refusalOf(() => w.users.updateMany(all, { $set: { plan: 'new' } }))
    const written = await w.stored.countDocuments({ plan: 'new' })
    expect(error.code).toBe('decrypt_failed')
    expect(partialResult(error)).toEqual({ matchedCount: written, modifiedCount: written, deletedCount: 0 })
    expect([written > 0, written < 240]).toEqual([true, true])
  })

  test('deleteMany', async () => {
    await spoil()
    const error = await refusalOf(() => w.users.deleteMany(all))
    const deleted = COUNT - (await w.stored.countDocuments())
    expect(partialResult(error)).toEqual({ matchedCount: 0, modifiedCount: 0, deletedCount: deleted })
    expect([deleted > 0, deleted < 240]).toEqual([true, true])
  })

  test('a failure of the server is still what the driver makes of it', async () => {
    let calls = 0
    const failing = new Proxy(w.stored, {
      get(target, name) {
        if (name !== 'updateMany') return Reflect.get(target, name, target) as unknown
        return async (...given: Parameters<typeof target.updateMany>) => {
          if (++calls === 2) throw new MongoServerError({ message: 'not now', code: 91, errorLabels: ['TransientTransactionError'] })
          return target.updateMany(...given)
        }
      },
    })
    const users = encryptedCollection(w.vault, failing, { schema: User, tenant: 'orgId', subject: '_id' })
    const error: unknown = await users.updateMany(all, { $set: { plan: 'new' } }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(MongoServerError)
    expect((error as MongoServerError).hasErrorLabel('TransientTransactionError')).toBe(true)
    const written = await w.stored.countDocuments({ plan: 'new' })
    expect(partialResult(error)).toEqual({ matchedCount: written, modifiedCount: written, deletedCount: 0 })
    expect(written).toBeGreaterThan(0)
  })

  test('nothing, where the first command fails, or there is only one', async () => {
    await spoil()
    const first = await refusalOf(() => w.users.updateMany({ ...all, _id: 'p245' }, { $set: { plan: 'new' } }))
    expect(partialResult(first)).toBeUndefined()
    const one = await refusalOf(() => w.users.updateOne({ ...all, _id: 'p245' }, { $set: { plan: 'new' } }))
    expect(partialResult(one)).toBeUndefined()
    for (const other of [undefined, null, 'text', new Error('x'), Object.assign(new Error('x'), { result: 5 })])
      expect(partialResult(other)).toBeUndefined()
  })
})
