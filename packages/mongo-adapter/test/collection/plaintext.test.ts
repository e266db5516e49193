// A collection that had data before it was encrypted: its documents are refused, and encrypted where they are by an update.
import { describe, expect, test } from 'vitest'

import { ada, bob, uri, world } from './support.ts'

describe.skipIf(uri === undefined)('documents in plaintext', () => {
  test('are decrypt_failed, and encrypted by $set, one by one', async () => {
    const { users, stored } = await world()
    await users.dropIndexes()
    await users.dangerouslyUnwrap().insertMany([structuredClone(ada), structuredClone(bob)] as never[])
    await expect(users.findOne({ _id: 'ada' })).rejects.toMatchObject({ code: 'decrypt_failed' })
    for await (const { _id, orgId, plan: _, ...values } of users.dangerouslyUnwrap().find())
      await users.updateOne({ _id: String(_id), orgId: String(orgId) } as never, { $set: values } as never)
    await users.createIndexes()
    expect(await users.find().sort({ _id: 1 }).toArray()).toEqual([ada, bob])
    expect(await users.findOne({ email: 'ADA@example.com' })).toEqual(ada)
    expect(JSON.stringify(await stored.find().toArray())).not.toMatch(/Canary|example\.com|7946/)
  })
})
