// What docs/mongoose.md says is outside is just that: each of it stores or shows what the page says, and no more. Values here are no canaries.
import { Binary } from 'mongodb'
import { Schema } from 'mongoose'
import { beforeAll, describe, expect, test } from 'vitest'

import { type AnyModel, modelOf, refusal, uri, world, type World } from './support.ts'

const ada = { _id: 'ada', orgId: 'acme', name: 'outside name', friend: 'bob' }
const secret = { type: String, encrypted: true }

describe.skipIf(uri === undefined)('outside of models', () => {
  let it: World
  let count = 0
  let people: AnyModel
  const named = (): string => `Outside${String(count++)}`
  const shape = { _id: String, orgId: String, name: secret, friend: { ...secret, ref: 'Friend' } }

  beforeAll(async () => {
    it = await world()
    people = modelOf(it.connection, 'Person', it.encrypt(new Schema(shape)))
    await people.create(ada)
  })

  const one = async (model: AnyModel): Promise<unknown> => (await it.stored(model.collection.collectionName))[0]

  test('marks alone encrypt nothing: of a schema without the plugin, of one that was picked, and of a model made anew without them', async () => {
    const picked = it.encrypt(new Schema(shape)).pick(['_id', 'orgId', 'name']) as unknown as Schema
    for (const schema of [new Schema(shape), picked]) {
      const model = modelOf(it.connection, named(), schema)
      await model.create(ada)
      expect(await one(model)).toMatchObject({ name: 'outside name' })
    }
    const name = named()
    await modelOf(it.connection, name, it.encrypt(new Schema(shape))).create(ada)
    it.connection.deleteModel(name)
    const anew = modelOf(it.connection, name, it.encrypt(new Schema({ _id: String, orgId: String, name: String, friend: secret })))
    await anew.create({ ...ada, _id: 'anew' })
    const stored = await it.stored(anew.collection.collectionName)
    expect(stored.map((each) => each['name'] as unknown)).toEqual([expect.any(Binary), 'outside name'])
  })

  test('a model without the plugin updates by queries what a subdocument with it marks', async () => {
    const model = modelOf(
      it.connection,
      named(),
      new Schema({ _id: String, home: it.encrypt(new Schema({ orgId: String, name: secret })) }),
    )
    await model.updateOne({ _id: 'one' }, { home: { orgId: 'acme', name: 'outside name' } }, { upsert: true })
    expect(await one(model)).toMatchObject({ home: { name: 'outside name' } })
    expect(await refusal(() => model.create({ _id: 'two', home: { orgId: 'acme', name: 'outside name' } }))).toContain('ValidationError')
  })

  test('pipelines of other models read what is stored, and write plaintext', async () => {
    const other = modelOf(it.connection, named(), new Schema({ _id: String, orgId: String, name: String }))
    await other.create({ _id: 'ada', orgId: 'acme', name: 'outside name' })
    const lookup = { from: people.collection.collectionName, localField: '_id', foreignField: '_id', as: 'found' }
    expect(await other.aggregate([{ $lookup: lookup }])).toMatchObject([{ found: [{ _id: 'ada', name: expect.any(Binary) as unknown }] }])

    const into = modelOf(it.connection, named(), it.encrypt(new Schema(shape)))
    await other.aggregate([{ $out: into.collection.collectionName }])
    expect(await one(into)).toMatchObject({ name: 'outside name' })
    expect(await refusal(() => into.findById('ada'))).toBe('decrypt_failed')
  })

  test('a reference that is encrypted is asked for in plaintext, and found', async () => {
    const friends = modelOf(it.connection, 'Friend', new Schema({ _id: String, plan: String }))
    await friends.create({ _id: 'bob', plan: 'pro' })
    const printed: string[] = []
    it.base.set('debug', (...said: unknown[]) => printed.push(JSON.stringify(said)))
    try {
      expect(await people.findById('ada').populate('friend').lean()).toMatchObject({ friend: { _id: 'bob', plan: 'pro' } })
    } finally {
      it.base.set('debug', false)
    }
    expect(printed.filter((each) => each.includes('bob'))).toHaveLength(1)
    expect(await one(people)).toMatchObject({ friend: expect.any(Binary) as unknown })
  })
})
