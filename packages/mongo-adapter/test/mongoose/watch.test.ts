// Changes that a model is told of: those of plaintext, one by one and as events.
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { SHREDDED } from '@strongroom/mongo-adapter'
import type { Document } from 'mongodb'
import { Schema } from 'mongoose'
import { beforeAll, describe, expect, test } from 'vitest'

import { type AnyModel, CANARY, modelOf, refusal, uri, world, type World } from './support.ts'

const LOOKUP = { fullDocument: 'updateLookup', maxAwaitTimeMS: 20 } as const

type Changes = ReturnType<AnyModel['watch']> & { next(): Promise<Document> }

describe.skipIf(uri === undefined)('watch of a model', () => {
  let it: World
  let people: AnyModel
  let count = 0

  beforeAll(async () => {
    it = await world()
    const schema = new Schema({ _id: String, orgId: String, plan: String, name: { type: String, encrypted: true } })
    people = modelOf(it.connection, 'Person', it.encrypt(schema))
    await people.init()
  })

  const added = async (): Promise<string> => {
    const _id = `one-${String(count++)}`
    await people.create({ _id, orgId: 'acme', name: `Ada ${CANARY}` })
    return _id
  }
  // What was written just before may be told of as well.
  async function until(changes: Changes, id: string, type: string): Promise<Document> {
    for (;;) {
      const change = (await changes.next()) as Document
      if (change['documentKey']?._id === id && change['operationType'] === type) return change
    }
  }

  test('gives changes one by one, decrypted', async () => {
    const changes = people.watch([], LOOKUP) as Changes
    const first = changes.next()
    // The stream begins with the first question, which gets no answer before something is written.
    await after(200)
    const id = await added()
    await first
    await people.updateOne({ _id: id }, { name: `more ${CANARY}` })

    expect(await until(changes, id, 'update')).toMatchObject({
      updateDescription: { updatedFields: { name: `more ${CANARY}` } },
      fullDocument: { _id: id, name: `more ${CANARY}` },
    })
    await changes.close()
  })

  test('tells of changes by events, hydrated where it is asked for, until it is closed', async () => {
    const changes = people.watch([{ $match: { operationType: 'insert' } }], { ...LOOKUP, hydrate: true }) as Changes
    const told: Document[] = []
    const ends: string[] = []
    changes.on('change', (change: Document) => told.push(change))
    changes.on('close', () => ends.push('close'))
    changes.on('error', () => ends.push('error'))
    await once(changes, 'ready')
    await after(200)
    const id = await added()
    while (!told.some(({ documentKey }) => documentKey._id === id)) await after(20)

    const { fullDocument } = told.find(({ documentKey }) => documentKey._id === id) as Document
    expect(fullDocument).toBeInstanceOf(people)
    expect(fullDocument.get('name')).toBe(`Ada ${CANARY}`)
    expect(await refusal(() => changes.next())).toBe('unsupported_operation')
    await changes.close()
    expect(ends).toEqual(['close'])
    expect(changes.closed).toBe(true)
  })

  test('ends with the first change that cannot be read', async () => {
    const failing = people.watch([], { ...LOOKUP, shredded: 'throw' } as never) as Changes
    const marking = people.watch([], LOOKUP) as Changes
    const told: Document[] = []
    marking.on('change', (change: Document) => told.push(change))
    await people.create({ _id: 'gone', orgId: 'acme', name: CANARY })
    const failure = once(failing, 'error', { signal: AbortSignal.timeout(60_000) }) as Promise<unknown>
    const failed = failure.then(
      () => 'told',
      (error: { code?: string }) => error.code,
    )
    const closed = new Promise<void>((resolve) => failing.on('close', resolve))
    await after(200)
    await it.vault.tenant('acme').subject('gone').shred()
    await people.updateOne({ _id: 'gone' }, { plan: 'gone' })

    expect(await failed).toBe('told')
    await closed
    expect(failing.closed).toBe(true)
    const isUpdate = ({ operationType }: Document): boolean => operationType === 'update'
    while (!told.some(isUpdate)) await after(20)
    expect(told.find(isUpdate)).toMatchObject({ fullDocument: { _id: 'gone', name: SHREDDED } })
    await marking.close()
  })

  test('says at once what it refuses', async () => {
    expect(() => people.watch()).toThrow('fullDocument')
    expect(() => people.watch([{ $project: { name: 1 } }], LOOKUP)).toThrow('$project')
    expect(() => people.watch([], { ...LOOKUP, unknown: true } as never)).toThrow('unknown')
    // Nothing was left to fail later.
    await after(20)
  })

  test('gives those of a discriminator alone', async () => {
    const child = people.discriminator('Child', new Schema({ secret: { type: String, encrypted: true } })) as unknown as AnyModel
    const changes = child.watch([], LOOKUP) as Changes
    const first = changes.next()
    await after(200)
    await added()
    await child.create({ _id: 'child', orgId: 'acme', name: CANARY, secret: CANARY })

    expect(await first).toMatchObject({ fullDocument: { _id: 'child', secret: CANARY } })
    await changes.close()
  })
})
