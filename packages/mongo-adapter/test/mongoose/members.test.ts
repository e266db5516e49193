// What else models, queries and documents of Mongoose can do: on encrypted paths the same as on plain ones.
import type { Document } from 'mongodb'
import mongoose, { Schema } from 'mongoose'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { outcome, type Step } from './compare.ts'
import { type AnyModel, CANARY, modelOf, refusal, uri, world, type World } from './support.ts'

type Seen = Readonly<Record<string, unknown>>

function schemaOf(encrypted: boolean): Schema {
  const mark = (given: object | true = true): object => (encrypted ? { encrypted: given } : {})
  const event = new Schema({ at: String }, { discriminatorKey: 'kind', _id: false })
  const schema = new Schema(
    {
      _id: String,
      orgId: { type: String, required: true },
      plan: { type: String, default: 'free' },
      friends: [{ type: String, ref: 'Member' }],
      first: { type: String, trim: true, get: (value?: string) => value?.toUpperCase(), ...mark() },
      last: { type: String, alias: 'surname', maxlength: 30, ...mark() },
      secret: { type: String, select: false, ...mark() },
      email: { type: String, lowercase: true, immutable: true, ...mark({ index: { scope: 'application' } }) },
      nested: { hidden: { type: String, select: false, ...mark() }, shown: String },
      notes: [new Schema({ title: String, text: { type: String, ...mark() }, hidden: { type: String, select: false, ...mark() } })],
      events: [event],
      main: event,
    },
    {
      toJSON: { virtuals: true, getters: true, transform: (_, seen: Document) => ({ ...seen, by: 'toJSON' }) },
      toObject: { transform: (_, seen: Document) => ({ ...seen, by: 'toObject' }) },
    },
  )
  schema
    .virtual('full')
    .get(function (this: Seen) {
      return `${String(this['first'])} ${String(this['last'])}`
    })
    .set(function (this: Document, value: string) {
      const [first, last] = value.split(' ')
      this['set']({ first, last })
    })
  schema.virtual('those', { ref: 'Member', localField: 'friends', foreignField: '_id' })
  schema.method('hello', function (this: Seen) {
    return `hello ${String(this['first'])}`
  })
  schema.static('byEmail', function (this: AnyModel, email: string) {
    return this.findOne({ email })
  })
  ;(schema.query as Record<string, unknown>)['ofPlan'] = function (this: { where(filter: object): unknown }, plan: string) {
    return this.where({ plan })
  }
  schema.post('find', { query: true }, function (this: { readonly options: Seen }, found: unknown[]) {
    return this.options['comment'] === 'overwrite' ? mongoose.overwriteMiddlewareResult(found.slice(0, 1)) : undefined
  } as never)
  const main = (path: string): { discriminator(name: string, of: Schema): unknown } => schema.path(path) as never
  const said = (): Schema => new Schema({ words: { type: String, ...mark() } }, { _id: false })
  const moved = (): Schema =>
    new Schema(
      { to: { city: String, street: { type: String, ...mark() } }, past: [new Schema({ street: { type: String, ...mark() } })] },
      { _id: false },
    )
  for (const path of ['events', 'main']) {
    main(path).discriminator('Said', said())
    main(path).discriminator('Moved', moved())
  }
  return schema
}

const ada = {
  _id: 'ada',
  orgId: 'acme',
  friends: ['bob'],
  first: ` Ada ${CANARY}`,
  last: 'Lovelace',
  secret: `secret ${CANARY}`,
  email: `Ada-${CANARY}@example.com`,
  nested: { hidden: `hidden ${CANARY}`, shown: 'shown' },
  notes: [{ _id: '0123456789abcdef01234567', title: 'first', text: `note ${CANARY}`, hidden: `hidden ${CANARY}` }],
  events: [
    { kind: 'Said', at: 'noon', words: `words ${CANARY}` },
    {
      kind: 'Moved',
      at: 'night',
      to: { city: 'Paris', street: `Rue ${CANARY}` },
      past: [{ _id: '0123456789abcdef01234567', street: CANARY }],
    },
  ],
  main: { kind: 'Said', at: 'dawn', words: `main ${CANARY}` },
}
const bob = { _id: 'bob', orgId: 'acme', plan: 'pro', first: `Bob ${CANARY}`, last: 'Boole', email: `bob-${CANARY}@example.com` }

