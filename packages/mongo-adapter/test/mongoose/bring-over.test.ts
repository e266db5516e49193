// A collection of plaintext that becomes one of a model whose schema is marked: as docs/mongoose.md has it.
import { readFileSync } from 'node:fs'

import { Double, type Document, Int32, Long } from 'mongodb'
import { type Model, Schema } from 'mongoose'
import { beforeEach, describe, expect, test } from 'vitest'

import { bringOver } from './bring-over.ts'
import { uri, world, type World } from './support.ts'

const MANY = 1100
const EMAIL = { type: String, unique: true, encrypted: { index: { scope: 'application' as const, normalize: 'email' as const } } }

interface User {
  readonly orgId: string
  readonly email: string
}

test('docs/mongoose.md shows what is tested here', () => {
  const [page, shown] = ['../../docs/mongoose.md', 'bring-over.ts'].map((path) => readFileSync(new URL(path, import.meta.url), 'utf8'))

  expect(page).toContain(`\`\`\`ts\n${shown}\`\`\``)
})

describe.skipIf(uri === undefined)('a collection of plaintext', () => {
  let it: World
  let schema: Schema
  let users: Model<User>
  beforeEach(async () => {
    it = await world()
    schema = new Schema({ orgId: String, email: EMAIL, notes: [{ text: { type: String, encrypted: true } }] }, { timestamps: true })
    const native = it.connection.collection('users')
    await native.insertMany(Array.from({ length: MANY }, (_, i) => documentOf(i)))
    await native.rename('users_plain')
    users = it.connection.model('User', it.encrypt(schema)) as unknown as Model<User>
  })
  const raw = (name: string): Promise<Document[]> =>
    it.connection.getClient().db(it.connection.name).collection(name).find({}, { promoteValues: false }).sort({ rank: 1 }).toArray()

  test('is encrypted, with nothing else changed, and what would be written as plaintext refused', async () => {
    await bringOver(users)

    expect(await it.stored('users')).toHaveLength(MANY)
    expect(JSON.stringify(await it.stored('users'))).not.toMatch(/canary/u)
    const [plain, encrypted] = [await raw('users_plain'), await raw('users')]
    const withoutSealed = (document: Document): Document =>
      Object.fromEntries(Object.entries(document).filter(([name]) => !['email', 'notes'].includes(name)))
    expect(encrypted.map(withoutSealed)).toEqual(plain.map(withoutSealed))
    const found = await users.findOne({ email: 'CANARY-7@example.com' })
    expect(found?.toObject()).toMatchObject({ orgId: 'acme', email: 'canary-7@example.com', notes: [{ text: 'canary of 7' }] })
    const native = it.connection.getClient().db(it.connection.name).collection('users')
    await expect(native.insertOne({ orgId: 'acme', email: 'plain@example.com' })).rejects.toMatchObject({ code: 121 })
  })

  test('that is not renamed keeps its index, and init() fails', async () => {
    await it.connection.collection('others').createIndex({ email: 1 }, { unique: true })
    const others = it.connection.model('Other', schema)

    await expect(others.init()).rejects.toMatchObject({ codeName: 'IndexKeySpecsConflict' })
  })

  test('is not brought over in part without a word', async () => {
    const plain = it.connection.collection('users_plain')
    const { insertedId } = await plain.insertOne({ ...documentOf(MANY), email: 'Canary-7@Example.com' } as never)
    const message = `the document with _id ${JSON.stringify(insertedId)} was not brought over`
    await expect(bringOver(users)).rejects.toMatchObject({ message, cause: { code: 11_000 } })
    await plain.updateOne({ rank: MANY }, { $set: { orgId: 'unknown', email: 'canary@example.com' } })
    await users.deleteMany({})
    await expect(bringOver(users)).rejects.toMatchObject({ message, cause: { code: 'not_found' } })
    await it.vault.tenants.create('unknown')
    // What was brought over before may have changed in either of the two.
    await expect(bringOver(users)).rejects.toThrow('not empty')
    await users.deleteMany({})
    await bringOver(users)
    expect(await users.countDocuments()).toBe(MANY + 1)
  })
})

function documentOf(i: number): Document {
  const rank = [new Int32(i), new Double(i), Long.fromNumber(i)][i % 3]
  return {
    orgId: 'acme',
    email: `canary-${String(i)}@example.com`,
    rank,
    notes: [{ text: `canary of ${String(i)}` }],
    createdAt: new Date(i),
  }
}
