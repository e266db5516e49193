// `validate: true`: what is written has to fit the schema, before a key is made or a command sent, and no error holds a value.
import { encrypted, encryptedCollection, SHREDDED } from '@strongroom/mongo-adapter'
import { Long, MongoClient, ObjectId } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { validationOf } from '../../dist/schema/validation.js'
import { walkSchema } from '../../dist/schema/walk.js'
import { refusalOf } from '../refusals.ts'
import { ada, dataCommands, uri, User, world, type World } from './support.ts'

const CANARY = 'Canary-Value'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world({ validate: true })
    await w.users.insertOne(ada)
    w.commands.length = 0
  })

  async function refusedFor(call: () => unknown, ...paths: readonly string[]): Promise<void> {
    const before = w.keyStore.snapshot().length
    const error = await refusalOf(call)
    expect(error.code).toBe('schema_mismatch')
    expect(error.message).toBe(
      `what was to be written does not fit the schema${paths.length === 0 ? '' : ` at ${paths.join(', ')}`}; nothing was sent`,
    )
    expect(JSON.stringify([error, error.stack, error.cause])).not.toContain('Canary')
    expect(dataCommands(w)).toEqual([])
    expect(w.keyStore.snapshot().length).toBe(before)
  }
  const zoe = { _id: 'zoe', orgId: 'acme', name: 'Zoe' }

  test('inserts', async () => {
    await refusedFor(() => w.users.insertOne({ ...zoe, name: 5 as never }), 'name')
    await refusedFor(() => w.users.insertOne({ ...zoe, email: CANARY, age: CANARY as never }), 'email', 'age')
    await refusedFor(() => w.users.insertOne({ ...zoe, plan: 5 as never }), 'plan')
    await refusedFor(() => w.users.insertOne({ ...zoe, phones: ['+1234567', 5 as never] }), 'phones.1')
    await refusedFor(() => w.users.insertOne({ ...zoe, address: { street: CANARY } as never }), 'address.city')
    await refusedFor(() => w.users.insertMany([zoe, { ...zoe, _id: 'yan', notes: [{ title: 'x', text: 5 as never }] }]), 'notes.0.text')
    // The same but fitting.
    await w.users.insertMany([zoe, { ...zoe, _id: 'yan', notes: [{ title: 'x', text: CANARY }] }])
  })

  test('replacements', async () => {
    await refusedFor(() => w.users.replaceOne({ _id: 'ada', orgId: 'acme' }, { orgId: 'acme', name: 5 as never }), 'name')
    await w.users.replaceOne({ _id: 'ada', orgId: 'acme' }, { orgId: 'acme', name: 'x' })
  })

  test('values of $set, and what $push and $addToSet add', async () => {
    const pinned = { _id: 'ada', orgId: 'acme' }
    const set = (members: object) => () => w.users.updateOne(pinned, { $set: members })
    await refusedFor(set({ name: 5 }), 'name')
    await refusedFor(set({ plan: 5 }), 'plan')
    await refusedFor(set({ email: CANARY }), 'email')
    await refusedFor(set({ 'phones.0': 5 }), 'phones.0')
    await refusedFor(set({ 'notes.0.text': 5 }), 'notes.0.text')
    await refusedFor(set({ notes: [{ title: 5, text: 'x' }] }), 'notes.0.title')
    await refusedFor(set({ address: { street: CANARY } }), 'address.city')
    await refusedFor(() => w.users.updateMany({ plan: 'pro' }, { $set: { plan: 5 as never } }), 'plan')
    await refusedFor(() => w.users.updateOne(pinned, { $push: { phones: 5 as never } }), 'phones.$[]')
    await refusedFor(() => w.users.updateOne(pinned, { $push: { notes: { $each: [{ title: 'x' } as never] } } }), 'notes.$[].text')
    for (const change of [
      { $set: { name: 'x', plan: 'y', email: null, 'phones.0': '+1234567', 'notes.0.text': 'z', address: { street: 'a', city: 'b' } } },
      { $push: { phones: '+1234568' } },
    ])
      expect(await w.users.updateOne(pinned, change as never)).toMatchObject({ matchedCount: 1 })
  })

  test('without validate nothing is asked', async () => {
    const lax = await world()
    await lax.users.insertOne({ ...zoe, name: 5 as never })
    expect((await lax.users.findOne({ _id: 'zoe' }))?.name).toBe(5)
  })

  test('the mark of a shredded value is no value', async () => {
    expect((await refusalOf(() => w.users.insertOne({ ...zoe, name: SHREDDED as never }))).code).toBe('invalid_argument')
  })
})

