// Indexes and hints speak in declared paths; what is made is over index values, and what cannot work over those is refused.
import { inspect } from 'node:util'
import { encrypted, encryptedCollection, type EncryptedCollection } from '@strongroom/mongo-adapter'
import { Binary, MongoServerError } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { withoutValues } from '../../dist/collection/duplicates.js'
import { layoutOf } from '../../dist/collection/layout.js'
import { outcome } from '../refusals.ts'
import { ada, bob, dataCommands, looseUsers, uri, User, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertMany([ada, bob])
    w.commands.length = 0
  })
  const storedKeys = async (): Promise<Record<string, unknown>> =>
    Object.fromEntries((await w.stored.indexes()).map(({ name, key }) => [name, key]))

  test('the declared ones: named as the driver would name them, over index values', async () => {
    expect(await w.users.createIndexes()).toEqual(['email_1', 'age_1', 'phones_1'])
    expect(await storedKeys()).toEqual({ _id_: { _id: 1 }, email_1: { 'email.i': 1 }, age_1: { 'age.i': 1 }, phones_1: { 'phones.i': 1 } })
    const shown = await w.users.indexes()
    const described = shown.map(({ name, key, unique, partialFilterExpression }) => [name, key, unique, partialFilterExpression] as const)
    expect(described.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))).toEqual([
      ['_id_', { _id: 1 }, undefined, undefined],
      ['age_1', { age: 1 }, undefined, undefined],
      ['email_1', { email: 1 }, true, { email: { $exists: true } }],
      ['phones_1', { phones: 1 }, undefined, undefined],
    ])
    expect(await w.users.listIndexes().toArray()).toEqual(shown)
    expect(await w.users.indexInformation()).toEqual({
      _id_: [['_id', 1]],
      email_1: [['email', 1]],
      age_1: [['age', 1]],
      phones_1: [['phones', 1]],
    })
    expect(await w.users.indexInformation({ full: true })).toEqual(shown)
    expect(await w.users.indexes({ full: false })).toEqual(await w.users.indexInformation())
    expect([await w.users.indexExists(['email_1', 'age_1']), await w.users.indexExists('email.i_1')]).toEqual([true, false])
  })

  test('a path that gets an index later: what was written before is read, and found once it is written again', async () => {
    const collection = w.client.db(w.stored.dbName).collection('later')
    const of = (nick: z.ZodString): EncryptedCollection<{ _id: string; orgId: string; nick: string }> => {
      const schema = z.object({ _id: z.string(), orgId: z.string(), nick })
      return encryptedCollection(w.vault, collection, { schema, tenant: 'orgId', subject: '_id' }) as unknown as ReturnType<typeof of>
    }
    const before = { _id: 'x', orgId: 'acme', nick: 'Nick' }
    await of(encrypted(z.string())).insertOne(before)
    const later = of(encrypted(z.string(), { index: { scope: 'tenant', unique: true } }))
    await later.createIndexes()
    expect(await later.findOne({ _id: 'x' })).toEqual(before)
    expect(await later.find({ orgId: 'acme', nick: 'Nick' }).toArray()).toEqual([])
    expect(await outcome(() => later.find({ orgId: 'acme', nick: { $ne: 'other' } }).toArray())).toBe('decrypt_failed')
    await later.updateOne({ _id: 'x', orgId: 'acme' }, { $set: { nick: 'Nick' } })
    expect(await later.find({ orgId: 'acme', nick: 'Nick' }).toArray()).toEqual([before])
    await expect(later.insertOne({ ...before, _id: 'y' })).rejects.toMatchObject({ code: 11_000, keyPattern: { nick: 1 } })
  })

  test.each<[unknown, string, object]>([
    ['plan', 'plan_1', { plan: 1 }],
    [{ plan: -1 }, 'plan_-1', { plan: -1 }],
    [{ orgId: 1, phones: -1 }, 'orgId_1_phones_-1', { orgId: 1, 'phones.i': -1 }],
    [['orgId', 'age'], 'orgId_1_age_1', { orgId: 1, 'age.i': 1 }],
    [['age', -1], 'age_-1', { 'age.i': -1 }],
    [
      [
        ['plan', 1],
        ['email', 1],
      ],
      'plan_1_email_1',
      { plan: 1, 'email.i': 1 },
    ],
    [{ 'address.city': 1 }, 'address.city_1', { 'address.city': 1 }],
  ])('createIndex(%j)', async (spec, name, stored) => {
    expect(await w.users.createIndex(spec as never)).toBe(name)
    expect((await storedKeys())[name]).toEqual(stored)
    expect(await w.users.dropIndex(name)).toMatchObject({ ok: 1 })
    expect((await storedKeys())[name]).toBeUndefined()
  })

  test('createIndex by a map keeps the order, whatever the names', async () => {
    const key = new Map([
      ['plan', 1],
      ['1', 1],
    ])
    expect(await looseUsers(w).createIndex(key as never)).toBe('plan_1_1_1')
    const [, made] = await w.client.db(w.stored.dbName).collection('loose').indexes()
    expect(made?.key).toEqual({ plan: 1, 1: 1 })
  })

  test('createIndexes of a list, with options, and a name of its own', async () => {
    expect(
      await w.users.createIndexes([
        { key: { orgId: 1, email: 1 }, name: 'mine', sparse: true },
        { key: { age: -1 }, partialFilterExpression: { age: { $exists: true }, plan: 'pro' } },
      ]),
    ).toEqual(['mine', 'age_-1'])
    const stored = Object.fromEntries((await w.stored.indexes()).map((index) => [index.name, index]))
    expect(stored['mine']).toMatchObject({ key: { orgId: 1, 'email.i': 1 }, sparse: true })
    expect(stored['age_-1']?.['partialFilterExpression']).toEqual({ age: { $exists: true }, plan: 'pro' })
    expect(await w.users.dropIndexes()).toBe(true)
    expect(Object.keys(await storedKeys())).toEqual(['_id_'])
  })

  test.each<[string, unknown, object?]>([
    ['text', { name: 'text' }],
    ['text of an indexed path', { email: 'text' }],
    ['text of everything', { '$**': 'text' }],
    ['hashed', { email: 'hashed' }],
    ['2dsphere', { email: '2dsphere' }],
    ['removal in time', { age: 1 }, { expireAfterSeconds: 5 }],
    ['everything', { '$**': 1 }],
    ['everything of a parent', { 'address.$**': 1 }],
    ['everything of a value', { 'name.$**': 1 }],
    ['two encrypted paths', { email: 1, age: 1 }],
    ['no index declared', { name: 1 }],
    ['a parent', { address: 1 }],
    ['what is stored', { 'email.i': 1 }],
    ['a collation', { email: 1 }, { collation: { locale: 'en' } }],
    ['unique over all tenants', { age: 1 }, { unique: true }],
    ['certain values', { email: 1 }, { partialFilterExpression: { email: 'ada@example.com' } }],
    ['certain values of another path', { plan: 1 }, { partialFilterExpression: { age: 36 } }],
    ['what has no index in a condition', { plan: 1 }, { partialFilterExpression: { name: { $gt: 'a' } } }],
    ['weights', { plan: 'text' }, { weights: { email: 5 } }],
    ['a projection of everything', { 'plan.$**': 1 }, { wildcardProjection: { email: 1 } }],
  ])('refused, and nothing is sent: %s', async (_, key, options = {}) => {
    expect(await outcome(() => w.users.createIndex(key as never, options as never))).toBe('unsupported_operation')
    expect(await outcome(() => w.users.createIndexes([{ key: key as never, ...options }]))).toBe('unsupported_operation')
    expect(dataCommands(w)).toEqual([])
  })

  test('what is no index', async () => {
    for (const spec of [{}, [], 5, '', [{ key: 1 }, 5]])
      expect(await outcome(() => w.users.createIndex(spec as never))).toBe('invalid_argument')
    expect(await outcome(() => w.users.createIndexes({} as never))).toBe('invalid_argument')
    expect(await outcome(() => w.users.createIndexes([5 as never]))).toBe('invalid_argument')
    expect(await outcome(() => w.users.createIndexes([{ key: { plan: 1 }, nothing: 1 } as never]))).toBe('invalid_argument')
    expect(await outcome(() => w.users.dropIndex({ plan: 1 } as never))).toBe('invalid_argument')
    expect(dataCommands(w)).toEqual([])
  })

  test('unique within a tenant, of two paths: the error names both, and no value', async () => {
    await w.users.updateOne({ _id: 'ada', orgId: 'acme' }, { $unset: { age: 1 } })
    await w.users.createIndex({ orgId: 1, age: 1 }, { unique: true })
    const error: unknown = await w.users.insertOne({ ...bob, _id: 'b2', email: 'other@example.com' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(MongoServerError)
    expect((error as MongoServerError)['keyPattern']).toEqual({ orgId: 1, age: 1 })
    expect((error as MongoServerError)['keyValue']).toBeUndefined()
    expect((error as MongoServerError).message).toBe('E11000 duplicate key error: another document has the same orgId, age')
    await w.users.insertOne({ ...bob, _id: 'b2', orgId: 'rival', email: 'other@example.com' })
  })

  // Not every server says of which index it speaks: then what is encrypted in it is named alone.
  test.each<[string, object, object, object, RegExp]>([
    ['one path', { email: 1 }, { email: ada.email }, { email: 1 }, /the same email$/],
    ['of a tenant', { orgId: 1, age: 1 }, {}, { age: 1 }, /the same (?:orgId, )?age$/],
  ])('a unique index over duplicates that are there, %s: the error names the path, and shows nothing that is stored', async (...row) => {
    const [, spec, same, pattern, message] = row
    await w.users.dropIndexes()
    await w.users.insertOne({ ...bob, _id: 'b2', ...same })
    const stored = await w.stored.findOne({ _id: 'b2' })
    const { i } = stored!['email' in same ? 'email' : 'age'] as { readonly i: Binary }
    const bytes = Buffer.from(i.value())
    for (const make of [
      () => w.users.createIndex(spec as never, { unique: true }),
      () => w.users.createIndexes([{ key: spec as never, unique: true }]),
    ]) {
      const error = (await make().catch((thrown: unknown) => thrown)) as MongoServerError
      expect(error).toBeInstanceOf(MongoServerError)
      expect([error.code, error.message]).toEqual([11_000, expect.stringMatching(message)])
      expect([error['keyPattern'], error['keyValue']]).toEqual([expect.objectContaining(pattern), undefined])
      const shown = inspect(error, { depth: 9, showHidden: true })
      expect(shown).not.toMatch(/\.i\b|BinData|dup key/)
      for (const form of [bytes.toString('hex'), bytes.toString('base64'), [...bytes].join(', ')]) expect(shown).not.toContain(form)
    }
  })

  test("the same of mongod's answer, and of a sharded cluster's, which repeats each shard's", () => {
    const layout = layoutOf({ schema: User, tenant: 'orgId', subject: '_id', context: 'users', bind: 'record' })
    const said = 'E11000 duplicate key error collection: d.users index: email_1 dup key: { email.i: BinData(128, 01CAFE) }'
    const answer = {
      ok: 0,
      code: 11_000,
      codeName: 'DuplicateKey',
      keyPattern: { 'email.i': 1 },
      keyValue: { 'email.i': new Binary(Buffer.from('CAFE')) },
    }
    const error = new MongoServerError({
      ...answer,
      message: `Index build failed: 6f: Collection d.users ( 7a ) :: caused by :: ${said}`,
      raw: { 'shard/host:1': { ...answer, errmsg: said } },
    })
    expect(withoutValues(layout, error)).toBe(error)
    expect([error.message, error['keyPattern']]).toEqual(['E11000 duplicate key error: another document has the same email', { email: 1 }])
    expect(inspect(error, { depth: 9, showHidden: true, getters: true })).not.toMatch(/CAFE|Binary|BinData|email\.i/i)
  })

  describe('hints', () => {
    const calls: readonly [string, (hint: never) => unknown][] = [
      ['find', (hint) => w.users.find({ email: 'ada@example.com' }, { hint }).toArray()],
      ['hint of a cursor', (hint) => w.users.find({ email: 'ada@example.com' }).hint(hint).toArray()],
      ['findOne', (hint) => w.users.findOne({ email: 'ada@example.com' }, { hint })],
      ['countDocuments', (hint) => w.users.countDocuments({ plan: 'x' }, { hint })],
      ['countDocuments by an index', (hint) => w.users.countDocuments({ email: 'ada@example.com' }, { hint })],
      ['updateOne', (hint) => w.users.updateOne({ _id: 'ada', orgId: 'acme' }, { $set: { name: 'x' } }, { hint })],
      ['updateMany', (hint) => w.users.updateMany({ plan: 'free' }, { $set: { plan: 'x' } }, { hint })],
      ['replaceOne', (hint) => w.users.replaceOne({ _id: 'ada', orgId: 'acme' }, { orgId: 'acme', name: 'x' }, { hint })],
      ['deleteOne', (hint) => w.users.deleteOne({ plan: 'x' }, { hint })],
      ['deleteMany by an index', (hint) => w.users.deleteMany({ email: 'nobody@example.com' }, { hint })],
    ]
    const hints = (): readonly unknown[] =>
      w.commands.flatMap(({ command }) => {
        const parts = [command, ...((command['updates'] ?? command['deletes'] ?? []) as { hint?: unknown }[])]
        return parts.flatMap(({ hint }) => (hint === undefined ? [] : [hint instanceof Map ? Object.fromEntries(hint) : (hint as unknown)]))
      })

    test.each(calls)('of %s', async (_, call) => {
      await call({ email: 1 } as never)
      expect(new Set(hints().map((hint) => JSON.stringify(hint)))).toEqual(new Set(['{"email.i":1}']))
      w.commands.length = 0
      await call('email_1' as never)
      expect(new Set(hints())).toEqual(new Set(['email_1']))
      w.commands.length = 0
      for (const refused of [{ name: 1 }, { address: 1 }, { 'email.i': 1 }])
        expect(await outcome(() => call(refused as never))).toBe('unsupported_operation')
      expect(await outcome(() => call(5 as never))).toBe('invalid_argument')
      expect(dataCommands(w)).toEqual([])
    })
  })

  test('of a scope nothing of the whole collection can be dropped or asked', async () => {
    const scope = w.users.for({ tenant: 'acme' })
    expect(await outcome(() => scope.dropIndex('email_1'))).toBe('unsupported_operation')
    expect(await outcome(() => scope.dropIndexes())).toBe('unsupported_operation')
    expect(await outcome(() => scope.drop())).toBe('unsupported_operation')
    expect(await outcome(() => scope.estimatedDocumentCount())).toBe('unsupported_operation')
    expect(await outcome(() => scope.resource())).toBe('unsupported_operation')
    expect(await w.users.estimatedDocumentCount()).toBe(2)
  })
})
