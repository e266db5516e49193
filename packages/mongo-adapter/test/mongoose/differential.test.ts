// One script on a plain model and on an encrypted one: the same documents, the same hooks, the same errors, and no plaintext in the database.
import type { Document } from 'mongodb'
import { Schema } from 'mongoose'
import { expect, test } from 'vitest'

import { outcome, type Step } from './compare.ts'
import { canary, witness } from './heard.ts'
import { type AnyModel, CANARY, modelOf, uri, world, type World } from './support.ts'

/** The schema of both; `encrypted` marks its paths in one of them. */
function schemaOf(encrypted: boolean, hooks: string[]): Schema {
  const mark = (options: object = {}): object => (encrypted ? { encrypted: Object.keys(options).length === 0 ? true : options } : {})
  const address = new Schema({ city: String, street: { type: String, ...mark() } }, { _id: false })
  const schema = new Schema(
    {
      _id: String,
      orgId: { type: String, required: true },
      plan: { type: String, default: 'free' },
      friend: { type: String, ref: 'Person' },
      email: { type: String, lowercase: true, trim: true, unique: true, ...mark({ index: { scope: 'application' } }) },
      name: { type: String, minlength: 3, ...mark() },
      age: { type: Number, max: 200, ...mark({ index: { scope: 'tenant' } }) },
      born: { type: Date, ...mark() },
      nested: { deep: { secret: { type: String, ...mark() }, open: String } },
      address,
      tags: [{ type: String, ...mark() }],
      sizes: [Number],
      whole: { type: [String], default: undefined, ...mark() },
      notes: [{ title: String, text: { type: String, ...mark() } }],
      facts: { type: Map, of: String, ...mark() },
      anything: { type: Schema.Types.Mixed, ...mark() },
    },
    { timestamps: { currentTime: () => new Date(Date.UTC(2030, 0, 1)) } },
  )
  schema.virtual('shout').get(function (this: { readonly name?: string }) {
    return this.name?.toUpperCase()
  })
  for (const hook of ['save', 'validate', 'insertMany', 'find', 'findOne', 'updateOne', 'findOneAndUpdate', 'deleteOne'] as const)
    schema.pre(hook as 'save', () => void hooks.push(`pre ${hook}`))
  schema.post('save', (document: unknown) => void hooks.push(`saved ${(document as { readonly name: string }).name}`))
  schema.post('init', (document: unknown) => void hooks.push(`init ${(document as { readonly name: string }).name}`))
  return schema
}

const ada = {
  _id: 'ada',
  orgId: 'acme',
  email: ` Ada-${CANARY}@Example.com`,
  name: `Ada ${CANARY}`,
  age: 36,
  born: canary('born', new Date('1815-12-10T03:04:05.678Z')),
  nested: { deep: { secret: `deep ${CANARY}`, open: 'seen' } },
  address: { city: 'London', street: `Street ${CANARY}` },
  tags: [`one ${CANARY}`, `two ${CANARY}`],
  whole: [`all ${CANARY}`],
  notes: [
    { _id: '0123456789abcdef01234567', title: 'first', text: `note ${CANARY}` },
    { _id: '0123456789abcdef01234568', title: 'second', text: `more ${CANARY}` },
  ],
  facts: { colour: `red ${CANARY}` },
  anything: { may: [`be ${CANARY}`] },
}
const bob = { _id: 'bob', orgId: 'acme', email: `bob-${CANARY}@example.com`, name: `Bob ${CANARY}`, age: 40, friend: 'ada' }
const eve = { _id: 'eve', orgId: 'acme', email: `eve-${CANARY}@example.com`, name: `Eve ${CANARY}`, age: 36 }

async function loaded(people: AnyModel, id: string): Promise<Document> {
  return (await people.findById(id).orFail()) as unknown as Document
}

