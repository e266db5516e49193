// What is wrong is named: which option, member, path or operator, in what argument. No value is.
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'
import { expect, test } from 'vitest'
import { z } from 'zod'

import { refusalOf } from '../refusals.ts'

const schema = z.object({
  _id: z.string(),
  org: z.string(),
  plan: z.string().optional(),
  email: encrypted(z.string(), { index: { scope: 'application' } }).optional(),
  age: encrypted(z.number(), { index: { scope: 'tenant' } }).optional(),
  name: encrypted(z.string()).optional(),
  address: z.object({ city: z.string(), street: encrypted(z.string()) }).optional(),
  phones: z.array(encrypted(z.string())).optional(),
})
// Connects to nothing, and has no keys: whatever is asked of either fails otherwise than it should.
const db = new MongoClient('mongodb://127.0.0.1:1').db('d')
const where = { schema, tenant: 'org', subject: '_id' }
const NO_KEYS = { tenant: () => undefined } as never
const users = encryptedCollection(NO_KEYS, db.collection('c'), where)
const loose = encryptedCollection(NO_KEYS, db.collection('c'), { ...where, schema: schema.loose() })
const good = { _id: 'x', org: 'acme' }
const mine = { _id: 'x', org: 'acme' }
const CANARY = 'Canary-4711'

