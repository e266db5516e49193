// Pipelines on an encrypted collection beside the same ones on a plain collection: the same documents, or refused before anything is sent.
import { encrypted, encryptedCollection, type EncryptedCollection, type Shreddable } from '@strongroom/mongo-adapter'
import type { Collection, Document } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { uri, world, type World } from '../collection/support.ts'
import { emptyDatabase, openClient } from '../support.ts'

const User = z.object({
  _id: z.string(),
  orgId: z.string(),
  plan: z.string().optional(),
  score: z.number().optional(),
  tags: z.array(z.string()).optional(),
  email: encrypted(z.string(), { index: { scope: 'application' } }).nullish(),
  nick: encrypted(z.string(), { index: { scope: 'tenant' } }).optional(),
  name: encrypted(z.string()).optional(),
  file: encrypted(z.object({ a: z.number(), b: z.array(z.string()) })).optional(),
  address: z.object({ street: encrypted(z.string()), city: z.string() }).optional(),
  phones: z.array(encrypted(z.string(), { index: { scope: 'tenant' } })).optional(),
  notes: z.array(z.object({ title: z.string(), text: encrypted(z.string()).optional() })).optional(),
})
type User = z.output<typeof User>

const people: readonly User[] = [
  {
    _id: 'ada',
    orgId: 'acme',
    plan: 'pro',
    score: 3,
    tags: ['x', 'y'],
    email: 'ada@example.com',
    nick: 'queen',
    name: 'Ada',
    file: { a: 1, b: ['z'] },
    address: { street: 'S 1', city: 'London' },
    phones: ['1', '2'],
    notes: [{ title: 'one', text: 'first' }, { title: 'two' }],
  },
  { _id: 'bob', orgId: 'acme', plan: 'free', score: 5, tags: [], email: null, nick: 'king', name: 'Bob', phones: [], notes: [] },
  {
    _id: 'cyd',
    orgId: 'acme',
    plan: 'free',
    score: 1,
    email: 'cyd@example.com',
    nick: 'queen',
    address: { street: 'S 3', city: 'Paris' },
    phones: ['2'],
  },
  { _id: 'eve', orgId: 'rival', plan: 'pro', score: 8, tags: ['x'], name: 'Eve', email: 'eve@example.com' },
]

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  let plain: Collection
  let users: EncryptedCollection<User, Shreddable<typeof User>>
  beforeAll(async () => {
    w = await world()
    const db = w.client.db(emptyDatabase(openClient()).databaseName)
    plain = db.collection('plain-people')
    users = encryptedCollection(w.vault, db.collection('people'), {
      schema: User,
      tenant: 'orgId',
      subject: '_id',
    }) as unknown as typeof users
    await users.createIndexes()
    await users.insertMany([...people])
    await plain.insertMany(people.map((each) => ({ ...each })) as Document[])
  })
  beforeEach(() => {
    w.commands.length = 0
  })

  const one = [{ $match: { orgId: 'acme' } }, { $sort: { _id: 1 } }]
  test.each<[string, Document[]]>([
    ['nothing', []],
    ['a $match by a plain path', [{ $match: { plan: 'free' } }]],
    ['a $match by an index', [{ $match: { email: 'ada@example.com' } }]],
    ['a $match by an index of a tenant', [{ $match: { orgId: 'acme', nick: 'queen' } }]],
    ['two', [{ $match: { orgId: 'acme' } }, { $match: { nick: 'queen', plan: 'pro' } }]],
    ['an index and $count', [{ $match: { email: { $in: ['ada@example.com', 'cyd@example.com', 'x'] } } }, { $count: 'n' }]],
    ['an index and none', [{ $match: { email: 'x' } }, { $count: 'n' }]],
    ['an index, $sort, $skip and $limit', [{ $match: { email: { $ne: 'x' } } }, { $sort: { score: -1 } }, { $skip: 1 }, { $limit: 2 }]],
    ['$count', [{ $count: 'all' }]],
    ['$project that keeps', [...one, { $project: { email: 1, 'address.street': 1, 'notes.text': 1 } }]],
    ['$project that keeps, without _id', [...one, { $project: { _id: 0, name: 1, plan: 1 } }]],
    ['$project that drops', [...one, { $project: { email: 0, orgId: 0, address: 0 } }]],
    ['$project that drops _id', [...one, { $project: { _id: 0 } }]],
    [
      '$project that renames',
      [...one, { $project: { mail: '$email', street: '$address.street', all: '$phones', f: '$file', n: '$score' } }],
    ],
    ['$project that renames into an object', [...one, { $project: { who: { mail: '$email', name: '$name' }, 'where.is': '$address' } }]],
    [
      '$project that computes',
      [
        ...one,
        {
          $project: { up: { $toUpper: '$plan' }, more: { $add: ['$score', 1] }, city: { $ifNull: ['$address.city', 'none'] }, fixed: 'x' },
        },
      ],
    ],
    [
      '$set and $unset',
      [...one, { $set: { mail: '$email', 'address.number': 7, twice: { $multiply: ['$score', 2] } } }, { $unset: ['email', 'phones'] }],
    ],
    ['$addFields and $unset of one', [...one, { $addFields: { orgId: 'other', name: 'plain now' } }, { $unset: 'address.street' }]],
    [
      'a $match after a rename',
      [...one, { $project: { mail: '$email', plan: 1 } }, { $match: { mail: { $in: ['ada@example.com', 'x'] } } }],
    ],
    [
      'a $match after a rename, and $count',
      [...one, { $project: { mail: '$email', plan: 1 } }, { $match: { mail: 'ada@example.com' } }, { $count: 'n' }],
    ],
    ['a $match for what is missing, after a rename', [...one, { $set: { mail: '$email' } }, { $match: { mail: null } }]],
    ['a $match for what is there, after a rename', [...one, { $set: { s: '$address' } }, { $match: { 's.street': { $exists: true } } }]],
    ...([null, { $ne: null }, { $in: [null, '2'] }, { $nin: [null, '2'] }] as const).map((asked): [string, Document[]] => [
      `a $match of unwound elements for ${JSON.stringify(asked)}`,
      [...one, { $unwind: { path: '$phones', preserveNullAndEmptyArrays: true } }, { $match: { phones: asked } }],
    ]),
    ['one after a rename', [...one, { $project: { all: '$phones' } }, { $unwind: '$all' }, { $match: { all: { $ne: null } } }]],
    ['$unwind of plain ones', [...one, { $unwind: '$tags' }, { $match: { tags: 'x' } }]],
    ['$unwind of encrypted ones', [...one, { $unwind: '$phones' }]],
    [
      '$unwind of encrypted ones, a $match, and $sort',
      [
        ...one,
        { $unwind: { path: '$phones', includeArrayIndex: 'at', preserveNullAndEmptyArrays: true } },
        { $match: { phones: '2' } },
        { $sort: { score: 1 } },
      ],
    ],
    ['$unwind of objects', [...one, { $unwind: '$notes' }, { $project: { title: '$notes.title', text: '$notes.text' } }]],
    [
      '$group by a plain path',
      [
        ...one,
        {
          $group: {
            _id: '$plan',
            mails: { $push: '$email' },
            first: { $first: '$name' },
            last: { $last: '$address' },
            n: { $sum: 1 },
            total: { $sum: '$score' },
            best: { $max: '$score' },
            worst: { $min: '$score' },
            mean: { $avg: '$score' },
            many: { $count: {} },
          },
        },
        { $sort: { _id: 1 } },
      ],
    ],
    [
      '$group of objects',
      [...one, { $group: { _id: { plan: '$plan' }, all: { $push: { id: '$_id', name: '$name' } } } }, { $sort: { '_id.plan': 1 } }],
    ],
    ['$group of all', [...one, { $group: { _id: null, first: { $first: '$phones' } } }, { $unwind: '$first' }, { $match: { first: '2' } }]],
    [
      '$group and $unwind',
      [
        ...one,
        { $group: { _id: '$plan', mails: { $push: '$email' } } },
        { $unwind: '$mails' },
        { $sort: { _id: 1 } },
        { $project: { _id: 0, mail: '$mails' } },
      ],
    ],
    [
      '$group by an index',
      [
        { $match: { orgId: 'acme' } },
        { $sort: { _id: 1 } },
        { $group: { _id: '$nick', n: { $sum: '$score' }, who: { $push: '$name' } } },
        { $sort: { n: 1 } },
      ],
    ],
    [
      '$group by an index, of null and nothing',
      [{ $sort: { _id: 1 } }, { $group: { _id: '$email', n: { $sum: '$score' } } }, { $sort: { n: 1 } }],
    ],
    [
      '$group by elements',
      [{ $match: { orgId: 'acme' } }, { $unwind: '$phones' }, { $group: { _id: '$phones', n: { $sum: '$score' } } }, { $sort: { n: 1 } }],
    ],
    [
      '$group by several',
      [{ $match: { orgId: 'acme' } }, { $group: { _id: { p: '$plan', k: '$nick' }, n: { $sum: '$score' } } }, { $sort: { n: 1 } }],
    ],
    [
      '$facet',
      [
        {
          $facet: {
            free: [{ $match: { plan: 'free' } }, { $sort: { _id: 1 } }, { $project: { email: 1 } }],
            n: [{ $count: 'n' }],
            by: [{ $group: { _id: '$orgId', n: { $sum: 1 } } }, { $sort: { _id: 1 } }],
          },
        },
      ],
    ],
    [
      '$facet and $unwind',
      [{ $facet: { a: [{ $sort: { _id: 1 } }, { $limit: 3 }] } }, { $unwind: '$a' }, { $project: { mail: '$a.email', id: '$a._id' } }],
    ],
    ['$size of encrypted ones', [...one, { $project: { n: { $size: { $ifNull: ['$tags', []] } }, phones: 1 } }]],
  ])('%s', async (_, pipeline) => {
    const ours = await users.aggregate(pipeline).toArray()
    expect(ours).toEqual(await plain.aggregate(pipeline).toArray())
    expect(JSON.stringify(ours)).not.toContain('_strongroom')
  })
})
