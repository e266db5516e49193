// Documents of which a person's key is destroyed: lists go on, and what is gone is neither shown as a value nor written over.
import { StrongroomError } from '@strongroom/core'
import { encrypted, encryptedCollection, SHREDDED } from '@strongroom/mongo-adapter'
import { MongoClient, type Document } from 'mongodb'
import { Schema } from 'mongoose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { type AnyModel, modelOf, refusal, uri, world, type World } from './support.ts'

const secret = { type: String, encrypted: true }

function schemaOf(): Schema {
  const note = new Schema({ title: { type: String, required: true }, text: { ...secret, required: true, default: 'empty' } })
  const schema = new Schema({
    _id: String,
    orgId: { type: String, required: true },
    plan: String,
    friend: { type: String, ref: 'Person' },
    name: { ...secret, required: true },
    kind: { ...secret, default: 'plain' },
    mood: { ...secret, default: () => 'fine' },
    email: { type: String, encrypted: { index: { scope: 'application' } } },
    tags: [secret],
    whole: { type: [String], encrypted: true },
    notes: [note],
    nested: { deep: { secret: { ...secret, required: true, default: 'deep' }, open: String } },
    address: new Schema({ city: String, street: { ...secret, required: true, default: 'none' } }, { _id: false }),
    facts: { type: Map, of: String, encrypted: true },
    anything: { type: Schema.Types.Mixed, encrypted: true },
  })
  schema.virtual('shout').get(function (this: { readonly name?: string }) {
    return this.name?.toUpperCase() ?? 'nobody'
  })
  return schema
}

const PATHS = ['name', 'kind', 'mood', 'email', 'tags', 'whole', 'notes.text', 'nested.deep.secret', 'address.street', 'facts', 'anything']

const person = (_id: string): Document => ({
  _id,
  orgId: 'acme',
  plan: 'pro',
  friend: 'gone',
  name: `name of ${_id}`,
  email: `${_id}@example.com`,
  tags: ['one', 'two'],
  whole: ['three'],
  notes: [
    { title: 'first', text: 'text' },
    { title: 'second', text: 'more' },
  ],
  nested: { deep: { secret: 'secret', open: 'seen' } },
  address: { city: 'London', street: 'Street' },
  facts: { colour: 'red' },
  anything: { may: 'be' },
})

