// What each row of the table of operations is run with: what works is seen to work, what is refused is called with canaries.
import type { EncryptedChangeStream, EncryptedFindCursor } from '@strongroom/mongo-adapter'
import type { Document } from 'mongodb'
import { expect } from 'vitest'

import { ada, bob, eve, ghost, type Person } from './people.ts'
import type { Proof } from './proof.ts'

/** A run of a row that works: calls it, and expects what the driver would answer on plaintext. */
export type Run = (proof: Proof) => Promise<void>

const pinned = { _id: 'ada', orgId: 'acme' }
/** Someone for whom no key exists. */
export const newcomer: Person = {
  _id: 'newcomer',
  orgId: 'acme',
  email: ghost.email,
  name: ghost.name,
  nick: ghost.nick,
  phones: [ghost.phone],
  notes: [{ title: 'two', text: ghost.text }],
}

const sameAsTheDriver =
  (
    name: 'dbName' | 'collectionName' | 'namespace' | 'readConcern' | 'readPreference' | 'writeConcern' | 'bsonOptions' | 'timeoutMS',
  ): Run =>
  async ({ users }) => {
    expect(users[name]).toEqual(users.dangerouslyUnwrap()[name])
  }
const idsOf = (people: readonly { readonly _id: string }[]): readonly string[] => people.map(({ _id }) => _id).sort()

