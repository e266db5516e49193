// What a schema of Mongoose's can mark, and what is refused when the plugin is applied, or when a model is made.
import type { CommandStartedEvent, Document } from 'mongodb'
import { Schema } from 'mongoose'
import { beforeAll, describe, expect, test } from 'vitest'

import { CANARY, failure, modelOf, refusal, uri, world, type World } from './support.ts'

const marked = { type: String, encrypted: true }
const owners = { _id: String, orgId: String }

describe.skipIf(uri === undefined)('encryptedFields', () => {
  let it: World
  let count = 0

  beforeAll(async () => {
    it = await world()
  })

  test.each<[string, () => Schema]>([
    ['values of a Map', () => new Schema({ ...owners, all: { type: Map, of: marked } })],
    ['subdocuments of a Map', () => new Schema({ ...owners, all: { type: Map, of: new Schema({ name: marked }) } })],
    ['one of several types', () => new Schema({ ...owners, all: { type: 'Union', of: [marked, Number] } as never })],
    ['a path within an encrypted one', () => new Schema({ ...owners, all: { type: new Schema({ name: marked }), encrypted: true } })],
    ['elements of an encrypted array', () => new Schema({ ...owners, all: { type: [marked], encrypted: true } })],
    [
      'a schema that holds itself',
      () => {
        const tree = new Schema({ name: marked })
        tree.add({ children: [tree] } as never)
        return new Schema({ ...owners, tree })
      },
    ],
    ['a member of anything', () => new Schema({ ...owners, all: { type: Object, name: marked } } as never)],
    ['a member of anything in an array', () => new Schema({ ...owners, all: [{ type: Object, name: marked }] } as never)],
    [
      'a member of anything in a Union',
      () => new Schema({ ...owners, all: { type: 'Union', of: [Number, { type: Object, name: marked }] } as never }),
    ],
    ['what elements are, beside a type that says it', () => new Schema({ ...owners, all: { type: [String], of: marked } } as never)],
    ['a member beside a subdocument', () => new Schema({ ...owners, all: { type: new Schema({ plan: String }), name: marked } } as never)],
    ['a member beside an array of anything', () => new Schema({ ...owners, all: { type: [Schema.Types.Mixed], name: marked } } as never)],
    ['the version key', () => new Schema({ ...owners, __v: { type: Number, encrypted: true } })],
    ['the discriminator key', () => new Schema({ ...owners, __t: marked })],
    ['unique without an index', () => new Schema({ ...owners, name: { ...marked, unique: true } })],
    ['index without an index', () => new Schema({ ...owners, name: { ...marked, index: true } })],
  ])('refuses to mark %s', async (_, make) => {
    expect(await refusal(() => it.encrypt(make()))).toBe('unsupported_operation')
  })

  test.each<[string, object]>([
    ['a word', { encrypted: 'yes' }],
    ['null', { encrypted: null }],
    ['an unknown option', { encrypted: { indexed: true } }],
    ['an index without a scope', { encrypted: { index: {} } }],
    ['an unknown normaliser', { encrypted: { index: { scope: 'tenant', normalize: 'soundex' } } }],
  ])('refuses a mark that is %s', async (_, mark) => {
    expect(await refusal(() => it.encrypt(new Schema({ ...owners, name: { type: String, ...mark } } as never)))).toBe('invalid_argument')
  })

  const index = { type: String, encrypted: { index: { scope: 'tenant' as const } } }

  test.each<[string, () => Schema, string]>([
    ['nothing marked', () => it.encrypt(new Schema(owners)), 'invalid_argument'],
    ['an encrypted id', () => it.encrypt(new Schema({ orgId: String, _id: marked }), { subject: 'orgId' }), 'unsupported_operation'],
    ['an encrypted subject', () => it.encrypt(new Schema({ orgId: String, _id: marked })), 'invalid_argument'],
    ['no tenant', () => it.encrypt(new Schema({ name: marked })), 'invalid_argument'],
    ['an encrypted tenant', () => it.encrypt(new Schema({ orgId: marked })), 'invalid_argument'],
    ['a tenant that is a date', () => it.encrypt(new Schema({ orgId: Date, name: marked })), 'invalid_argument'],
    [
      'a tenant within an array',
      () => it.encrypt(new Schema({ all: [{ orgId: String }], name: marked }), { tenant: 'all.orgId' }),
      'invalid_argument',
    ],
    ['a text index', () => it.encrypt(new Schema({ ...owners, name: index }).index({ name: 'text' })), 'unsupported_operation'],
    [
      'an index that expires',
      () => it.encrypt(new Schema({ ...owners, name: index }).index({ name: 1 }, { expireAfterSeconds: 60 })),
      'unsupported_operation',
    ],
    [
      'an index of a path without one',
      () => it.encrypt(new Schema({ ...owners, name: marked }).index({ name: 1 })),
      'unsupported_operation',
    ],
    [
      'two encrypted paths in an index',
      () => it.encrypt(new Schema({ ...owners, name: index, email: index }).index({ name: 1, email: 1 })),
      'unsupported_operation',
    ],
  ])('refuses a model with %s', async (_, make, code) => {
    expect(await refusal(() => it.connection.model(`Model${String(count++)}`, make()))).toBe(code)
  })

  test.each<[string, object, string]>([
    ['vault', { vault: {} }, 'invalid_argument'],
    ['tenant', { tenant: '' }, 'invalid_argument'],
    ['subject', { subject: 3 }, 'invalid_argument'],
    ['context', { context: '' }, 'invalid_argument'],
    ['bind', { bind: 'all' }, 'invalid_argument'],
    ['unknown', { unknown: true }, 'invalid_argument'],
  ])('refuses the option %s', async (_, options, code) => {
    expect(await refusal(() => it.encrypt(new Schema({ ...owners, name: marked }), options))).toBe(code)
  })

  test('is applied once, and where no static takes its place', async () => {
    const schema = it.encrypt(new Schema({ ...owners, name: marked }))
    const other = new Schema({ ...owners, name: marked })
    other.static('init', () => Promise.resolve())

    expect(await refusal(() => it.encrypt(schema))).toBe('unsupported_operation')
    expect(await refusal(() => it.encrypt(other))).toBe('unsupported_operation')
    expect(() => schema.static('init', () => Promise.resolve())).toThrow(TypeError)
  })

  test('makes the indexes that marks declare, with Mongoose seeing its own', async () => {
    const schema = new Schema({
      ...owners,
      email: { type: String, unique: true, encrypted: { index: { scope: 'application', normalize: 'email' } } },
      phones: [{ type: String, encrypted: { index: { scope: 'tenant' } } }],
      name: marked,
    })
    schema.index({ orgId: 1, email: 1 })
    const model = modelOf(it.connection, 'Indexed', it.encrypt(schema))
    await model.init()

    const indexes = (await model.listIndexes()).map(({ key, unique }) => [key, unique])
    expect(indexes).toHaveLength(4)
    expect(indexes).toEqual(
      expect.arrayContaining([
        [{ _id: 1 }, undefined],
        [{ email: 1 }, true],
        [{ phones: 1 }, undefined],
        [{ orgId: 1, email: 1 }, undefined],
      ]),
    )
    expect(await model.diffIndexes()).toEqual({ toDrop: [], toCreate: [] })
    expect(await model.syncIndexes()).toEqual([])
    await model.create({ _id: 'a', orgId: 'acme', email: `Ada-${CANARY}@example.com`, phones: [`1 ${CANARY}`, `2 ${CANARY}`] })
    expect(await model.countDocuments({ orgId: 'acme', phones: `2 ${CANARY}` })).toBe(1)
    expect(await failure(() => model.create({ _id: 'b', orgId: 'acme', email: `ada-${CANARY}@Example.com` }))).toMatchObject({
      code: 11_000,
    })
  })

  test('makes indexes, and writes, with the write concern of a schema', async () => {
    const commands: CommandStartedEvent[] = []
    const connection = await it.connect()
    connection.getClient().on('commandStarted', (event) => commands.push(event as CommandStartedEvent))
    const email = { type: String, unique: true, encrypted: { index: { scope: 'application' as const } } }
    const schema = new Schema({ ...owners, email }, { writeConcern: { w: 'majority', wtimeout: 5000 } })
    const model = modelOf(connection, 'Concerned', it.encrypt(schema))
    await model.init()
    await model.create({ _id: 'a', orgId: 'acme', email: `ada-${CANARY}@example.com` })
    await model.updateOne({ _id: 'a' }, { email: `bob-${CANARY}@example.com` })

    expect((await model.listIndexes()).map(({ key }) => key)).toContainEqual({ email: 1 })
    const sent = commands.filter(({ commandName }) => ['createIndexes', 'insert', 'update'].includes(commandName))
    expect(sent.map(({ commandName, command }) => [commandName, (command['writeConcern'] as Document | undefined)?.['w']])).toEqual([
      ['createIndexes', 'majority'],
      ['insert', 'majority'],
      ['update', 'majority'],
    ])
    await connection.close()
  })

  test('takes unique for unique within a tenant, where the index has a key for each', async () => {
    await it.vault.tenants.create('rival')
    const badge = { type: String, unique: true, encrypted: { index: { scope: 'tenant' as const } } }
    const model = modelOf(it.connection, 'Badges', it.encrypt(new Schema({ ...owners, badge })))
    await model.init()
    await model.create({ _id: 'a', orgId: 'acme', badge: CANARY })
    await model.create({ _id: 'b', orgId: 'rival', badge: CANARY })

    expect(await failure(() => model.create({ _id: 'c', orgId: 'acme', badge: CANARY }))).toMatchObject({ code: 11_000 })
  })

  test.each<[string, unknown, unknown]>([
    ['ObjectId', Schema.Types.ObjectId, '0123456789abcdef01234567'],
    ['Number', Number, 17],
    ['UUID', Schema.Types.UUID, '0b0e5d3a-7f2c-4d5e-8a9b-0c1d2e3f4a5b'],
    ['BigInt', BigInt, 17n],
  ])('takes a subject of type %s', async (name, type, value) => {
    const model = modelOf(
      it.connection,
      `Of${name}`,
      it.encrypt(new Schema({ orgId: String, who: type as never, name: marked }), { subject: 'who' }),
    )
    const made = await model.create({ orgId: 'acme', who: value, name: CANARY })

    expect(await model.findById(made._id).lean()).toMatchObject({ name: CANARY })
    expect(JSON.stringify(await it.stored(model.collection.collectionName))).not.toContain(CANARY)
  })
})