async function loaded(people: AnyModel, projection?: string): Promise<Document> {
  return (await people.findById('ada', projection).orFail()) as unknown as Document
}

const STEPS: Readonly<Record<string, Step>> = {
  'select: false': (people) => people.find().sort('_id'),
  'select: false, asked for': (people) => people.findById('ada').select('+secret +nested.hidden +notes.hidden'),
  'select: false, asked for alone': (people) => people.findById('ada').select('secret').lean(),
  'select: false, of lean': (people) => people.find().sort('_id').lean(),
  'select: false, saved': async (people) => {
    const document = await loaded(people)
    document['first'] = `Augusta ${CANARY}`
    document['notes'][0].text = `other ${CANARY}`
    await document['save']()
    return people.findById('ada').select('+secret +nested.hidden +notes.hidden').lean()
  },
  'select: false, set': async (people) => {
    const document = await loaded(people)
    document['secret'] = `new ${CANARY}`
    document['nested'].hidden = `new ${CANARY}`
    await document['save']()
    return people.findById('ada').select('+secret +nested.hidden').lean()
  },
  'a virtual': async (people) => (await loaded(people))['full'] as unknown,
  'a virtual that is set': async (people) => {
    const document = await loaded(people)
    document['full'] = `Countess ${CANARY}`
    await document['save']()
    return people.findById('ada').lean()
  },
  'an alias': async (people) => {
    const document = await loaded(people)
    document['surname'] = `Byron ${CANARY}`
    await document['save']()
    return people.findById('ada').lean()
  },
  'a virtual that is populated': async (people) => (await people.findById('ada').populate('those').orFail()).get('those') as unknown,
  'a virtual of lean': async (people) => people.applyVirtuals((await people.findById('ada').lean()) as never),
  'a method, a static and a helper of queries': async (people) => {
    const { byEmail } = people as unknown as { byEmail(email: string): Promise<Document> }
    const document = await byEmail.call(people, `ada-${CANARY}@example.com`)
    return [document['hello'](), await (people.find() as unknown as { ofPlan(plan: string): unknown }).ofPlan('pro')]
  },
  toObject: async (people) => (await loaded(people))['toObject']() as unknown,
  'toObject with all': async (people) =>
    (await loaded(people))['toObject']({ virtuals: true, getters: true, flattenMaps: true, transform: false }) as unknown,
  toJSON: async (people) => (await loaded(people))['toJSON']() as unknown,
  get: async (people) => (await loaded(people))['get']('first') as unknown,
  'an immutable path': async (people) => {
    const document = await loaded(people)
    document['email'] = `other-${CANARY}@example.com`
    await document['save']()
    await people.updateOne({ _id: 'ada' }, { email: `other-${CANARY}@example.com` })
    return people.findById('ada').lean()
  },
  overwriteMiddlewareResult: (people) => people.find().sort('_id').comment('overwrite'),
  castObject: (people) => people.castObject({ first: ` x ${CANARY}`, notes: [{ text: 5 }], unknown: 1 }),
  'castObject of other shapes': (people) => people.castObject({ notes: 'x', main: 'y' }),
  hydrate: (people) => people.hydrate({ ...ada, first: 'Ada' } as never),
  'hydrate and save': async (people) => {
    const document = people.hydrate((await people.findById('ada').lean()) as never) as unknown as Document
    document['first'] = `hydrated ${CANARY}`
    await document['save']()
    return people.findById('ada').lean()
  },
  init: async (people) => {
    const document = new people() as unknown as Document
    document['init'](await people.findById('ada').lean())
    document['first'] = `init ${CANARY}`
    await document['save']()
    return people.findById('ada').lean()
  },
  validate: (people) => people.validate({ orgId: 'acme', first: ` x ${CANARY}` }),
  'validate that fails': (people) => people.validate({ first: 'x', last: CANARY.repeat(10) }),
  'validate of a path': (people) => people.validate({ first: 'x', last: CANARY.repeat(10) }, ['last']),
  'validate of a document': async (people) => new people({ last: CANARY.repeat(10) }).validate(),
  $clone: async (people) => {
    const clone = (await loaded(people))['$clone']() as Document
    clone['first'] = `cloned ${CANARY}`
    await clone['save']()
    return people.findById('ada').lean()
  },
  'modified paths': async (people) => {
    const document = await loaded(people)
    document['first'] = 'x'
    document['notes'][0].text = 'y'
    return [document['modifiedPaths'](), document['isModified']('first'), document['$getChanges']()]
  },
  exists: (people) => people.exists({ _id: 'ada', plan: 'free' }),
  'exists by an index': (people) => people.exists({ email: `ada-${CANARY}@example.com` }),
  'exists, of none': (people) => people.exists({ email: 'none@example.com' }),
  replaceOne: async (people) => {
    const { modifiedCount } = await people.replaceOne({ _id: 'ada' }, { orgId: 'acme', last: `Byron ${CANARY}` })
    return [modifiedCount, await people.findById('ada').lean()]
  },
  'replaceOne of a document': async (people) => {
    const { modifiedCount } = await (await loaded(people))['replaceOne']({ orgId: 'acme', last: `Byron ${CANARY}` })
    return [modifiedCount, await people.findById('ada').lean()]
  },
  overwriting: async (people) => people.findOneAndReplace({ _id: 'ada' }, { orgId: 'acme', first: CANARY }, { returnDocument: 'after' }),
  estimatedDocumentCount: (people) => people.estimatedDocumentCount(),
  'countDocuments of all': (people) => people.countDocuments(),
  'nested discriminators': async (people) => (await loaded(people))['events'] as unknown,
  'nested discriminators, changed': async (people) => {
    const document = await loaded(people)
    document['events'][0].words = `more ${CANARY}`
    document['events'][1].to.street = `other ${CANARY}`
    document['events'][1].past.push({ _id: '0123456789abcdef01234568', street: `past ${CANARY}` })
    document['main'].words = `more ${CANARY}`
    document['events'].push({ kind: 'Said', at: 'later', words: `later ${CANARY}` })
    await document['save']()
    return people.findById('ada').lean()
  },
  'nested discriminators, updated': async (people) => {
    await people.updateOne(
      { _id: 'ada', 'events.kind': 'Said' },
      { $set: { 'events.$.at': 'x', 'main.kind': 'Said', 'main.words': `set ${CANARY}` } },
    )
    await people.updateOne({ _id: 'ada' }, { $push: { events: { kind: 'Said', words: `pushed ${CANARY}` } } })
    return people.findById('ada').lean()
  },
  'another of the discriminators': async (people) => {
    const document = await loaded(people)
    document['main'] = { kind: 'Moved', at: 'x', to: { city: 'Rome', street: `Via ${CANARY}` } }
    await document['save']()
    return people.findById('ada').select('-main.past').lean()
  },
  'where, in and orFail': (people) =>
    people
      .find()
      .where('email')
      .in([`ada-${CANARY}@example.com`])
      .orFail(),
  'distinct by a filter': (people) => people.distinct('plan', { email: `bob-${CANARY}@example.com` }),
  findByIdAndUpdate: (people) => people.findByIdAndUpdate('ada', { first: `found ${CANARY}` }, { returnDocument: 'after' }),
  findByIdAndDelete: (people) => people.findByIdAndDelete('ada'),
  'clone of a query': async (people) => {
    const query = people.find({ plan: 'pro' })
    return [await query, await query.clone()]
  },
  'transform of a query': (people) =>
    people
      .find()
      .sort('_id')
      .transform((found) => found.length),
  'map of a cursor': async (people) => {
    const seen: unknown[] = []
    for await (const each of people
      .find()
      .sort('_id')
      .cursor({ transform: (one: Document) => one['get']('last') as never }))
      seen.push(each)
    return seen
  },
  'populate of a document': async (people) => (await loaded(people))['populate']('friends', 'first') as unknown,
  'populate of lean ones': async (people) => people.populate(await people.find({ _id: 'ada' }).lean(), { path: 'friends', select: 'last' }),
  'insertMany of lean ones': (people) => people.insertMany([{ ...bob, _id: 'lee', email: 'lee@example.com' }], { lean: true }),
  'a document that is deleted twice': async (people) => {
    const document = await loaded(people)
    return [await document['deleteOne'](), await document['deleteOne'](), document['$isDeleted']()]
  },
}

