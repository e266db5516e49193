// A collection that had data before it was encrypted: its documents are refused, and encrypted where they are by an update.
import { Binary } from 'mongodb'
import { describe, expect, test } from 'vitest'

import { ada, bob, dataCommands, uri, world } from './support.ts'

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

// A collection that was copied as it is stored, to be encrypted once more with a schema that marks another path.
describe.skipIf(uri === undefined)('documents that are encrypted already', () => {
  test.each(['name', 'address', 'notes'])('are not encrypted again, in any kind of write: %s', async (path) => {
    const made = await world()
    const { users, stored, commands } = made
    const document = structuredClone(ada)
    await users.insertOne(document)
    const [raw] = await stored.find().toArray()
    const value = raw?.[path] as unknown
    const pinned = { _id: 'ada', orgId: 'acme' }
    commands.length = 0
    const ways: Readonly<Record<string, () => Promise<unknown>>> = {
      insertOne: () => users.insertOne({ ...pinned, [path]: value } as never),
      insertMany: () => users.insertMany([bob, { ...pinned, [path]: value }] as never),
      replaceOne: () => users.replaceOne(pinned, { orgId: 'acme', [path]: value } as never),
      updateOne: () => users.updateOne(pinned, { $set: { [path]: value } } as never),
      bulkWrite: () => users.bulkWrite([{ insertOne: { document: { ...pinned, [path]: value } } }] as never),
    }
    for (const [how, write] of Object.entries(ways))
      expect([how, await write().then(String, (error: Error) => error.message)]).toEqual([
        how,
        expect.stringContaining('is encrypted already'),
      ])
    expect(dataCommands(made)).toEqual([])
    expect(await users.findOne({ _id: 'ada' })).toEqual(document)
  })

  test.each<[string, (stored: Binary) => unknown]>([
    ['of another path', (stored) => stored],
    ['as a driver reads it that gives bytes alone', (stored) => Buffer.from(stored.value())],
    ['whose header alone is left', (stored) => new Binary(Uint8Array.of(...stored.value().subarray(0, 17), ...new Uint8Array(60)), 0x80)],
    ['with an index value', (stored) => ({ c: stored, i: stored })],
  ])('are known by the header that the keys of a person give them: %s', async (_, given) => {
    const { users, stored, vault } = await world()
    await users.insertOne(ada)
    const [raw] = await stored.find().toArray()
    const write = (): Promise<unknown> =>
      users.updateOne({ _id: 'ada', orgId: 'acme' }, { $set: { 'address.street': given(raw?.['name'] as Binary) } } as never)
    const refused = {
      code: 'invalid_argument',
      argument: 'address.street',
      message: expect.stringContaining('is encrypted already') as unknown,
    }
    await expect(write()).rejects.toMatchObject(refused)
    // Of a life that has ended as well.
    await vault.tenant('acme').subject('ada').shred()
    await vault.tenant('acme').subject('ada').recreate({ reason: 'subjectRequest' })
    await expect(write()).rejects.toMatchObject(refused)
  })

  test('are not what merely looks like it: bytes are bytes, and so is what is of somebody else', async () => {
    const { users, stored } = await world()
    await users.insertMany([ada, bob])
    const [hers] = await stored.find({ _id: 'ada' }).toArray()
    const like = [
      new Binary(Uint8Array.of(1, ...new Uint8Array(70)), 0x80),
      new Binary(Uint8Array.of(1, 2, 3), 0x80),
      hers?.['name'] as Binary,
    ]
    for (const bytes of like) {
      await users.updateOne({ _id: 'bob', orgId: 'acme' }, { $set: { name: bytes } } as never)
      expect((await users.findOne({ _id: 'bob' }))?.name).toEqual(bytes)
    }
  })
})
