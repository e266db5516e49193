// Whatever way there is from a model to its collection is closed: what comes by it is encrypted, or refused.
import { type Binary, type Document } from 'mongodb'
import { Schema } from 'mongoose'
import { beforeAll, describe, expect, test } from 'vitest'

import { type AnyModel, CANARY, failure, modelOf, refusal, uri, world, type World } from './support.ts'

const ada = { _id: 'ada', orgId: 'acme', tags: ['one'], name: `Ada ${CANARY}`, email: `ada-${CANARY}@example.com` }

function personSchema(): Schema {
  return new Schema({
    _id: String,
    orgId: String,
    plan: String,
    name: { type: String, encrypted: true },
    email: { type: String, encrypted: { index: { scope: 'application' } } },
    notes: [{ title: String, text: { type: String, encrypted: true } }],
    tags: [{ type: String, encrypted: true }],
    phones: [{ type: String, encrypted: { index: { scope: 'tenant' } } }],
  })
}

describe.skipIf(uri === undefined)('models', () => {
  let it: World
  let count = 0
  let people: AnyModel

  beforeAll(async () => {
    it = await world()
    people = modelOf(it.connection, 'Person', it.encrypt(personSchema()))
    await people.init()
    await people.create(ada)
  })

  const named = (): string => `Model${String(count++)}`

  async function requireEncrypted(model: AnyModel, database?: string): Promise<void> {
    const _id = `one-${String(count++)}`
    await model.create({ ...ada, _id, email: `${_id}-${CANARY}@example.com` })
    await model.updateOne({ _id }, { name: `Changed ${CANARY}` })
    const stored = JSON.stringify(await it.stored(model.collection.collectionName, database))
    expect(stored).toContain('acme')
    expect(stored).not.toContain(CANARY)
    expect(await model.findOne({ _id }).lean()).toMatchObject({ name: `Changed ${CANARY}` })
  }

  test('store what is not plaintext', async () => {
    await requireEncrypted(people)
  })

  test.each<[string, (people: AnyModel) => unknown]>([
    ['a filter on a path without an index', (all) => all.find({ name: ada.name })],
    ['a sort', (all) => all.find().sort({ email: 1 })],
    ['a pattern', (all) => all.find({ email: /ada/ })],
    ['$where', (all) => all.find({ $where: 'this.name' } as never)],
    ['$expr', (all) => all.find({ $expr: { $eq: ['$name', ada.name] } } as never)],
    ['distinct', (all) => all.distinct('name')],
    ['an explained query', (all) => all.find().explain()],
    ['$inc', (all) => all.updateOne({ _id: 'ada' }, { $rename: { name: 'plan' } })],
    ['a pipeline as update', (all) => all.updateOne({ _id: 'ada' }, [{ $set: { plan: '$name' } }], { updatePipeline: true })],
    ['a join', (all) => all.aggregate([{ $lookup: { from: 'others', localField: '_id', foreignField: 'to', as: 'all' } }])],
    ['$out', (all) => all.aggregate([{ $match: { plan: 'pro' } }, { $out: 'copy' }])],
    ['a change of the tenant', (all) => all.updateOne({ _id: 'ada' }, { orgId: 'rival' })],
    ['count of the collection', (all) => (all.collection as unknown as { count(): unknown }).count()],
    ['an ordered bulk', (all) => all.collection.initializeOrderedBulkOp()],
    ['rename', (all) => all.collection.rename('other')],
    ['watch without full documents', (all) => all.watch()],
    ['watch by what is encrypted', (all) => all.watch([{ $match: { 'fullDocument.name': CANARY } }], { fullDocument: 'updateLookup' })],
    ['a search index', (all) => all.createSearchIndex({ name: 'all', definition: {} })],
    ['namespace', (all) => (all as unknown as { namespace(): unknown }).namespace()],
    ['a bulkWrite that searches', (all) => all.bulkWrite([{ updateOne: { filter: { email: ada.email }, update: { plan: 'pro' } } }])],
    ['$pull by what has no index', (all) => all.updateOne({ _id: 'ada' }, { $pull: { notes: { text: CANARY } } })],
    ['$addToSet of subdocuments', (all) => all.updateOne({ _id: 'ada' }, { $addToSet: { notes: { text: CANARY } } })],
    ['$addToSet without an index', (all) => all.updateOne({ _id: 'ada' }, { $addToSet: { tags: CANARY } })],
    ['$pull without an index', (all) => all.updateOne({ _id: 'ada' }, { $pull: { tags: 'one' } })],
    ['$pullAll of subdocuments', (all) => all.updateOne({ _id: 'ada' }, { $pullAll: { notes: [{ text: CANARY }] } } as never)],
    ['a write beneath nothing', (all) => all.updateOne({ _id: 'ada' }, { $set: { 'name.inner': CANARY } }, { strict: false })],
  ])('refuse %s', async (_, call) => {
    expect(await refusal(() => call(people))).toBe('unsupported_operation')
    expect(await it.everything()).not.toContain(CANARY)
  })

  test.each([true, false])('refuse bulkWrite of any connection, ordered: %s', async (ordered) => {
    const operations = [{ name: 'insertOne' as const, model: people as never, document: { ...ada, _id: 'bulk' } }]

    for (const connection of [it.connection, await it.connect()])
      expect(await refusal(() => connection.bulkWrite(operations as never, { ordered }))).toBe('unsupported_operation')
    expect(await it.everything()).not.toContain(CANARY)
  })

  test('aggregate what is plain, and move what is encrypted', async () => {
    const found = await people.aggregate([{ $match: { _id: 'ada' } }, { $project: { said: '$name' } }])

    expect(found).toEqual([{ _id: 'ada', said: ada.name }])
    const iterated: unknown[] = []
    for await (const each of people.aggregate([{ $match: { _id: 'ada' } }, { $project: { name: 1 } }]).cursor({ batchSize: 1 }))
      iterated.push(each)
    expect(iterated).toEqual([{ _id: 'ada', name: ada.name }])
  })

  test('take part in transactions', async () => {
    await it.connection.transaction(async (session) => {
      await people.create([{ ...ada, _id: 'tx', email: 'tx@example.com' }], { session })
      await people.updateOne({ _id: 'tx' }, { name: `Changed ${CANARY}` }, { session })
      expect(await people.findById('tx').session(session).lean()).toMatchObject({ name: `Changed ${CANARY}` })
      expect(await people.exists({ _id: 'tx' })).toBeNull()
    })
    const gone = it.connection.transaction(async (session) => {
      await people.create([{ ...ada, _id: 'not' }], { session })
      throw new Error('rolled back')
    })

    expect(await failure(() => gone)).toMatchObject({ message: 'rolled back' })
    expect(await people.exists({ _id: 'tx' })).not.toBeNull()
    expect(await people.exists({ _id: 'not' })).toBeNull()
    expect(await it.everything()).not.toContain(CANARY)
  })

  test('need the driver that Mongoose has', async () => {
    const base = it.mongoose()
    const connection = await it.connect(it.connection.name, base)
    Object.defineProperty(base, 'mongo', { value: { Collection: Map } })

    expect(await refusal(() => modelOf(connection, named(), it.encrypt(personSchema())))).toBe('unsupported_operation')
    await connection.close()
  })

  test.each<[string, (schema: Schema) => unknown]>([
    ['documents', (schema) => (schema.methods['$__delta'] = undefined as never)],
    ['queries', (schema) => ((schema.query as Record<string, unknown>)['_castUpdate'] = undefined)],
    ['models', (schema) => (schema.statics['insertMany'] = undefined as never)],
  ])('need the methods that they take the place of: of %s', async (_, without) => {
    const schema = it.encrypt(personSchema())
    without(schema)
    const Model = class extends it.base.Model {}
    const name = named()
    Object.defineProperty(Model, 'name', { value: name })

    expect(await refusal(() => it.connection.model(Model as never, schema))).toBe('unsupported_operation')
    expect(await refusal(() => Model.updateOne({ _id: 'new' }, { name: CANARY }, { upsert: true }))).toMatch(
      /^unsupported_operation|TypeError/,
    )
    const native = it.connection.collection(Model.collection.collectionName)
    await native.insertOne({ ...ada, _id: 'internals' } as never)
    expect(JSON.stringify(await it.stored(native.collectionName))).not.toContain(CANARY)
  })

  test('cannot have their collection opened again', () => {
    const collection = people.collection as unknown as Record<string, unknown>

    expect(() => (collection['insertOne'] = (): void => undefined)).toThrow(TypeError)
    expect(() => delete collection['insertOne']).toThrow(TypeError)
  })

  test('share their collection with what is made without the plugin', async () => {
    await it.connection.collection('people').insertOne({ ...ada, _id: 'native' } as never)
    const plain = it.connection.model(named(), personSchema(), 'people') as unknown as AnyModel
    await plain.create({ ...ada, _id: 'plain' })

    expect(await it.everything()).not.toContain(CANARY)
    expect(await people.findById('native').lean()).toMatchObject({ name: ada.name })
  })

  test('are encrypted after useConnection', async () => {
    const model = modelOf(it.connection, named(), it.encrypt(personSchema()))
    const database = `${it.connection.name}-second`
    const second = await it.connect(database)

    model.useConnection(second)
    await requireEncrypted(model, database)
    await second.dropDatabase()
    // As Mongoose's own, past whatever a model has of that name.
    it.base.Model.useConnection.call(model, it.connection)
    await requireEncrypted(model)
  })

  test('are encrypted in another collection', async () => {
    it.connection.model('Sub', it.encrypt(personSchema()))
    const sub = it.connection.model('Sub', undefined as never, 'subs') as unknown as AnyModel

    expect(sub.collection.collectionName).toBe('subs')
    await requireEncrypted(sub)
  })

  test.each<[string, () => AnyModel | Promise<AnyModel>]>([
    ['a copy of the schema', () => modelOf(it.connection, named(), it.encrypt(personSchema()).clone())],
    [
      "another Mongoose's copy of the schema",
      async () => {
        const connection = await it.connect(it.connection.name, it.mongoose())
        const made = modelOf(connection, named(), it.encrypt(personSchema()))
        await made.init()
        await made.create({ ...ada, _id: 'elsewhere' })
        await connection.close()
        return modelOf(it.connection, named(), it.encrypt(personSchema()))
      },
    ],
    [
      'a schema that was added to another',
      () => modelOf(it.connection, named(), new Schema({ more: String }).add(it.encrypt(personSchema()) as never)),
    ],
    [
      'a schema that was marked late',
      () => {
        const schema = it.encrypt(new Schema({ _id: String, orgId: String }))
        schema.add({ name: { type: String, encrypted: true } } as never)
        return modelOf(it.connection, named(), schema)
      },
    ],
  ])('are encrypted if made of %s', async (_, make) => {
    await requireEncrypted(await make())
    expect(await it.everything()).not.toContain(CANARY)
  })

  test('encrypt what is marked when they are there', async () => {
    const model = modelOf(it.connection, named(), it.encrypt(personSchema()))
    model.schema.add({ late: { type: String, encrypted: true } } as never)
    await model.create({ ...ada, late: CANARY })
    expect(await model.findById('ada').lean()).toMatchObject({ late: CANARY })
    await model.updateOne({ _id: 'ada' }, { late: `more ${CANARY}` })

    expect(await it.everything()).not.toContain(CANARY)
  })

  test.each<[string, (schema: Schema) => void]>([
    ['declared anew', (schema) => schema.path('name', { type: String })],
    ['added anew', (schema) => schema.add({ name: String } as never)],
    ['removed, and added', (schema) => schema.remove('name').add({ name: { type: String } } as never)],
    ['made unique', (schema) => schema.path('email').index({ unique: true })],
    ['marked no more', (schema) => ((schema.path('name').options as { encrypted?: unknown }).encrypted = false)],
  ])('encrypt a path that was marked, and is %s', async (_, change) => {
    const before = it.encrypt(personSchema())
    change(before)
    await requireEncrypted(modelOf(it.connection, named(), before))
    const after = modelOf(it.connection, named(), it.encrypt(personSchema()))
    change(after.schema as unknown as Schema)
    await requireEncrypted(after)
  })

  test.each<[string, () => AnyModel]>([
    [
      'statics that took the place of those that it had',
      () => modelOf(it.connection, named(), Object.assign(it.encrypt(personSchema()), { statics: {} })),
    ],
    [
      'a static init of its copy',
      () =>
        modelOf(
          it.connection,
          named(),
          it
            .encrypt(personSchema())
            .clone()
            .static('init', () => Promise.resolve()),
        ),
    ],
    [
      'a class with a static init',
      () => {
        // Not enumerable, as that of any class: so no static of the schema's.
        const Model = class extends it.base.Model {
          static override init(): never {
            return Promise.resolve() as never
          }
        }
        Object.defineProperty(Model, 'name', { value: named() })
        return it.connection.model(Model as never, it.encrypt(personSchema())) as unknown as AnyModel
      },
    ],
  ])('write nothing if made with %s', async (_, make) => {
    const model = make()
    const ways: Readonly<Record<string, (options: object) => unknown>> = {
      save: (options) => new model(ada).save({ validateBeforeSave: false, ...options }),
      insertMany: (options) => model.insertMany([ada], { lean: true, ...options }),
      bulkWrite: (options) => model.bulkWrite([{ insertOne: { document: ada as never } }], { skipValidation: true, ...options }),
      updateOne: (options) => model.updateOne({ _id: 'new' }, { name: CANARY }, { upsert: true, ...options }),
      updateMany: (options) => model.updateMany({ _id: 'new' }, { name: CANARY }, { upsert: true, ...options }),
      replaceOne: (options) => model.replaceOne({ _id: 'new' }, { name: CANARY }, { upsert: true, ...options }),
      findOneAndUpdate: (options) => model.findOneAndUpdate({ _id: 'new' }, { name: CANARY }, { upsert: true, ...options }),
      findOneAndReplace: (options) => model.findOneAndReplace({ _id: 'new' }, { name: CANARY }, { upsert: true, ...options }),
    }
    for (const [how, call] of Object.entries(ways))
      for (const options of [{}, { middleware: false }, { middleware: { pre: false } }])
        expect([how, await refusal(() => call(options))]).toEqual([how, 'unsupported_operation'])
    expect(await it.everything()).not.toContain(CANARY)
  })

  const ownSchema = (): Schema => {
    const shape = { _id: String, orgId: String, name: { type: String, encrypted: true } }
    return new it.base.Schema(shape) as unknown as Schema
  }

  test('cannot be made of the schema before it has the plugin, on whatever connection: they would go on in plaintext', async () => {
    const other = it.unopened()
    for (const connection of [it.connection, other]) {
      const schema = ownSchema()
      modelOf(connection, named(), schema)
      expect(await refusal(() => it.encrypt(schema))).toBe('unsupported_operation')
    }
  })

  test.each<[string, () => Schema]>([
    [
      'a copy of one that a model was made of',
      () => {
        const schema = ownSchema()
        modelOf(it.connection, named(), schema)
        return schema.clone() as Schema
      },
    ],
    [
      'one that stands in another',
      () => {
        const schema = ownSchema()
        it.encrypt(
          new it.base.Schema({ _id: String, orgId: String, of: schema, name: { type: String, encrypted: true } }) as unknown as Schema,
        )
        return schema
      },
    ],
    ['one with a plugin named as one of Mongoose', () => ownSchema().plugin(function addIdGetter() {})],
  ])('can be made of any other schema: %s', async (_, of) => {
    await requireEncrypted(modelOf(it.connection, named(), it.encrypt(of())))
  })

  test('take bytes that look like what is stored for bytes, in values that are encrypted as a whole too', async () => {
    const like = Buffer.from(Uint8Array.of(1, ...new Uint8Array(80)))
    const shape = { _id: String, orgId: String, bytes: { type: Buffer, encrypted: true }, all: { type: [Buffer], encrypted: true } }
    const whole = { whole: { type: new Schema({ c: Buffer }, { _id: false }), encrypted: true } }
    const model = modelOf(
      it.connection,
      named(),
      it.encrypt(new Schema({ ...shape, ...whole, map: { type: Map, of: Buffer, encrypted: true } })),
    )
    const given = { bytes: like, all: [like], whole: { c: like }, map: { c: like } }
    await model.create({ _id: 'ada', orgId: 'acme', ...given })
    const found = JSON.stringify(await model.findOne().lean())
    expect(found.split(like.toString('base64')).length - 1).toBe(4)
  })

  test('take nothing that is stored for a value that is to be encrypted', async () => {
    const model = modelOf(it.connection, named(), it.encrypt(personSchema()))
    await model.create({ ...ada, notes: [{ title: 'open', text: `Note ${CANARY}` }] })
    const before = await it.stored(model.collection.collectionName)
    const [raw] = before as [Record<string, Binary> & { tags: Binary[]; notes: { text: Binary }[] }]
    const bytes = Buffer.from((raw['name'] as Binary).value())
    for (const [how, call] of Object.entries({
      $set: () => model.updateOne({ _id: 'ada' }, { name: raw['name'] } as never),
      'as bytes': () => model.updateOne({ _id: 'ada' }, { name: bytes } as never),
      elements: () => model.updateOne({ _id: 'ada' }, { tags: raw['tags'] } as never),
      indexed: () => model.updateOne({ _id: 'ada' }, { email: raw['email'] } as never),
      $push: () => model.updateOne({ _id: 'ada' }, { $push: { tags: raw['tags'][0] } } as never),
      insertMany: () => model.insertMany([{ ...raw, _id: 'copy' }] as never),
      bulkWrite: () => model.bulkWrite([{ insertOne: { document: { ...raw, _id: 'copy' } } }] as never),
      create: () => model.create({ ...ada, _id: 'copy', notes: raw['notes'] }),
      save: async () => {
        const document = (await model.findById('ada').orFail()) as unknown as Document
        document['name'] = raw['name']
        return document['save']() as unknown
      },
    }))
      expect([how, await refusal(call)]).toEqual([how, expect.stringMatching(/^(?:invalid_argument|ValidationError|CastError)/)])
    expect(await it.stored(model.collection.collectionName)).toEqual(before)
  })

  test('are encrypted in classes that extend them', async () => {
    const model = modelOf(it.connection, named(), it.encrypt(personSchema()))
    await requireEncrypted(class extends (model as unknown as new () => object) {} as unknown as AnyModel)
  })

  test('encrypt what discriminators mark', async () => {
    const base = modelOf(
      it.connection,
      named(),
      it.encrypt(new Schema({ _id: String, orgId: String, name: { type: String, encrypted: true } })),
    )
    const child = base.discriminator(
      named(),
      new Schema({ secret: { type: String, encrypted: true }, open: String }),
    ) as unknown as AnyModel
    const other = base.discriminator(named(), new Schema({ open: String })) as unknown as AnyModel
    await child.create({ _id: 'one', orgId: 'acme', name: `Ada ${CANARY}`, secret: `secret ${CANARY}`, open: 'seen' })
    await other.create({ _id: 'two', orgId: 'acme', name: `Bob ${CANARY}`, open: 'seen' })
    await base.updateOne({ _id: 'two' }, { name: `Robert ${CANARY}` })

    expect(await it.everything()).not.toContain(CANARY)
    expect((await base.find().sort('_id')).map((each) => each.toObject())).toMatchObject([
      { name: `Ada ${CANARY}`, secret: `secret ${CANARY}` },
      { name: `Robert ${CANARY}` },
    ])
    expect(await child.countDocuments()).toBe(1)
  })

  test('follow discriminators that have a static of the name init', async () => {
    const base = modelOf(it.connection, named(), it.encrypt(personSchema()))
    const schema = new Schema({ secret: { type: String, encrypted: true } }).static('init', () => Promise.resolve())
    const child = base.discriminator(named(), schema) as unknown as AnyModel
    const database = `${it.connection.name}-child`
    const second = await it.connect(database)

    child.useConnection(second)
    await child.create({ ...ada, secret: CANARY })
    expect(JSON.stringify(await it.stored(child.collection.collectionName, database))).not.toContain(CANARY)
    await second.dropDatabase()
  })

  test('encrypt what discriminators of subdocuments mark', async () => {
    const events = new Schema({ at: String }, { discriminatorKey: 'kind' })
    const schema = it.encrypt(new Schema({ _id: String, orgId: String, name: { type: String, encrypted: true }, events: [events] }))
    const model = modelOf(it.connection, named(), schema)
    const array = schema.path('events') as unknown as { discriminator(name: string, of: Schema): unknown }
    array.discriminator('Said', new Schema({ words: { type: String, encrypted: true } }))
    await model.create({ _id: 'one', orgId: 'acme', events: [{ kind: 'Said', at: 'noon', words: CANARY }] })
    await model.updateOne({ _id: 'one' }, { $push: { events: { kind: 'Said', at: 'night', words: `more ${CANARY}` } } })

    expect(await it.everything()).not.toContain(CANARY)
    expect(await model.findOne().lean()).toMatchObject({ events: [{ words: CANARY }, { words: `more ${CANARY}` }] })
  })

  test('send nothing any more once two schemas of one collection do not agree', async () => {
    const base = modelOf(it.connection, named(), it.encrypt(personSchema()))
    const other = new Schema({ name: { first: { type: String, encrypted: true } } })

    expect(await refusal(() => base.discriminator(named(), other))).toBe('unsupported_operation')
    expect(await refusal(() => base.create(ada))).toBe('unsupported_operation')
  })

  test('of one collection have the same options', async () => {
    const schema = it.encrypt(personSchema(), { subject: 'plan' })

    expect(await refusal(() => it.connection.model(named(), schema, 'people'))).toBe('unsupported_operation')
    expect(await people.countDocuments({ _id: 'ada' })).toBe(1)
  })

  test('write nothing where making them failed', async () => {
    const Broken = class extends it.base.Model {}
    const schema = it.encrypt(new Schema({ _id: String, orgId: String, name: { type: String, encrypted: true } }), { tenant: 'nowhere' })
    const half = modelOf(
      it.connection,
      named(),
      it.encrypt(new Schema({ _id: String, orgId: String, plan: { type: String, encrypted: true } })),
    )
    const taken = await it.connect()
    taken.model(half.modelName, it.encrypt(personSchema(), { subject: 'plan' }), half.collection.collectionName)

    expect(await refusal(() => it.connection.model(Broken as never, schema))).toBe('invalid_argument')
    expect(await refusal(() => Broken.create({ _id: 'broken', orgId: 'acme', name: CANARY }))).toBe('invalid_argument')
    expect(await refusal(() => Broken.useConnection(it.unopened()))).toBe('invalid_argument')
    expect(await refusal(() => half.useConnection(taken))).toBe('invalid_argument')
    const late = new half({ _id: 'late', orgId: 'acme', plan: CANARY })
    expect(await refusal(() => late.save())).toBe('invalid_argument')
    expect(await it.everything()).not.toContain(CANARY)
  })

  test('without the plugin do not take subdocuments that have it', async () => {
    const inner = it.encrypt(new Schema({ orgId: String, name: { type: String, encrypted: true } }))
    const model = modelOf(it.connection, named(), new Schema({ inner }))

    expect(await refusal(() => model.create({ inner: { orgId: 'acme', name: CANARY } }))).toContain('stands in a model without it')
    expect(await it.everything()).not.toContain(CANARY)
  })

  test('wait for the connection, and for the next one', async () => {
    const connection = it.unopened()
    const model = modelOf(connection, named(), it.encrypt(personSchema()))
    const created = model.create(ada)
    const found = model.find().exec()
    await it.open(connection)
    await Promise.all([created, found])
    await requireEncrypted(model)
    await connection.close()
    await it.open(connection)
    await requireEncrypted(model)
    await connection.close()
  })

  test('that do not wait for the connection say so', async () => {
    const connection = it.unopened()
    const model = modelOf(connection, named(), it.encrypt(personSchema().set('bufferCommands', false)))

    expect(await refusal(() => model.create(ada))).toContain('before initial connection')
    expect(await refusal(() => model.find())).toContain('before initial connection')
  })

  test('give up waiting as Mongoose does', async () => {
    const connection = it.unopened()
    const model = modelOf(connection, named(), it.encrypt(personSchema().set('bufferTimeoutMS', 20)))

    expect(await refusal(() => model.create(ada))).toContain('buffering timed out')
  })
})
