// Rules of the collection that only show at their edges: paths with positions, shapes, collations, projections, what was changed meanwhile.
import { inspect } from 'node:util'
import { encrypted, encryptedCollection, type EncryptedCollection, SHREDDED } from '@strongroom/mongo-adapter'
import { Binary, BSONRegExp, type Document, Long, MongoBulkWriteError, ObjectId, UUID, type WriteError } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { outcome } from '../refusals.ts'
import { ada, bob, dataCommands, rival, uri, User, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertMany([ada, bob, rival])
    w.commands.length = 0
  })
  const pinned = { _id: 'ada', orgId: 'acme' }
  const sent = (): string => JSON.stringify(w.commands.map(({ command }) => command))

  describe('positions', () => {
    test('in a filter, where the schema has an object: what is asked is never sent as it is', async () => {
      for (const filter of [{ 'address.0.street': 'Canary' }, { 'name.0': 'Canary' }, { 'address.0.street': { $gt: 'Canary' } }])
        expect(await outcome(() => w.users.find(filter as never).toArray())).toBe('unsupported_operation')
      expect(dataCommands(w)).toEqual([])
      expect(await w.users.find({ 'address.0.city': 'London' } as never).toArray()).toEqual([])
    })

    test.each<[string, object]>([
      ['none, into an array', { $set: { 'notes.text': 'Canary' } }],
      ['in an object', { $set: { 'address.0': { street: 'Canary', city: 'x' } } }],
      ['in an object of an array', { $set: { 'notes.0.1.text': 'Canary' } }],
      ['pushed to an array of arrays', { $push: { 'notes.text': 'Canary' } }],
    ])('in an update: %s', async (_, change) => {
      expect(await outcome(() => w.users.updateOne(pinned, change))).toBe('invalid_argument')
      expect(dataCommands(w)).toEqual([])
    })

    // Where the schema has an object, `$[]` would reach those of a database that holds an array there.
    test.each(['inner.$[].street', 'inner.0.street', 'inner.$.street', 'inner.$[x].street', 'inner.$[]'])(
      'in an update, in an object that takes any name: %s',
      async (path) => {
        const schema = z.object({
          _id: z.string(),
          orgId: z.string(),
          plan: z.string().optional(),
          inner: z.looseObject({ street: encrypted(z.string()) }).optional(),
        })
        const loose = encryptedCollection(w.vault, w.stored, { schema, tenant: 'orgId', subject: '_id' })
        for (const change of [{ $set: { [path]: 'Canary' } }, { $rename: { plan: path } }, { $push: { [path]: 'Canary' } }])
          expect(await outcome(() => loose.updateOne(pinned, change as never))).toBe('invalid_argument')
        expect(dataCommands(w)).toEqual([])
        await loose.updateOne(pinned, { $set: { 'inner.city': 'x' } } as never)
        expect(sent()).toContain('inner.city')
      },
    )

    // What is stored of an element that is indexed is an object, and of `{ 'a.0': null }` the server takes each of those for a hit.
    test.each<[object, readonly string[]]>([
      [{ 'phones.0': null }, ['bob', 'none', 'null first', 'unset']],
      [{ 'phones.0': { $eq: null } }, ['bob', 'none', 'null first', 'unset']],
      [{ 'phones.0': { $in: [null] } }, ['bob', 'none', 'null first', 'unset']],
      [{ orgId: 'acme', 'phones.0': { $in: [null, '+1234567'] } }, ['bob', 'none', 'null first', 'one', 'unset']],
      [{ 'phones.0': { $ne: null } }, ['ada', 'one', 'placed']],
      [{ 'phones.0': { $nin: [null] } }, ['ada', 'one', 'placed']],
      [{ orgId: 'acme', 'phones.0': { $nin: [null, '+1234567'] } }, ['ada', 'placed']],
      [{ 'phones.0': { $not: { $eq: null } } }, ['ada', 'one', 'placed']],
      [{ $nor: [{ 'phones.0': null }] }, ['ada', 'one', 'placed']],
      [{ 'phones.1': null }, ['bob', 'none', 'one', 'placed', 'unset']],
    ])('null in an array of indexed elements: %j', async (filter, ids) => {
      const more = { none: [], one: ['+1234567'], 'null first': [null, '+1234567'] }
      for (const [_id, phones] of Object.entries(more)) await w.users.insertOne({ _id, orgId: 'acme', phones: phones as never })
      await w.users.insertMany([
        { _id: 'unset', orgId: 'acme' },
        { _id: 'placed', orgId: 'acme' },
      ])
      await w.users.updateOne({ _id: 'placed', orgId: 'acme' }, { $set: { 'phones.0': '+7654321' } as never })
      const given = { $and: [{ orgId: 'acme' }, filter] } as never
      expect((await w.users.find(given).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual(ids)
      expect((await w.users.deleteMany(given)).deletedCount).toBe(ids.length)
    })

    // MongoDB asks an array at a position as a whole, and not its elements one by one.
    test('an array within an array: asked for a value within $elemMatch, or at a position, only', async () => {
      const tag = encrypted(z.string(), { index: { scope: 'tenant' } })
      const schema = z.object({ _id: z.string(), orgId: z.string(), rows: z.array(z.array(tag)), '0': z.array(tag) })
      const grid = encryptedCollection(w.vault, w.stored.db.collection('grid'), { schema, tenant: 'orgId', subject: '_id' })
      const plain = w.stored.db.collection<Document & { _id: string }>('plain-grid')
      const documents = [
        { _id: '1', orgId: 'acme', rows: [['a', 'b'], ['c']], '0': ['a'] },
        { _id: '2', orgId: 'acme', rows: [[], ['a']], '0': [] },
      ]
      await grid.insertMany(documents)
      await plain.insertMany(documents)
      for (const path of ['rows.0', 'rows.1'])
        for (const condition of ['a', { $ne: 'a' }, { $in: ['a', null] }, { $nin: ['a'] }, { $all: ['a'] }, { $not: { $in: ['a'] } }])
          expect([path, condition, await outcome(() => grid.find({ orgId: 'acme', [path]: condition } as never))]).toEqual([
            path,
            condition,
            'unsupported_operation',
          ])
      for (const asked of [
        { 'rows.0.0': 'a' },
        { 'rows.1.0': { $ne: 'a' } },
        { 'rows.0': { $elemMatch: { $eq: 'a' } } },
        { 'rows.1': { $not: { $elemMatch: { $in: ['a'] } } } },
        { 'rows.0': { $size: 0 } },
        { 'rows.0': null },
        { 'rows.1': { $exists: true } },
        { '0': 'a' },
        { '0': { $ne: 'a' } },
      ]) {
        const filter = { orgId: 'acme', ...asked } as never
        expect([asked, await grid.find(filter).sort({ _id: 1 }).toArray()]).toEqual([
          asked,
          await plain.find(filter).sort({ _id: 1 }).toArray(),
        ])
      }
    })

    test('projections know no positions: what is named like one is a member', async () => {
      const tag = encrypted(z.string(), { index: { scope: 'tenant' } })
      const row = z.object({ '0': tag.optional(), text: encrypted(z.string()).optional() })
      const schema = z.object({
        _id: z.string(),
        orgId: z.string(),
        deep: z.array(z.array(z.array(tag))),
        rows: z.array(row),
        list: z.array(tag),
      })
      const grid = encryptedCollection(w.vault, w.stored.db.collection('grid'), { schema, tenant: 'orgId', subject: '_id' })
      const plain = w.stored.db.collection<Document & { _id: string }>('plain-grid')
      const one = { _id: '1', orgId: 'acme', deep: [[['a']]], rows: [{ '0': 'a', text: 'b' }, { text: 'c' }], list: ['a'] }
      await grid.insertOne(one)
      await plain.insertOne(one)
      for (const path of ['deep.0', 'deep.0.0', 'list.0', 'list.0.0', 'rows.0.text'])
        for (const take of [1, 0])
          expect([path, await outcome(() => grid.findOne({}, { projection: { [path]: take } }))]).toEqual([path, 'unsupported_operation'])
      for (const path of ['rows.0', 'rows.1', 'rows.1.text', 'rows.text', 'deep', 'list'])
        for (const take of [1, 0])
          expect([path, await grid.findOne({}, { projection: { [path]: take } })]).toEqual([
            path,
            await plain.findOne({}, { projection: { [path]: take } }),
          ])
    })

    // There MongoDB asks every element of the outer array, also for members that are named like positions.
    test('null in an array of indexed elements within an array: within $elemMatch only', async () => {
      const schema = z.object({
        _id: z.string(),
        orgId: z.string(),
        items: z.array(z.object({ tags: z.array(encrypted(z.string(), { index: { scope: 'application' } })) })),
      })
      const nested = encryptedCollection(w.vault, w.stored.db.collection('nested'), { schema, tenant: 'orgId', subject: '_id' })
      await nested.insertMany([
        { _id: '1', orgId: 'acme', items: [{ tags: ['a'] }, { tags: [] }] },
        { _id: '2', orgId: 'acme', items: [{ tags: ['a'] }] },
      ])
      for (const path of ['items.tags.0', 'items.0.tags.0'])
        for (const condition of [null, { $ne: null }, { $in: [null, 'a'] }, { $nin: [null] }, { $not: { $eq: null } }])
          expect(await outcome(() => nested.find({ [path]: condition } as never))).toBe('unsupported_operation')
      const found = async (filter: object): Promise<readonly unknown[]> =>
        (await nested.find(filter as never).toArray()).map(({ _id }) => _id)
      expect(await found({ items: { $elemMatch: { 'tags.0': null } } })).toEqual(['1'])
      expect(await found({ items: { $not: { $elemMatch: { 'tags.0': null } } } })).toEqual(['2'])
    })

    test('set in an array that was not there: the database makes an object, and it is read as one', async () => {
      await w.users.updateOne({ _id: 'bob', orgId: 'acme' }, { $set: { 'phones.0': '+1234567', 'notes.0.text': 'Canary' } as never })
      expect(await w.users.findOne({ _id: 'bob' })).toEqual({ ...bob, phones: { 0: '+1234567' }, notes: { 0: { text: 'Canary' } } })
      await w.stored.updateOne({ _id: 'bob' }, { $set: { phones: { a: new Binary(new Uint8Array(60), 0x80) } } })
      expect(await outcome(() => w.users.findOne({ _id: 'bob' }))).toBe('decrypt_failed')
    })

    test('of elements, by $[] and by names: chosen by what is plain in them', async () => {
      await w.users.updateOne(pinned, { $push: { notes: { title: 'two', text: 'Canary two' } } })
      w.commands.length = 0
      await w.users.updateOne(pinned, { $set: { 'notes.$[n].text': 'Canary new' } as never }, { arrayFilters: [{ 'n.title': 'two' }] })
      await w.users.updateOne(pinned, { $set: { 'phones.$[]': '+1234567' } as never })
      expect(sent()).not.toContain('Canary')
      expect(await w.users.findOne(pinned)).toEqual({
        ...ada,
        notes: [ada.notes[0], { title: 'two', text: 'Canary new' }],
        phones: ['+1234567', '+1234567'],
      })
      await w.users.updateOne({ ...pinned, 'notes.title': 'one' } as never, { $set: { 'notes.$.text': 'first' } as never })
      expect((await w.users.findOne(pinned))?.notes?.[0]?.text).toBe('first')
      await w.users.updateOne({ ...pinned, phones: '+1234567' }, { $set: { 'phones.$': '+7654321' } as never })
      expect((await w.users.findOne(pinned))?.phones).toEqual(['+7654321', '+1234567'])
      const hers = w.users.for({ tenant: 'acme', subject: 'ada' })
      await hers.updateOne({ 'notes.title': 'two', $and: [{ plan: 'pro' }] } as never, { $set: { 'notes.$.text': 'second' } as never })
      expect((await hers.findOne())?.notes?.map(({ text }) => text)).toEqual(['first', 'second'])
      expect(await outcome(() => hers.find({ $and: {} } as never))).toBe('invalid_argument')
    })

    test.each<[string, object, object[], string]>([
      ['what is encrypted in them', { 'notes.$[n].title': 'x' }, [{ 'n.text': 'Canary' }], 'unsupported_operation'],
      ['that, in $or', { 'notes.$[n].title': 'x' }, [{ $or: [{ 'n.title': 'x' }, { 'n.text': 'Canary' }] }], 'unsupported_operation'],
      ['themselves, encrypted', { 'phones.$[p]': '+1234567' }, [{ p: '+7654321' }], 'unsupported_operation'],
      ['what holds it', { 'notes.$[n].title': 'x' }, [{ n: { title: 'x', text: 'Canary' } }], 'unsupported_operation'],
      ['code', { 'notes.$[n].title': 'x' }, [{ 'n.title': { $where: 'true' } }], 'unsupported_operation'],
      ['nothing', { 'notes.$[n].title': 'x' }, [5 as never], 'invalid_argument'],
      ['an operator', { 'notes.$[n].title': 'x' }, [{ $expr: true }], 'invalid_argument'],
    ])('elements are not chosen by %s', async (_, set, arrayFilters, code) => {
      expect(await outcome(() => w.users.updateOne(pinned, { $set: set as never }, { arrayFilters }))).toBe(code)
      expect(await outcome(() => w.users.updateOne(pinned, { $set: set as never }, { arrayFilters: {} as never }))).toBe('invalid_argument')
      expect(dataCommands(w)).toEqual([])
    })
  })

  describe('projections leave nothing that was not asked for', () => {
    test.each<[string, object, object, unknown]>([
      ['what was searched by, in an array', { orgId: 'acme', phones: '+442079460001' }, { plan: 1 }, { _id: 'ada', plan: 'pro' }],
      [
        'that, beside what was asked for',
        { orgId: 'acme', 'notes.text': 'Canary note' },
        { 'notes.title': 1 },
        { _id: 'ada', notes: [{ title: 'one' }] },
      ],
    ])('%s', async (_, filter, projection, expected) => {
      const Indexed = z.object({
        _id: z.string(),
        orgId: z.string(),
        plan: z.string(),
        phones: z.array(encrypted(z.string(), { index: { scope: 'tenant', normalize: 'phone' } })),
        notes: z.array(z.object({ title: z.string(), text: encrypted(z.string(), { index: { scope: 'tenant' } }) })),
      })
      const things = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('indexed'), {
        schema: Indexed,
        tenant: 'orgId',
        subject: '_id',
      })
      const { _id, orgId, plan, phones, notes } = ada
      await things.insertOne({ _id, orgId, plan, phones, notes })
      expect(await things.find(filter as never, { projection }).toArray()).toEqual([expected])
    })

    test('owners within objects', async () => {
      const Nested = z.object({ _id: z.string(), meta: z.object({ org: z.string(), also: z.string() }), secret: encrypted(z.string()) })
      const things = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('nested'), {
        schema: Nested,
        tenant: 'meta.org',
        subject: '_id',
      })
      const document = { _id: 'x', meta: { org: 'acme', also: 'y' }, secret: 's' }
      await things.insertOne(document)
      const read = async (projection: Document): Promise<unknown> => things.findOne({}, { projection })
      expect(await read({ secret: 1 })).toEqual({ _id: 'x', secret: 's' })
      expect(await read({ secret: 1, 'meta.also': 1 })).toEqual({ _id: 'x', secret: 's', meta: { also: 'y' } })
      expect(await read({ secret: 1, 'meta.none': 1 })).toEqual({ _id: 'x', secret: 's', meta: {} })
      expect(await read({ 'meta.org': 0 })).toEqual({ _id: 'x', secret: 's', meta: { also: 'y' } })
      expect(await read({ 'meta.also': 0, 'meta.org': 0 })).toEqual({ _id: 'x', secret: 's', meta: {} })
      expect(await read({ meta: 0 })).toEqual({ _id: 'x', secret: 's' })
      expect(await read({ _id: 1, 'meta.org': 0 })).toEqual({ _id: 'x', secret: 's', meta: { also: 'y' } })
    })
  })

  describe('collations', () => {
    const en = { locale: 'en', strength: 2 } as const
    const calls: readonly [string, (filter: object, options: object) => unknown][] = [
      ['find', (filter, options) => w.users.find(filter, options).toArray()],
      ['countDocuments', (filter, options) => w.users.countDocuments(filter, options)],
      ['distinct', (filter, options) => w.users.distinct('plan', filter, options)],
      ['deleteMany', (filter, options) => w.users.deleteMany(filter, options)],
      ['updateMany', (filter, options) => w.users.updateMany(filter, { $set: { plan: 'x' } }, options)],
      ['updateOne', (filter, options) => w.users.updateOne(filter, { $set: { plan: 'x' } }, options)],
    ]
    const collations = (): readonly unknown[] =>
      w.commands.flatMap(({ command }) =>
        [command, ...((command['updates'] ?? command['deletes'] ?? []) as Document[])].flatMap(({ collation }) =>
          collation === undefined ? [] : [collation as unknown],
        ),
      )

    test.each(calls)('of %s: with plain paths only', async (_, call) => {
      await call({ plan: 'none' }, { collation: en })
      expect(collations()).toEqual([en])
      w.commands.length = 0
      for (const filter of [{ email: 'ada@example.com' }, { name: null }, { $or: [{ plan: 'x' }, { phones: { $size: 1 } }] }])
        expect(await outcome(() => call(filter, { collation: en }))).toBe('unsupported_operation')
      expect(dataCommands(w)).toEqual([])
    })

    test('of what is encrypted, and of a scope, none: they mean exactly whom they name', async () => {
      expect(await outcome(() => w.users.updateOne(pinned, { $set: { name: 'x' } }, { collation: en }))).toBe('unsupported_operation')
      expect(await outcome(() => w.users.replaceOne(pinned, { orgId: 'acme', name: 'x' }, { collation: en }))).toBe('unsupported_operation')
      expect(await outcome(() => w.users.distinct('age', {}, { collation: en }))).toBe('unsupported_operation')
      const scope = w.users.for({ tenant: 'acme' })
      for (const call of [
        () => scope.find({}, { collation: en }).toArray(),
        () => scope.countDocuments({}, { collation: en }),
        () => scope.deleteMany({}, { collation: en }),
      ])
        expect(await outcome(call)).toBe('unsupported_operation')
      expect(dataCommands(w)).toEqual([])
      await scope.find().toArray()
      await scope.countDocuments()
      await scope.distinct('plan')
      await scope.updateMany({}, { $set: { plan: 'x' } })
      await scope.deleteMany({ plan: 'none' })
      expect(collations()).toEqual(Array.from({ length: 5 }, () => ({ locale: 'simple' })))
    })

    // A collection's own may take another tenant's name for this one's: what is excluded by this one's key would not be by theirs.
    test('of a search by an index of a tenant: it means the tenant that it names', async () => {
      const not = { orgId: 'acme', age: { $ne: 36 } }
      await w.users.find(not).toArray()
      await w.users.find({}).filter(not).toArray()
      await w.users.countDocuments(not)
      await w.users.distinct('plan', not)
      await w.users.updateMany({ orgId: 'acme', $nor: [{ phones: '+1234567' }] }, { $set: { plan: 'x' } })
      await w.users.deleteMany(not)
      expect(new Set(collations().map((each) => JSON.stringify(each)))).toEqual(new Set(['{"locale":"simple"}']))
      const all = w.commands.filter(({ commandName }) => ['find', 'update', 'delete'].includes(commandName))
      expect(collations()).toHaveLength(all.length)
      w.commands.length = 0
      await w.users.find({ email: 'ada@example.com' }).toArray()
      expect(collations()).toEqual([])
    })
  })

  test('what is refused makes no key, whatever is wrong with it', async () => {
    const before = w.keyStore.snapshot().length
    const zoe = { _id: 'zoe', orgId: 'acme', name: 'Zoe' }
    for (const bad of [
      { ...zoe, age: { no: 'scalar' } },
      { ...zoe, other: 1 },
      { ...zoe, address: 'x' },
      { ...zoe, name: /x/ },
      { ...zoe, _id: { a: 1 } },
      { ...zoe, orgId: 5 },
    ]) {
      expect(await outcome(() => w.users.insertMany([{ ...zoe, _id: 'yan' }, bad as never]))).toBe('invalid_argument')
      const { _id, ...rest } = bad
      if (_id === 'zoe')
        expect(await outcome(() => w.users.replaceOne({ _id: 'zoe', orgId: 'acme' }, rest as never))).toBe('invalid_argument')
    }
    for (const change of [{ $set: { age: { no: 'scalar' } } }, { $set: { name: /x/ } }, { $push: { phones: [] } }])
      expect(await outcome(() => w.users.updateOne({ _id: 'zoe', orgId: 'acme' }, change as never))).toBe('invalid_argument')
    expect(w.keyStore.snapshot().length).toBe(before)
    expect(dataCommands(w)).toEqual([])
    await w.users.insertOne(zoe)
    expect(w.keyStore.snapshot().length).toBe(before + 1)
  })

  test('a hit that was changed since it was found is no match: the next one is', async () => {
    await w.stored.updateMany({ orgId: 'acme' }, { $set: { plan: 'same' } })
    const collection = w.client.db(w.stored.dbName).collection('users')
    const own = collection.deleteOne.bind(collection)
    let calls = 0
    collection.deleteOne = async (...given) => {
      if (calls++ === 0) await w.stored.updateOne({ _id: 'ada' }, { $set: { plan: 'other' } })
      return own(...given)
    }
    const users = encryptedCollection(w.vault, collection, { schema: User, tenant: 'orgId', subject: '_id' })
    expect(await users.deleteOne({ orgId: 'acme', age: 36, plan: 'same' }, { hint: '_id_' })).toMatchObject({ deletedCount: 1 })
    expect(calls).toBe(2)
    expect((await w.stored.find({ orgId: 'acme' }).toArray()).map(({ _id }) => _id)).toEqual(['ada'])
  })

  test('a document that is found twice, because it was changed meanwhile, is updated once', async () => {
    const collection = w.client.db(w.stored.dbName).collection('users')
    const twice = [await w.stored.findOne({ _id: 'ada' }), await w.stored.findOne({ _id: 'ada' })]
    collection.find = (() => ({
      hasNext: async () => Promise.resolve(twice.length > 0),
      readBufferedDocuments: () => twice.splice(0, 1),
      close: async () => Promise.resolve(),
    })) as never
    const users = encryptedCollection(w.vault, collection, { schema: User, tenant: 'orgId', subject: '_id' })
    expect(await users.updateMany({ orgId: 'acme', age: 36 }, { $set: { plan: 'x' } })).toMatchObject({ matchedCount: 1 })
    expect(dataCommands(w).filter((name) => name === 'update')).toHaveLength(1)
  })

  test('updates of what an index finds: by sort, one; all of them', async () => {
    const filter = { orgId: 'acme', age: 36 }
    await w.users.updateOne(filter, { $set: { plan: 'first' } }, { sort: { _id: -1 } })
    expect((await w.users.findOne({ _id: 'bob' }))?.plan).toBe('first')
    expect(await w.users.updateMany(filter, { $set: { plan: 'all' } })).toMatchObject({ matchedCount: 2, modifiedCount: 2 })
    expect(await outcome(() => w.users.updateOne(filter, { $set: { plan: 'x' } }, { sort: { name: 1 } }))).toBe('unsupported_operation')
    expect(await outcome(() => w.users.updateMany(filter, { $set: { plan: 'x' } }, { sort: { _id: 1 } } as never))).toBe(
      'unsupported_operation',
    )
  })

  test('without acknowledgement the answers are those of the driver, which knows no counts', async () => {
    const unheard = { writeConcern: { w: 0 } } as const
    const nobody = { _id: 'nobody', orgId: 'acme' }
    const answers = async (target: World['users'] | World['plain'], filter: object): Promise<readonly unknown[]> => [
      await (target as World['plain']).updateOne(filter, { $set: { plan: 'x' } }, unheard),
      await (target as World['plain']).updateMany(filter, { $set: { plan: 'x' } }, unheard),
      await (target as World['plain']).replaceOne(nobody, { orgId: 'acme', plan: 'x' } as never, unheard),
      await (target as World['plain']).deleteOne(filter, unheard),
      await (target as World['plain']).deleteMany(filter, unheard),
    ]
    const known = await answers(w.plain, nobody)
    for (const filter of [nobody, { email: 'ada@example.com', plan: 'pro' }, { email: 'nobody@example.com' }])
      expect([filter, await answers(w.users, filter)]).toEqual([filter, known])
  })

  test('without acknowledgement an update of one is of one', async () => {
    await w.users.updateOne({ orgId: 'acme', age: 36 }, { $set: { plan: 'once' } }, { writeConcern: { w: 0 } })
    await w.stored.findOne({})
    expect(w.commands.filter(({ commandName }) => commandName === 'update')).toHaveLength(1)
  })

  test('distinct: shredded values stand once, or throw; positions are refused', async () => {
    await w.vault.tenant('acme').subject('bob').shred()
    await w.vault.tenant('rival').subject('eve').shred()
    expect(await w.users.distinct('email')).toEqual([ada.email, SHREDDED])
    expect(await outcome(() => w.users.distinct('email', {}, { shredded: 'throw' }))).toBe('shredded')
    expect(await outcome(() => w.users.distinct('phones.0', { orgId: 'acme' }))).toBe('unsupported_operation')
    expect(await w.users.distinct('plan', { orgId: 'acme', age: 36 })).toEqual(['pro'])
    expect(await w.users.distinct('_id', { orgId: 'acme', age: 36 })).toEqual(['ada'])
  })

  test('distinct: an array that stands in another is not looked into, by a search neither', async () => {
    const row = z.object({ sku: encrypted(z.string(), { index: { scope: 'tenant' } }), n: z.number() })
    const schema = z.object({ _id: z.string(), orgId: z.string(), rows: z.array(row), grid: z.array(z.array(row)) })
    const things = encryptedCollection(w.vault, w.stored.db.collection('rows'), { schema, tenant: 'orgId', subject: '_id' })
    const rows = [
      { sku: 'a', n: 1 },
      { sku: 'b', n: 2 },
    ]
    await things.insertOne({ _id: '1', orgId: 'acme', rows, grid: [rows] })
    for (const [path, values] of [
      ['rows.sku', ['a', 'b']],
      ['rows.n', [1, 2]],
      ['grid.sku', []],
      ['grid.n', []],
    ] as const)
      expect([path, await things.distinct(path, { orgId: 'acme', 'rows.sku': 'a' })]).toEqual([path, values])
    expect(await things.find({ orgId: 'acme', 'grid.sku': 'a' }).toArray()).toEqual([])
  })

  test('a mark is neither written nor searched by', async () => {
    for (const call of [
      () => w.users.insertOne({ _id: 'x', orgId: 'acme', name: SHREDDED as never }),
      () => w.users.replaceOne(pinned, { orgId: 'acme', name: SHREDDED as never }),
      () => w.users.updateOne(pinned, { $set: { name: SHREDDED } as never }),
      () => w.users.updateOne(pinned, { $set: { plan: [SHREDDED] } as never }),
      () => w.users.find({ email: SHREDDED } as never),
      () => w.users.find({ plan: { $in: [SHREDDED] } } as never),
      () => w.users.countDocuments({ email: { $ne: SHREDDED } } as never),
    ])
      expect(await outcome(call)).toBe('invalid_argument')
    expect(dataCommands(w)).toEqual([])
  })

  describe('what is written', () => {
    test('is read once: neither getters nor toBSON can put plaintext where it is not looked for', async () => {
      let reads = 0
      const sly = {
        _id: 'zoe',
        orgId: 'acme',
        get name(): unknown {
          return reads++ === 0 ? 'first' : { toBSON: () => 'Canary' }
        },
      }
      await w.users.insertOne(sly as never)
      await w.users.insertOne({ toBSON: () => ({ _id: 'yan', orgId: 'acme', name: 'Canary' }) } as never)
      await w.users.insertOne(new Map(Object.entries({ _id: 'xia', orgId: 'acme', name: 'Canary' })) as never)
      expect(reads).toBe(1)
      expect(sent()).not.toContain('Canary')
      const names = (
        await w.users
          .find({ _id: { $in: ['zoe', 'yan', 'xia'] } })
          .sort({ _id: 1 })
          .toArray()
      ).map(({ name }) => name)
      expect(names).toEqual(['Canary', 'Canary', 'first'])
    })

    test('may look like what is stored, and is data all the same', async () => {
      const stored = await w.stored.findOne({ _id: 'bob' })
      const lookalikes = { name: stored?.['name'] as Binary, address: { street: stored?.['email'] as unknown, city: 'x' } }
      await w.users.insertOne({ _id: 'zoe', orgId: 'acme', ...lookalikes } as never)
      expect(await w.users.findOne({ _id: 'zoe' })).toEqual({ _id: 'zoe', orgId: 'acme', ...lookalikes })
    })

    test.each<[string, object]>([
      ['a dot', { _id: 'x', orgId: 'acme', 'address.street': 'Canary' }],
      ['a dollar', { _id: 'x', orgId: 'acme', address: { $street: 'Canary' } }],
      ['a dot within a value', { _id: 'x', orgId: 'acme', notes: [{ title: 'x', text: { 'a.b': 1 } }] }],
    ])('has no keys with %s', async (_, document) => {
      expect(await outcome(() => w.users.insertOne(document as never))).toBe('invalid_argument')
      expect(
        await outcome(() =>
          w.users.updateOne(pinned, { $set: { address: (document as { address?: unknown }).address ?? document } as never }),
        ),
      ).toBe('invalid_argument')
      expect(dataCommands(w)).toEqual([])
    })

    test('goes to no path that the schema does not declare', async () => {
      for (const change of [
        { $rename: { plan: 'other' } },
        { $set: { other: 1 } },
        { $inc: { 'address.other': 1 } },
        { $push: { other: 1 } },
        { $currentDate: { other: true } },
      ])
        expect(await outcome(() => w.users.updateOne(pinned, change as never))).toBe('invalid_argument')
      expect(dataCommands(w)).toEqual([])
      const Loose = z.looseObject({ _id: z.string(), orgId: z.string(), secret: encrypted(z.string()) })
      const things = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('loose'), {
        schema: Loose,
        tenant: 'orgId',
        subject: '_id',
      })
      await things.insertOne({ _id: 'x', orgId: 'acme', secret: 's', a: { b: 1 } })
      await things.updateOne({ _id: 'x' }, { $rename: { a: 'c' }, $set: { d: 1 } } as never)
      expect(await things.findOne({ 'c.b': 1 })).toEqual({ _id: 'x', orgId: 'acme', secret: 's', c: { b: 1 }, d: 1 })
    })

    test('by one command, where the filter or a scope says whose it is', async () => {
      await w.users.updateOne(pinned, { $set: { name: 'x' } })
      await w.users.for({ tenant: 'acme', subject: 'ada' }).updateOne({}, { $set: { name: 'y' } })
      await w.users.updateMany({ plan: 'free' }, { $unset: { name: 1 }, $set: { plan: 'pro' } })
      expect(dataCommands(w)).toEqual(['update', 'update', 'update'])
      expect((await w.users.findOne(pinned))?.name).toBe('y')
    })

    test('to all documents of one person, where values are not bound to a record', async () => {
      const Note = z.object({ _id: z.number(), orgId: z.string(), by: z.string(), text: encrypted(z.string()) })
      const notes = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('unbound'), {
        schema: Note,
        tenant: 'orgId',
        subject: 'by',
        bind: 'none',
      })
      await notes.insertMany([1, 2, 3].map((_id) => ({ _id, orgId: 'acme', by: _id === 3 ? 'bob' : 'ada', text: 'old' })))
      w.commands.length = 0
      expect(await notes.for({ tenant: 'acme', subject: 'ada' }).updateMany({}, { $set: { text: 'Canary' } })).toMatchObject({
        matchedCount: 2,
      })
      expect(await notes.updateMany({ orgId: 'acme', by: 'bob' }, { $set: { text: 'Canary' } })).toMatchObject({ matchedCount: 1 })
      expect(dataCommands(w)).toEqual(['update', 'update'])
      expect((await notes.find().toArray()).map(({ text }) => text)).toEqual(['Canary', 'Canary', 'Canary'])
    })

    test('a pattern says no id, and is none', async () => {
      const schema = z.object({ _id: z.string(), orgId: z.string(), who: z.string(), name: encrypted(z.string()) })
      const where = { schema, tenant: 'orgId', subject: 'who' }
      const [free, bound] = (['none', 'record'] as const).map((bind) =>
        encryptedCollection(w.vault, w.stored.db.collection(`of ${bind}`), { ...where, bind }),
      ) as [EncryptedCollection<z.output<typeof schema>>, EncryptedCollection<z.output<typeof schema>>]
      const document = { _id: 'a1', orgId: 'acme', who: 'ada', name: 'Canary' }
      for (const _id of [/^a/, new BSONRegExp('^a')] as never[]) {
        for (const each of [free, bound]) {
          await each.deleteMany()
          await each.insertOne(document)
        }
        const filter = { _id, orgId: 'acme', who: 'ada' }
        const { _id: __, ...replacement } = { ...document, name: 'Canary 2' }
        expect((await free.replaceOne(filter, replacement)).matchedCount).toBe(1)
        expect(await free.findOne()).toEqual({ ...replacement, _id: 'a1' })
        // Whose the document is, is looked up: its id is not the pattern.
        expect((await bound.replaceOne(filter, replacement)).matchedCount).toBe(1)
        expect(await bound.findOne()).toEqual({ ...replacement, _id: 'a1' })
        expect((await bound.updateOne(filter, { $set: { name: 'x' } })).matchedCount).toBe(1)
        expect((await bound.findOne())?.name).toBe('x')
        expect(await outcome(() => bound.bulkWrite([{ updateOne: { filter, update: { $set: { name: 'x' } } } }]))).toBe(
          'unsupported_operation',
        )
      }
    })

    test('with ids of whom the driver was told to ask', async () => {
      const ids = ['first', 'second']
      const Own = z.object({ orgId: z.string(), secret: encrypted(z.string()) })
      const db = w.client.db(w.stored.dbName, { pkFactory: { createPk: () => ids.shift() as never } })
      const things = encryptedCollection(w.vault, db.collection('minted'), { schema: Own, tenant: 'orgId', subject: 'orgId' })
      const { insertedIds } = await things.insertMany([
        { orgId: 'acme', secret: 'a' },
        { orgId: 'acme', secret: 'b' },
      ])
      expect(insertedIds).toEqual({ 0: 'first', 1: 'second' })
      expect(await things.find().toArray()).toHaveLength(2)
    })

    test('in a scope, with tenant and subject filled in, within objects too', async () => {
      const Nested = z.object({ _id: z.string(), meta: z.object({ org: z.string(), by: z.string() }), secret: encrypted(z.string()) })
      const things = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('scoped'), {
        schema: Nested,
        tenant: 'meta.org',
        subject: 'meta.by',
      })
      const hers = things.for({ tenant: 'acme', subject: 'ada' })
      await hers.insertMany([{ _id: 'a', secret: 's' } as never, { _id: 'b', meta: { by: 'ada' }, secret: 's' } as never])
      for (const _id of ['a', 'b']) expect(await things.findOne({ _id })).toEqual({ _id, meta: { org: 'acme', by: 'ada' }, secret: 's' })
      for (const meta of [5, null, { org: 'rival' }])
        expect(await outcome(() => hers.insertOne({ _id: 'c', meta, secret: 's' } as never))).toBe('invalid_argument')
    })
  })

  describe('indexes', () => {
    const stored = async (options: object, value: string, name = 'a', tenant = 'acme'): Promise<string> => {
      const schema = z.object({ _id: z.string(), orgId: z.string(), [name]: encrypted(z.string(), { index: options as never }) })
      const collection = w.client.db(w.stored.dbName).collection<Document & { _id: string }>('joined')
      const things = encryptedCollection(w.vault, collection as never, { schema, tenant: 'orgId', subject: '_id' })
      await things.insertOne({ _id: 'x', orgId: tenant, [name]: value } as never)
      const found = await collection.findOneAndDelete({ _id: 'x' })
      const { i } = (found as Document)[name] as { readonly i: Binary }
      return Buffer.from(i.value()).toString('hex')
    }

    test('are joined within one domain, scope and normaliser only', async () => {
      const base = { scope: 'application', domain: 'email', normalize: 'email' }
      const one = await stored(base, 'Ada@Example.com')
      expect(await stored(base, 'ada@example.com', 'b', 'rival')).toBe(one)
      for (const other of [
        { ...base, domain: 'other' },
        { ...base, scope: 'tenant' },
        { ...base, normalize: 'text' },
        { scope: 'application', normalize: 'email' },
      ])
        expect(await stored(other, 'ada@example.com')).not.toBe(one)
      expect(await stored({ ...base, scope: 'tenant' }, 'ada@example.com')).not.toBe(
        await stored({ ...base, scope: 'tenant' }, 'ada@example.com', 'a', 'rival'),
      )
      // By itself a domain is the path.
      expect(await stored({ scope: 'tenant' }, 'x', 'a')).not.toBe(await stored({ scope: 'tenant' }, 'x', 'b'))
    })

    test('that are unique let many go without a value', async () => {
      await w.users.insertMany([
        { _id: 'n1', orgId: 'acme' },
        { _id: 'n2', orgId: 'acme' },
        { _id: 'n3', orgId: 'acme', email: null },
        { _id: 'n4', orgId: 'acme', email: null },
      ])
      expect(await w.users.countDocuments({ email: null })).toBe(4)
    })

    test('that are unique within a tenant', async () => {
      const Room = z.object({
        _id: z.string(),
        orgId: z.string(),
        name: encrypted(z.string(), { index: { scope: 'tenant', unique: true } }),
      })
      const rooms = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('rooms'), {
        schema: Room,
        tenant: 'orgId',
        subject: '_id',
      })
      expect(await rooms.createIndexes()).toEqual(['name_1'])
      await rooms.insertMany([
        { _id: 'a', orgId: 'acme', name: 'blue' },
        { _id: 'b', orgId: 'rival', name: 'blue' },
      ])
      await expect(rooms.insertOne({ _id: 'c', orgId: 'acme', name: 'blue' })).rejects.toMatchObject({
        code: 11000,
        keyPattern: { name: 1 },
      })
    })
  })

  // An element that is null has no index value; of what is not asked of values it is as good a match as any.
  test.each<[object, readonly string[]]>([
    [{ $ne: 'a', $not: { $eq: 'b' } }, ['1', '5']],
    [{ $nin: ['b'], $not: { $in: ['a'] } }, ['1', '5']],
    [{ $ne: 'a', $not: { $ne: 'b' } }, ['3', '7']],
    [{ $ne: 'a' }, ['1', '3', '5', '7']],
  ])('an element that is null, among elements: %j', async (condition, ids) => {
    const schema = z.object({
      _id: z.string(),
      orgId: z.string(),
      tags: z.array(encrypted(z.string(), { index: { scope: 'application' } }).nullable()).optional(),
    })
    const tagged = encryptedCollection(w.vault, w.stored.db.collection('tagged'), { schema, tenant: 'orgId', subject: '_id' })
    const lists = [['a', null], ['a'], ['b'], [], [null], undefined, ['a', 'b']]
    await tagged.insertMany(lists.map((tags, i) => ({ _id: String(i + 1), orgId: 'acme', ...(tags === undefined ? {} : { tags }) })))
    const filter = { tags: { $elemMatch: condition } } as never
    expect((await tagged.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual(ids)
  })

  test('null among values, and none of them', async () => {
    await w.users.insertMany([
      { _id: 'n1', orgId: 'acme', email: null },
      { _id: 'n2', orgId: 'acme' },
    ])
    const found = async (condition: object): Promise<readonly unknown[]> =>
      (
        await w.users
          .find({ email: condition } as never)
          .sort({ _id: 1 })
          .toArray()
      ).map(({ _id }) => _id)
    expect(await found({ $in: [null, 'ada@example.com'] })).toEqual(['ada', 'n1', 'n2'])
    expect(await found({ $in: [null] })).toEqual(['n1', 'n2'])
    expect(await found({ $nin: [null, 'ada@example.com'] })).toEqual(['bob', 'eve'])
    expect(await found({ $nin: ['ada@example.com'] })).toEqual(['bob', 'eve', 'n1', 'n2'])
    expect(await found({ $ne: null })).toEqual(['ada', 'bob', 'eve'])
  })

  test('a filter that says two tenants says none whose values are written: it is looked up', async () => {
    const two = { _id: 'ada', orgId: { $in: ['acme', 'rival'] } }
    expect(await w.users.updateOne(two, { $set: { name: 'x' } })).toMatchObject({ matchedCount: 1 })
    expect(dataCommands(w)).toEqual(['find', 'update'])
    expect((await w.users.findOne({ _id: 'ada' }))?.name).toBe('x')
    w.commands.length = 0
    expect(await w.users.updateOne({ ...two, orgId: { $in: ['acme'] } }, { $set: { name: 'x' } })).toMatchObject({ matchedCount: 1 })
    expect(dataCommands(w)).toEqual(['update'])
  })

  test('the failures of a batch show neither values nor documents', async () => {
    const error = (await w.users
      .insertMany([bob, { ...bob, _id: 'b2', email: 'BOB@example.com' }, { _id: 'b3', orgId: 'acme' }], { ordered: false })
      .catch((thrown: unknown) => thrown)) as MongoBulkWriteError
    expect(error).toBeInstanceOf(MongoBulkWriteError)
    expect(error.insertedCount).toBe(1)
    const failed = error.writeErrors as readonly WriteError[]
    expect(failed.map(({ index, code }) => [index, code])).toEqual([
      [0, 11_000],
      [1, 11_000],
    ])
    expect(failed[1]?.errmsg).toBe('E11000 duplicate key error: another document has the same email')
    expect(failed.map((each) => (each.err as { op?: unknown }).op)).toEqual([undefined, undefined])
    for (const shown of [inspect(error, { depth: 20 }), JSON.stringify(error)]) {
      expect(shown).not.toMatch(/email\.i|keyValue: \{ 'email|bob@/iu)
      // The stored form of a value begins with its version, in base64.
      expect(shown).not.toContain('"$binary"')
      expect(shown).not.toContain('Binary.createFromBase64')
    }
  })

  test('an id is made for documents whose schema says ObjectId, or nothing; not for others', async () => {
    const of = (id: object, name: string): EncryptedCollection<Document> =>
      encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection(name), {
        schema: z.object({ ...id, orgId: z.string(), secret: encrypted(z.string()) }),
        tenant: 'orgId',
        subject: 'orgId',
      }) as unknown as EncryptedCollection<Document>
    const document = { orgId: 'acme', secret: 's' }
    for (const [id, name] of [
      [{}, 'ids1'],
      [{ _id: z.instanceof(ObjectId) }, 'ids2'],
    ] as const)
      expect((await of(id, name).insertOne(document)).insertedId).toBeInstanceOf(ObjectId)
    w.commands.length = 0
    expect(await outcome(() => of({ _id: z.number() }, 'ids3').insertOne(document))).toBe('invalid_argument')
    expect(await outcome(() => of({}, 'ids4').insertOne({ ...document, _id: null } as never))).toBe('invalid_argument')
    expect(dataCommands(w)).toEqual([])
  })

  test('operators that cannot work on what is encrypted', async () => {
    for (const condition of [
      { $bitsAllSet: 1 },
      { $mod: [2, 0] },
      { $type: 'number' },
      { $geoWithin: { $center: [[0, 0], 1] } },
      { $near: [0, 0] },
      { $lte: 5 },
      { $not: { $gt: 5 } },
      { $not: /x/ },
      { $elemMatch: { $gt: 5 } },
      { $in: [/x/] },
      { $jsonSchema: {} },
      { $unknown: 1 },
    ])
      for (const path of ['age', 'name', 'phones', 'address', 'notes'])
        expect([condition, path, await outcome(() => w.users.find({ orgId: 'acme', [path]: condition } as never))]).toEqual([
          condition,
          path,
          'unsupported_operation',
        ])
    expect(dataCommands(w)).toEqual([])
  })

  test('all that takes a session is part of it, and gone when it is aborted', async () => {
    const session = w.client.startSession()
    try {
      session.startTransaction()
      w.commands.length = 0
      await w.users.insertOne({ _id: 'zoe', orgId: 'acme', name: 'Zoe', age: 36 }, { session })
      await w.users.insertMany([{ _id: 'yan', orgId: 'acme', name: 'Yan' }], { session })
      await w.users.updateOne(pinned, { $set: { name: 'x' } }, { session })
      await w.users.updateMany({ orgId: 'acme', age: 36 }, { $set: { plan: 'x' } }, { session })
      await w.users.replaceOne({ _id: 'yan', orgId: 'acme' }, { orgId: 'acme', name: 'Yan 2' }, { session })
      await w.users.deleteOne({ _id: 'yan' }, { session })
      await w.users.deleteMany({ orgId: 'rival', age: 36 }, { session })
      expect(await w.users.countDocuments({ orgId: 'acme', age: 36 }, { session })).toBe(3)
      expect(await w.users.countDocuments({ plan: 'x' }, { session })).toBe(3)
      expect((await w.users.distinct('age', { orgId: 'acme', age: 36 }, { session })).length).toBe(1)
      expect(await w.users.distinct('plan', {}, { session })).toEqual(['x'])
      expect(await w.users.find({}, { session }).toArray()).toHaveLength(3)
      expect(await w.users.findOne({ email: 'ada@example.com' }, { session })).toMatchObject({ name: 'x' })
      for (const { commandName, command } of w.commands) expect([commandName, command['autocommit']]).toEqual([commandName, false])
      await session.abortTransaction()
    } finally {
      await session.endSession()
    }
    expect(await w.users.find().sort({ _id: 1 }).toArray()).toEqual([ada, bob, rival])
  })

  test('a scope narrows what a filter says, and loses nothing of it', async () => {
    const scope = w.users.for({ tenant: 'acme' })
    const found = async (filter: object): Promise<readonly unknown[]> =>
      (await scope.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)
    expect(await found({})).toEqual(['ada', 'bob'])
    expect(await found({ $and: [{ plan: 'pro' }] })).toEqual(['ada'])
    expect(await found({ $and: [{ plan: 'pro' }], age: 36 })).toEqual(['ada'])
    expect(await found({ $or: [{ orgId: 'rival' }, { plan: 'free' }] })).toEqual(['bob'])
    expect(await found({ orgId: 'rival' })).toEqual([])
    expect(await found({ orgId: 'rival', $and: [{ age: 36 }] })).toEqual([])
    expect(await found({ orgId: { $in: ['rival', 'acme'] }, age: 36 })).toEqual(['ada', 'bob'])
    expect(await found({ orgId: 'rival', age: { $ne: 5 } })).toEqual([])
    // Nor does it reach the keys of others.
    const before = w.keyStore.snapshot().length
    expect(await scope.updateOne({ _id: 'eve', orgId: 'rival' }, { $set: { name: 'x' } })).toMatchObject({ matchedCount: 0 })
    for (const filter of [
      { _id: 'eve', orgId: 'rival' },
      { _id: 'new', orgId: 'rival' },
    ])
      expect(await outcome(() => scope.updateOne(filter, { $set: { name: 'x' } }, { upsert: true }))).toBe('unsupported_operation')
    expect((await w.users.findOne({ _id: 'eve' }))?.name).toBe(rival.name)
    expect(w.keyStore.snapshot().length).toBe(before)
    expect(await scope.deleteMany({ $and: [{ plan: 'none' }] })).toMatchObject({ deletedCount: 0 })
    expect(await scope.deleteMany({ orgId: 'rival' })).toMatchObject({ deletedCount: 0 })
  })

  test('a scope is of whom it was made for, whatever becomes of what it was made with', async () => {
    const [one, two] = [new UUID(), new UUID()]
    for (const each of [one, two]) await w.vault.tenants.create(each.toHexString())
    const schema = z.object({ _id: z.string(), org: z.instanceof(UUID), name: encrypted(z.string()) })
    const people = encryptedCollection(w.vault, w.stored.db.collection('ofUuids'), { schema, tenant: 'org', subject: '_id' })
    await people.insertMany([
      { _id: 'a', org: one, name: 'Canary a' },
      { _id: 'b', org: two, name: 'Canary b' },
    ])
    const given = new UUID(one.toHexString())
    class Other extends UUID {
      override toHexString(): string {
        return one.toHexString()
      }
    }
    const scopes = [people.for({ tenant: given }), people.for({ tenant: given }).for({ tenant: given, subject: 'a' })]
    given.buffer.set(two.buffer)
    for (const scope of scopes) {
      expect((await scope.find().toArray()).map(({ _id }) => _id)).toEqual(['a'])
      expect(await scope.countDocuments({ _id: 'b' })).toBe(0)
    }
    const two1 = people.for({ tenant: new Other(two.toHexString()) })
    await two1.insertOne({ _id: 'c', name: 'Canary c' } as never)
    expect((await two1.find().toArray()).map(({ name }) => name)).toEqual(['Canary b', 'Canary c'])
    expect(await outcome(() => two1.for({ tenant: one }))).toBe('invalid_argument')
  })

  test('a document keeps the id that it was given, whatever becomes of it meanwhile', async () => {
    const schema = z.object({ _id: z.instanceof(UUID), orgId: z.string(), name: encrypted(z.string()) })
    const people = encryptedCollection(w.vault, w.stored.db.collection('byUuid'), { schema, tenant: 'orgId', subject: '_id' })
    const _id = new UUID()
    const kept = new UUID(_id.toHexString())
    const writing = people.insertOne({ _id, orgId: 'acme', name: 'Canary' })
    await Promise.resolve()
    _id.buffer.fill(7, 0, 6)
    await writing
    expect(await people.findOne({ _id: kept })).toEqual({ _id: kept, orgId: 'acme', name: 'Canary' })
  })

  test('an unsigned whole number names whom the number names that is stored', async () => {
    const schema = z.object({ _id: z.string(), orgId: z.string(), n: z.bigint(), name: encrypted(z.string()) })
    const people = encryptedCollection(w.vault, w.stored.db.collection('byNumber'), { schema, tenant: 'orgId', subject: 'n' })
    await people.insertOne({ _id: 'x', orgId: 'acme', n: Long.MAX_UNSIGNED_VALUE as never, name: 'Canary' })
    expect(await people.findOne({ _id: 'x' })).toEqual({ _id: 'x', orgId: 'acme', n: -1, name: 'Canary' })
    for (const subject of [Long.MAX_UNSIGNED_VALUE, -1n]) expect(await people.for({ tenant: 'acme', subject }).countDocuments()).toBe(1)
  })

  test('a scope can be narrowed, and not left', async () => {
    const acme = w.users.for({ tenant: 'acme' })
    const her = acme.for({ tenant: 'acme', subject: 'ada' })
    expect((await her.find().toArray()).map(({ _id }) => _id)).toEqual(['ada'])
    for (const leave of [
      () => acme.for({ tenant: 'rival' }),
      () => her.for({ tenant: 'acme' }),
      () => her.for({ tenant: 'acme', subject: 'bob' }),
      () => her.for({ tenant: 'rival', subject: 'ada' }),
    ])
      expect(await outcome(leave)).toBe('invalid_argument')
    expect(await her.for({ tenant: 'acme', subject: 'ada' }).countDocuments()).toBe(1)
  })

  test('a scope of a person whose name is missing is refused, and is not one of all', async () => {
    const request: { readonly user?: string } = {}
    for (const nobody of [request.user, null, '']) {
      expect(await outcome(() => w.users.for({ tenant: 'acme', subject: nobody }))).toBe('invalid_argument')
      expect(await outcome(() => w.users.for({ tenant: nobody }))).toBe('invalid_argument')
    }
    expect(await outcome(() => w.users.for({ tenant: 'acme' }))).toBe('done')
  })

  test.each([
    ['record', 'decrypt_failed'],
    [undefined, 'decrypt_failed'],
    ['none', 'done'],
  ] as const)('bind: %s: a value moved to another document of the same person: %s', async (bind, expected) => {
    const Note = z.object({ _id: z.number(), orgId: z.string(), by: z.string(), text: encrypted(z.string()) })
    const collection = w.client.db(w.stored.dbName).collection<Document & { _id: number }>('bound')
    const notes = encryptedCollection(w.vault, collection as never, {
      schema: Note,
      tenant: 'orgId',
      subject: 'by',
      ...(bind === undefined ? {} : { bind }),
    })
    await notes.insertMany([1, 2].map((_id) => ({ _id, orgId: 'acme', by: 'ada', text: `t${_id}` })))
    expect(await notes.find().toArray()).toHaveLength(2)
    const one = await collection.findOne({ _id: 1 })
    await collection.updateOne({ _id: 2 }, { $set: { text: one?.['text'] as unknown } })
    expect(await outcome(() => notes.find().toArray())).toBe(expected)
  })

  test('a scope of one path that is tenant and subject at once asks for both', async () => {
    const Own = z.object({ _id: z.string(), org: z.string(), secret: encrypted(z.string()) })
    const things = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('own'), {
      schema: Own,
      tenant: 'org',
      subject: 'org',
    })
    await things.insertOne({ _id: 'x', org: 'acme', secret: 's' })
    expect(await things.for({ tenant: 'acme', subject: 'acme' }).find().toArray()).toHaveLength(1)
    expect(await things.for({ tenant: 'rival', subject: 'acme' }).find().toArray()).toEqual([])
  })
})