describe.skipIf(uri === undefined)('models', () => {
  let it: World
  let plain: AnyModel
  let encrypted: AnyModel

  beforeAll(async () => {
    it = await world()
    plain = modelOf(await it.plain(), 'Member', schemaOf(false))
    encrypted = modelOf(it.connection, 'Member', it.encrypt(schemaOf(true)))
    await Promise.all([plain.init(), encrypted.init()])
  })
  beforeEach(async () => {
    for (const model of [plain, encrypted]) {
      await model.deleteMany({})
      await model.create([ada, bob])
    }
  })

  test.each(Object.entries(STEPS))('do the same with %s', async (_, step) => {
    expect(await outcome(step, encrypted)).toEqual(await outcome(step, plain))
    expect((await it.everything()).toLowerCase()).not.toContain(CANARY)
  })

  test.each<[string, (people: AnyModel) => unknown]>([
    ['$where of a model', (people) => people.$where('this.first')],
    ['$where of a query', (people) => people.find().$where('this.first')],
    ['$where as a function', (people) => people.find().$where(() => true)],
    ['$where of an update', (people) => people.updateOne({ $where: 'true' } as never, { plan: 'x' })],
    ['$where in a pipeline', (people) => people.aggregate([{ $match: { $where: 'true' } }])],
    ['$function in a pipeline', (people) => people.aggregate([{ $project: { x: { $function: { body: 'x', args: [], lang: 'js' } } } }])],
  ])('refuse %s', async (_, call) => {
    expect(await refusal(() => call(encrypted))).toBe('unsupported_operation')
  })

  test('have no mapReduce', () => {
    for (const of of [encrypted, encrypted.collection, encrypted.find()]) expect((of as unknown as Seen)['mapReduce']).toBeUndefined()
  })

  test('have a native collection that is encrypted, also where it is asked for by name', async () => {
    for (const [i, native] of [encrypted.collection, it.connection.collection('members')].entries()) {
      const _id = `native-${String(i)}`
      await native.insertOne({ _id, orgId: 'acme', first: `Native ${CANARY}` } as never)
      await native.updateOne({ _id } as never, { $set: { last: `Native ${CANARY}` } })
      expect(await native.findOne({ _id } as never)).toEqual({ _id, orgId: 'acme', first: `Native ${CANARY}`, last: `Native ${CANARY}` })
      expect(await native.find({ _id } as never).toArray()).toHaveLength(1)
    }
    expect((await it.everything()).toLowerCase()).not.toContain(CANARY)
  })

  test('do not see what passes by them: the driver writes plaintext, and gives what is stored', async () => {
    const ways = [
      encrypted.db.db?.collection('members'),
      (encrypted.collection as unknown as { readonly collection: unknown }).collection,
      encrypted.db.getClient().db(encrypted.db.name).collection('members'),
    ] as readonly { insertOne(document: object): Promise<unknown>; findOne(filter: object): Promise<Document | null> }[]
    for (const [i, way] of ways.entries()) {
      expect(JSON.stringify(await way.findOne({ _id: 'bob' }))).not.toContain(CANARY)
      await way.insertOne({ _id: `past-${String(i)}`, orgId: 'acme', first: 'past the model' })
      expect(await refusal(() => encrypted.findById(`past-${String(i)}`))).toBe('decrypt_failed')
    }
  })
})