describe.skipIf(uri === undefined)('models', () => {
  let it: World
  let client: MongoClient
  let people: AnyModel
  let marking: AnyModel
  let count = 0

  beforeAll(async () => {
    it = await world()
    client = await new MongoClient(uri as string).connect()
  })
  afterAll(() => client.close())
  beforeEach(async () => {
    // A person who is shredded stays so.
    const connection = await it.connect(`${it.connection.name}-${String(count++)}`)
    people = modelOf(connection, 'Person', it.encrypt(schemaOf(), { subject: 'friend', context: `people${String(count)}` }))
    const other = await it.connect(connection.name)
    marking = modelOf(other, 'Person', it.encrypt(schemaOf(), { subject: 'friend', context: `people${String(count)}`, shredded: 'mark' }))
    await people.init()
    await people.create([person('gone'), person('there')].map((each) => ({ ...each, friend: `${each['_id'] as string}${String(count)}` })))
    await it.vault
      .tenant('acme')
      .subject(`gone${String(count)}`)
      .shred()
  })
  const storedOf = async (): Promise<Document | null> =>
    client
      .db(people.db.name)
      .collection('people')
      .findOne({ _id: 'gone' as never })

  test('give lists without what is shredded, and say so', async () => {
    const found = await people.find().sort('_id')
    const [gone, there] = found as unknown as [Document, Document]

    expect(gone['$locals']).toEqual({ shredded: expect.arrayContaining(PATHS) })
    expect(gone['$locals'].shredded).toHaveLength(PATHS.length)
    expect(gone['toObject']()).toEqual({
      _id: 'gone',
      orgId: 'acme',
      plan: 'pro',
      friend: `gone${String(count)}`,
      notes: [
        { _id: expect.anything(), title: 'first' },
        { _id: expect.anything(), title: 'second' },
      ],
      nested: { deep: { open: 'seen' } },
      address: { city: 'London' },
      __v: 0,
    })
    for (const path of PATHS) expect([path, gone['isSelected'](path)]).toEqual([path, false])
    expect(gone['get']('name')).toBeUndefined()
    expect(gone['shout']).toBe('nobody')
    expect(there['$locals']).toEqual({})
    expect(there['name']).toBe('name of there')
    expect(JSON.stringify(found)).not.toContain('[shredded]')
  })

  test.each<[string, object, string]>([
    ['some paths', { name: 1, plan: 1 }, 'name'],
    ['what holds them', { plan: 1, nested: 1 }, 'nested.deep.secret'],
    ['subdocuments', { notes: 1 }, 'notes.text'],
    ['an object', { address: 1 }, 'address.street'],
    ['nothing else', { name: 1 }, 'name'],
    ['other paths', { plan: 0, tags: 0 }, 'name'],
  ])('give them where the projection takes %s', async (_, projection, path) => {
    const [gone] = (await people.find({ _id: 'gone' }, projection as never)) as unknown as [Document]

    expect(gone['$locals'].shredded).toContain(path)
    expect(gone['isSelected'](path)).toBe(false)
    await gone['validate']()
    gone['set']('plan', 'free')
    await gone['save']()
    expect(await storedOf()).toMatchObject({ plan: 'free' })
  })

  test('by default throw for single documents, and mark where they are asked to', async () => {
    for (const [read, ask] of [
      ['findOne', () => people.findOne({ _id: 'gone' })],
      ['findById', () => people.findById('gone')],
      ['lean', () => people.findById('gone').lean()],
      ['a list that throws', () => people.find().setOptions({ shredded: 'throw' })],
      ['a search', () => people.findOne({ plan: 'pro' }).sort({ _id: 1 })],
    ] as const)
      expect([read, await refusal(ask)]).toEqual([read, 'shredded'])
    const found = (await people.findById('gone').setOptions({ shredded: 'mark' })) as unknown as Document
    expect(found['$locals'].shredded).toContain('name')
    expect(((await marking.findById('gone')) as unknown as Document)['$locals'].shredded).toContain('name')
    expect(await refusal(() => people.findById('gone').setOptions({ shredded: 'hide' } as never))).toBe('invalid_argument')
  })

  test('lean and aggregate mark, as encrypted collections do', async () => {
    const Person = z.looseObject({ _id: z.string(), orgId: z.string(), friend: z.string(), name: encrypted(z.string()) })
    const plain = encryptedCollection(it.vault, client.db(people.db.name).collection('people'), {
      schema: Person,
      tenant: 'orgId',
      subject: 'friend',
      context: `people${String(count)}`,
    })
    const [expected] = await plain.find({ _id: 'gone' }).toArray()

    const [lean] = await people.find({ _id: 'gone' }).lean()
    expect(lean).toMatchObject({ name: SHREDDED, tags: [SHREDDED, SHREDDED], notes: [{ text: SHREDDED }, { text: SHREDDED }] })
    expect(lean?.['name']).toBe(expected?.name)
    expect(await people.aggregate([{ $match: { _id: 'gone' } }, { $project: { name: 1 } }])).toEqual([{ _id: 'gone', name: SHREDDED }])
    const cursor: unknown[] = []
    for await (const each of people.find().sort('_id').lean().cursor()) cursor.push((each as Document)['name'])
    expect(cursor).toEqual([SHREDDED, 'name of there'])
  })

  test('cursors and populate go on', async () => {
    const found: unknown[] = []
    for await (const each of people.find().sort('_id').cursor()) found.push([each.get('name'), each.$locals['shredded'] !== undefined])
    expect(found).toEqual([
      [undefined, true],
      ['name of there', false],
    ])
    const letters = modelOf(people.db, 'Letter', new Schema({ to: [{ type: String, ref: 'Person' }] }))
    await letters.create({ to: ['gone', 'there'] })
    const [letter] = (await letters.find().populate('to')) as unknown as [Document]
    expect(letter['to'].map((each: Document) => [each['_id'], each['name'], each['$locals'].shredded?.includes('name')])).toEqual([
      ['gone', undefined, true],
      ['there', 'name of there', undefined],
    ])
  })

  test('findOneAndUpdate throws, and says that it was written, or gives the document without', async () => {
    const change = { plan: 'free' }
    const failed = await people.findOneAndUpdate({ _id: 'gone' }, change).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'shredded' })
    expect(await storedOf()).toMatchObject(change)
    const found = (await marking.findOneAndUpdate({ _id: 'gone' }, { plan: 'pro' }, { returnDocument: 'after' })) as unknown as Document
    expect([found['plan'], found['name'], found['$locals'].shredded.includes('name')]).toEqual(['pro', undefined, true])
  })

  test.each<[string, (gone: Document) => unknown]>([
    ['a plain path', (gone) => (gone['plan'] = 'free')],
    ['a path beside', (gone) => (gone['nested'].deep.open = 'changed')],
    ['a path of a subdocument', (gone) => (gone['address'].city = 'Paris')],
    ['a path of one in an array', (gone) => (gone['notes'][1].title = 'changed')],
    ['nothing', () => undefined],
  ])('save %s, and leave what is shredded as it is', async (_, change) => {
    for (const save of [
      (gone: Document): unknown => gone['save'](),
      (gone: Document): unknown => people.bulkSave([gone] as never),
      (gone: Document): unknown => gone['$clone']().save(),
    ]) {
      const before = (await storedOf()) as Document
      const [gone] = (await people.find({ _id: 'gone' })) as unknown as [Document]
      change(gone)
      await gone['validate']()
      await save(gone)
      const after = (await storedOf()) as Document
      for (const path of ['name', 'kind', 'mood', 'email', 'tags', 'whole', 'facts', 'anything']) expect(after[path]).toEqual(before[path])
      expect(after['nested'].deep.secret).toEqual(before['nested'].deep.secret)
      expect(after['address'].street).toEqual(before['address'].street)
      expect(after['notes'].map((each: Document) => each['text'])).toEqual(before['notes'].map((each: Document) => each['text']))
    }
  })

  test('saves what was changed', async () => {
    const [gone] = (await people.find({ _id: 'gone' })) as unknown as [Document]
    gone['plan'] = 'free'
    gone['notes'][1].title = 'changed'
    gone['address'].city = 'Paris'
    await gone['save']()
    expect(await storedOf()).toMatchObject({ plan: 'free', address: { city: 'Paris' }, notes: [{ title: 'first' }, { title: 'changed' }] })
  })

  test.each<[string, (gone: Document) => unknown]>([
    ['a path', (gone) => (gone['name'] = 'new')],
    ['a path without its value', (gone) => gone['set']('email', null)],
    ['a path that is marked as changed', (gone) => gone['markModified']('email')],
    ['an object around it', (gone) => (gone['nested'] = { deep: { secret: 'new', open: 'new' } })],
    ['a subdocument', (gone) => (gone['address'] = { city: 'Paris', street: 'new' })],
    ['within a subdocument', (gone) => (gone['address'].street = 'new')],
    ['within one in an array', (gone) => (gone['notes'][0].text = 'new')],
    ['an array', (gone) => (gone['tags'] = ['new'])],
    ['an array of subdocuments', (gone) => (gone['notes'] = [{ title: 'new', text: 'new' }])],
    ['an array without an element', (gone) => gone['notes'].splice(0, 1)],
    ['an element', (gone) => gone['notes'].set(0, { title: 'new', text: 'new' })],
    ['a whole value', (gone) => (gone['facts'] = { colour: 'blue' })],
  ])('write nothing over what is shredded: %s', async (_, change) => {
    for (const save of [
      (gone: Document): unknown => gone['save'](),
      (gone: Document): unknown => people.bulkSave([gone] as never),
      (gone: Document): unknown => gone['$clone']().save(),
    ]) {
      const before = await storedOf()
      const [gone] = (await people.find({ _id: 'gone' })) as unknown as [Document]
      change(gone)
      expect(await refusal(() => save(gone))).toBe('invalid_argument')
      expect(await storedOf()).toEqual(before)
    }
  })

  test('take elements out, by what is plain in them', async () => {
    const [gone] = (await people.find({ _id: 'gone' })) as unknown as [Document]
    const before = (await storedOf()) as Document
    gone['notes'].pull(gone['notes'][0]._id)
    await gone['save']()
    expect(((await storedOf()) as Document)['notes']).toEqual([before['notes'][1]])
  })

  test('take no new element, whose key is gone', async () => {
    const before = await storedOf()
    const [gone] = (await people.find({ _id: 'gone' })) as unknown as [Document]
    gone['notes'].push({ title: 'third', text: 'new' })
    expect(await refusal(() => gone['save']())).toBe('shredded')
    expect(await storedOf()).toEqual(before)
  })

  test('give documents of discriminators without, too', async () => {
    const child = people.discriminator('Child', new Schema({ more: secret, open: String })) as unknown as AnyModel
    await child.create({ ...person('child'), friend: `child${String(count)}`, more: 'more', open: 'seen' })
    await it.vault
      .tenant('acme')
      .subject(`child${String(count)}`)
      .shred()
    for (const model of [people, child]) {
      const [found] = (await model.find({ _id: 'child' })) as unknown as [Document]
      expect(found).toBeInstanceOf(child)
      expect([found['open'], found['more'], found['name']]).toEqual([expect.stringContaining('seen'), undefined, undefined])
      expect(found['$locals'].shredded).toEqual(expect.arrayContaining(['more', 'name']))
      found['open'] = `seen by ${model.modelName}`
      await found['save']()
      found['more'] = 'new'
      expect(await refusal(() => found['save']())).toBe('invalid_argument')
    }
  })

  test('never take a mark for a value', async () => {
    const [lean] = await people.find({ _id: 'gone' }).lean()
    const before = await client.db(people.db.name).collection('people').find().toArray()
    for (const [how, call] of Object.entries({
      create: () => people.create({ ...lean, _id: 'copy', friend: 'somebody' }),
      tags: () => people.create({ ...person('copy'), tags: lean?.['tags'] as never }),
      notes: () => people.create({ ...person('copy'), notes: lean?.['notes'] as never }),
      anything: () => people.create({ ...person('copy'), anything: SHREDDED }),
      insertMany: () => people.insertMany([{ ...person('copy'), name: SHREDDED }]),
      update: () => people.updateOne({ _id: 'there' }, { name: lean?.['name'] as never }),
      push: () => people.updateOne({ _id: 'there' }, { $push: { tags: SHREDDED } } as never),
      filter: () => people.find({ email: lean?.['email'] as never }),
      save: async () => {
        const there = (await people.findById('there').orFail()) as unknown as Document
        there['name'] = SHREDDED
        return there['save']() as unknown
      },
    }))
      expect([how, await refusal(call)]).toEqual([how, expect.stringMatching(/^(?:invalid_argument|ValidationError|CastError)/)])
    expect(await client.db(people.db.name).collection('people').find().toArray()).toEqual(before)
  })

  test('hydrate a lean document that has marks as one that was read', async () => {
    const [lean] = await people.find({ _id: 'gone' }).lean()
    const hydrated = people.hydrate(lean as never) as unknown as Document

    expect(hydrated['$locals'].shredded).toContain('name')
    hydrated['name'] = 'new'
    expect(await refusal(() => hydrated['save']())).toBe('invalid_argument')
    expect(lean).toMatchObject({ name: SHREDDED })
  })

  test('update by a filter as encrypted collections do, and delete', async () => {
    expect(await refusal(() => people.updateOne({ _id: 'gone' }, { name: 'new' }))).toBe('shredded')
    expect(await people.deleteOne({ _id: 'gone' })).toMatchObject({ deletedCount: 1 })
    expect(await people.countDocuments()).toBe(1)
  })

  test('errors of the vault stay what they are', async () => {
    const error = await people.findById('gone').catch((failed: unknown) => failed)
    expect(error).toBeInstanceOf(StrongroomError)
    expect(String(error)).not.toContain('name of gone')
  })
})
