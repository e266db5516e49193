// Nothing that Mongoose says holds a value of an encrypted path: errors, their stacks, debug output, events of the connection.
import { once } from 'node:events'
import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import { Schema } from 'mongoose'
import { beforeAll, describe, expect, test, vi } from 'vitest'

import { hearDebug, witness } from './heard.ts'
import { type AnyModel, CANARY, failure, modelOf, uri, world, type World } from './support.ts'

/** Everything that a logger might show of an error. */
function shown(error: unknown): string {
  witness.error('shown', error)
  const { stack = '', message } = error as Error
  return [stack, message, String(error), inspect(error, { depth: 20, showHidden: true }), JSON.stringify(error) ?? ''].join('\n')
}

describe.skipIf(uri === undefined)('models', () => {
  let it: World
  let people: AnyModel

  beforeAll(async () => {
    it = await world()
    const seen = (value: string): boolean => {
      if (value.startsWith('throw')) throw new Error(`did not like ${value}`)
      return !value.startsWith('bad')
    }
    const schema = new Schema({
      _id: String,
      orgId: String,
      plan: { type: String, enum: ['free', 'pro'] },
      name: {
        type: String,
        encrypted: true,
        maxlength: 40,
        validate: { validator: seen, message: (props: { value: string }) => `no ${props.value}` },
      },
      email: { type: String, encrypted: { index: { scope: 'application' } }, match: /@/ },
      kind: { type: String, encrypted: true, enum: ['a', 'b'] },
      age: { type: Number, encrypted: true, min: 0, max: [150, 'too old: {VALUE}'] },
      custom: { type: Number, encrypted: true, cast: 'cannot take {VALUE}' } as never,
      taken: {
        type: String,
        encrypted: true,
        set: (value: string) => {
          if (value.startsWith('bad')) throw new Error(`set ${value}`)
          return value
        },
      },
      all: { type: [Number], encrypted: true },
      each: [{ type: Number, encrypted: true }],
      notes: [{ text: { type: String, encrypted: true, maxlength: 20 }, size: { type: Number, encrypted: true } }],
      address: new Schema({ zip: { type: Number, encrypted: true } }),
      nested: { deep: { type: Number, encrypted: true } },
      facts: { type: Map, of: String, encrypted: true },
    })
    // Once it was read, a stack begins with the message that there was.
    schema.post('updateOne', (error: Error, _: unknown, next: (error: Error) => void) => {
      void error.stack
      next(error)
    })
    people = modelOf(it.connection, 'Person', it.encrypt(schema))
    await people.init()
    await people.create({ _id: 'ada', orgId: 'acme' })
  })

  const made =
    (members: object): (() => unknown) =>
    () =>
      people.create({ _id: 'x', orgId: 'acme', ...members })
  const long = `${CANARY} `.repeat(10)

  test.each<[string, string, () => unknown]>([
    ['a cast', 'ValidationError', made({ age: CANARY })],
    ['a cast with a message of its own', 'ValidationError', made({ custom: CANARY })],
    ['a cast of an array', 'ValidationError', made({ all: [CANARY] })],
    ['a cast of an element', 'ValidationError', made({ each: [1, CANARY] })],
    ['a cast of a subdocument', 'ValidationError', made({ notes: [{ size: CANARY }] })],
    ['a cast of what is no subdocument', 'ValidationError', made({ notes: [CANARY] })],
    ['a cast within a subdocument', 'ValidationError', made({ address: { zip: CANARY } })],
    ['a cast of a whole subdocument', 'ValidationError', made({ address: CANARY })],
    ['a cast of a nested path', 'ValidationError', made({ nested: { deep: CANARY } })],
    [
      'a cast of a whole nested path',
      'ValidationError',
      async () => {
        const document = await people.findById('ada').orFail()
        document.set('nested', CANARY)
        return document.save()
      },
    ],
    ['a length', 'ValidationError', made({ name: long })],
    ['a pattern', 'ValidationError', made({ email: CANARY })],
    ['an enum', 'ValidationError', made({ kind: CANARY })],
    ['a validator with a message of its own', 'ValidationError', made({ name: `bad ${CANARY}` })],
    ['a validator that throws', 'ValidationError', made({ name: `throw ${CANARY}` })],
    ['a setter that throws', 'ValidationError', made({ taken: `bad ${CANARY}` })],
    ['a validator of a subdocument', 'ValidationError', made({ notes: [{ text: long }] })],
    ['insertMany', 'ValidationError', () => people.insertMany([{ _id: 'x', orgId: 'acme', kind: CANARY }])],
    ['validate of a model', 'ValidationError', () => people.validate({ kind: CANARY })],
    ['castObject', 'ValidationError', () => people.castObject({ age: CANARY })],
    ['a query', 'CastError', () => people.find({ age: CANARY })],
    ['a query of several', 'CastError', () => people.find({ age: { $in: [1, CANARY] } })],
    ['a query of a subdocument', 'CastError', () => people.find({ 'notes.size': CANARY })],
    ['a query within and', 'CastError', () => people.find({ $and: [{ age: CANARY }] })],
    ['a cursor', 'CastError', () => people.find({ age: CANARY }).cursor().next()],
    [
      'a cursor of several',
      'CastError',
      () =>
        people
          .find({ age: { $in: [CANARY] } })
          .cursor()
          .eachAsync(() => undefined),
    ],
    [
      'a cursor that is iterated',
      'CastError',
      async () => {
        for await (const _ of people.find({ age: CANARY })) break
      },
    ],
    ['a cursor as a stream', 'CastError', () => once(people.find({ age: CANARY }).cursor().resume(), 'end')],
    ['an update', 'CastError', () => people.updateOne({ _id: 'ada' }, { age: CANARY })],
    ['an update by $inc', 'CastError', () => people.updateOne({ _id: 'ada' }, { $inc: { age: CANARY } })],
    ['an update by $push', 'CastError', () => people.updateOne({ _id: 'ada' }, { $push: { each: CANARY } })],
    ['an update with validators', 'ValidationError', () => people.updateOne({ _id: 'ada' }, { kind: CANARY }, { runValidators: true })],
    ['findOneAndUpdate', 'CastError', () => people.findOneAndUpdate({ _id: 'ada' }, { age: CANARY })],
    ['bulkWrite', 'CastError', () => people.bulkWrite([{ updateOne: { filter: { _id: 'ada' }, update: { age: CANARY } } }])],
    ['orFail', 'DocumentNotFoundError', () => people.findOne({ email: `${CANARY}@example.com` }).orFail()],
    ['orFail of an update', 'DocumentNotFoundError', () => people.updateOne({ email: `${CANARY}@example.com` }, { plan: 'pro' }).orFail()],
    [
      'a query that was executed',
      'MongooseError',
      async () => {
        const query = people.findOne({ email: CANARY })
        await query
        return query.exec()
      },
    ],
    ['an operation that there is not', 'MongooseError', () => people.bulkWrite([{ insert: { kind: CANARY } } as never])],
    ['a filter that is none', 'ObjectParameterError', () => people.findOne(CANARY as never)],
    ['a document that is none', 'ObjectParameterError', () => people.insertMany([CANARY as never])],
    ['a filter that is a list', 'Error', () => people.find({ $and: [[{ kind: CANARY }] as never] })],
    ['a key of a Map in an update', 'Error', () => people.updateOne({ _id: 'ada' }, { facts: { [`$${CANARY}`]: 'x' } })],
  ])('%s fails without the value', async (_, name, call) => {
    const error = await failure(call)

    expect(error.name).toBe(name)
    expect(shown(error)).not.toContain(CANARY)
  })

  test('errors of the document hold no value, synchronously validated or not', () => {
    const document = new people({ _id: 'x', orgId: 'acme', age: CANARY, kind: CANARY, each: [CANARY] })
    const error = document.validateSync()
    document.invalidate('name', 'is not nice', CANARY)

    expect(Object.keys(error?.errors ?? {})).toEqual(expect.arrayContaining(['age', 'kind']))
    expect(shown(error)).not.toContain(CANARY)
    expect(shown(Object.assign(new Error('all'), { errors: document.errors }))).not.toContain(CANARY)
  })

  test('errors of subdocuments hold no value, asked by themselves', async () => {
    const document = new people({ _id: 'x', orgId: 'acme', notes: [{ size: CANARY, text: long }], address: { zip: CANARY } })
    const inner = document.get('notes') as readonly { validate(): Promise<void> }[]

    for (const each of [inner[0], document.get('address') as { validate(): Promise<void> }]) {
      const error = await failure(() => each?.validate())
      expect(error.name).toBe('ValidationError')
      expect(shown(error)).not.toContain(CANARY)
    }
  })

  test('errors of plain paths say what they said', async () => {
    const error = await failure(made({ plan: 'other', age: -1 }))

    expect(error.message).toContain('`other` is not a valid enum value for path `plan`.')
    expect(error.message).toContain('Path `age` ([redacted]) is less than minimum allowed value (0).')
    expect(await failure(() => people.findOne({ _id: 'nobody' }).orFail())).toMatchObject({ filter: { _id: 'nobody' } })
  })

  test('debug output and events of the connection tell of no arguments and no results', async () => {
    const told: unknown[] = []
    const stream = new Writable({ write: (chunk, _, done) => (told.push(String(chunk)), done()) })
    const connection = await it.connect()
    for (const event of ['operation-start', 'operation-end', 'buffer', 'buffer-end'])
      connection.on(event, (...given: unknown[]) => told.push(event, ...given))
    const model = modelOf(connection, 'Person', people.schema as unknown as Schema)
    const run = async (id: string): Promise<void> => {
      await model.create({ _id: id, orgId: 'acme', name: CANARY, email: `${CANARY}-${id}@example.com` })
      await model.updateOne({ email: `${CANARY}-${id}@example.com` }, { name: `more ${CANARY}` })
      await model.findOne({ _id: id })
      await model.findOneAndUpdate({ _id: id }, { plan: 'pro' })
      expect(await model.find({ email: `${CANARY}-${id}@example.com` }).lean()).toMatchObject([{ name: `more ${CANARY}` }])
    }
    const print = vi.spyOn(console, 'info').mockImplementation((...said: unknown[]) => void told.push(...said))
    try {
      it.base.set('debug', (...given: unknown[]) => void told.push(...given))
      await run('function')
      it.base.set('debug', stream)
      await run('stream')
      it.base.set('debug', true)
      await run('console')
    } finally {
      print.mockRestore()
      hearDebug(it.base)
    }

    const said = inspect(told, { depth: 20 })
    expect(said.match(/people\.insertOne\(\)/gu)).toHaveLength(2)
    expect(said).toContain('operation-end')
    expect(said).not.toContain(CANARY)
  })
})