test.each<[what: string, code: string, named: readonly string[], call: () => unknown]>([
  [
    'an option that there is not',
    'invalid_argument',
    ['options', 'projecton'],
    () => users.find({}, { projecton: { a: CANARY } } as never),
  ],
  [
    'one of the collection',
    'invalid_argument',
    ['options', 'tennant'],
    () => encryptedCollection(NO_KEYS, db.collection('c'), { ...where, tennant: CANARY } as never),
  ],
  ['one of an index', 'invalid_argument', ['options', 'scop'], () => encrypted(z.string(), { index: { scop: CANARY } as never })],
  [
    'an upsert that does not say whose the document is',
    'invalid_argument',
    ['org '],
    () => users.updateOne({ _id: 'x', plan: CANARY } as never, { $set: { plan: CANARY } } as never, { upsert: true }),
  ],
  [
    'an upsert of what has two values',
    'unsupported_operation',
    ['plan', 'one value'],
    () => users.updateOne({ plan: CANARY, $and: [{ plan: 'x' }] } as never, { $set: { plan: CANARY } } as never, { upsert: true }),
  ],
  ['an option that does not work', 'unsupported_operation', ['let', 'leave it out'], () => users.find({}, { let: { a: CANARY } } as never)],
  ['a member that is not declared', 'invalid_argument', ['document', 'emial'], () => users.insertOne({ ...good, emial: CANARY } as never)],
  [
    'one further in',
    'invalid_argument',
    ['address', 'strete'],
    () => users.insertOne({ ...good, address: { city: CANARY, strete: CANARY } } as never),
  ],
  ['one of an update', 'invalid_argument', ['update', 'emial'], () => users.updateOne(mine, { $set: { emial: CANARY } } as never)],
  ['one to be renamed to', 'invalid_argument', ['update', 'plna'], () => users.updateOne(mine, { $rename: { plan: 'plna' } } as never)],
  [
    'what is renamed to what is encrypted',
    'unsupported_operation',
    ['$rename', 'email'],
    () => users.updateOne(mine, { $rename: { plan: 'email' } } as never),
  ],
  ['no operator', 'invalid_argument', ['update', 'plan', 'replaceOne'], () => users.updateOne(mine, { plan: CANARY } as never)],
  ['no document in an operator', 'invalid_argument', ['update', '$set'], () => users.updateOne(mine, { $set: CANARY } as never)],
  ['a pipeline', 'unsupported_operation', ['pipeline', '$set'], () => users.updateOne(mine, [{ $set: { plan: CANARY } }] as never)],
  ['a tenant that is written', 'unsupported_operation', ['org'], () => users.updateOne(mine, { $set: { org: CANARY } } as never)],
  ['an id', 'unsupported_operation', ['_id'], () => users.updateOne(mine, { $set: { _id: CANARY } } as never)],
  ['what a replacement has otherwise', 'unsupported_operation', ['org'], () => users.replaceOne(mine, { ...good, org: CANARY })],
  [
    'a modifier of $push',
    'unsupported_operation',
    ['phones', '$sort', '$slice'],
    () => users.updateOne(mine, { $push: { phones: { $each: [CANARY], $sort: 1 } } } as never),
  ],
  [
    'what a modifier of $push is',
    'invalid_argument',
    ['phones', '$slice'],
    () => users.updateOne(mine, { $push: { phones: { $each: [CANARY], $slice: CANARY } } } as never),
  ],
  [
    '$each without a list',
    'invalid_argument',
    ['phones', '$each'],
    () => users.updateOne(mine, { $push: { phones: { $each: CANARY } } } as never),
  ],
  ['$pop', 'invalid_argument', ['phones', '$pop'], () => users.updateOne(mine, { $pop: { phones: CANARY } } as never)],
  [
    'a key with a dot in what is written',
    'invalid_argument',
    ['update', 'plan'],
    () => users.updateOne(mine, { $set: { plan: { 'a.b': CANARY } } } as never),
  ],
  ['$exists', 'invalid_argument', ['filter', '$exists', 'email'], () => users.find({ email: { $exists: CANARY } } as never)],
  ['$size', 'invalid_argument', ['filter', '$size', 'phones'], () => users.find({ phones: { $size: CANARY } } as never)],
  ['$in without a list', 'invalid_argument', ['filter', '$in', 'email'], () => users.find({ email: { $in: CANARY } } as never)],
  ['an array as a whole', 'unsupported_operation', ['phones', '$all'], () => users.find({ phones: [CANARY] } as never)],
  ['an object as a whole', 'unsupported_operation', ['address'], () => users.find({ address: { city: CANARY, street: CANARY } } as never)],
  ['within a value', 'unsupported_operation', ['name'], () => users.find({ 'name.first': CANARY } as never)],
  ['a filter that is none', 'invalid_argument', ['filter'], () => users.find(CANARY as never)],
  [
    'a function in a document',
    'invalid_argument',
    ['document', 'plan', 'functions'],
    () => users.insertOne({ ...good, plan: () => CANARY } as never),
  ],
  [
    'one in what it holds: as much as is no data',
    'invalid_argument',
    ['as at name'],
    () => users.insertOne({ ...good, name: { [CANARY]: () => CANARY } } as never),
  ],
  ['one in an update', 'invalid_argument', ['update', '$set plan'], () => users.updateOne(mine, { $set: { plan: () => CANARY } } as never)],
  ['one in a list of filters', 'invalid_argument', ['filter', '$or plan'], () => users.find({ $or: [{ plan: () => CANARY }] } as never)],
  ['a key with a dot', 'invalid_argument', ['document', 'a.b'], () => users.insertOne({ ...good, 'a.b': CANARY } as never)],
  ['a direction', 'invalid_argument', ['sort', 'plan'], () => users.find({}, { sort: { plan: CANARY as never } })],
  ['a sort by what is encrypted', 'unsupported_operation', ['sorting', 'email'], () => users.find({}, { sort: { email: 1 } as never })],
  [
    'a projection of another form',
    'unsupported_operation',
    ['projection', 'plan'],
    () => users.find({}, { projection: { plan: CANARY } as never }),
  ],
  [
    'a flag of a cursor',
    'unsupported_operation',
    ['addCursorFlag', 'tailable', 'noCursorTimeout'],
    () => users.find().addCursorFlag('tailable', true),
  ],
  ['what is of the whole', 'unsupported_operation', ['drop', 'for()'], () => users.for({ tenant: 'acme' }).drop()],
  [
    'names of arrayFilters',
    'invalid_argument',
    ['arrayFilters', 'm'],
    () => users.updateOne(mine, { $set: { plan: CANARY } }, { arrayFilters: [{ 'm.a': CANARY }] }),
  ],
  ['an index of two', 'unsupported_operation', ['email', 'age'], () => users.createIndex({ email: 1, age: 1 })],
  [
    'values of a partial index',
    'unsupported_operation',
    ['partialFilterExpression', 'email'],
    () => users.createIndex({ plan: 1 }, { partialFilterExpression: { email: CANARY } }),
  ],
  [
    'a member whose name is no path',
    'invalid_argument',
    ['schema', 'a.b'],
    () => encryptedCollection(NO_KEYS, db.collection('c'), { ...where, schema: schema.extend({ 'a.b': z.string() }) }),
  ],
  [
    'a domain that is too long',
    'invalid_argument',
    ['index.domain', 'email'],
    () => encryptedCollection(NO_KEYS, db.collection('c'), { ...where, context: 'c'.repeat(255) }),
  ],
])('%s', async (_, code, named, call) => {
  const error = await refusalOf(call)
  expect([error.code, error.message]).toEqual([code, expect.stringContaining(named[0] as string)])
  for (const each of named) expect(error.message).toContain(each)
  expect(JSON.stringify([error, error.stack, error.cause, error.argument])).not.toContain(CANARY)
})

