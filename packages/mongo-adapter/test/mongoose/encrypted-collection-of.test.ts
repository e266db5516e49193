// The encrypted collection beneath a model: what rotation, erasure and operators ask of it, on the very documents of the model.
import type { ErasedPlace, Progress } from '@strongroom/core'
import { manualClock } from '@strongroom/core/testing'
import { SHREDDED } from '@strongroom/mongo-adapter'
import { encryptedCollectionOf } from '@strongroom/mongo-adapter/mongoose'
import type { Document } from 'mongodb'
import { Schema } from 'mongoose'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { type AnyModel, modelOf, refusal, uri, world, type World } from './support.ts'

const ADA = { _id: 'ada', orgId: 'acme', name: 'Ada Canary', email: 'ada@example.com', notes: [{ title: 'one', text: 'canary of Ada' }] }
const BOB = { _id: 'bob', orgId: 'acme', name: 'Bob Canary', email: 'bob@example.com', notes: [] }

const personSchema = (): Schema =>
  new Schema(
    {
      _id: String,
      orgId: { type: String, required: true },
      plan: { type: String, default: 'free' },
      name: { type: String, encrypted: true },
      email: { type: String, encrypted: { index: { scope: 'application', normalize: 'email' } } },
      notes: [{ title: String, text: { type: String, encrypted: true } }],
    },
    { timestamps: true, autoCreate: false, autoIndex: false },
  )

const placeOf = (subject?: string): ErasedPlace => ({
  tenant: 'acme',
  ...(subject === undefined ? {} : { subject }),
  references: subject === undefined ? ['0'.repeat(32)] : ['0'.repeat(32), '1'.repeat(32)],
})

