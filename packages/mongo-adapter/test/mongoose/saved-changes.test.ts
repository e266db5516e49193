// Changes that the database cannot make of what is encrypted: what save() makes of them is what it makes of plain ones.
import type { Document } from 'mongodb'
import { Schema } from 'mongoose'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { outcome, type Step } from './compare.ts'
import { type AnyModel, CANARY, modelOf, refusal, uri, world, type World } from './support.ts'

function schemaOf(encrypted: boolean, options: object = {}): Schema {
  const mark = encrypted ? { encrypted: true } : {}
  const inner = new Schema({ city: String, tags: [String], deep: { street: String } }, { _id: false })
  return new Schema(
    {
      _id: String,
      orgId: String,
      plan: String,
      facts: { type: Map, of: String, ...mark },
      people: { type: Map, of: inner, ...mark },
      profile: { type: inner, ...mark },
      list: { type: [String], ...mark },
      inners: { type: [inner], ...mark },
      anything: { type: Schema.Types.Mixed, ...mark },
      notes: [{ title: String, profile: { type: inner, ...mark } }],
      tags: [{ type: String, ...mark }],
      phones: [{ type: String, ...(encrypted ? { encrypted: { index: { scope: 'tenant' } } } : {}) }],
      nested: { tags: [{ type: Number, ...mark }] },
    },
    options,
  )
}

const inner = { city: `City ${CANARY}`, tags: ['one'], deep: { street: `Street ${CANARY}` } }
const ada = {
  _id: 'ada',
  orgId: 'acme',
  facts: { colour: `red ${CANARY}`, size: 'small' },
  people: { bob: inner },
  profile: inner,
  list: [`one ${CANARY}`, 'two'],
  inners: [inner],
  anything: { may: { be: `any ${CANARY}` } },
  notes: [{ _id: '0123456789abcdef01234567', title: 'first', profile: inner }],
  tags: [`one ${CANARY}`, 'two', `one ${CANARY}`],
  phones: ['1', '2'],
  nested: { tags: [1, 2, 3] },
}

const CHANGES: Readonly<Record<string, (document: Document) => unknown>> = {
  'a value of a Map': (document) => document['facts'].set('colour', `blue ${CANARY}`),
  'another value of a Map': (document) => document['facts'].set('weight', `much ${CANARY}`),
  'a value that a Map has no more': (document) => document['facts'].delete('colour'),
  'a subdocument of a Map': (document) => document['people'].set('eve', inner),
  'within a subdocument of a Map': (document) => (document['people'].get('bob').city = `other ${CANARY}`),
  'a member of a subdocument': (document) => (document['profile'].city = `other ${CANARY}`),
  'a nested member of a subdocument': (document) => (document['profile'].deep.street = `other ${CANARY}`),
  'an array in a subdocument': (document) => document['profile'].tags.push(`more ${CANARY}`),
  'a member that a subdocument has no more': (document) => (document['profile'].city = undefined),
  'a subdocument that is no more': (document) => (document['profile'] = undefined),
  'another element': (document) => document['list'].push(`more ${CANARY}`),
  'an element less': (document) => document['list'].pull('two'),
  'an element that is no set': (document) => document['list'].addToSet('three'),
  'the first element': (document) => document['list'].shift(),
  'another subdocument': (document) => document['inners'].push(inner),
  'within a subdocument of an array': (document) => (document['inners'][0].city = `other ${CANARY}`),
  'within anything': (document) => {
    document['anything'].may.be = `other ${CANARY}`
    document['markModified']('anything.may')
  },
  'a member of one in an array': (document) => (document['notes'][0].profile.city = `other ${CANARY}`),
  'an element that was pulled': (document) => document['tags'].pull(`one ${CANARY}`),
  'an element that is not there, pulled': (document) => document['tags'].pull('none'),
  'an element that has an index, pulled': (document) => document['phones'].pull('1'),
  'nested elements, pulled': (document) => document['nested'].tags.pull(1, 3),
  'elements of a set': (document) => document['tags'].addToSet('two', `three ${CANARY}`),
  'elements of a set, with an index': (document) => document['phones'].addToSet('2', '3'),
  'a subdocument of a set': (document) =>
    document['notes'].addToSet({ _id: '0123456789abcdef01234568', title: 'second', profile: inner }, document['notes'][0]),
  'sets, and pulled elements': (document) => {
    document['tags'].addToSet('three')
    document['tags'].pull('two')
    document['phones'].pull('2')
    document['nested'].tags.addToSet(4)
  },
  'several, and what is plain': (document) => {
    document['plan'] = 'pro'
    document['facts'].set('a', '1')
    document['profile'].city = 'x'
    document['list'].push('y')
  },
}

