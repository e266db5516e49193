// Several connections: models are encrypted on each, and what passes by the models sees what is stored.
import { Binary, type Document } from 'mongodb'
import { Schema } from 'mongoose'
import { beforeAll, describe, expect, test } from 'vitest'

import { type AnyModel, CANARY, modelOf, refusal, uri, world, type World } from './support.ts'

const ada = { _id: 'ada', orgId: 'acme', name: `Ada ${CANARY}`, email: `ada-${CANARY}@example.com` }
const index = { type: String, encrypted: { index: { scope: 'application' as const } } }

describe.skipIf(uri === undefined)('models', () => {
  let it: World
  let people: AnyModel
  const personSchema = (): Schema => new Schema({ _id: String, orgId: String, name: { type: String, encrypted: true }, email: index })

  beforeAll(async () => {
    it = await world()
    people = modelOf(it.connection, 'Person', it.encrypt(personSchema()))
    await people.init()
    await people.create(ada)
  })

  test('of one schema are encrypted on each of two connections', async () => {
    const schema = it.encrypt(personSchema())
    const names = ['one', 'two'].map((name) => `${it.connection.name}-${name}`)
    const connections = await Promise.all(names.map((name) => it.connect(name)))
    const [one, two] = connections.map((connection) => modelOf(connection, 'Person', schema)) as [AnyModel, AnyModel]
    await one.create(ada)
    await two.create({ ...ada, name: `Other ${CANARY}` })
    await Promise.all([one.updateOne({ email: ada.email }, { name: `One ${CANARY}` }), two.updateMany({}, { name: `Two ${CANARY}` })])

    expect([await one.find().lean(), await two.find().lean()]).toMatchObject([[{ name: `One ${CANARY}` }], [{ name: `Two ${CANARY}` }]])
    // What is in the one does not show in the other.
    one.useConnection(connections[1] as never)
    expect(await one.find().lean()).toMatchObject([{ name: `Two ${CANARY}` }])
    one.useConnection(connections[0] as never)
    expect(await one.find().lean()).toMatchObject([{ name: `One ${CANARY}` }])
    for (const name of names) expect(JSON.stringify(await it.stored('people', name))).not.toContain(CANARY)
  })

  test('of a database of the same client are encrypted', async () => {
    const database = `${it.connection.name}-same`
    const other = it.connection.useDb(database)
    const model = modelOf(other, 'Person', it.encrypt(personSchema()))
    await model.create(ada)

    expect(await model.findOne().lean()).toMatchObject({ name: ada.name })
    expect(JSON.stringify(await it.stored('people', database))).not.toContain(CANARY)
    await other.dropDatabase()
  })

  test('keep their collection: another takes its place only if it is encrypted', async () => {
    const model = modelOf(it.connection, 'Kept', it.encrypt(personSchema()))
    const other = it.connection.collection('another')

    expect(() => Object.defineProperty(model, 'collection', { value: other })).toThrow(TypeError)
    model.collection = other as never
    await model.insertMany([{ ...ada, _id: 'kept' }])
    expect(JSON.stringify(await it.stored('another'))).toContain('kept')
    expect(await it.everything()).not.toContain(CANARY)
  })

  test('throw where their collection has been given away', async () => {
    const [first, second] = [
      modelOf(it.connection, 'First', it.encrypt(personSchema())),
      modelOf(it.connection, 'Second', it.encrypt(personSchema(), { subject: 'orgId' })),
    ]

    expect(await refusal(() => (second.collection = first.collection))).toBe('unsupported_operation')
    expect(await refusal(() => second.create(ada))).toBeUndefined()
  })

  describe('are passed by', () => {
    const stored: readonly (readonly [string, () => Promise<Document | null | undefined>])[] = [
      ["the driver's own collection", () => (people.collection as unknown as { collection: AnyModel }).collection.findOne({ _id: 'ada' })],
      ["the connection's database", async () => it.connection.db?.collection('people').findOne({ _id: 'ada' } as never)],
      ["the connection's client", async () => it.connection.getClient().db(it.connection.name).collection('people').findOne({})],
      ['a collection of a second connection', async () => (await it.connect()).collection('people').findOne({ _id: 'ada' } as never)],
      [
        'a model without the plugin on a second connection',
        async () =>
          (await it.connect())
            .model('Person', new Schema({ _id: String }), 'people')
            .findOne()
            .lean(),
      ],
    ]
    test.each(stored)('%s, which sees what is stored', async (_, find) => {
      const found = await find()

      expect(found).toMatchObject({ _id: 'ada', orgId: 'acme' })
      expect(found?.['name']).toBeInstanceOf(Binary)
      expect(found?.['email']).toEqual({ c: expect.any(Binary) as unknown, i: expect.any(Binary) as unknown })
    })

    test('a write of a second connection, whose plaintext they do not take for a value', async () => {
      const second = await it.connect()
      await second.collection('people').insertOne({ _id: 'past', orgId: 'acme', name: 'written past the model' } as never)

      expect(await refusal(() => people.findById('past'))).toBe('decrypt_failed')
      await second.collection('people').deleteOne({ _id: 'past' } as never)
    })
  })
})