describe.skipIf(uri === undefined)('encryptedCollectionOf', () => {
  const clock = manualClock(Date.UTC(2030, 0, 1))
  let it: World
  let people: AnyModel
  let count = 0
  beforeAll(async () => {
    it = await world({ clock })
  })
  const named = (): string => `Person${String(count++)}`
  beforeEach(async () => {
    people = modelOf(it.connection, named(), it.encrypt(personSchema()))
    await people.create([ADA, BOB])
  })
  // The clock stands still: the cache bound passes when the run waits for it.
  const toEnd = async (run: AsyncIterable<Progress>): Promise<void> => {
    for await (const { phase, done } of run) if (phase === 'waiting' && done === 0) setTimeout(() => clock.advance(3_600_000), 1)
  }
  const stored = async (id: string): Promise<Document | undefined> =>
    (await it.stored(people.collection.collectionName)).find(({ _id }) => String(_id) === id)

  test('is a resource of erasure, which removes the documents of a person, or all that is encrypted in them', async () => {
    const users = encryptedCollectionOf(people)
    const [documents, values] = [users.resource(), users.resource({ erase: 'values' })]

    expect(documents.name).toBe(people.collection.collectionName)
    expect([await documents.count(placeOf()), await documents.count(placeOf('ada')), await values.count(placeOf('ada'))]).toEqual([2, 1, 3])
    expect([await values.erase(placeOf('ada')), await values.verify(placeOf('ada'))]).toEqual([3, 0])
    const hers = await stored('ada')
    expect(Object.keys(hers ?? {}).toSorted()).toEqual(['__v', '_id', 'createdAt', 'notes', 'orgId', 'plan', 'updatedAt'])
    expect(hers?.['notes']).toEqual([{ _id: expect.anything(), title: 'one' }])
    expect([await documents.erase(placeOf('ada')), await documents.verify(placeOf('ada'))]).toEqual([1, 0])
    expect((await people.find().lean()).map(({ _id }) => _id)).toEqual(['bob'])
  })

  test('writes anew what an older key of a person has encrypted, so that it can be retired', async () => {
    const users = encryptedCollectionOf(people)
    const before = await Promise.all(['ada', 'bob'].map(stored))
    const ada = it.vault.tenant('acme').subject('ada')
    await toEnd(it.vault.rotateSubjectKey(ada))
    clock.advance(3_600_000)
    const retire = (): AsyncIterable<Progress> =>
      it.vault.retireVersion(ada, { holders: [users.resource()], dataBackup: { startedAt: clock.now() } })
    expect(await refusal(() => toEnd(retire()))).toBe('still_referenced')
    await toEnd(users.reencrypt({ tenant: 'acme', subject: 'ada' }))
    clock.advance(1)

    const after = await Promise.all(['ada', 'bob'].map(stored))
    expect(after[0]?.['name']).not.toEqual(before[0]?.['name'])
    expect(after[1]).toEqual(before[1])
    expect(await people.findById('ada').lean()).toMatchObject(ADA)
    await toEnd(retire())
    expect(await people.findById('ada').lean()).toMatchObject(ADA)
  })

  test('has the database refuse plaintext, and take what the model writes', async () => {
    const native = it.connection.getClient().db(it.connection.name).collection(people.collection.collectionName)
    await native.insertOne({ _id: 'no', orgId: 'acme', name: 'plain' } as never)
    expect(await refusal(() => encryptedCollectionOf(people).enforce())).toBe('schema_mismatch')
    await native.deleteOne({ _id: 'no' } as never)

    await encryptedCollectionOf(people).enforce()
    await expect(native.insertOne({ _id: 'no', orgId: 'acme', name: 'plain' } as never)).rejects.toMatchObject({ code: 121 })
    await expect(native.updateOne({ _id: 'ada' } as never, { $set: { 'notes.0.text': 'plain' } })).rejects.toMatchObject({ code: 121 })
    await people.updateOne({ _id: 'ada' }, { name: 'Ada Lovelace' })
    expect(await people.findById('ada').lean()).toMatchObject({ name: 'Ada Lovelace' })
  })

  test('takes and gives documents as they are, without what the model does to them', async () => {
    const users = encryptedCollectionOf(people)
    await users.insertMany([{ _id: 'zoe', orgId: 'acme', name: 'Zoe Canary', other: 1 }] as never)

    const zoe = await stored('zoe')
    expect([zoe?.['plan'], zoe?.['createdAt'], zoe?.['other']]).toEqual([undefined, undefined, 1])
    expect(JSON.stringify(zoe)).not.toContain('Canary')
    expect((await people.findById('zoe'))?.toObject()).toMatchObject({ name: 'Zoe Canary', plan: 'free' })
    expect(await users.for({ tenant: 'acme', subject: 'zoe' }).find().toArray()).toMatchObject([{ name: 'Zoe Canary' }])
    await it.vault.tenant('acme').subject('zoe').shred()
    expect(await users.find({ _id: 'zoe' } as never).toArray()).toEqual([{ _id: 'zoe', orgId: 'acme', name: SHREDDED, other: 1 }])
    expect(await refusal(() => users.findOne({ _id: 'zoe' } as never))).toBe('shredded')
  })

  test('has the documents of discriminators, and of other models on the collection', async () => {
    const child = people.discriminator(named(), new Schema({ secret: { type: String, encrypted: true } })) as unknown as AnyModel
    await child.create({ ...ADA, _id: 'child', secret: 'canary secret' } as never)

    for (const model of [people, child]) {
      const resource = encryptedCollectionOf(model).resource({ erase: 'values' })
      expect([await resource.count(placeOf()), await resource.count(placeOf('child'))]).toEqual([9, 4])
    }
    await encryptedCollectionOf(people).resource({ erase: 'values' }).erase(placeOf('child'))
    expect(await stored('child')).not.toHaveProperty('secret')
  })

  test('knows of all that is marked: of what would be so later, nothing is written', async () => {
    const users = encryptedCollectionOf(people)
    people.discriminator(named(), new Schema({ open: String }))
    await people.updateOne({ _id: 'ada' }, { name: 'Ada King' })
    expect(await users.resource({ erase: 'values' }).count(placeOf('ada'))).toBe(3)

    const late = new Schema({ secret: { type: String, encrypted: true } })
    expect(await refusal(() => people.discriminator(named(), late))).toBe('unsupported_operation')
    expect(await refusal(() => people.create({ ...ADA, _id: 'late' } as never))).toBe('unsupported_operation')
    expect(await refusal(() => encryptedCollectionOf(people))).toBe('unsupported_operation')
    expect(await stored('late')).toBeUndefined()
  })

  test('refuses a model without the plugin, what is no model, and one whose connection is not open', async () => {
    const plain = modelOf(it.connection, named(), new Schema({ name: String }))
    const connection = it.base.createConnection()
    const waiting = modelOf(connection, named(), it.encrypt(personSchema()))

    expect(await refusal(() => encryptedCollectionOf(plain))).toBe('invalid_argument')
    for (const none of [undefined, null, {}, { collection: people.collection }])
      expect(await refusal(() => encryptedCollectionOf(none as never))).toBe('invalid_argument')
    expect(await refusal(() => encryptedCollectionOf(waiting))).toBe('unsupported_operation')
    await connection.openUri(uri as string, { dbName: it.connection.name })
    expect(await encryptedCollectionOf(waiting).countDocuments()).toBe(0)
    await connection.close()
  })

  test('is of the connection that the model has', async () => {
    const database = `${it.connection.name}-second`
    const second = await it.connect(database)
    people.useConnection(second)
    await people.create({ ...ADA, _id: 'elsewhere' })

    expect(await encryptedCollectionOf(people).countDocuments()).toBe(1)
    expect(encryptedCollectionOf(people).dangerouslyUnwrap().dbName).toBe(database)
    await second.dropDatabase()
  })
})