const SCRIPT: Readonly<Record<string, Step>> = {
  create: (people) => people.create(ada),
  'new and save': (people) => new people(bob).save(),
  insertMany: (people) => people.insertMany([eve, { ...eve, _id: 'joe', email: 'joe@example.com', age: 50 }]),
  'insertMany raw': (people) => people.insertMany([{ ...eve, _id: 'kim', email: 'kim@example.com' }], { rawResult: true }),
  'find all': (people) => people.find().sort({ _id: 1 }),
  'find by an index': (people) => people.find({ email: `ada-${CANARY}@example.com` }),
  'find by an index of a tenant': (people) => people.find({ orgId: 'acme', age: 36 }).sort('_id'),
  findOne: (people) => people.findOne({ _id: 'bob' }),
  'findOne of none': (people) => people.findOne({ _id: 'nobody' }),
  findById: (people) => people.findById('ada'),
  lean: (people) => people.find({ plan: 'free' }).sort('_id').lean(),
  'lean one': (people) => people.findOne({ _id: 'ada' }).lean(),
  select: (people) => people.find({}, { name: 1 }).sort('_id'),
  'select but': (people) => people.find().select('-name -notes').sort('_id'),
  'skip and limit': (people) => people.find().sort('_id').skip(1).limit(2),
  virtual: async (people) => (await loaded(people, 'ada'))['shout'] as unknown,
  cursor: async (people) => {
    const found: unknown[] = []
    for await (const each of people.find().sort('_id').cursor({ batchSize: 2 })) found.push(each)
    return found
  },
  eachAsync: async (people) => {
    const found: unknown[] = []
    await people
      .find()
      .sort('_id')
      .cursor()
      .eachAsync((each) => void found.push(each.get('name')))
    return found
  },
  populate: (people) => people.findOne({ _id: 'bob' }).populate('friend'),
  'populate lean': (people) => people.find({ _id: 'bob' }).populate('friend', 'name').lean(),
  countDocuments: (people) => people.countDocuments({ plan: 'free' }),
  'countDocuments by an index': (people) => people.countDocuments({ email: `bob-${CANARY}@example.com` }),
  estimatedDocumentCount: (people) => people.estimatedDocumentCount(),
  exists: (people) => people.exists({ _id: 'ada' }),
  distinct: (people) => people.distinct('plan'),
  'save what has not changed': async (people) => (await loaded(people, 'ada'))['save']() as unknown,
  'save of a path': async (people) => {
    const document = await loaded(people, 'ada')
    document['name'] = `Ada ${CANARY} II`
    return document['save']() as unknown
  },
  'save of a nested path': async (people) => {
    const document = await loaded(people, 'ada')
    document['nested'].deep.secret = `deeper ${CANARY}`
    document['address'].street = `Road ${CANARY}`
    return document['save']() as unknown
  },
  'save of a subdocument': async (people) => {
    const document = await loaded(people, 'ada')
    document['notes'][0].text = `changed ${CANARY}`
    document['notes'].push({ _id: '0123456789abcdef01234569', title: 'third', text: `third ${CANARY}` })
    return document['save']() as unknown
  },
  'save of a removed subdocument': async (people) => {
    const document = await loaded(people, 'ada')
    document['notes'].splice(0, 1)
    return document['save']() as unknown
  },
  'pull of a subdocument': async (people) => {
    const document = await loaded(people, 'ada')
    document['notes'].push({ _id: '0123456789abcdef0123456a', title: 'fourth', text: `fourth ${CANARY}` })
    await document['save']()
    document['notes'].pull('0123456789abcdef0123456a')
    return document['save']() as unknown
  },
  'deleteOne of a subdocument': async (people) => {
    const document = await loaded(people, 'ada')
    document['notes'].push({ _id: '0123456789abcdef0123456b', title: 'fifth', text: `fifth ${CANARY}` })
    await document['save']()
    document['notes'].id('0123456789abcdef0123456b').deleteOne()
    document['name'] = `Ada ${CANARY} without`
    return document['save']() as unknown
  },
  'two pulls of subdocuments, one unknown': async (people) => {
    const document = await loaded(people, 'ada')
    document['notes'].pull({ _id: '0123456789abcdef01234569' }, '0123456789abcdef0123456c')
    await document['save']()
    return people.findById('ada').lean()
  },
  'update by $pull of subdocuments': (people) =>
    people.findOneAndUpdate({ _id: 'ada' }, { $pull: { notes: { title: 'none' } } }, { returnDocument: 'after' }),
  'addToSet and pull of numbers': async (people) => {
    const document = await loaded(people, 'ada')
    document['sizes'].addToSet(1, 2)
    await document['save']()
    document['sizes'].pull(1)
    return document['save']() as unknown
  },
  'save of arrays': async (people) => {
    const document = await loaded(people, 'ada')
    document['tags'].push(`three ${CANARY}`)
    document['whole'] = [`new ${CANARY}`]
    return document['save']() as unknown
  },
  'save of an array without its last element': async (people) => {
    const document = await loaded(people, 'ada')
    document['tags'].pop()
    return document['save']() as unknown
  },
  'save of a whole map and of anything': async (people) => {
    const document = await loaded(people, 'ada')
    document['facts'] = { colour: `blue ${CANARY}` }
    document['anything'] = { other: CANARY }
    return document['save']() as unknown
  },
  'save of what is taken away': async (people) => {
    const document = await loaded(people, 'ada')
    document['born'] = undefined
    return document['save']() as unknown
  },
  'two saves of one version': async (people) => {
    const [first, second] = [await loaded(people, 'ada'), await loaded(people, 'ada')]
    first['notes'].splice(0, 1)
    await first['save']()
    second['notes'][0].text = `late ${CANARY}`
    return second['save']() as unknown
  },
  updateOne: (people) => people.updateOne({ _id: 'bob' }, { name: `Robert ${CANARY}`, $push: { tags: `pushed ${CANARY}` } }),
  updateMany: (people) => people.updateMany({ plan: 'free' }, { $set: { name: `Same ${CANARY}` } }),
  'updateOne of a document': async (people) => (await loaded(people, 'eve'))['updateOne']({ age: 37 }) as unknown,
  findOneAndUpdate: (people) => people.findOneAndUpdate({ _id: 'bob' }, { name: `Bobby ${CANARY}` }, { returnDocument: 'after' }),
  'findOneAndUpdate before': (people) => people.findOneAndUpdate({ _id: 'bob' }, { age: 41 }, { returnDocument: 'before' }),
  'findOneAndUpdate with its metadata': async (people) =>
    (await people.findOneAndUpdate({ _id: 'bob' }, { age: 42 }, { includeResultMetadata: true, returnDocument: 'after' })).value,
  'findOneAndUpdate that inserts': (people) =>
    people.findOneAndUpdate({ _id: 'new', orgId: 'acme' }, { name: `New ${CANARY}` }, { upsert: true, returnDocument: 'after' }),
  replaceOne: (people) => people.replaceOne({ _id: 'kim' }, { orgId: 'acme', name: `Kim ${CANARY}` }),
  findOneAndReplace: (people) =>
    people.findOneAndReplace({ _id: 'kim' }, { orgId: 'acme', name: `Kimberly ${CANARY}` }, { returnDocument: 'after' }),
  bulkWrite: async (people) => {
    const { insertedCount, modifiedCount, deletedCount } = await people.bulkWrite([
      { insertOne: { document: { _id: 'lee', orgId: 'acme', email: 'lee@example.com', name: `Lee ${CANARY}` } } },
      { updateOne: { filter: { _id: 'bob' }, update: { name: `Bulk ${CANARY}` } } },
      { deleteOne: { filter: { _id: 'joe' } } },
    ])
    return { insertedCount, modifiedCount, deletedCount }
  },
  bulkSave: async (people) => {
    const [first, second] = [await loaded(people, 'ada'), await loaded(people, 'bob')]
    first['name'] = `Ada ${CANARY} III`
    second['tags'].push(`bulk ${CANARY}`)
    const added = new people({ _id: 'max', orgId: 'acme', email: 'max@example.com', name: `Max ${CANARY}` })
    const { insertedCount, modifiedCount } = await people.bulkSave([first, second, added] as never)
    return { insertedCount, modifiedCount }
  },
  'a duplicate': (people) => people.create({ ...bob, _id: 'bob2' }),
  'a cast that fails': (people) => people.create({ ...bob, _id: 'bob3', age: `no ${CANARY}` }),
  'a validation that fails': (people) => people.create({ ...bob, _id: 'bob4', name: 'x' }),
  'what is required': (people) => people.create({ _id: 'bob5', name: `Bob ${CANARY}` }),
  'a query that cannot be cast': (people) => people.find({ age: `no ${CANARY}` }),
  'an update that cannot be cast': (people) => people.updateOne({ _id: 'bob' }, { age: `no ${CANARY}` }),
  'or fails': (people) => people.findOne({ email: `none-${CANARY}@example.com` }).orFail(),
  'deleteOne of a document': async (people) => (await loaded(people, 'eve'))['deleteOne']() as unknown,
  findOneAndDelete: (people) => people.findOneAndDelete({ _id: 'bob' }),
  deleteMany: (people) => people.deleteMany({ plan: 'free', _id: { $ne: 'ada' } }),
  'find what is left': (people) => people.find().sort('_id'),
}

test.skipIf(uri === undefined)('a script of operations finds no difference', async () => {
  const it = await world()
  const hooks = { plain: [] as string[], encrypted: [] as string[] }
  const plain = modelOf(await it.plain(), 'Person', schemaOf(false, hooks.plain))
  const encrypted = modelOf(it.connection, 'Person', it.encrypt(schemaOf(true, hooks.encrypted)))
  await Promise.all([plain.init(), encrypted.init()])
  for (const [name, step] of Object.entries(SCRIPT)) {
    const [expected, found] = [await outcome(step, plain), await outcome(step, encrypted, (error) => witness.error(name, error))]
    expect(found, name).toEqual(expected)
    expect(hooks.encrypted, name).toEqual(hooks.plain)
    await requireNoCanary(it, name)
  }
  expect(await it.stored('people')).toHaveLength(1)
})

async function requireNoCanary(it: World, after: string): Promise<void> {
  expect((await it.everything()).toLowerCase(), after).not.toContain(CANARY)
}
