// Change streams: what comes is what the driver's would say of plaintext, in declared paths, and what says not whose it is does not come.
import { EventEmitter } from 'node:events'

import { type EncryptedChange, type EncryptedChangeStream, type EncryptedWatchOptions, SHREDDED } from '@strongroom/mongo-adapter'
import { Binary, type ChangeStream, type Document } from 'mongodb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { outcome, refusalOf } from '../refusals.ts'
import { ada, bob, dataCommands, looseUsers, type Person, rival, uri, world, type World } from './support.ts'

// So that it is soon said that there is nothing.
const SOON = { maxAwaitTimeMS: 20 } as const
const LOOKUP = { ...SOON, fullDocument: 'updateLookup' } as const
const IMAGES = { ...SOON, fullDocument: 'whenAvailable', fullDocumentBeforeChange: 'whenAvailable' } as const
const her = { _id: 'ada', orgId: 'acme' }

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  const open: { close(): Promise<void> }[] = []
  beforeEach(async () => {
    w = await world()
    await w.stored.db.command({ collMod: 'users', changeStreamPreAndPostImages: { enabled: true } })
  })
  afterEach(() => Promise.all(open.splice(0).map((each) => each.close())))

  type Change = EncryptedChange<Person> & Document
  /** A stream that has begun: what is written from now on comes. */
  async function begun(
    options: EncryptedWatchOptions = IMAGES,
    pipeline: readonly Document[] = [],
    users: World['users'] = w.users,
  ): Promise<EncryptedChangeStream<Change>> {
    const stream = users.watch(pipeline, options) as unknown as EncryptedChangeStream<Change>
    open.push(stream)
    await untilNothing(stream)
    return stream
  }
  // Under load the test server may tell a new stream of what was just written as well.
  async function untilNothing(stream: { tryNext(): Promise<unknown> }): Promise<void> {
    for (let quiet = 0; quiet < 2;) quiet = (await stream.tryNext()) === null ? quiet + 1 : 0
  }
  const take = async (stream: { next(): Promise<Change> }, count: number): Promise<readonly Change[]> => {
    const met: Change[] = []
    while (met.length < count) met.push(await stream.next())
    return met
  }
  // Of when and where it happened two collections say different things.
  const ELSEWHERE = ['_id', 'clusterTime', 'wallTime', 'collectionUUID', 'ns', 'lsid', 'txnNumber']
  const without = (change: Change): Document => Object.fromEntries(Object.entries(change).filter(([name]) => !ELSEWHERE.includes(name)))

  test('inserts, updates of all kinds of paths, replacements and deletes: as the driver says them of plaintext', async () => {
    await w.client.db(w.stored.dbName).createCollection('plain', { changeStreamPreAndPostImages: { enabled: true } })
    const plain = w.plain.watch([], IMAGES)
    open.push(plain)
    await untilNothing(plain)
    const stream = await begun()
    const edits: ((users: Pick<World['plain'], 'insertOne' | 'updateOne' | 'replaceOne' | 'deleteOne'>) => Promise<unknown>)[] = [
      (users) => users.insertOne(ada),
      (users) => users.updateOne(her, { $set: { email: 'other@example.com', plan: 'free' } }),
      (users) => users.updateOne(her, { $set: { 'address.street': 'Canary Lane 2', 'address.city': 'Paris' } }),
      (users) => users.updateOne(her, { $set: { 'phones.1': '+44 20 7946 0009' } }),
      (users) => users.updateOne(her, { $set: { 'notes.0.text': 'another' } }),
      (users) => users.updateOne(her, { $push: { notes: { title: 'two', text: 'second' }, phones: '+44 20 7946 0010' } }),
      (users) => users.updateOne(her, { $pop: { phones: -1 } }),
      (users) => users.updateOne(her, { $set: { notes: [], phones: ['+44 20 7946 0011'], address: { street: 's', city: 'c' } } }),
      (users) => users.updateOne(her, { $unset: { email: '', age: '', 'address.street': '' } }),
      (users) => users.updateOne(her, { $set: { email: null } }),
      (users) => users.updateOne(her, { $unset: { phones: '', notes: '', plan: '' } }),
      (users) => users.updateOne(her, { $set: { 'phones.0': '+44 20 7946 0012' } }),
      (users) => users.replaceOne(her, { orgId: 'acme', name: 'Replaced' } as never),
      (users) => users.deleteOne(her),
    ]
    for (const edit of edits) {
      await edit(w.plain)
      await edit(w.users as never)
      const [said, expected] = [without(await stream.next()), without((await plain.next()) as Change)]
      expect(said).toEqual(expected)
    }
  })

  test('deltas beneath an encrypted value are that value; of an index value alone nothing is said', async () => {
    await w.users.dropIndexes()
    await w.users.insertMany([ada, bob])
    const [adas, bobs] = [(await w.stored.findOne({ _id: 'ada' })) as Document, (await w.stored.findOne({ _id: 'bob' })) as Document]
    const { email, phones } = adas
    const index = bobs['email'].i as unknown
    const stream = await begun()
    const updates: readonly (readonly [Document | Document[], Document])[] = [
      [{ $set: { 'email.i': index } }, { updatedFields: {}, removedFields: [], truncatedArrays: [] }],
      [{ $set: { 'email.i': [email.i, index] } }, { updatedFields: {}, removedFields: [], truncatedArrays: [] }],
      [[{ $set: { 'email.i': { $slice: ['$email.i', 1] } } }], { updatedFields: {}, removedFields: [], truncatedArrays: [] }],
      [{ $unset: { 'email.i': '' } }, { updatedFields: {}, removedFields: [], truncatedArrays: [] }],
      [{ $set: { email: email.c } }, { updatedFields: { email: ada.email }, removedFields: [], truncatedArrays: [] }],
      [{ $set: { 'phones.0.c': phones[1].c } }, { updatedFields: { 'phones.0': ada.phones[1] }, removedFields: [], truncatedArrays: [] }],
      [
        [{ $set: { phones: { $slice: ['$phones', 1] } } }],
        { updatedFields: {}, removedFields: [], truncatedArrays: [{ field: 'phones', newSize: 1 }] },
      ],
    ]
    for (const [update, description] of updates) {
      await w.stored.updateOne({ _id: 'ada' }, update)
      expect([update, (await stream.next())['updateDescription']]).toEqual([update, description])
    }
    // Of a value without its ciphertext nothing is left.
    await w.stored.updateOne({ _id: 'ada' }, { $unset: { 'phones.0.c': '' } })
    expect((await refusalOf(() => stream.next())).message).toContain('phones.0 of the document with _id ada')
  })

  test('re-encryption says the same values again', async () => {
    await w.users.insertOne(ada)
    for await (const { phase, done } of w.vault.rotateSubjectKey(w.vault.tenant('acme').subject('ada')))
      if (phase === 'waiting' && done === 0) setTimeout(() => w.clock.advance(3_600_000), 1)
    const stream = await begun()
    for await (const _ of w.users.reencrypt({ tenant: 'acme', subject: 'ada' }));
    const { updateDescription, fullDocument } = await stream.next()
    expect(fullDocument).toEqual(ada)
    expect(updateDescription?.updatedFields).toEqual({
      email: ada.email,
      name: ada.name,
      age: ada.age,
      'address.street': ada.address.street,
      'phones.0': ada.phones[0],
      'phones.1': ada.phones[1],
      'notes.0.text': ada.notes[0]?.text,
    })
  })

  test('images before a change, and looked up ones', async () => {
    await w.users.insertOne(ada)
    const required = { ...IMAGES, fullDocument: 'required' } as const
    const [images, lookup] = [await begun(required), await begun(LOOKUP)]
    await w.users.updateOne(her, { $set: { name: 'First' } })
    const first = await images.next()
    expect([first['fullDocumentBeforeChange'], first['fullDocument']]).toEqual([ada, { ...ada, name: 'First' }])
    await w.users.updateOne(her, { $set: { name: 'Second' } })
    const second = await images.next()
    expect([second['fullDocumentBeforeChange'], second['fullDocument']]).toEqual([
      { ...ada, name: 'First' },
      { ...ada, name: 'Second' },
    ])
    await w.users.deleteOne(her)
    const last = await images.next()
    expect(last).toMatchObject({
      operationType: 'delete',
      documentKey: { _id: 'ada' },
      fullDocumentBeforeChange: { ...ada, name: 'Second' },
    })
    // Looked up after it was deleted: nothing says any more whose it was.
    const [update, , deleted] = await take(lookup, 3)
    expect([update?.['fullDocument'], update?.['updateDescription'], update?.withheld]).toEqual([
      null,
      { updatedFields: {}, removedFields: [], truncatedArrays: [] },
      ['name'],
    ])
    expect(deleted).toMatchObject({ operationType: 'delete', documentKey: { _id: 'ada' } })
    expect(deleted).not.toHaveProperty('withheld')
  })

  test('people who are shredded in between are marked, or thrown one by one; the stream goes on', async () => {
    const [marking, throwing] = [await begun(), await begun({ ...IMAGES, shredded: 'throw' })]
    await w.users.insertMany([ada, bob, rival])
    await w.users.updateOne(her, { $set: { name: 'Later', 'phones.0': '+44 20 7946 0009' } })
    await w.users.updateOne({ _id: 'bob', orgId: 'acme' }, { $set: { name: 'Robert' } })
    await w.vault.tenant('acme').subject('ada').shred()
    w.clock.advance(3_600_000)
    const marked = await take(marking, 5)
    expect(marked.map(({ documentKey }) => (documentKey as Document)['_id'] as unknown)).toEqual(['ada', 'bob', 'eve', 'ada', 'bob'])
    expect(marked[0]?.['fullDocument']).toMatchObject({
      ...her,
      plan: 'pro',
      email: SHREDDED,
      phones: [SHREDDED, SHREDDED],
      notes: [{ title: 'one', text: SHREDDED }],
    })
    expect(marked[3]?.['updateDescription']).toMatchObject({ updatedFields: { name: SHREDDED, 'phones.0': SHREDDED } })
    expect(marked[4]?.['updateDescription']).toMatchObject({ updatedFields: { name: 'Robert' } })
    const said: unknown[] = []
    for (let i = 0; i < 5; i++) said.push(await outcome(() => throwing.next()))
    expect(said).toEqual(['shredded', 'done', 'done', 'shredded', 'done'])
  })

  test('one that does not open, or is suspended, is thrown in its turn: the token is then its own', async () => {
    const stream = await begun()
    await w.users.insertMany([ada, bob, rival])
    await w.vault.tenant('acme').subject('bob').suspend()
    await w.stored.insertOne({ _id: 'plain', orgId: 'acme', name: 'Canary plaintext' })
    w.clock.advance(3_600_000)
    const first = await stream.next()
    expect(stream.resumeToken).toEqual(first._id)
    expect((await refusalOf(() => stream.next())).code).toBe('suspended')
    const behindBob = stream.resumeToken
    expect(await stream.next()).toMatchObject({ fullDocument: rival })
    const error = await refusalOf(() => stream.next())
    expect([error.code, error.message]).toEqual(['decrypt_failed', expect.stringContaining('name of the document with _id plain')])
    expect(error.message).not.toContain('Canary')
    expect(await stream.tryNext()).toBeNull()
    // Who goes on behind it does not meet it again; who goes on behind the last that was read does.
    const [after, again] = [
      w.users.watch([], { ...IMAGES, resumeAfter: behindBob }),
      w.users.watch([], { ...IMAGES, resumeAfter: first._id }),
    ]
    open.push(after, again)
    expect(await after.next()).toMatchObject({ fullDocument: rival })
    expect((await refusalOf(() => again.next())).code).toBe('suspended')
    await w.vault.tenant('acme').subject('bob').resume()
  })

  test('when the key store is away, what has come is not lost: it is asked for again', async () => {
    const cold = await w.reopen()
    const stream = await begun(IMAGES, [], cold)
    await w.users.insertMany([ada, bob])
    const { get } = w.keyStore
    let broken = true
    Object.assign(w.keyStore, {
      get: (...given: Parameters<typeof get>) => (broken ? Promise.reject(new Error('away')) : get(...given)),
    })
    expect(await outcome(() => stream.next())).toBe('key_store_unavailable')
    expect(await outcome(() => stream.tryNext())).toBe('key_store_unavailable')
    expect(await outcome(() => stream.hasNext())).toBe('key_store_unavailable')
    broken = false
    expect([await stream.next(), await stream.next()]).toMatchObject([{ fullDocument: ada }, { fullDocument: bob }])
  })

  test('a batch that has come is decrypted with one query to the key store', async () => {
    const cold = await w.reopen()
    const first = await cold.findOne(her)
    expect(first).toBeNull()
    const stream = await begun(IMAGES, [], cold)
    await w.users.insertMany([ada, bob, { ...bob, _id: 'zoe', email: null }, { ...bob, _id: 'max', email: null }])
    const [met] = await take(stream, 1)
    expect(met).toMatchObject({ fullDocument: ada })
    expect(stream.bufferedCount()).toBe(3)
    w.queries.count = 0
    await take(stream, 3)
    expect(w.queries.count).toBe(0)
  })

  describe('of a scope', () => {
    const scoped = (
      scope: { readonly tenant: string; readonly subject?: string },
      options: EncryptedWatchOptions = IMAGES,
      pipeline: readonly Document[] = [],
    ) => begun(options, pipeline, w.users.for(scope) as World['users'])

    test('what is of others does not come, deletes and updates among it', async () => {
      const [acme, adas] = [await scoped({ tenant: 'acme' }), await scoped({ tenant: 'acme', subject: 'ada' })]
      await w.users.insertMany([ada, bob, rival])
      for (const [_id, orgId] of [
        ['ada', 'acme'],
        ['bob', 'acme'],
        ['eve', 'rival'],
      ] as const) {
        await w.users.updateOne({ _id, orgId }, { $set: { name: `new ${_id}` } })
        await w.users.deleteOne({ _id })
      }
      const shown = (changes: readonly Change[]) =>
        changes.map(({ operationType, documentKey }) => `${operationType} ${(documentKey as Document)['_id']}`)
      expect(shown(await take(acme, 6))).toEqual(['insert ada', 'insert bob', 'update ada', 'delete ada', 'update bob', 'delete bob'])
      expect(shown(await take(adas, 3))).toEqual(['insert ada', 'update ada', 'delete ada'])
      expect([await acme.tryNext(), await adas.tryNext()]).toEqual([null, null])
    })

    test('what says not whose it was does not come either, and a document that was looked up is not shown where it is of somebody else by now', async () => {
      await w.stored.db.command({ collMod: 'users', changeStreamPreAndPostImages: { enabled: false } })
      const looking = { ...LOOKUP, fullDocumentBeforeChange: 'whenAvailable' } as const
      const acme = await scoped({ tenant: 'acme' }, looking)
      await w.users.insertOne(ada)
      await w.users.deleteOne(her)
      await w.users.insertOne({ ...rival, _id: 'ada' })
      await w.users.updateOne({ _id: 'ada', orgId: 'rival' }, { $set: { name: 'Rival' } })
      await w.users.insertOne(bob)
      expect(await take(acme, 2)).toMatchObject([
        { operationType: 'insert', fullDocument: ada },
        { operationType: 'insert', fullDocument: bob },
      ])
      // With an image from before, the update of hers is hers, and what is there now is not.
      await w.stored.db.command({ collMod: 'users', changeStreamPreAndPostImages: { enabled: true } })
      await w.users.deleteMany({})
      await w.users.insertOne(ada)
      const again = await scoped({ tenant: 'acme' }, looking)
      await w.users.updateOne(her, { $set: { name: 'Hers' } })
      await w.users.deleteOne(her)
      await w.users.insertOne({ ...rival, _id: 'ada' })
      expect(await again.next()).toMatchObject({
        operationType: 'update',
        fullDocument: null,
        fullDocumentBeforeChange: ada,
        updateDescription: { updatedFields: { name: 'Hers' } },
      })
      expect(await again.next()).toMatchObject({ operationType: 'delete' })
      expect(await again.tryNext()).toBeNull()
    })

    test('an update of somebody else’s document does not come because the scope’s own stands in its place when it is looked up', async () => {
      await w.stored.db.command({ collMod: 'users', changeStreamPreAndPostImages: { enabled: false } })
      await w.users.insertOne(ada)
      const rivals = await scoped({ tenant: 'rival' }, { ...LOOKUP, fullDocumentBeforeChange: 'whenAvailable' })
      await w.users.updateOne(her, { $set: { plan: 'what only acme may know' } })
      await w.users.deleteOne(her)
      await w.users.insertOne({ ...ada, orgId: 'rival' })
      expect(await rivals.next()).toMatchObject({ operationType: 'insert', documentKey: { _id: 'ada' } })
      expect(await rivals.tryNext()).toBeNull()
    })

    test('values of other types, or in arrays, are nobody of the scope', async () => {
      const acme = await scoped({ tenant: 'acme' })
      await w.stored.insertMany([{ _id: 'list', orgId: ['acme'] }, { _id: 'object', orgId: { acme: 1 } }, { _id: 'none' }])
      await w.users.insertOne(bob)
      expect(await acme.next()).toMatchObject({ fullDocument: bob })
    })
  })

  test('a pipeline: $match by what is plain', async () => {
    const pipeline = [
      { $match: { operationType: { $in: ['insert', 'update'] }, $or: [{ 'fullDocument.plan': 'pro' }, { 'documentKey._id': 'bob' }] } },
      { $match: { $nor: [{ 'fullDocument.address.city': 'Paris' }], 'fullDocumentBeforeChange.plan': { $ne: 'x' }, $comment: 'why' } },
    ]
    const stream = await begun(IMAGES, pipeline)
    await w.users.insertMany([ada, bob, rival])
    await w.users.updateOne({ _id: 'eve', orgId: 'rival' }, { $set: { plan: 'pro' } })
    await w.users.updateOne(her, { $set: { 'address.city': 'Paris' } })
    await w.users.deleteOne({ _id: 'bob' })
    expect(
      (await take(stream, 3)).map(({ operationType, documentKey }) => [operationType, (documentKey as Document)['_id'] as unknown]),
    ).toEqual([
      ['insert', 'ada'],
      ['insert', 'bob'],
      ['update', 'eve'],
    ])
    expect(await stream.tryNext()).toBeNull()
  })

  test.each<[string, unknown, string]>([
    ['no list', { $match: {} }, 'invalid_argument'],
    ['an encrypted path', [{ $match: { 'fullDocument.email': 'ada@example.com' } }], 'unsupported_operation'],
    ['a stored path', [{ $match: { 'fullDocument.email.i': 'x' } }], 'unsupported_operation'],
    ['what holds one', [{ $match: { 'fullDocument.address': { city: 'x' } } }], 'unsupported_operation'],
    ['within $or', [{ $match: { $or: [{ operationType: 'insert' }, { 'fullDocument.name': 'x' }] } }], 'unsupported_operation'],
    ['a whole document', [{ $match: { fullDocument: { name: 'x' } } }], 'unsupported_operation'],
    ['a delta', [{ $match: { 'updateDescription.updatedFields.name': 'x' } }], 'unsupported_operation'],
    ['a path that there is not', [{ $match: { 'fullDocument.emial': 'x' } }], 'invalid_argument'],
    ['an expression', [{ $match: { $expr: { $eq: ['$fullDocument.name', 'x'] } } }], 'unsupported_operation'],
    ['a script', [{ $match: { $where: 'true' } }], 'unsupported_operation'],
    ['an operator that there is not', [{ $match: { 'fullDocument.plan': { $what: 1 } } }], 'unsupported_operation'],
    ['no filter', [{ $match: 'x' }], 'invalid_argument'],
    ['no list in $or', [{ $match: { $or: {} } }], 'invalid_argument'],
    ['two stages in one', [{ $match: {}, $limit: 1 }], 'invalid_argument'],
    ['no stage', [{}], 'invalid_argument'],
    ...[
      '$project',
      '$addFields',
      '$set',
      '$unset',
      '$replaceRoot',
      '$replaceWith',
      '$redact',
      '$limit',
      '$changeStreamSplitLargeEvent',
    ].map((stage): [string, unknown, string] => [stage, [{ [stage]: { name: 1 } }], 'unsupported_operation']),
  ])('a pipeline with %s is refused before anything is sent', async (_, pipeline, code) => {
    w.commands.length = 0
    expect(await outcome(() => w.users.watch(pipeline as never, IMAGES))).toBe(code)
    expect(dataCommands(w)).toEqual([])
  })

  test('options: what says whose a change is must be asked for', async () => {
    for (const options of [undefined, {}, { fullDocument: 'default' }, { fullDocumentBeforeChange: 'required' }])
      expect([options, await outcome(() => w.users.watch([], options as never))]).toEqual([options, 'unsupported_operation'])
    for (const options of [LOOKUP, { ...LOOKUP, fullDocumentBeforeChange: 'off' }])
      expect([options, await outcome(() => w.users.for({ tenant: 'acme' }).watch([], options as never))]).toEqual([
        options,
        'unsupported_operation',
      ])
    expect(await outcome(() => w.users.watch([], { ...LOOKUP, shredded: 'maybe' as never }))).toBe('invalid_argument')
  })

  test('where they begin: behind a token, at a time; tokens of what was given', async () => {
    const stream = await begun()
    const began = stream.resumeToken
    await w.users.insertMany([ada, bob, rival])
    const first = await stream.next()
    expect([stream.bufferedCount(), stream.resumeToken]).toEqual([2, first._id])
    const second = await stream.next()
    expect(stream.resumeToken).toEqual(second._id)
    const names = async (options: Partial<EncryptedWatchOptions>): Promise<readonly unknown[]> => {
      const other = w.users.watch([], { ...IMAGES, ...options })
      const met: unknown[] = []
      for (let change = await other.tryNext(); change !== null; change = await other.tryNext())
        if (change.operationType === 'insert') met.push(change.fullDocument._id)
      await other.close()
      return met
    }
    expect(await names({ resumeAfter: began })).toEqual(['ada', 'bob', 'eve'])
    expect(await names({ resumeAfter: first._id })).toEqual(['bob', 'eve'])
    expect(await names({ startAfter: second._id })).toEqual(['eve'])
    expect(await names({ startAtOperationTime: first.clusterTime as never })).toEqual(['ada', 'bob', 'eve'])
    const bad = w.users.watch([], { ...IMAGES, resumeAfter: { _data: 'zz' } })
    await expect(bad.next()).rejects.toThrow()
  })

  test('a collection that is dropped: the news of it, the end, and a new beginning behind it', async () => {
    const [stream, plain] = [await begun(), w.stored.watch([], IMAGES)]
    open.push(plain)
    await plain.tryNext()
    await w.users.insertOne(ada)
    await w.users.drop()
    const said = await take(stream, 3)
    expect(said.map(({ operationType }) => operationType)).toEqual(['insert', 'drop', 'invalidate'])
    for (let i = 0; i < 3; i++) await plain.next()
    const ends = async (each: Pick<ChangeStream, 'hasNext' | 'next' | 'closed'>): Promise<readonly unknown[]> => {
      const hasNext = await each.hasNext()
      const thrown = await each.next().catch((error: Error) => [error.constructor.name, error.message])
      return [hasNext, thrown, each.closed]
    }
    expect(await ends(stream as never)).toEqual(await ends(plain))
    await w.users.insertOne(bob)
    const after = w.users.watch([], { ...LOOKUP, startAfter: said[2]?._id as unknown })
    open.push(after)
    for (let change = await after.next(); ; change = await after.next())
      if (change.operationType === 'insert') {
        expect(change.fullDocument).toEqual(bob)
        break
      }
  })

  test('in every way to read it', async () => {
    const some = await w.users.insertOne({ _id: 'some', orgId: 'acme' })
    expect(some.acknowledged).toBe(true)
    const stream = await begun()
    await w.users.insertMany([ada, bob, rival])
    expect([await stream.hasNext(), stream.bufferedCount() > 0]).toEqual([true, true])
    expect(await stream.next()).toMatchObject({ fullDocument: ada })
    for await (const change of stream) {
      expect(change).toMatchObject({ fullDocument: bob })
      break
    }
    expect(stream.closed).toBe(true)
    await expect(stream.next()).rejects.toThrow('ChangeStream is closed')
    for await (const change of stream) throw new Error(`of a closed stream came ${String(change)}`)

    const readable = (await begun()).stream()
    await w.users.updateOne(her, { $set: { name: 'Streamed' } })
    const met = await new Promise<Change>((resolve) => void readable.once('data', resolve))
    expect(met['fullDocument']).toEqual({ ...ada, name: 'Streamed' })
    // It waits for the next: to destroy it ends that.
    const ended = new Promise((resolve) => void readable.once('close', resolve))
    readable.destroy()
    await ended

    const waiting = await begun()
    const next = waiting.next()
    setTimeout(() => void waiting[Symbol.asyncDispose](), 50)
    await expect(next).rejects.toThrow('ChangeStream is closed')
    for (const name of ['on', 'once', 'addListener'] as const) {
      expect(name in EventEmitter.prototype).toBe(true)
      expect((await refusalOf(() => waiting[name]())).message).toContain('for await')
    }
  })

  test('options of BSON, and what a schema does not declare', async () => {
    const loose = looseUsers(w)
    await loose.insertOne({ _id: 'first', orgId: 'acme' })
    const stream = loose.watch([], { ...LOOKUP, promoteBuffers: true, useBigInt64: true })
    open.push(stream)
    await untilNothing(stream)
    const extra = { bytes: new Binary(Uint8Array.of(1, 2, 3)), n: 5n }
    await loose.insertOne({ _id: 'x', orgId: 'acme', email: 'a', ...extra, inner: { city: 'c', street: 's' } })
    await loose.updateOne({ _id: 'x' }, { $set: { more: extra.bytes } })
    const [inserted, updated] = [await stream.next(), await stream.next()]
    expect(inserted).toMatchObject({
      fullDocument: { email: 'a', bytes: Buffer.from([1, 2, 3]), n: 5n, inner: { city: 'c', street: 's' } },
    })
    expect(updated).toMatchObject({ updateDescription: { updatedFields: { more: Buffer.from([1, 2, 3]) } } })
  })
})
