// Rules of the database: what is no encrypted value is refused where one belongs, whoever writes it; and nothing else is.
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { Binary, type Document, Double, MongoServerError } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { withoutValues } from '../../dist/collection/duplicates.js'
import { outcome, refusalOf } from '../refusals.ts'
import { ada, bob, dataCommands, rival, uri, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertMany([ada, bob, rival])
    // The same index value stands in many of these documents.
    await w.users.dropIndexes()
  })

  const value = (bytes: number, first = 1): Binary => new Binary(new Uint8Array(bytes).fill(7).fill(first, 0, 1), 0x80)
  const [whole, index] = [value(58), value(21)]
  /** `ok`, or the code with which the server refuses a write of the driver's own collection. */
  async function written(call: () => Promise<unknown>): Promise<unknown> {
    try {
      await call()
      return 'ok'
    } catch (error) {
      return (error as MongoServerError).code
    }
  }
  const rules = async (): Promise<Document> => (await w.stored.db.listCollections({ name: 'users' }).toArray())[0] as Document
  const inserted = (set: object): Promise<unknown> => written(() => w.stored.insertOne({ _id: `x${Math.random()}`, ...set }))

  const FITS: readonly object[] = [
    {},
    { email: null, name: null, address: null, phones: null, notes: null },
    { email: whole, name: { c: whole } },
    { email: { c: whole, i: index } },
    { email: { c: whole, i: [index, index] } },
    { phones: [] },
    { phones: [whole, { c: whole, i: index }, { c: whole, i: [index] }, null] },
    { phones: { 0: whole, 12: { c: whole, i: index } } },
    { address: { city: 'Paris' } },
    { address: { street: whole, city: 5 } },
    { notes: [{ title: 'x', text: whole }, { text: { c: whole } }, {}] },
    { orgId: 5, plan: ['what', 'ever'], other: 'x' },
  ]
  const OFFENDS: readonly (readonly [string, object])[] = [
    ['email', { email: 'ada@example.com' }],
    ['email', { email: ['ada@example.com'] }],
    ['email', { email: [whole] }],
    ['email', { email: [whole, 'ada@example.com'] }],
    ['email', { email: { c: 'ada@example.com', i: index } }],
    ['email', { email: { i: index } }],
    ['email', { email: { c: whole, i: 'ada@example.com' } }],
    ['email', { email: { c: whole, i: [index, 'ada@example.com'] } }],
    ['email', { email: { c: whole, i: index, plain: 'ada@example.com' } }],
    ['email', { email: value(58, 2) }],
    ['email', { email: { c: value(58, 2), i: index } }],
    ['email', { email: { c: whole, i: value(21, 2) } }],
    ['email', { email: { c: whole, i: [index, value(21, 3)] } }],
    ['email', { email: value(57) }],
    ['email', { email: { c: value(57), i: index } }],
    ['email', { email: { c: whole, i: value(20) } }],
    ['email', { email: { c: whole, i: value(22) } }],
    ['email', { email: { c: whole, i: [index, value(22)] } }],
    ['age', { age: 1 }],
    ['name', { name: new Date() }],
    ['address.street', { address: 'Canary Street 1' }],
    ['address.street', { address: { street: 'Canary Street 1' } }],
    ['address.street', { address: [{ street: 'Canary Street 1' }] }],
    ['address.street', { address: [{ street: whole }, { street: 'Canary Street 1' }] }],
    ['phones[]', { phones: '+44 20 7946 0001' }],
    ['phones[]', { phones: ['+44 20 7946 0001'] }],
    ['phones[]', { phones: [whole, '+44 20 7946 0001'] }],
    ['phones[]', { phones: [whole, value(58, 0)] }],
    ['phones[]', { phones: [whole, value(30)] }],
    [
      'phones[]',
      {
        phones: [
          { c: whole, i: index },
          { c: '+44 20 7946 0001', i: index },
        ],
      },
    ],
    [
      'phones[]',
      {
        phones: [
          { c: whole, i: index },
          { c: value(58, 0), i: index },
        ],
      },
    ],
    [
      'phones[]',
      {
        phones: [
          { c: whole, i: index },
          { c: value(30), i: index },
        ],
      },
    ],
    [
      'phones[]',
      {
        phones: [
          { c: whole, i: index },
          { c: whole, i: value(21, 0) },
        ],
      },
    ],
    [
      'phones[]',
      {
        phones: [
          { c: whole, i: index },
          { c: whole, i: [index, value(21, 0)] },
        ],
      },
    ],
    [
      'phones[]',
      {
        phones: [
          { c: whole, i: index },
          { c: whole, i: [index, value(20)] },
        ],
      },
    ],
    ['phones[]', { phones: { 0: '+44 20 7946 0001' } }],
    ['phones[]', { phones: { x: whole } }],
    ['phones[]', { phones: [[whole]] }],
    ['notes[].text', { notes: ['Canary note'] }],
    ['notes[].text', { notes: [{ text: whole }, { text: 'Canary note' }] }],
    ['notes[].text', { notes: [{ text: whole }, { text: value(58, 0) }] }],
    ['notes[].text', { notes: [{ text: whole }, { text: { c: value(40) } }] }],
    ['notes[].text', { notes: { 0: { text: 'Canary note' } } }],
  ]

  test('the server refuses what is no encrypted value, with 121, and takes all that is one', async () => {
    await w.users.enforce()
    for (const document of FITS) expect([document, await inserted(document)]).toEqual([document, 'ok'])
    for (const [, document] of OFFENDS) expect([document, await inserted(document)]).toEqual([document, 121])
    const updates: readonly Document[] = [
      { $set: { email: 'ada@example.com' } },
      { $set: { 'email.c': 'ada@example.com' } },
      { $set: { 'phones.0': '+44 20 7946 0001' } },
      { $push: { phones: '+44 20 7946 0001' } },
      { $set: { 'notes.0.text': 'Canary note' } },
      { $rename: { plan: 'name' } },
      [{ $set: { name: '$plan' } }],
    ]
    for (const update of updates) expect([update, await written(() => w.stored.updateOne({ _id: 'ada' }, update))]).toEqual([update, 121])
    expect(await written(() => w.stored.findOneAndUpdate({ _id: 'ada' }, { $set: { email: 'x' } }))).toBe(121)
    expect(await written(() => w.stored.replaceOne({ _id: 'ada' }, { email: 'ada@example.com' }))).toBe(121)
    expect(await written(() => w.stored.bulkWrite([{ insertOne: { document: { _id: 'y', email: 'x' } } }]))).toBe(121)
    expect(await w.users.findOne({ _id: 'ada' })).toEqual(ada)
    // And who may bypass it does.
    expect(await written(() => w.stored.insertOne({ _id: 'z', email: 'x' }, { bypassDocumentValidation: true }))).toBe('ok')
  })

  test('everything that the collection itself writes is taken', async () => {
    await w.users.enforce()
    const her = { _id: 'new', orgId: 'acme' }
    await w.users.insertOne({ ...ada, ...her, email: 'new@example.com' })
    await w.users.updateOne(her, {
      $set: { name: '', age: 0, 'phones.1': '+44 20 7946 0003' },
      $push: { notes: { title: 'two', text: 'x' } },
    })
    await w.users.insertOne({ _id: 'positions', orgId: 'acme' })
    await w.users.updateOne({ ...her, _id: 'positions' }, { $set: { 'phones.0': '+44 20 7946 0003', email: null } as never })
    await w.users.updateMany({ email: 'new@example.com' }, { $unset: { address: '' } })
    await w.users.replaceOne(her, { orgId: 'acme', phones: [] })
    for await (const _ of w.users.reencrypt({ tenant: 'acme', subject: 'ada' }));
    expect(await w.users.countDocuments()).toBe(5)
  })

  test('where something else is stored nothing is changed, and the error says where and in how many documents, and not what', async () => {
    for (const [i, [, document]] of OFFENDS.entries()) await w.stored.insertOne({ _id: `x${i}`, ...document })
    const before = await rules()
    const counts = new Map<string, number>()
    for (const [path] of OFFENDS) counts.set(path, (counts.get(path) ?? 0) + 1)
    const error = await refusalOf(() => w.users.enforce())
    expect(error.code).toBe('schema_mismatch')
    for (const [path, count] of counts) expect(error.message).toContain(`${path} of ${count === 1 ? 'one document' : `${count} documents`}`)
    expect(JSON.stringify(error) + error.message + String(error.stack)).not.toMatch(/canary|7946|ada@/iu)
    expect(await rules()).toEqual(before)
    await w.stored.deleteMany({ _id: /^x/u })
    await w.users.enforce()
    expect(await rules()).not.toEqual(before)
  })

  test('what comes in while it is set up is noticed: the rules are as they were before', async () => {
    const before = await rules()
    const driver = w.users.dangerouslyUnwrap()
    const { db } = driver
    const command = db.command.bind(db)
    let late = 0
    Object.defineProperty(driver, 'db', {
      value: Object.assign(Object.create(db) as typeof db, {
        command: async (...given: Parameters<typeof command>) => {
          if (late++ === 0) await w.stored.insertOne({ _id: 'late', name: 'plaintext' })
          return command(...given)
        },
      }),
    })
    expect((await refusalOf(() => w.users.enforce())).message).toContain('name of one document')
    expect(late).toBe(2)
    expect((await rules())['options'].validator ?? {}).toEqual(before['options'].validator ?? {})
  })

  test('the own validator stays, whatever it is; twice is once; and off is as it was', async () => {
    const own: readonly (Document | undefined)[] = [
      undefined,
      { plan: { $ne: 'forbidden' } },
      { $and: [{ plan: { $ne: 'forbidden' } }, { orgId: { $type: 'string' } }] },
      { plan: { $ne: 'forbidden' }, $and: [{ orgId: { $type: 'string' } }] },
      { $jsonSchema: { title: 'own', properties: { plan: { enum: ['pro', 'free', new Double(1)] } } } },
    ]
    for (const validator of own) {
      if (validator !== undefined) await w.stored.db.command({ collMod: 'users', validator })
      const before = (await rules())['options'].validator ?? {}
      await w.users.enforce()
      const once = await rules()
      await w.users.enforce()
      expect(await rules()).toEqual(once)
      expect(await inserted({ orgId: 'acme', plan: 'pro', name: 'plaintext' })).toBe(121)
      expect(await inserted({ orgId: 'acme', plan: 'forbidden' })).toBe(validator === undefined ? 'ok' : 121)
      expect(await inserted({ orgId: 'acme', plan: 'free', name: whole })).toBe('ok')
      await w.users.unenforce()
      expect((await rules())['options'].validator ?? {}).toEqual(before)
      await w.users.unenforce()
      expect((await rules())['options'].validator ?? {}).toEqual(before)
      expect(await inserted({ orgId: 'acme', plan: 'free', name: 'plaintext' })).toBe('ok')
      await w.stored.deleteMany({ _id: /^x/u })
    }
  })

  test('a path that is declared later is added to the rules', async () => {
    const stored = w.client.db(w.stored.dbName).collection<Document & { _id: string }>('later')
    const shape = { _id: z.string(), orgId: z.string(), name: encrypted(z.string()).optional() }
    const open = (schema: z.ZodType) => encryptedCollection(w.vault, stored, { schema, tenant: 'orgId', subject: '_id' })
    const before = open(z.object(shape))
    expect(await outcome(() => before.enforce())).toBe('not_found')
    expect(await outcome(() => before.unenforce())).toBe('not_found')
    await stored.insertOne({ _id: 'a', orgId: 'acme' })
    await before.enforce()
    expect(await written(() => stored.insertOne({ _id: 'b', grid: [['x']] }))).toBe('ok')
    await stored.deleteOne({ _id: 'b' })
    const after = open(
      z.object({
        ...shape,
        grid: z.array(z.array(encrypted(z.string()))),
        deep: z.object({ a: z.object({ b: encrypted(z.string()) }) }).optional(),
      }),
    )
    await after.enforce()
    for (const [document, code] of [
      [{ grid: [['x']] }, 121],
      [{ grid: [[whole], [whole, value(58, 2)]] }, 121],
      [{ grid: [[whole], [whole, value(10)]] }, 121],
      [{ grid: [[whole], [], [whole, { c: whole }], null] }, 'ok'],
      [{ deep: { a: { b: 'x' } } }, 121],
      [{ deep: { a: { b: value(20) } } }, 121],
      [{ deep: { a: { b: whole } } }, 'ok'],
      [{ name: 'x' }, 121],
    ] as const)
      expect([document, await written(() => stored.insertOne({ _id: `x${Math.random()}`, ...document }))]).toEqual([document, code])
  })

  test('a validator that only warns, or is not strict, is refused: nothing is changed', async () => {
    for (const lax of [{ validationAction: 'warn' }, { validationLevel: 'moderate' }, { validationLevel: 'off' }]) {
      await w.stored.db.command({ collMod: 'users', validator: {}, validationLevel: 'strict', validationAction: 'error', ...lax })
      const before = await rules()
      expect([lax, await outcome(() => w.users.enforce())]).toEqual([lax, 'unsupported_operation'])
      expect(await rules()).toEqual(before)
    }
    await w.stored.db.command({ collMod: 'users', validationLevel: 'strict', validationAction: 'error' })
    await w.users.enforce()
  })

  test('it is of the whole collection', async () => {
    w.commands.length = 0
    for (const call of [() => w.users.for({ tenant: 'acme' }).enforce(), () => w.users.for({ tenant: 'acme' }).unenforce()])
      expect(await outcome(call)).toBe('unsupported_operation')
    expect(dataCommands(w)).toEqual([])
  })
})

test('what the server says of a document that fails validation is shown without the values that it has looked at', () => {
  const details = (): Document => ({
    operatorName: '$and',
    clausesNotSatisfied: [
      {
        index: 0,
        details: {
          operatorName: '$jsonSchema',
          schemaRulesNotSatisfied: [
            {
              operatorName: 'properties',
              propertiesNotSatisfied: [
                {
                  propertyName: 'plan',
                  details: [
                    { operatorName: 'bsonType', specifiedAs: { bsonType: 'int' }, consideredValue: 'Canary', consideredType: 'string' },
                  ],
                },
              ],
            },
          ],
        },
      },
      { index: 1, details: { operatorName: '$in', specifiedAs: { plan: { $in: ['x'] } }, consideredValues: ['Canary'] } },
    ],
  })
  const error = new MongoServerError({
    message: 'Document failed validation',
    code: 121,
    errInfo: { failingDocumentId: 'ada', details: details() },
  })
  expect(withoutValues({} as never, error)).toBe(error)
  const shown = JSON.stringify([error, error.errorResponse, error['errInfo']])
  expect(shown).not.toContain('Canary')
  expect(shown).toContain('"propertyName":"plan"')
  expect(shown).toContain('"specifiedAs":{"bsonType":"int"}')
})
