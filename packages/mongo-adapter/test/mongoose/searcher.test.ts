// What the tests of models listen with: what a model that is not encrypted does is heard in every channel.
import { Schema } from 'mongoose'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import type { Channel } from '../proof/witness.ts'
import { findings, hearDebug } from './heard.ts'
import { type AnyModel, CANARY, failure, forget, gather, modelOf, uri, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('a model that leaks is heard', () => {
  let it: World
  let people: AnyModel

  beforeAll(async () => {
    it = await world()
    const schema = new Schema({ _id: String, email: { type: String, unique: true }, age: Number, kind: { type: String, enum: ['a'] } })
    people = modelOf(it.connection, 'Person', schema)
    await people.init()
  })
  beforeEach(async () => {
    await people.deleteMany({})
    forget()
  })

  const heard = async (channel: Channel): Promise<readonly string[]> => {
    await gather()
    const found = findings()
    // Of what was planted nothing is left for the end.
    await people.deleteMany({})
    forget()
    return found.flatMap((each) => (each.channel === channel ? [each.where] : []))
  }
  const search = (): unknown => people.findOne({ email: CANARY })
  const store = (): unknown => people.create({ _id: 'a', email: CANARY })

  const LEAKS: readonly (readonly [Channel, () => unknown])[] = [
    ['sent', search],
    ['command', search],
    ['driver log', search],
    ['received', async () => (await store(), forget(), await people.findOne())],
    ['command', async () => (await store(), forget(), await people.findOne())],
    ['stored', store],
    ['printed by Mongoose', search],
    ['told by Mongoose', search],
    ['error message', () => failure(() => people.find({ age: CANARY }))],
    ['error stack', () => failure(() => people.find({ age: CANARY }))],
    ['error message', () => failure(() => people.create({ kind: CANARY }))],
    ['error as JSON', () => failure(() => people.create({ kind: CANARY }))],
    ['error inspected', () => failure(() => people.create({ kind: CANARY }))],
    ['error message', () => failure(() => people.findOne({ email: CANARY }).orFail())],
    ['error message', async () => (await store(), await failure(() => people.create({ _id: 'b', email: CANARY })))],
    ['error of the server', async () => (await store(), await failure(() => people.create({ _id: 'b', email: CANARY })))],
    [
      'error cause',
      () =>
        failure(() => {
          throw new Error('no', { cause: new Error('no', { cause: { value: CANARY } }) })
        }),
    ],
    ['console', () => console.error('said %s', CANARY)],
    ['warning', async () => (process.emitWarning(CANARY), await new Promise(setImmediate))],
  ]

  test.each(LEAKS)('%s, %#', async (channel, leak) => {
    expect(await heard(channel)).toEqual([])
    await leak()
    expect(await heard(channel)).not.toEqual([])
  })

  test.each(['stdout', 'stderr'] as const)('%s', async (name) => {
    process[name].write(`said ${CANARY}\n`)
    expect(await heard('console')).toContain(name)
  })

  // What is printed to a function, a stream and the console is printed by three functions of Mongoose's.
  test('each way of printing', async () => {
    await search()
    expect(await heard('printed by Mongoose')).toEqual(
      expect.arrayContaining(['people.findOne to a function', 'people.findOne to a stream', 'people.findOne to the console']),
    )
  })

  test('debug of the console, as it is set', async () => {
    const print = vi.spyOn(console, 'info').mockImplementation((text: unknown) => void process.stderr.write(`${String(text)}\n`))
    try {
      it.base.set('debug', true)
      await search()
    } finally {
      print.mockRestore()
      hearDebug(it.base)
    }
    expect(await heard('console')).toEqual(['stderr'])
  })

  test('what is written in another way', async () => {
    const said = Buffer.from(`x${CANARY}x`)
    for (const written of [Buffer.from(said.toString(), 'utf16le'), said.toString('hex'), said.toString('base64')]) {
      await it.connection.collection('people').insertOne({ _id: 'a', written } as never)
      expect(await heard('sent')).not.toEqual([])
    }
  })
})