export const COLLECTION_RUNS: Readonly<Record<string, Run>> = {
  dbName: sameAsTheDriver('dbName'),
  collectionName: sameAsTheDriver('collectionName'),
  namespace: sameAsTheDriver('namespace'),
  readConcern: sameAsTheDriver('readConcern'),
  readPreference: sameAsTheDriver('readPreference'),
  writeConcern: sameAsTheDriver('writeConcern'),
  bsonOptions: sameAsTheDriver('bsonOptions'),
  timeoutMS: sameAsTheDriver('timeoutMS'),
  async find({ users }) {
    const found = async (filter: object): Promise<readonly string[]> => idsOf(await users.find(filter as never).toArray())
    expect(await found({})).toEqual(['ada', 'bob', 'eve'])
    expect(await found({ email: { $in: [ada.email, ghost.email] } })).toEqual(['ada'])
    expect(await found({ orgId: 'acme', nick: ' countess q7x4' })).toEqual(['ada'])
    expect(await found({ orgId: { $in: ['acme', 'rival'] }, pin: bob.pin })).toEqual(['bob', 'eve'])
    expect(await found({ orgId: 'acme', pin: { $nin: [ada.pin, ghost.pin] } })).toEqual(['bob'])
    expect(await found({ serial: ada.serial })).toEqual(['ada'])
    expect(await found({ orgId: 'acme', born: { $in: [ada.born, ghost.born] } })).toEqual(['ada'])
    expect(await found({ orgId: 'acme', phones: { $all: ada.phones } })).toEqual(['ada'])
    expect(await found({ orgId: 'acme', phones: { $elemMatch: { $ne: ghost.phone } } })).toEqual(['ada', 'bob'])
    expect(await found({ orgId: 'acme', notes: { $elemMatch: { title: 'one', text: ada.notes?.[0]?.text } } })).toEqual(['ada'])
    expect(await found({ orgId: 'acme', $or: [{ phones: ghost.phone }, { 'notes.text': ghost.text }] })).toEqual([])
  },
  async findOne({ users }) {
    expect(await users.findOne(pinned)).toEqual(ada)
    expect(await users.findOne({ email: ada.email?.toUpperCase() })).toEqual(ada)
    expect(await users.findOne({ email: ghost.email })).toBeNull()
  },
  async aggregate({ users }) {
    const given = async (...pipeline: Document[]): Promise<unknown> => users.aggregate(pipeline).toArray()
    const found = { $match: { email: { $in: [ada.email, bob.email, ghost.email] } } }
    const sorted = { $sort: { _id: 1 } }
    expect(await given(found, sorted)).toEqual([ada, bob])
    expect(await given(found, { $count: 'n' })).toEqual([{ n: 2 }])
    expect(await given(found, sorted, { $project: { _id: 0, mail: '$email', street: '$address.street' } })).toEqual([
      { mail: ada.email, street: ada.address?.street },
      { mail: bob.email },
    ])
    expect(await given({ $match: { orgId: 'acme' } }, { $set: { number: '$pin' } }, { $match: { number: bob.pin } })).toEqual([
      { ...bob, number: bob.pin },
    ])
    expect(await given({ $match: { orgId: 'acme' } }, { $unwind: '$phones' }, { $match: { phones: ada.phones?.[1] } })).toEqual([
      { ...ada, phones: ada.phones?.[1] },
    ])
    expect(await given(sorted, { $group: { _id: '$plan', names: { $push: '$name' }, first: { $first: '$file' } } }, sorted)).toEqual([
      { _id: 'free', names: [bob.name, eve.name], first: null },
      { _id: 'pro', names: [ada.name], first: ada.file },
    ])
    expect(await given(sorted, { $group: { _id: '$email', n: { $count: {} } } }, { $match: { _id: eve.email } })).toEqual([
      { _id: eve.email, n: 1 },
    ])
    expect(await given({ $facet: { a: [found, { $limit: 5 }, sorted, { $project: { pin: 1 } }], b: [{ $count: 'n' }] } })).toEqual([
      {
        a: [
          { _id: 'ada', pin: ada.pin },
          { _id: 'bob', pin: bob.pin },
        ],
        b: [{ n: 3 }],
      },
    ])
    const own = { from: users.collectionName, localField: 'email', foreignField: 'email', as: 'same' }
    expect(await given(found, sorted, { $lookup: own }, { $project: { 'same.name': 1 } })).toEqual([
      { _id: 'ada', same: [{ name: ada.name }] },
      { _id: 'bob', same: [{ name: bob.name }] },
    ])
    expect(await given(found, { $unionWith: { coll: users.collectionName, pipeline: [{ $match: { orgId: 'rival' } }] } }, sorted)).toEqual([
      ada,
      bob,
      eve,
    ])
  },
  async insertOne({ users }) {
    expect(await users.insertOne(newcomer)).toEqual({ acknowledged: true, insertedId: 'newcomer' })
    expect(await users.findOne({ email: ghost.email })).toEqual(newcomer)
  },
  async insertMany({ users }) {
    const twin = { ...newcomer, _id: 'twin', email: null }
    expect(await users.insertMany([newcomer, twin])).toMatchObject({ insertedCount: 2, insertedIds: { 0: 'newcomer', 1: 'twin' } })
    expect(await users.find({ orgId: 'acme', nick: ghost.nick }).sort({ _id: 1 }).toArray()).toEqual([newcomer, twin])
  },
  async updateOne({ users }) {
    const set = {
      email: ghost.email,
      name: ghost.name,
      born: ghost.born,
      pin: ghost.pin,
      'address.street': ghost.street,
      'notes.0.text': ghost.text,
    }
    expect(await users.updateOne(pinned, { $set: set as never, $push: { phones: ghost.phone } })).toMatchObject({ matchedCount: 1 })
    expect(await users.findOne({ email: ghost.email })).toEqual({
      ...ada,
      email: ghost.email,
      name: ghost.name,
      born: ghost.born,
      pin: ghost.pin,
      phones: [...(ada.phones ?? []), ghost.phone],
      address: { ...ada.address, street: ghost.street },
      notes: [{ title: 'one', text: ghost.text }],
    })
    expect(await users.updateOne({ orgId: 'acme', pin: bob.pin }, { $set: { plan: 'pro' } })).toMatchObject({ modifiedCount: 1 })
    // Whose it is, is looked up.
    expect(await users.updateOne({ email: bob.email }, { $set: { name: ghost.name }, $push: { phones: ghost.phone } })).toMatchObject({
      matchedCount: 1,
    })
    expect(await users.updateOne({ _id: 'bob' }, { $pull: { phones: bob.phones?.[0] } } as never)).toMatchObject({ modifiedCount: 1 })
    expect(await users.updateOne({ _id: 'bob' }, { $addToSet: { phones: ghost.phone } })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 0,
    })
    expect(await users.findOne({ _id: 'bob' })).toMatchObject({ plan: 'pro', name: ghost.name, phones: [ghost.phone] })
    expect(
      await users.updateOne({ _id: 'zoe', orgId: 'acme', pin: ghost.pin }, { $setOnInsert: { nick: ghost.nick } }, { upsert: true }),
    ).toMatchObject({ upsertedId: 'zoe', upsertedCount: 1, matchedCount: 0 })
    expect(await users.findOne({ _id: 'zoe' })).toEqual({ _id: 'zoe', orgId: 'acme', pin: ghost.pin, nick: ghost.nick })
  },
  async updateMany({ users }) {
    expect(await users.updateMany({ email: { $ne: ada.email } }, { $set: { plan: 'x' } })).toMatchObject({ modifiedCount: 2 })
    expect(await users.updateMany(pinned, { $set: { name: ghost.name } })).toMatchObject({ matchedCount: 1 })
    expect(idsOf(await users.find({ plan: 'x' }).toArray())).toEqual(['bob', 'eve'])
    expect(await users.updateMany({ pin: bob.pin, orgId: { $in: ['acme', 'rival'] } }, { $set: { nick: ghost.nick } })).toMatchObject({
      matchedCount: 2,
      modifiedCount: 2,
    })
    expect(idsOf(await users.find({ orgId: { $in: ['acme', 'rival'] }, nick: ghost.nick }).toArray())).toEqual(['bob', 'eve'])
  },
  async replaceOne({ users }) {
    expect(await users.replaceOne(pinned, { ...newcomer, _id: 'ada' })).toMatchObject({ matchedCount: 1 })
    expect(await users.findOne({ email: ghost.email })).toEqual({ ...newcomer, _id: 'ada' })
    expect(await users.replaceOne({ email: bob.email }, { orgId: 'acme', nick: ghost.nick })).toMatchObject({ matchedCount: 1 })
    expect(await users.replaceOne({ _id: 'zoe' }, { orgId: 'acme', name: ghost.name }, { upsert: true })).toMatchObject({
      upsertedId: 'zoe',
    })
    expect(
      await users
        .find({ _id: { $in: ['bob', 'zoe'] } })
        .sort({ _id: 1 })
        .toArray(),
    ).toEqual([
      { _id: 'bob', orgId: 'acme', nick: ghost.nick },
      { _id: 'zoe', orgId: 'acme', name: ghost.name },
    ])
  },
  async deleteOne({ users }) {
    expect(await users.deleteOne({ email: ghost.email })).toMatchObject({ deletedCount: 0 })
    expect(await users.deleteOne({ email: ada.email })).toMatchObject({ deletedCount: 1 })
    expect(idsOf(await users.find().toArray())).toEqual(['bob', 'eve'])
  },
  async deleteMany({ users }) {
    expect(await users.deleteMany({ orgId: { $in: ['acme', 'rival'] }, pin: { $in: [bob.pin, ghost.pin] } })).toMatchObject({
      deletedCount: 2,
    })
    expect(idsOf(await users.find().toArray())).toEqual(['ada'])
  },
  async findOneAndUpdate({ users }) {
    const set = { $set: { name: ghost.name }, $push: { phones: ghost.phone } }
    expect(await users.findOneAndUpdate({ email: ada.email }, set)).toEqual(ada)
    expect(await users.findOneAndUpdate({ email: ada.email }, { $set: { plan: 'x' } }, { returnDocument: 'after' })).toEqual({
      ...ada,
      name: ghost.name,
      phones: [...(ada.phones ?? []), ghost.phone],
      plan: 'x',
    })
    const options = { upsert: true, returnDocument: 'after', includeResultMetadata: true, projection: { nick: 1 } } as const
    expect(await users.findOneAndUpdate({ _id: 'zoe', orgId: 'acme' }, { $set: { nick: ghost.nick } }, options)).toMatchObject({
      value: { _id: 'zoe', nick: ghost.nick },
      lastErrorObject: { n: 1, updatedExisting: false, upserted: 'zoe' },
    })
  },
  async findOneAndReplace({ users }) {
    expect(await users.findOneAndReplace({ email: ada.email }, { ...newcomer, _id: 'ada' })).toEqual(ada)
    expect(await users.findOneAndReplace({ _id: 'zoe' }, { orgId: 'acme', name: ghost.name }, { upsert: true })).toBeNull()
    expect(idsOf(await users.find().toArray())).toEqual(['ada', 'bob', 'eve', 'zoe'])
  },
  async findOneAndDelete({ users }) {
    expect(await users.findOneAndDelete({ email: ghost.email })).toBeNull()
    expect(await users.findOneAndDelete({ email: bob.email })).toEqual(bob)
    expect(await users.findOneAndDelete({ plan: 'pro' }, { projection: { name: 1, _id: 0 } })).toEqual({ name: ada.name })
    expect(idsOf(await users.find().toArray())).toEqual(['eve'])
  },
  async bulkWrite({ users }) {
    const answer = await users.bulkWrite([
      { insertOne: { document: newcomer } },
      { updateOne: { filter: pinned, update: { $set: { name: ghost.name }, $pull: { phones: ada.phones?.[0] } as never } } },
      { updateMany: { filter: { plan: 'free' }, update: { $set: { plan: 'x' } } } },
      { replaceOne: { filter: { _id: 'eve', orgId: 'rival' }, replacement: { orgId: 'rival', nick: ghost.nick } } },
      {
        updateOne: { filter: { _id: 'zoe', orgId: 'acme' }, update: { $setOnInsert: { pin: ghost.pin } }, upsert: true },
      },
      { deleteOne: { filter: { _id: 'bob' } } },
    ])
    expect(answer).toMatchObject({
      insertedCount: 1,
      matchedCount: 4,
      deletedCount: 1,
      upsertedCount: 1,
      insertedIds: { 0: 'newcomer' },
      upsertedIds: { 4: 'zoe' },
    })
    expect(await users.find().sort({ _id: 1 }).toArray()).toEqual([
      { ...ada, name: ghost.name, phones: [ada.phones?.[1]] },
      { _id: 'eve', orgId: 'rival', nick: ghost.nick },
      newcomer,
      { _id: 'zoe', orgId: 'acme', pin: ghost.pin },
    ])
  },
  async countDocuments({ users }) {
    expect(await users.countDocuments({ email: { $in: [bob.email, eve.email, ghost.email] } })).toBe(2)
    expect(await users.countDocuments({ plan: 'free' })).toBe(2)
  },
  async estimatedDocumentCount({ users }) {
    expect(await users.estimatedDocumentCount()).toBe(3)
  },
  async distinct({ users }) {
    expect((await users.distinct('phones', { orgId: 'acme' })).sort()).toEqual([...(ada.phones ?? []), ...(bob.phones ?? [])].sort())
    expect(await users.distinct('plan', { email: ada.email })).toEqual(['pro'])
  },
  async createIndex({ users }) {
    const partialFilterExpression = { email: { $exists: true } }
    expect(await users.createIndex({ plan: 1, email: 1 }, { partialFilterExpression })).toBe('plan_1_email_1')
    expect(await users.find({ email: { $in: [ada.email, ghost.email] }, plan: 'pro' }, { hint: { plan: 1, email: 1 } }).toArray()).toEqual([
      ada,
    ])
  },
  async createIndexes({ users }) {
    expect((await users.createIndexes()).sort()).toEqual(['born_1', 'email_1', 'nick_1', 'notes.text_1', 'phones_1', 'pin_1', 'serial_1'])
  },
  async drop({ users }) {
    expect(await users.drop()).toBe(true)
    expect(await users.countDocuments()).toBe(0)
  },
  async indexes({ users }) {
    expect((await users.indexes()).map(({ key }) => Object.keys(key)[0]).sort()).toEqual([
      '_id',
      'born',
      'email',
      'nick',
      'notes.text',
      'phones',
      'pin',
      'serial',
    ])
  },
  async dropIndex({ users }) {
    await users.dropIndex('pin_1')
    expect(await users.indexExists('pin_1')).toBe(false)
  },
  async dropIndexes({ users }) {
    expect(await users.dropIndexes()).toBe(true)
    expect((await users.indexes()).map(({ key }) => Object.keys(key)[0])).toEqual(['_id'])
  },
  async listIndexes({ users }) {
    expect((await users.listIndexes().toArray()).map(({ key }) => Object.keys(key as object)[0])).toContain('email')
  },
  async indexInformation({ users }) {
    expect(Object.values(await users.indexInformation())).toContainEqual([['email', 1]])
  },
  async indexExists({ users }) {
    expect(await users.indexExists('email_1')).toBe(true)
    expect(await users.indexExists('name_1')).toBe(false)
  },
  async watch(proof) {
    const changes = await changed(proof)
    expect((await changes.next())['fullDocument']).toEqual(newcomer)
    expect((await changes.next())['updateDescription']).toEqual({
      updatedFields: { email: bob.email, 'phones.0': bob.phones?.[0], 'notes.0.text': ghost.name },
      removedFields: ['nick'],
      truncatedArrays: [],
    })
    await changes.close()
  },
  async isCapped({ users }) {
    expect(await users.isCapped()).toBe(false)
  },
}

