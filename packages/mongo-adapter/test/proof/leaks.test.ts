// Whatever fails, is printed, explained or kept: no plaintext in any of it.
import { inspect } from 'node:util'

import { StrongroomError } from '@strongroom/core'
import { MongoServerError } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { ada, bob, ghost, NEEDLES, type Person } from './people.ts'
import { openProof, type Proof, uri } from './proof.ts'
import { newcomer } from './rows.ts'
import type { Channel } from './witness.ts'

const pinned = { _id: 'ada', orgId: 'acme' }
const ERRORS: readonly Channel[] = [
  'error message',
  'error stack',
  'error cause',
  'error as JSON',
  'error inspected',
  'error of the server',
]

describe.skipIf(uri === undefined)('on a server', () => {
  let proof: Proof
  beforeAll(async () => {
    proof = await openProof()
  })
  afterAll(() => proof.close())
  beforeEach(() => proof.fresh())

  /** What a call throws, which the witness hears. */
  async function thrownBy(call: () => unknown): Promise<unknown> {
    try {
      await call()
    } catch (error) {
      proof.witness.error(String(call), error)
      return error
    }
    throw new Error(`was not refused: ${String(call)}`)
  }
  async function expectSilence(channels?: readonly Channel[]): Promise<void> {
    await proof.gather('at the end')
    const found = proof.witness.findings(NEEDLES)
    expect(channels === undefined ? found : found.filter(({ channel }) => channels.includes(channel))).toEqual([])
  }

  describe('errors of the server', () => {
    test.each<[string, () => unknown]>([
      ['insertOne', () => proof.users.insertOne({ ...newcomer, email: ada.email })],
      [
        'insertMany',
        () =>
          proof.users.insertMany(
            [
              { ...newcomer, email: bob.email },
              { ...newcomer, _id: 'other', email: ada.email },
            ],
            { ordered: false },
          ),
      ],
      ['updateOne', () => proof.users.updateOne(pinned, { $set: { email: bob.email, name: ghost.name } })],
      ['updateMany', () => proof.users.updateMany(pinned, { $set: { email: bob.email } })],
      ['replaceOne', () => proof.users.replaceOne(pinned, { ...newcomer, _id: 'ada', email: bob.email })],
      ['updateOne, looked up', () => proof.users.updateOne({ email: ada.email }, { $set: { email: bob.email, name: ghost.name } })],
      ['updateMany, in batches', () => proof.users.updateMany({ plan: 'pro' }, { $set: { email: bob.email, name: ghost.name } })],
      [
        'an upsert',
        () => proof.users.updateOne({ _id: 'x', orgId: 'acme', nick: ghost.nick }, { $set: { email: bob.email } }, { upsert: true }),
      ],
      ['findOneAndUpdate', () => proof.users.findOneAndUpdate({ email: ada.email }, { $set: { email: bob.email, name: ghost.name } })],
      ['findOneAndReplace', () => proof.users.findOneAndReplace(pinned, { ...newcomer, _id: 'ada', email: bob.email })],
      [
        'bulkWrite',
        () =>
          proof.users.bulkWrite([
            { updateOne: { filter: pinned, update: { $set: { name: ghost.name } } } },
            { updateOne: { filter: pinned, update: { $set: { email: bob.email, nick: ghost.nick } } } },
          ]),
      ],
    ])('a duplicate: %s', async (_, call) => {
      const error = (await thrownBy(call)) as MongoServerError
      expect([error.code, error.message]).toEqual([11_000, 'E11000 duplicate key error: another document has the same email'])
      await expectSilence()
    })

    test.each<[string, () => unknown]>([
      ['insertOne', () => proof.users.insertOne(newcomer)],
      ['insertMany', () => proof.users.insertMany([newcomer, { ...newcomer, _id: 'other', email: null }])],
      ['updateOne', () => proof.users.updateOne(pinned, { $set: { name: ghost.name, email: ghost.email } })],
      ['replaceOne', () => proof.users.replaceOne(pinned, { ...newcomer, _id: 'ada' })],
      ['updateMany, in batches', () => proof.users.updateMany({ plan: 'pro' }, { $set: { name: ghost.name } })],
      [
        'an upsert',
        () => proof.users.updateOne({ _id: 'x', orgId: 'acme', nick: ghost.nick }, { $set: { name: ghost.name } }, { upsert: true }),
      ],
      ['findOneAndUpdate', () => proof.users.findOneAndUpdate({ email: ada.email }, { $set: { name: ghost.name } })],
      ['bulkWrite', () => proof.users.bulkWrite([{ insertOne: { document: newcomer } }])],
    ])('a validation that fails, with its errInfo: %s', async (_, call) => {
      const collection = proof.users.collectionName
      await proof.stored.db.command({
        collMod: collection,
        validator: { $jsonSchema: { properties: { email: { bsonType: 'string' }, name: { bsonType: 'string' } } } },
      })
      const error = (await thrownBy(call)) as MongoServerError
      expect(error).toBeInstanceOf(MongoServerError)
      expect(error.code).toBe(121)
      await expectSilence()
    })

    test.each<[string, () => unknown]>([
      ['a path through something else', () => proof.users.updateOne(pinned, { $set: { 'plan.x': 1, name: ghost.name } as never })],
      [
        'two writes of one path',
        () => proof.users.updateOne(pinned, { $set: { phones: [ghost.phone], 'phones.0': ghost.phone } as never }),
      ],
      [
        'a projection that names a path twice',
        () => proof.users.findOne({ email: ghost.email }, { projection: { address: 1, 'address.street': 1 } }),
      ],
      [
        'a push onto what is no array',
        () => proof.users.updateOne(pinned, { $unset: { notes: 1 }, $push: { notes: { title: 'x', text: ghost.text } } }),
      ],
      ['an index that is not there', () => proof.users.find({ email: ghost.email }, { hint: 'no_such_index' }).toArray()],
      ['a limit of time', () => proof.users.find({ email: ghost.email }, { maxTimeMS: -1 }).toArray()],
    ])('%s', async (_, call) => {
      await thrownBy(call)
      await expectSilence()
    })
  })

  // Somebody else each time, for whom there is no key.
  let strangers = 0
  const stranger = (): Person => ({ ...newcomer, _id: `stranger-${++strangers}` })

  // Each is refused before anything is sent, whatever it is called with.
  const REFUSED: readonly (readonly [string, string, () => unknown])[] = [
    ['a search without an index', 'unsupported_operation', () => proof.users.find({ name: ghost.name })],
    ['a range', 'unsupported_operation', () => proof.users.find({ orgId: 'acme', pin: { $gt: ghost.pin } } as never)],
    ['a regular expression', 'unsupported_operation', () => proof.users.countDocuments({ email: new RegExp(ghost.email) } as never)],
    ['a search within', 'unsupported_operation', () => proof.users.findOne({ 'file.diagnosis': ghost.text } as never)],
    ['a whole array', 'unsupported_operation', () => proof.users.findOne({ orgId: 'acme', phones: [ghost.phone] } as never)],
    ['a parent', 'unsupported_operation', () => proof.users.findOne({ address: { street: ghost.street, city: 'x' } } as never)],
    ['an expression', 'unsupported_operation', () => proof.users.deleteMany({ $expr: { $eq: ['$email', ghost.email] } } as never)],
    ['a script', 'unsupported_operation', () => proof.users.deleteMany({ $where: `this.email === '${ghost.email}'` } as never)],
    ['a text search', 'unsupported_operation', () => proof.users.find({ $text: { $search: ghost.text } } as never)],
    ['no tenant', 'tenant_required', () => proof.users.find({ pin: ghost.pin })],
    ['no scalar', 'invalid_argument', () => proof.users.findOne({ email: { is: ghost.email } } as never)],
    ['no telephone number', 'invalid_argument', () => proof.users.findOne({ orgId: 'acme', phones: ghost.name } as never)],
    ['no list', 'invalid_argument', () => proof.users.findOne({ email: { $in: ghost.email } } as never)],
    [
      'a shape that the schema does not have',
      'invalid_argument',
      () => proof.users.insertOne({ ...stranger(), address: ghost.street } as never),
    ],
    [
      'a member that the schema does not have',
      'invalid_argument',
      () => proof.users.insertOne({ ...stranger(), other: ghost.text } as never),
    ],
    [
      'a type that is not encrypted',
      'invalid_argument',
      () => proof.users.insertOne({ ...stranger(), name: new RegExp(ghost.name) } as never),
    ],
    ['no owner', 'invalid_argument', () => proof.users.insertOne({ _id: 'newcomer', name: ghost.name } as never)],
    ['no id', 'invalid_argument', () => proof.users.insertOne({ orgId: 'acme', name: ghost.name } as never)],
    [
      'a second document that is wrong',
      'invalid_argument',
      () => proof.users.insertMany([stranger(), { ...stranger(), _id: 'stranger', phones: ghost.phone } as never]),
    ],
    [
      'a shape that the schema does not have, in an update',
      'invalid_argument',
      () => proof.users.updateOne({ _id: stranger()._id, orgId: 'acme' }, { $set: { address: ghost.street as never } }),
    ],
    [
      'a shape that the schema does not have, in a replacement',
      'invalid_argument',
      () => proof.users.replaceOne({ _id: 'stranger', orgId: 'acme' }, { orgId: 'acme', name: ghost.name, notes: ghost.text } as never),
    ],
    ['an unknown tenant', 'not_found', () => proof.users.insertOne({ ...stranger(), orgId: 'nobody' })],
    ['a lone surrogate', 'invalid_argument', () => proof.users.insertOne({ ...stranger(), name: `${ghost.name}\ud800` })],
    ['a function', 'invalid_argument', () => proof.users.insertOne({ ...stranger(), name: () => ghost.name } as never)],
    [
      'a getter that throws',
      'invalid_argument',
      () =>
        proof.users.insertOne({
          ...stranger(),
          get name(): string {
            throw new Error(ghost.name)
          },
        }),
    ],
    [
      'an upsert without an owner',
      'invalid_argument',
      () => proof.users.updateOne({ email: ghost.email }, { $set: { name: ghost.name }, $setOnInsert: { _id: 'x' } }, { upsert: true }),
    ],
    [
      'a bulk write without an owner',
      'unsupported_operation',
      () => proof.users.bulkWrite([{ updateOne: { filter: { _id: 'ada' }, update: { $set: { name: ghost.name } } } }]),
    ],
    ['a bulk write by an index', 'unsupported_operation', () => proof.users.bulkWrite([{ deleteOne: { filter: { email: ghost.email } } }])],
    [
      'an upsert by several values',
      'unsupported_operation',
      () => proof.users.updateOne({ ...pinned, email: { $in: [ghost.email] } }, { $set: { name: ghost.name } }, { upsert: true }),
    ],
    ['a pipeline', 'unsupported_operation', () => proof.users.updateOne(pinned, [{ $set: { name: ghost.name } }] as never)],
    ['an operator of numbers', 'unsupported_operation', () => proof.users.updateOne(pinned, { $inc: { pin: ghost.pin } })],
    [
      'two additions to a set',
      'unsupported_operation',
      () => proof.users.updateOne(pinned, { $addToSet: { phones: { $each: [ghost.phone, ghost.phone] } } }),
    ],
    ['a move', 'unsupported_operation', () => proof.users.replaceOne(pinned, { ...stranger(), _id: 'ada', orgId: 'rival' })],
    [
      'an update of what is within',
      'unsupported_operation',
      () => proof.users.updateOne(pinned, { $set: { 'file.diagnosis': ghost.text } as never }),
    ],
    [
      'an option',
      'unsupported_operation',
      () => proof.users.find({}, { collation: { locale: 'en' }, let: { email: ghost.email } } as never),
    ],
    ['a projection', 'unsupported_operation', () => proof.users.find({}, { projection: { email: { $ifNull: [ghost.email, 1] } } })],
    ['a sort', 'unsupported_operation', () => proof.users.find().sort({ email: 1 })],
    ['distinct of what has no index', 'unsupported_operation', () => proof.users.distinct('name', { email: ghost.email })],
  ]
  test.each(REFUSED)('refused with no word of the value, and no key is made: %s', async (_, code, call) => {
    const before = await proof.keyRecords()
    const error = await thrownBy(call)
    expect(error).toBeInstanceOf(StrongroomError)
    expect((error as StrongroomError).code).toBe(code)
    expect(proof.commands).toEqual([])
    expect(proof.data.commands()).toEqual([])
    expect(await proof.keyRecords()).toBe(before)
    await expectSilence()
  })

  test('what only a normaliser refuses is not sent either; the key is made', async () => {
    for (const call of [
      () => proof.users.insertOne({ ...newcomer, phones: [ghost.text] }),
      () => proof.users.updateOne(pinned, { $push: { phones: ghost.text } }),
    ])
      expect(((await thrownBy(call)) as StrongroomError).code).toBe('invalid_argument')
    expect(proof.data.commands()).toEqual([])
    await expectSilence()
  })

  describe('what is stored and does not open', () => {
    test.each<[string, object]>([
      ['plaintext where a value must be', { name: ghost.name }],
      ['plaintext where an indexed value must be', { email: ghost.email }],
      ['plaintext beside an index value', { 'email.c': ghost.email }],
      ['another shape', { address: ghost.street, notes: ghost.text }],
    ])('%s', async (_, set) => {
      await proof.stored.updateOne({ _id: 'ada' }, { $set: set })
      proof.listen()
      const error = await thrownBy(() => proof.users.findOne(pinned))
      expect((error as StrongroomError).code).toBe('decrypt_failed')
      // The server gives back what was planted in it; what is made of that must not show it.
      await expectSilence(ERRORS)
    })

    test('shredded', async () => {
      await proof.vault.tenants.create('gone')
      await proof.users.insertOne({ ...newcomer, orgId: 'gone' })
      await proof.vault.tenant('gone').subject('newcomer').shred()
      for (const call of [
        () => proof.users.findOne({ _id: 'newcomer' }),
        () => proof.users.insertOne({ ...newcomer, orgId: 'gone', email: null }),
      ])
        expect(((await thrownBy(call)) as StrongroomError).code).toBe('shredded')
      await expectSilence()
    })
  })

  test('what the objects look like when they are printed', async () => {
    const cursor = proof.users.find({ email: { $in: [ada.email, bob.email, ghost.email] } })
    await cursor.next()
    const plain = await proof.users.findOne(pinned)
    expect(plain?.name).toBe(ada.name)
    const pipeline = proof.users.aggregate([
      { $match: { email: { $in: [ada.email, bob.email, ghost.email] } } },
      { $set: { mail: '$email' } },
    ])
    await pipeline.next()
    for (const each of [proof.users, cursor, pipeline, proof.users.for({ tenant: 'acme' }), proof.users.resource(), proof.vault]) {
      for (const options of [{}, { customInspect: false }, { showHidden: true, depth: 12, getters: true }])
        console.log(inspect(each, options))
      console.log('%o %O', each, each)
    }
    await expectSilence()
  })

  test('what the server explains of a search, and keeps of it', async () => {
    for (const filter of [
      { email: { $in: [ada.email, ghost.email] } },
      { orgId: 'acme', $or: [{ pin: ada.pin }, { phones: { $all: ada.phones } }, { born: { $ne: ghost.born } }] },
      { serial: ada.serial },
    ] as const) {
      await proof.users.find(filter as never).toArray()
      await proof.explain()
      await proof.users.deleteMany(filter as never)
      await proof.explain()
    }
    expect(proof.witness.heard('explain')).toBeGreaterThan(0)
    await expectSilence()
  })

  test('the oplog, where the server has one', async ({ skip }) => {
    await proof.users.insertOne(newcomer)
    await proof.users.updateOne(pinned, { $set: { name: ghost.name, phones: [ghost.phone] } })
    await proof.users.deleteOne({ email: ghost.email })
    await expectSilence()
    if (proof.witness.heard('oplog') === 0) skip('this server has no oplog')
  })
})