describe.skipIf(uri === undefined)('documents', () => {
  let it: World
  let plain: AnyModel
  let encrypted: AnyModel
  let unversioned: AnyModel

  beforeAll(async () => {
    it = await world()
    plain = modelOf(await it.plain(), 'Plain', schemaOf(false))
    encrypted = modelOf(it.connection, 'Encrypted', it.encrypt(schemaOf(true)))
    unversioned = modelOf(it.connection, 'Unversioned', it.encrypt(schemaOf(true, { versionKey: false })))
    await Promise.all([plain.init(), encrypted.init(), unversioned.init()])
  })
  beforeEach(async () => {
    for (const model of [plain, encrypted, unversioned]) {
      await model.deleteMany({})
      await model.create(ada)
    }
  })
  const withoutVersion = (found: unknown): unknown => {
    const { __v: _, ...rest } = found as Document
    return rest
  }
  const noCanary = async (name: string): Promise<void> => {
    expect(JSON.stringify(await it.stored(name))).not.toContain(CANARY)
    expect((await it.stored(name)).map((each) => Buffer.from(JSON.stringify(each)).includes(CANARY))).toEqual([false])
  }

  test.each(Object.entries(CHANGES))('save %s', async (_, change) => {
    const saved: Step = async (people) => {
      const document = (await people.findById('ada').orFail()) as unknown as Document
      change(document)
      await document['save']()
      return withoutVersion(await people.findById('ada').lean({ flattenMaps: true }))
    }
    const expected = await outcome(saved, plain)

    expect(await outcome(saved, encrypted)).toEqual(expected)
    expect(await outcome(saved, unversioned)).toEqual(expected)
    await noCanary('encrypteds')
  })

  test('bulkSave does so too', async () => {
    const saved: Step = async (people) => {
      const document = (await people.findById('ada').orFail()) as unknown as Document
      document['profile'].city = `other ${CANARY}`
      document['facts'].set('colour', `blue ${CANARY}`)
      await people.bulkSave([document] as never)
      return withoutVersion(await people.findById('ada').lean())
    }

    expect(await outcome(saved, encrypted)).toEqual(await outcome(saved, plain))
    await noCanary('encrypteds')
  })

  test('of two who change one at once, the later fails, and undoes nothing', async () => {
    const [first, second] = (await Promise.all([encrypted.findById('ada').orFail(), encrypted.findById('ada').orFail()])) as unknown as [
      Document,
      Document,
    ]
    first['facts'].set('colour', 'blue')
    await first['save']()
    second['facts'].set('size', 'large')

    expect(await refusal(() => second['save']())).toMatch(/^VersionError/)
    expect(await encrypted.findById('ada').lean()).toMatchObject({ facts: { colour: 'blue', size: 'small' }, __v: 1 })
    first['facts'].set('size', 'large')
    await first['save']()
    expect(await encrypted.findById('ada').lean()).toMatchObject({ facts: { colour: 'blue', size: 'large' }, __v: 2 })
  })

  test('the version stands for all that was read', async () => {
    const read = async (): Promise<Document> => (await encrypted.findById('ada').orFail()) as unknown as Document
    for (const change of [
      (document: Document) => document['tags'].pull('two'),
      (document: Document) => document['tags'].addToSet('four'),
      (document: Document) => (document['profile'].city = 'late'),
    ]) {
      const [first, second, third] = [await read(), await read(), await read()]
      first['tags'].push(`more ${CANARY}`)
      await first['save']()
      change(second)
      change(third)

      expect(await refusal(() => second['save']())).toMatch(/^VersionError/)
      expect(await refusal(() => encrypted.bulkSave([third] as never))).toMatch(/^MongooseBulkSaveIncompleteError/)
      expect((await read())['tags'].at(-1)).toBe(`more ${CANARY}`)
    }
    const document = await read()
    for (const city of ['one', 'two', 'three']) {
      document['profile'].city = city
      await encrypted.bulkSave([document] as never)
    }
    expect(await encrypted.findById('ada').lean()).toMatchObject({ profile: { city: 'three' }, __v: 6 })
  })

  test('are stored as they are, whatever toObject() of the schema makes of them', async () => {
    const types = () => new Schema({ id: Schema.Types.ObjectId, uuid: Schema.Types.UUID, price: Schema.Types.Decimal128, count: Number })
    const toObject = { flattenObjectIds: true, flattenUUIDs: true, flattenDecimals: true, versionKey: false, virtuals: true }
    const all = { _id: String, orgId: String }
    const mark = { encrypted: true }
    const models = [{}, mark].map((marked, i) =>
      modelOf(
        it.connection,
        `Flat${String(i)}`,
        it.encrypt(
          new Schema(
            { ...all, name: { type: String, ...mark }, one: { type: types(), ...marked }, any: { type: Schema.Types.Mixed, ...marked } },
            { toObject },
          ),
        ),
      ),
    )
    const { ObjectId, UUID, Decimal128 } = it.base.Types
    const value = {
      _id: new ObjectId('0123456789abcdef01234567'),
      id: new ObjectId('0123456789abcdef01234567'),
      uuid: new UUID('00112233-4455-6677-8899-aabbccddeeff'),
      price: Decimal128.fromString('1.50'),
    }
    const saved: Step = async (people) => {
      const document = (await people.create({ _id: 'ada', orgId: 'acme', one: value, any: { ...value } })) as unknown as Document
      document['one'].count = 2
      document['set']('any.count', 2)
      await document['save']()
      return withoutVersion(await people.findById('ada').lean())
    }
    const [expected, found] = await Promise.all(models.map((model) => outcome(saved, model)))

    expect(JSON.stringify(found)).toContain('1.50')
    expect(found).toEqual(expected)
  })

  test('are not written in part by documents that were read without them', async () => {
    for (const [selection, change] of [
      ['orgId plan', (document) => document['set']('anything.new', CANARY)],
      ['-anything', (document) => document['set']('anything.new', CANARY)],
      ['orgId plan', (document) => document['set']('facts.new', CANARY)],
      ['-profile', (document) => document['set']('profile.city', CANARY)],
    ] as [string, (document: Document) => unknown][]) {
      const document = (await encrypted.findById('ada').select(selection).orFail()) as unknown as Document
      change(document)
      expect([selection, await refusal(() => document['save']())]).toEqual([selection, 'unsupported_operation'])
    }
    const chosen = (await encrypted.findById('ada').select('orgId notes.profile __v').orFail()) as unknown as Document
    chosen['notes'][0].profile.city = `other ${CANARY}`
    await chosen['save']()
    expect(await encrypted.findById('ada').lean()).toMatchObject({
      ...ada,
      notes: [{ title: 'first', profile: { ...inner, city: `other ${CANARY}` } }],
    })
  })

  test('queries do not reach into them', async () => {
    for (const update of [{ 'facts.colour': 'blue' }, { 'profile.city': 'x' }, { $push: { list: 'x' } }, { $unset: { 'profile.city': 1 } }])
      expect(await refusal(() => encrypted.updateOne({ _id: 'ada' }, update as never))).toBe('unsupported_operation')
    expect(await refusal(() => encrypted.find({ 'facts.colour': 'red' }))).toBe('unsupported_operation')
  })
})
