// Documents that know whose they are say so beneath: their writes take the commands that plain ones take, and reach what those reach.
import type { Document } from 'mongodb'
import { Schema } from 'mongoose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { openTap, type Tap } from '../proof/tap.ts'
import { type AnyModel, modelOf, refusal, uri, world, type World } from './support.ts'

// Of no model alone: it stands in plain ones as well.
const CANARY = 'canary'

function schemaOf(encrypted: boolean, options: object = {}): Schema {
  const mark = encrypted ? { encrypted: true } : {}
  return new Schema(
    {
      owner: { orgId: String, id: Schema.Types.ObjectId },
      plan: String,
      name: { type: String, ...mark },
      notes: [{ text: { type: String, ...mark } }],
    },
    options,
  )
}

type Change = (document: Document, people: AnyModel) => unknown

describe.skipIf(uri === undefined)('documents', () => {
  let it: World
  let tap: Tap
  let models: Readonly<Record<'plain' | 'encrypted' | 'versioned', AnyModel>>
  const owner = { orgId: 'acme', id: '0123456789abcdef01234567' }

  beforeAll(async () => {
    it = await world()
    tap = await openTap(uri as string)
    const connection = it.base.createConnection(tap.uri, { dbName: it.connection.name })
    const made = { vault: it.vault, tenant: 'owner.orgId', subject: 'owner.id' }
    models = {
      plain: modelOf(connection, 'Plain', schemaOf(false)),
      encrypted: modelOf(connection, 'Encrypted', it.encrypt(schemaOf(true), made)),
      versioned: modelOf(connection, 'Versioned', it.encrypt(schemaOf(true, { optimisticConcurrency: true }), made)),
    }
    await Promise.all(Object.values(models).map((model) => model.init()))
  })
  afterAll(async () => {
    await it.base.disconnect()
    await tap.close()
  })
  beforeEach(async () => {
    for (const model of Object.values(models)) await model.deleteMany({})
  })

  async function commandsOf(
    people: AnyModel,
    read: (people: AnyModel, id: unknown) => unknown,
    change: Change,
  ): Promise<readonly string[]> {
    const { _id } = await people.create({ owner, plan: 'pro', name: `Ada ${CANARY}`, notes: [{ text: CANARY }] })
    const document = (await read(people, _id)) as Document
    tap.clear()
    await change(document, people)
    return tap.commands()
  }
  const byId = (people: AnyModel, id: unknown): unknown => people.findById(id).orFail()

  const save =
    (change: (document: Document) => unknown): Change =>
    (document) => {
      change(document)
      return document['save']() as unknown
    }

  test.each<[string, Change]>([
    ['save of an encrypted path', save((document) => (document['name'] = `Countess ${CANARY}`))],
    ['save of a subdocument', save((document) => (document['notes'][0].text = `more ${CANARY}`))],
    ['save of an array', save((document) => document['notes'].push({ text: `more ${CANARY}` }))],
    ['save of a plain path', save((document) => (document['plan'] = 'free'))],
    ['updateOne of a document', (document) => document['updateOne']({ name: `Countess ${CANARY}` }).exec() as unknown],
    [
      'bulkSave',
      (document, people) => {
        document['name'] = `Countess ${CANARY}`
        return people.bulkSave([document] as never)
      },
    ],
  ])('%s takes one command', async (_, change) => {
    expect(await commandsOf(models.plain, byId, change)).toEqual(['update'])
    expect(await commandsOf(models.encrypted, byId, change)).toEqual(['update'])
    expect((await models.encrypted.collection.countDocuments({})) as number).toBe(1)
    expect(JSON.stringify(await it.stored('encrypteds'))).not.toContain(CANARY)
  })

  test('a document that was just inserted takes one command', async () => {
    const change = async (_: Document, people: AnyModel): Promise<void> => {
      const document = (await people.create({ owner, name: CANARY })) as unknown as Document
      tap.clear()
      document['name'] = `more ${CANARY}`
      await document['save']()
    }
    expect(await commandsOf(models.encrypted, byId, change)).toEqual(['update'])
  })

  const rename = save((document) => (document['name'] = `Countess ${CANARY}`))

  test.each<[string, (people: AnyModel, id: unknown) => unknown, Change]>([
    ['was not selected', (people, id) => people.findById(id, '-owner'), rename],
    ['was selected in part', (people, id) => people.findById(id, 'owner.orgId name'), rename],
    [
      'was not selected, and set',
      (people, id) => people.findById(id, 'name'),
      (document) => {
        document['owner'].orgId = 'rival'
        document['name'] = `Countess ${CANARY}`
        return document['save']({ pathsToSave: ['name'] }) as unknown
      },
    ],
    [
      'was changed, and not saved',
      byId,
      (document) => {
        document['owner'].orgId = 'rival'
        document['name'] = `Countess ${CANARY}`
        return document['save']({ pathsToSave: ['name'] }) as unknown
      },
    ],
  ])('an owner that %s is looked up', async (_, read, change) => {
    expect(await commandsOf(models.encrypted, read, change)).toEqual(['find', 'update'])
    expect(await models.encrypted.findOne().lean()).toMatchObject({ owner: { orgId: 'acme' }, name: `Countess ${CANARY}` })
  })

  test('an owner that was changed is not written', async () => {
    const change = save((document) => {
      document['owner'].orgId = 'rival'
      document['name'] = `Countess ${CANARY}`
    })
    expect(await refusal(() => commandsOf(models.encrypted, byId, change))).toBe('unsupported_operation')
    expect(await models.encrypted.findOne().lean()).toMatchObject({ owner: { orgId: 'acme' }, name: `Ada ${CANARY}` })
  })

  test('an owner that is not what was read writes nothing', async () => {
    const change = save((document) => {
      document['_doc'].owner.orgId = 'rival'
      document['name'] = `Countess ${CANARY}`
    })
    expect(await refusal(() => commandsOf(models.encrypted, byId, change))).toMatch(/not_found|DocumentNotFoundError/)
    expect(await models.encrypted.findOne().lean()).toMatchObject({ owner: { orgId: 'acme' }, name: `Ada ${CANARY}` })
  })

  test.each(['plain', 'encrypted'] as const)('what is gone, or newer, fails as it does: %s', async (kind) => {
    const people = models[kind]
    const failure = async (read: (id: unknown) => unknown, change: Change): Promise<unknown> => {
      const { _id } = await people.create({ owner, name: 'Ada', notes: [{ text: 'one' }, { text: 'two' }] })
      const document = (await read(_id)) as Document
      try {
        await change(document, people)
      } catch (error) {
        const { name, filter } = error as Error & { filter?: Document }
        return [name, Object.keys(filter ?? {})]
      }
      return undefined
    }
    const read = (id: unknown): unknown => people.findById(id).orFail()
    const gone: Change = async (document) => {
      await people.deleteMany({})
      return rename(document, people)
    }
    const newer: Change = async (document) => {
      const other = (await people.findById(document['_id']).orFail()) as unknown as Document
      other['notes'] = [{ text: 'new' }]
      await other['save']()
      document['notes'][1].text = 'late'
      return document['save']() as unknown
    }

    expect(await failure(read, gone)).toEqual(['DocumentNotFoundError', ['_id']])
    expect(await failure(read, newer)).toEqual(['VersionError', []])
    expect(
      await failure(read, async (document) => {
        await people.deleteMany({})
        document['name'] = 'late'
        return people.bulkSave([document] as never)
      }),
    ).toEqual(['MongooseBulkSaveIncompleteError', []])
    const there = (await people.create({ owner, name: 'Ada' })) as unknown as Document
    await people.deleteMany({})
    expect(await there['updateOne']({ name: 'late' })).toMatchObject({ matchedCount: 0, modifiedCount: 0 })
  })

  test('optimistic concurrency takes one command, and fails where somebody else was first', async () => {
    const people = models.versioned
    const { _id } = await people.create({ owner, name: 'Ada' })
    const [first, second] = (await Promise.all([byId(people, _id), byId(people, _id)])) as [Document, Document]
    tap.clear()
    first['name'] = `first ${CANARY}`
    await first['save']()
    expect(tap.commands()).toEqual(['update'])
    second['name'] = `second ${CANARY}`
    expect(await refusal(() => second['save']())).toMatch(/^VersionError/)
    expect(await people.findById(_id).lean()).toMatchObject({ name: `first ${CANARY}`, __v: 1 })
  })

  test('$where of a document stays in its filter', async () => {
    const document = (await models.encrypted.create({ owner, plan: 'pro', name: 'Ada' })) as unknown as Document
    document['$where'] = { plan: 'free' }
    document['name'] = `late ${CANARY}`
    expect(await refusal(() => document['save']())).toMatch(/^DocumentNotFoundError/)
    document['$where'] = { plan: 'pro', 'owner.orgId': 'acme' }
    document['name'] = `on time ${CANARY}`
    await document['save']()
    expect(await models.encrypted.findOne().lean()).toMatchObject({ name: `on time ${CANARY}` })
  })

  test('an update by a document that became the filter of another is for that one', async () => {
    const people = models.encrypted
    const other = await people.create({ owner: { orgId: 'acme', id: '0123456789abcdef01234568' }, name: 'Bob' })
    const document = (await people.create({ owner, name: 'Ada' })) as unknown as Document
    const query = document['updateOne']({ name: `Robert ${CANARY}` })
    query.pre(() => void query.where({ _id: other._id }))
    await query
    expect(await people.findById(other._id).lean()).toMatchObject({ name: `Robert ${CANARY}` })
    expect(await people.findById(document['_id']).lean()).toMatchObject({ name: 'Ada' })
  })

  test('an upsert by a document puts nothing into another that its filter does not say', async () => {
    const document = (await models.encrypted.create({ owner, name: 'Ada' })) as unknown as Document
    await models.encrypted.deleteMany({})
    expect(await refusal(() => document['updateOne']({ name: CANARY }, { upsert: true }))).toBe('invalid_argument')
    expect(await it.stored('encrypteds')).toEqual([])
  })
})
