// What each row of the table of operations is run with: what works is seen to work, what is refused is called with canaries.
import type { EncryptedFindCursor } from '@strongroom/mongo-adapter'
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
  },
  async updateMany({ users }) {
    expect(await users.updateMany({ email: { $ne: ada.email } }, { $set: { plan: 'x' } })).toMatchObject({ modifiedCount: 2 })
    expect(await users.updateMany(pinned, { $set: { name: ghost.name } })).toMatchObject({ matchedCount: 1 })
    expect(idsOf(await users.find({ plan: 'x' }).toArray())).toEqual(['bob', 'eve'])
  },
  async replaceOne({ users }) {
    expect(await users.replaceOne(pinned, { ...newcomer, _id: 'ada' })).toMatchObject({ matchedCount: 1 })
    expect(await users.findOne({ email: ghost.email })).toEqual({ ...newcomer, _id: 'ada' })
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
  async isCapped({ users }) {
    expect(await users.isCapped()).toBe(false)
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
  bulkWrite: [[{ insertOne: { document: newcomer } }, { updateOne: { filter, update: { $set: { name: ghost.name } } } }]],
  count: [filter],
  createSearchIndex: [{ name: 'search', definition: { mappings: { fields: filter } } }],
  createSearchIndexes: [[{ name: 'search', definition: { mappings: { fields: filter } } }]],
  dropSearchIndex: ['search'],
  findOneAndDelete: [filter],
  findOneAndReplace: [filter, newcomer],
  findOneAndUpdate: [filter, { $set: { name: ghost.name } }, { upsert: true }],
  initializeOrderedBulkOp: [],
  initializeUnorderedBulkOp: [],
  listSearchIndexes: ['search'],
  options: [],
  rename: ['others'],
  updateSearchIndex: ['search', { mappings: { fields: filter } }],
  watch: [[{ $match: { 'fullDocument.email': ghost.email } }]],
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