/** A stream to which something has come: somebody who is new, and an update of hers. */
async function changed({ users }: Proof): Promise<EncryptedChangeStream<Change>> {
  const changes = users.watch([{ $match: { 'fullDocument.orgId': 'acme' } }], { fullDocument: 'updateLookup', maxAwaitTimeMS: 20 })
  // Under load the test server may tell a new stream of what was just written as well.
  for (let quiet = 0; quiet < 2;) quiet = (await changes.tryNext()) === null ? quiet + 1 : 0
  await users.insertOne(newcomer)
  await users.deleteOne({ _id: 'bob' })
  const set = { email: bob.email, 'phones.0': bob.phones?.[0], 'notes.0.text': ghost.name }
  await users.updateOne({ _id: 'newcomer', orgId: 'acme' }, { $set: set as never, $unset: { nick: '' } })
  return changes as unknown as EncryptedChangeStream<Change>
}
type Change = Readonly<Record<string, unknown>>
const expectNew = (change: Change | null): void => expect(change?.['fullDocument']).toEqual(newcomer)

export const CHANGE_STREAM_RUNS: Readonly<Record<string, Run>> = {
  async next(proof) {
    const changes = await changed(proof)
    expectNew(await changes.next())
    await changes.close()
  },
  async tryNext(proof) {
    const changes = await changed(proof)
    let change: Change | null = null
    while (change === null) change = await changes.tryNext()
    expectNew(change)
    await changes.close()
  },
  async hasNext(proof) {
    const changes = await changed(proof)
    expect(await changes.hasNext()).toBe(true)
    expectNew(await changes.next())
    await changes.close()
  },
  async close(proof) {
    const changes = await changed(proof)
    await changes.close()
    await expect(changes.next()).rejects.toThrow('ChangeStream is closed')
  },
  async closed(proof) {
    const changes = await changed(proof)
    expect(changes.closed).toBe(false)
    await changes.close()
    expect(changes.closed).toBe(true)
  },
  async resumeToken(proof) {
    const changes = await changed(proof)
    const { _id } = await changes.next()
    expect(changes.resumeToken).toEqual(_id)
    await changes.close()
  },
  async bufferedCount(proof) {
    const changes = await changed(proof)
    await changes.next()
    expect(changes.bufferedCount()).toBe(1)
    await changes.close()
  },
  async stream(proof) {
    for await (const change of (await changed(proof)).stream()) {
      expectNew(change as Change)
      break
    }
  },
  async 'Symbol(Symbol.asyncIterator)'(proof) {
    for await (const change of await changed(proof)) {
      expectNew(change)
      break
    }
  },
  async 'Symbol(nodejs.asyncDispose)'(proof) {
    const changes = await changed(proof)
    await changes[Symbol.asyncDispose]()
    expect(changes.closed).toBe(true)
  },
}

