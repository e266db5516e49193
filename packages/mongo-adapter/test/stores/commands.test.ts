// What the stores send: the primary and the majority, one command for each call, whatever URI, client and database were told.
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { type CommandStartedEvent, type Db, type MongoClient } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { emptyDatabase, openClient, uri } from '../support.ts'
import { keyOf, node, reference } from './records.ts'

const CARELESS = 'w=1&journal=false&readConcernLevel=local&readPreference=secondaryPreferred&retryWrites=false'

describe.skipIf(uri === undefined)('commands', () => {
  const sent: CommandStartedEvent[] = []
  let client: MongoClient
  let db: Db

  beforeAll(() => {
    const careless = `${uri}${uri?.includes('?') === true ? '&' : '?'}${CARELESS}`
    // The client also gives back BSON in a form that no store expects.
    client = openClient({ monitorCommands: true, promoteLongs: false, promoteValues: false, promoteBuffers: true }, careless)
    client.on('commandStarted', (event) => sent.push(event))
  })
  beforeEach(() => {
    db = emptyDatabase(client)
  })

  const names = (): readonly string[] => sent.map(({ commandName }) => commandName)

  async function open() {
    const stores = { keyStore: mongoKeyStore({ db }), stateStore: mongoStateStore({ db }) }
    await stores.keyStore.prepare()
    await stores.stateStore.prepare()
    sent.length = 0
    return stores
  }

  async function useAll({ keyStore, stateStore }: Awaited<ReturnType<typeof open>>): Promise<void> {
    await keyStore.put(node(reference(1)))
    await keyStore.put(node(reference(1), { revision: 2 }))
    await keyStore.get([keyOf(node(reference(1)))])
    await keyStore.scan({ type: 'node', limit: 10 })
    const first = await stateStore.put('n', 'k', Uint8Array.of(1), { expected: 'absent', due: 1 })
    const second = await stateStore.put('n', 'k', Uint8Array.of(1), { expected: first })
    await stateStore.get('n', 'k')
    await stateStore.scan('n', '', { limit: 10 })
    await stateStore.due('n', 1, 10)
    await stateStore.delete('n', 'k', { expected: second })
  }

  test('are of the primary and the majority', async () => {
    await useAll(await open())
    expect(names()).toEqual(['insert', 'update', 'find', 'find', 'insert', 'update', 'find', 'find', 'find', 'delete'])
    for (const { command, commandName } of sent) {
      expect(command['$readPreference'] ?? { mode: 'primary' }, commandName).toEqual({ mode: 'primary' })
      if (commandName === 'find') expect(command['readConcern'], commandName).toMatchObject({ level: 'majority' })
      else expect(command['writeConcern'], commandName).toEqual({ w: 'majority', j: true })
    }
  })

  test('are never in a session or transaction of the caller', async () => {
    const stores = await open()
    await client.withSession(async (session) => {
      await session.withTransaction(async () => {
        await db.collection('own').insertOne({ own: true }, { session })
        sent.length = 0
        await useAll(stores)
        for (const { command, commandName } of sent) {
          expect([commandName, command['autocommit'], command['startTransaction']]).toEqual([commandName, undefined, undefined])
          expect(command['lsid']).not.toEqual(session.id)
        }
        expect(sent.length).toBe(10)
      })
    })
  })

  test('one query reads a path of four records of three types, and one a batch of a thousand', async () => {
    const { keyStore } = await open()
    await keyStore.put(node(reference(1)))
    await keyStore.put(node(reference(2)))
    sent.length = 0
    const path = [
      ...[1, 2, 3].map((first) => ({ type: 'node', ref: reference(first) }) as const),
      { type: 'wrapping-key', id: reference(1) } as const,
      { type: 'region', region: 'eu' } as const,
      { type: 'vault' } as const,
    ]
    expect((await keyStore.get(path)).map((record) => record !== undefined)).toEqual([true, true, false, false, false, false])
    expect(names()).toEqual(['find'])
    const many = Array.from({ length: 1000 }, (_, i) => node(reference(9, i >> 8, i & 255)))
    for (let i = 0; i < many.length; i += 50) await Promise.all(many.slice(i, i + 50).map((record) => keyStore.put(record)))
    sent.length = 0
    expect((await keyStore.get(many.map(keyOf))).filter((record) => record !== undefined).length).toBe(1000)
    expect(names()).toEqual(['find'])
  })

  test('a conflict costs one more, which looks for the own write', async () => {
    const { keyStore, stateStore } = await open()
    await keyStore.put(node(reference(1)))
    sent.length = 0
    for (const revision of [1, 2, 2, 9]) await keyStore.put(node(reference(1), { revision })).catch(() => undefined)
    expect(names()).toEqual(['insert', 'find', 'update', 'update', 'find', 'update', 'find'])
    sent.length = 0
    await expect(stateStore.put('n', 'k', Uint8Array.of(1), { expected: 'another' })).rejects.toMatchObject({ code: 'conflict' })
    expect(names()).toEqual(['update', 'find'])
  })

  test('what is listed is found by an index, in its order', async () => {
    await (await open()).keyStore.put(node(reference(1)))
    const indexes = await db.collection('strongroom_keys').indexes()
    expect(Object.fromEntries(indexes.map(({ name, key }) => [name, Object.keys(key)]))).toEqual({
      _id_: ['_id'],
      strongroom_tenant: ['record.tenantRef', '_id'],
      strongroom_parent: ['record.parentRef', '_id'],
      strongroom_tenant_parent: ['record.tenantRef', 'record.parentRef', '_id'],
    })
  })
})