test('what is no vault, and no collection of the driver', async () => {
  for (const [argument, vault, collection] of [
    ['vault', undefined, db.collection('c')],
    ['vault', Promise.resolve(NO_KEYS), db.collection('c')],
    ['collection', NO_KEYS, undefined],
    ['collection', NO_KEYS, db],
    ['collection', NO_KEYS, users],
    ['collection', NO_KEYS, { collectionName: CANARY, bsonOptions: {} }],
  ] as const) {
    const error = await refusalOf(() => encryptedCollection(vault as never, collection as never, where))
    expect([error.code, error.argument, error.message.includes(CANARY)]).toEqual(['invalid_argument', argument, false])
  }
})

test('what came to stand where a name belongs is not shown', async () => {
  for (const call of [
    () => users.find({}, { 'ada@example.com': 1 } as never),
    () => users.insertOne({ ...good, 'Ada Lovelace': 1 } as never),
    () => users.find({ '+44 20 7946 0001': 1 } as never),
    () => users.updateOne(mine, { $rename: { 'Ada Lovelace': 5 } } as never),
    () => loose.updateOne(mine, { $set: { 'ada@example.com': { $lovelace: 1 } } } as never),
    () => loose.updateOne(mine, { $min: { 'ada@example.com': { 'a.b': 1 } } } as never),
  ]) {
    const { message } = await refusalOf(call)
    expect(message).toContain('a name that is not shown here')
    expect(message).not.toMatch(/ada|lovelace|7946/i)
  }
})

test('of what a member holds no key is shown: keys are data there', async () => {
  for (const call of [
    () => users.insertOne({ ...good, name: { Lovelace: () => 1 } } as never),
    () => users.updateOne(mine, { $set: { name: { Lovelace: () => 1 } } } as never),
    () => users.find({ name: { Lovelace: { Ada: () => 1 } } } as never),
  ])
    expect((await refusalOf(call)).message).toMatch(/functions or symbols, as at (?:\$set )?name$/)
})

test('what throws when it is read is named, and what it threw is not shown', async () => {
  const throwing = (name: string): object =>
    Object.defineProperty({}, name, {
      enumerable: true,
      get() {
        throw new Error(CANARY)
      },
    })
  for (const [argument, call] of [
    ['sort', () => users.find({}, { sort: throwing('plan') as never })],
    ['sort', () => users.find().sort(new Map([[throwing('x'), 1]]) as never)],
    ['indexes', () => users.createIndexes([throwing('key') as never])],
    ['key', () => users.distinct({ toString: () => CANARY } as never)],
    ['names', () => users.indexExists(5 as never)],
    ['names', () => users.indexExists([5] as never)],
    ['update', () => users.updateOne(mine, { $rename: { plan: { toString: CANARY, valueOf: CANARY } } } as never)],
    ['update', () => users.updateOne(mine, { $rename: { plan: ['email'] } } as never)],
    ['transform', () => users.find().map(CANARY as never)],
  ] as const) {
    const error = await refusalOf(call)
    expect([error.code, error.argument]).toEqual(['invalid_argument', argument])
    expect(JSON.stringify([error, error.stack, error.cause])).not.toContain(CANARY)
  }
})