const sorted = ({ users }: Proof): EncryptedFindCursor<Person> =>
  users.find({ email: { $ne: ghost.email } }, { shredded: 'throw' }).sort({ _id: 1 })
const PEOPLE = [ada, bob, eve]
const expectAll = async (cursor: EncryptedFindCursor<Person>): Promise<void> => expect(await cursor.toArray()).toEqual(PEOPLE)

export const CURSOR_RUNS: Readonly<Record<string, Run>> = {
  async next(proof) {
    const cursor = sorted(proof)
    for (const each of [...PEOPLE, null]) expect(await cursor.next()).toEqual(each)
  },
  async hasNext(proof) {
    const cursor = sorted(proof).limit(1)
    expect([await cursor.hasNext(), await cursor.next(), await cursor.hasNext()]).toEqual([true, ada, false])
  },
  async tryNext(proof) {
    const cursor = sorted(proof).limit(1)
    expect([await cursor.tryNext(), await cursor.tryNext()]).toEqual([ada, null])
  },
  toArray: (proof) => expectAll(sorted(proof)),
  async forEach(proof) {
    const met: Person[] = []
    await sorted(proof).forEach((person) => void met.push(person))
    expect(met).toEqual(PEOPLE)
  },
  async close(proof) {
    const cursor = sorted(proof).batchSize(1)
    await cursor.next()
    await cursor.close()
    expect(await cursor.hasNext()).toBe(false)
  },
  async closed(proof) {
    const cursor = sorted(proof)
    expect(cursor.closed).toBe(false)
    await cursor.toArray()
    expect(cursor.closed).toBe(true)
  },
  async sort({ users }) {
    expect(
      (
        await users
          .find({ orgId: 'acme', phones: { $exists: true } })
          .sort({ plan: 1 })
          .toArray()
      ).map(({ _id }) => _id),
    ).toEqual(['bob', 'ada'])
  },
  limit: async (proof) => expect(await sorted(proof).limit(2).toArray()).toEqual([ada, bob]),
  skip: async (proof) => expect(await sorted(proof).skip(2).toArray()).toEqual([eve]),
  async project(proof) {
    expect(await sorted(proof).project({ pin: 1, 'address.street': 1, _id: 0 }).toArray()).toEqual([
      { pin: ada.pin, address: { street: ada.address?.street } },
      { pin: bob.pin },
      { pin: eve.pin },
    ])
  },
  batchSize: (proof) => expectAll(sorted(proof).batchSize(1)),
  comment: (proof) => expectAll(sorted(proof).comment('a comment')),
  maxTimeMS: (proof) => expectAll(sorted(proof).maxTimeMS(60_000)),
  allowDiskUse: (proof) => expectAll(sorted(proof).allowDiskUse()),
  async stream(proof) {
    const met: unknown[] = []
    for await (const person of sorted(proof).stream()) met.push(person)
    expect(met).toEqual(PEOPLE)
  },
  async filter(proof) {
    expect(
      await sorted(proof)
        .filter({ email: { $in: [bob.email, ghost.email] } })
        .toArray(),
    ).toEqual([bob])
  },
  hint: (proof) => expectAll(sorted(proof).hint({ email: 1 })),
  async collation({ users }) {
    expect(await users.find({ plan: 'pro' }).collation({ locale: 'simple' }).toArray()).toEqual([ada])
  },
  map: async (proof) =>
    expect(
      await sorted(proof)
        .map(({ name }) => name)
        .toArray(),
    ).toEqual(PEOPLE.map(({ name }) => name)),
  clone: (proof) => expectAll(sorted(proof).clone()),
  async rewind(proof) {
    const cursor = sorted(proof)
    await cursor.next()
    cursor.rewind()
    await expectAll(cursor)
  },
  addCursorFlag: (proof) => expectAll(sorted(proof).addCursorFlag('noCursorTimeout', true)),
  async bufferedCount(proof) {
    const cursor = sorted(proof)
    await cursor.next()
    expect(cursor.bufferedCount()).toBe(2)
  },
  async readBufferedDocuments(proof) {
    const cursor = sorted(proof)
    await cursor.next()
    expect(cursor.readBufferedDocuments()).toEqual([bob, eve])
  },
  withReadConcern: (proof) => expectAll(sorted(proof).withReadConcern('majority')),
  withReadPreference: (proof) => expectAll(sorted(proof).withReadPreference('primary')),
  async id(proof) {
    const cursor = sorted(proof).batchSize(1)
    expect(cursor.id).toBeUndefined()
    await cursor.next()
    expect(cursor.id?.isZero()).toBe(false)
    await cursor.close()
  },
  async killed(proof) {
    const cursor = sorted(proof).batchSize(1)
    await cursor.next()
    expect(cursor.killed).toBe(false)
    await cursor.close()
    expect(cursor.killed).toBe(true)
  },
  async readConcern(proof) {
    const cursor = sorted(proof).withReadConcern('majority')
    expect(cursor.readConcern?.level).toBe('majority')
    await expectAll(cursor)
  },
  async readPreference(proof) {
    const cursor = sorted(proof).withReadPreference('primary')
    expect(cursor.readPreference.mode).toBe('primary')
    await expectAll(cursor)
  },
  async 'Symbol(Symbol.asyncIterator)'(proof) {
    const met: Person[] = []
    for await (const person of sorted(proof)) met.push(person)
    expect(met).toEqual(PEOPLE)
  },
  async 'Symbol(nodejs.asyncDispose)'(proof) {
    const cursor = sorted(proof).batchSize(1)
    await cursor.next()
    await cursor[Symbol.asyncDispose]()
    expect(cursor.closed).toBe(true)
  },
}

const filter = { email: ghost.email }

/** What a refused method is called with: somebody's search, and a document of a person who has no key yet. */
export const COLLECTION_REFUSALS: Readonly<Record<string, readonly unknown[]>> = {
  hint: [],
  count: [filter],
  createSearchIndex: [{ name: 'search', definition: { mappings: { fields: filter } } }],
  createSearchIndexes: [[{ name: 'search', definition: { mappings: { fields: filter } } }]],
  dropSearchIndex: ['search'],
  initializeOrderedBulkOp: [],
  initializeUnorderedBulkOp: [],
  listSearchIndexes: ['search'],
  options: [],
  rename: ['others'],
  updateSearchIndex: ['search', { mappings: { fields: filter } }],
}

export const CURSOR_REFUSALS: Readonly<Record<string, readonly unknown[]>> = {
  addQueryModifier: ['$comment', ghost.name],
  count: [],
  explain: ['allPlansExecution'],
  max: [{ email: ghost.email }],
  maxAwaitTimeMS: [5],
  min: [{ email: ghost.email }],
  namespace: [],
  returnKey: [true],
  showRecordId: [true],
}