describe('by itself', () => {
  const of = (schema: z.ZodType): ReturnType<typeof validationOf> => validationOf(schema, walkSchema(schema))
  const secret = { secret: encrypted(z.record(z.string(), z.number())).optional() }

  test('keys within a value are part of it, and are not named', async () => {
    const error = await refusalOf(() => of(z.object(secret)).documents([{ secret: { [CANARY]: 'x' } }]))
    expect(error.message).toContain('at secret;')
  })

  test('what a schema throws is not repeated, and asynchronous checks are waited for', async () => {
    const throwing = z.object({
      ...secret,
      a: z.string().refine(() => {
        throw new Error(CANARY)
      }),
    })
    const error = await refusalOf(() => of(throwing).documents([{ a: CANARY }]))
    expect([error.code, error.message.includes('Canary'), error.cause]).toEqual(['schema_mismatch', false, undefined])
    const slow = z.object({ ...secret, a: z.string().refine(async (a) => Promise.resolve(a === 'good')) })
    await of(slow).documents([{ a: 'good' }])
    expect((await refusalOf(() => of(slow).documents([{ a: 'bad' }]))).message).toContain('at a;')
  })

  test('an id that the driver gives, and types of BSON', async () => {
    await of(z.strictObject(secret)).documents([{ _id: new ObjectId() }])
    await of(z.object({ ...secret, _id: z.instanceof(ObjectId), n: z.instanceof(Long) })).documents([{ _id: new ObjectId(), n: Long.ONE }])
  })

  test('of a discriminated union one option has to fit', async () => {
    const schema = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), value: z.string(), ...secret }),
      z.object({ kind: z.literal('b'), value: z.number(), ...secret }),
    ])
    await of(schema).values([
      { path: 'value', value: 5 },
      { path: 'value', value: 'x' },
    ])
    expect((await refusalOf(() => of(schema).values([{ path: 'value', value: true }]))).message).toContain('at value;')
    await of(schema).values([{ path: 'undeclared.deep', value: true }])
  })

  test('a path into what is declared in another way than by an object is followed as well', async () => {
    const schema = z.object({
      ...secret,
      counts: z.record(z.string(), z.object({ n: z.number() })),
      few: z.partialRecord(z.enum(['a', 'b']), z.number()),
      pair: z.tuple([z.string(), z.object({ n: z.number() })]),
      later: z.lazy(() => z.object({ n: z.number() })),
      wrapped: z.nonoptional(z.object({ n: z.number() }).optional()),
      caught: z.prefault(z.object({ n: z.number() }), { n: 0 }),
    })
    const { values } = of(schema)
    for (const path of ['counts.x.n', 'few.a', 'pair.1.n', 'later.n', 'wrapped.n', 'caught.n']) {
      await values([{ path, value: 1 }])
      const { code, message } = await refusalOf(() => values([{ path, value: CANARY }]))
      expect([path, code, message.includes(path.split('.')[0] as string)]).toEqual([path, 'schema_mismatch', true])
    }
    expect((await refusalOf(() => values([{ path: 'few.c', value: 1 }]))).code).toBe('schema_mismatch')
    await values([{ path: 'counts.x', value: { n: 1 } }])
    expect((await refusalOf(() => values([{ path: 'counts.x', value: 1 }]))).code).toBe('schema_mismatch')
  })

  test('validate is yes or no', async () => {
    const make = (validate: unknown) => () =>
      encryptedCollection({ tenant: () => undefined } as never, new MongoClient('mongodb://127.0.0.1:1').db('d').collection('c'), {
        schema: User,
        tenant: 'orgId',
        subject: '_id',
        validate: validate as boolean,
      })
    expect((await refusalOf(make('yes'))).code).toBe('invalid_argument')
    make(true)()
  })
})
