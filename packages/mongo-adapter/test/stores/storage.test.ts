// What is stored and found: strict on the way back, refused where it is not as it was made, and no value in any error.
import { inspect } from 'node:util'

import { field, initVault, type KeyStoreRecord, openVault, StrongroomError } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { mongoKeyStore, type MongoStoreOptions, mongoStateStore } from '@strongroom/mongo-adapter'
import { Binary, type Db, Decimal128, type Document, Double, Int32, Long, type MongoClient, ObjectId, Timestamp } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { emptyDatabase, openClient, uri } from '../support.ts'
import { keyOf, node, reference } from './records.ts'

const email = field('users', 'email', z.string())

describe.skipIf(uri === undefined)('storage', () => {
  let client: MongoClient
  let db: Db
  beforeAll(() => {
    client = openClient()
  })
  beforeEach(() => {
    db = emptyDatabase(client)
  })
  const keys = () => db.collection<Document & { _id: string }>('strongroom_keys')
  const state = () => db.collection<Document & { _id: string }>('strongroom_state')

  async function refusal(call: Promise<unknown>): Promise<StrongroomError> {
    const error: unknown = await call.then(
      () => new Error('it resolved'),
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof StrongroomError)) throw error
    return error
  }

  test('records are BSON that a person can read', async () => {
    const keyStore = mongoKeyStore({ db })
    await keyStore.prepare()
    await keyStore.put(node(reference(0xab)))
    const stored = await keys().findOne({ _id: `node:ab${'00'.repeat(15)}` }, { promoteBuffers: false })
    expect(Object.keys(stored ?? {})).toEqual(['_id', 'write', 'record'])
    expect(stored?.['record'].tenantRef).toEqual(new Binary(reference(3)))
    expect(stored?.['record'].versions[0].wrap).toBeInstanceOf(Binary)
    expect(stored?.['record'].versions[0].created).toBe(1_900_000_000_000)
  })

  test('what is of another form is decrypt_failed, and of that record alone', async () => {
    const keyStore = mongoKeyStore({ db })
    await keyStore.prepare()
    await keyStore.put(node(reference(1)))
    await keyStore.put(node(reference(2)))
    const at = { _id: `node:01${'00'.repeat(15)}` }
    const original = (await keys().findOne(at, { promoteBuffers: false })) as Document
    const wrong: readonly [path: string, value: unknown][] = [
      ['record', null],
      ['record', []],
      ['record', 'text'],
      ['record', new Binary(reference(1))],
      ['record.ref', new Binary(reference(1), 0x80)],
      ['record.ref', new Binary(reference(7))],
      ['record.ref', null],
      ['record.type', 'wrapping-key'],
      ['record.kind', Long.MAX_VALUE],
      ['record.kind', Decimal128.fromString('2')],
      ['record.region', new ObjectId()],
      ['record.region', /eu/],
      ['record.label', new Date()],
      ['record.label', new Timestamp({ t: 1, i: 1 })],
      ['record.versions.0.wrap', new Binary(new Uint8Array(73), 4)],
    ]
    for (const [path, value] of wrong) {
      await keys().updateOne(at, { $set: { [path]: value } })
      expect((await refusal(keyStore.get([keyOf(node(reference(1)))]))).code, path).toBe('decrypt_failed')
      expect((await keyStore.get([keyOf(node(reference(2)))])).length).toBe(1)
      await keys().replaceOne(at, original)
    }
    // Numbers of every type of BSON that hold the same whole number are the same.
    for (const value of [new Int32(2), new Double(2), Long.fromNumber(2)]) {
      await keys().updateOne(at, { $set: { 'record.kind': value } })
      expect(await keyStore.get([keyOf(node(reference(1)))])).toEqual([node(reference(1))])
    }
  })

  test('a damaged entry of the state store is no entry', async () => {
    const stateStore = mongoStateStore({ db })
    await stateStore.prepare()
    await stateStore.put('n', 'k', Uint8Array.of(1), { expected: 'absent', due: 1 })
    const wrong: readonly [path: string, value: unknown][] = [
      ['value', 'text'],
      ['value', new Binary(Uint8Array.of(1), 0x80)],
      ['version', 5],
      ['key', 'other'],
      ['namespace', 'n2'],
    ]
    for (const [path, value] of wrong) {
      const before = (await state().findOne({}, { promoteBuffers: false })) as Document
      await state().updateOne({}, { $set: { [path]: value } })
      expect((await refusal(stateStore.get('n', 'k'))).code, path).toBe('state_store_unavailable')
      expect((await refusal(stateStore.scan('n', '', { limit: 1 }))).code, path).toBe('state_store_unavailable')
      await state().replaceOne({}, before)
    }
    expect((await stateStore.due('n', 1, 1)).length).toBe(1)
  })

  test('before prepare there is nothing to read, and writes are refused', async () => {
    const [keyStore, stateStore] = [mongoKeyStore({ db }), mongoStateStore({ db })]
    expect(await keyStore.get([{ type: 'vault' }])).toEqual([undefined])
    expect(await keyStore.scan({ type: 'node', limit: 1 })).toEqual([])
    expect(await stateStore.get('n', 'k')).toBe(undefined)
    expect(await stateStore.due('n', 1, 1)).toEqual([])
    expect(await stateStore.scan('n', '', { limit: 1 })).toEqual([])
    const put = stateStore.put('n', 'k', Uint8Array.of(1), { expected: 'absent' })
    expect(await refusal(put)).toMatchObject({ code: 'state_store_unavailable', message: expect.stringContaining('prepare()') })
    expect((await refusal(stateStore.delete('n', 'k', { expected: '1' }))).code).toBe('state_store_unavailable')
    expect(await refusal(keyStore.put(node(reference(1))))).toMatchObject({ code: 'key_store_unavailable' })
    expect(await db.listCollections().toArray()).toEqual([])
    await keyStore.prepare()
    await keyStore.put(node(reference(1)))
  })

  test('without an index of its own, or with another under its name, a store refuses to work', async () => {
    await mongoKeyStore({ db }).prepare()
    await mongoStateStore({ db }).prepare()
    const read = () => mongoKeyStore({ db }).get([{ type: 'vault' }])
    expect(await read()).toEqual([undefined])
    await keys().dropIndex('strongroom_parent')
    expect(await refusal(read())).toMatchObject({ code: 'key_store_unavailable', message: expect.stringContaining('strongroom_parent') })
    await keys().createIndex({ 'record.parentRef': 1 }, { name: 'strongroom_parent' })
    expect((await refusal(read())).code).toBe('key_store_unavailable')
    await keys().dropIndex('strongroom_parent')
    await mongoKeyStore({ db }).prepare()
    expect(await read()).toEqual([undefined])
    await state().dropIndex('strongroom_due')
    expect(await refusal(mongoStateStore({ db }).get('n', 'k'))).toMatchObject({ code: 'state_store_unavailable' })
  })

  test('a collection with a collation is refused, by prepare as well', async () => {
    await db.createCollection('strongroom_keys', { collation: { locale: 'en', strength: 1 } })
    for (const call of [() => mongoKeyStore({ db }).prepare(), () => mongoKeyStore({ db }).get([{ type: 'vault' }])])
      expect(await refusal(call())).toMatchObject({ code: 'key_store_unavailable', message: expect.stringContaining('collation') })
  })

  test('what does not fit a document is refused before it is sent', async () => {
    const keyStore = mongoKeyStore({ db })
    await keyStore.prepare()
    const huge = node(reference(1), { label: new Uint8Array(16 * 2 ** 20) })
    expect(await refusal(keyStore.put(huge))).toMatchObject({ code: 'invalid_argument', argument: 'record' })
    expect((await refusal(keyStore.put({ ...node(reference(1)), extra: 1n } as unknown as KeyStoreRecord))).argument).toBe('record')
    expect(await keys().countDocuments()).toBe(0)
  })

  test('options that are wrong are named', () => {
    const wrong: readonly [options: object, argument: string][] = [
      [{}, 'db'],
      [{ db: {} }, 'db'],
      [{ db, collection: '' }, 'collection'],
      [{ db, collection: 'a$b' }, 'collection'],
      [{ db, collection: 'system.keys' }, 'collection'],
      [{ db, timeout: 0 }, 'timeout'],
      [{ db, colection: 'x' }, 'options'],
    ]
    for (const [options, argument] of wrong)
      for (const make of [mongoKeyStore, mongoStateStore])
        expect(() => make(options as MongoStoreOptions)).toThrow(expect.objectContaining({ code: 'invalid_argument', argument }))
  })

  test('a vault whose stores are on two databases, and the client’s own data on a third', async () => {
    const options = () => ({
      keyProviders: { eu: provider },
      defaultRegion: 'eu',
      keyStore: mongoKeyStore({ db, collection: 'keys' }),
      stateStore: mongoStateStore({ db: other, collection: 'state' }),
    })
    const provider = memoryKeyProvider()
    const other = emptyDatabase(openClient())
    expect((await refusal(openVault(options()))).code).toBe('vault_not_initialised')
    await initVault(options())
    expect((await refusal(initVault(options()))).code).toBe('already_exists')
    const vault = await openVault(options())
    await vault.tenants.create('acme')
    const alice = vault.tenant('acme').subject('alice')
    const stored = await alice.encrypt(email, 'ada@example.com')
    const second = await openVault(options())
    expect(await second.tenant('acme').subject('alice').decrypt(email, stored)).toBe('ada@example.com')
    await alice.shred()
    expect((await refusal(second.tenant('acme').subject('alice').decrypt(email, stored))).code).toBe('shredded')
    await vault.close()
    await second.close()
    expect((await db.listCollections().toArray()).map(({ name }) => name)).toEqual(['keys'])
    expect((await other.listCollections().toArray()).map(({ name }) => name)).toEqual(['state'])
  })

  test('no error holds a value: not of a document that the server refuses, nor of one it quotes', async () => {
    const keyStore = mongoKeyStore({ db })
    await keyStore.prepare()
    await keys().createIndex({ 'record.region': 1 }, { unique: true })
    await keyStore.put(node(reference(1), { region: 'MARK-4711' }))
    await keyStore.put(node(reference(2), { region: 'another' }))
    for (const put of [node(reference(3)), node(reference(2), { revision: 2 })]) {
      const error = await refusal(keyStore.put({ ...put, region: 'MARK-4711' }))
      expect(error).toMatchObject({ code: 'key_store_unavailable', cause: { message: expect.stringContaining('11000') } })
      expect(error.message).toContain('nothing was written')
      expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain('MARK')
    }
  })
})
