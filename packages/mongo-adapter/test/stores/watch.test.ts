// News of changed keys: in milliseconds where the server has change streams; where something may have been missed, everything is old.
import { randomUUID } from 'node:crypto'

import { field, initVault, type KeyStoreKey, openVault, type Vault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { type MongoKeyStore, mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { type Db, MongoClient } from 'mongodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { type OwnServer, startServer } from '../../../../tools/mongo-server/server.mjs'
import { emptyDatabase, openClient, uri } from '../support.ts'
import { node, reference } from './records.ts'

type News = readonly KeyStoreKey[] | 'everything'

/** What a watcher was told. */
class Watching {
  readonly heard: News[] = []
  readonly stop: () => void
  #changed: () => void = () => undefined

  constructor(store: MongoKeyStore) {
    this.stop = store.watch((keys) => {
      this.heard.push(keys ?? 'everything')
      this.#changed()
    })
  }

  /** Resolves when so many pieces of news were heard. */
  async count(count: number): Promise<readonly News[]> {
    while (this.heard.length < count) await new Promise<void>((resolve) => (this.#changed = resolve))
    return this.heard
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe.skipIf(uri === undefined)('watch', () => {
  let client: MongoClient
  let db: Db
  let watching: Watching | undefined
  beforeAll(() => {
    client = openClient()
  })
  beforeEach(() => {
    db = emptyDatabase(client)
  })
  afterEach(() => watching?.stop())

  test('tells of what others change, in order, and not of what this store does', async () => {
    const [own, other] = [mongoKeyStore({ db }), mongoKeyStore({ db })]
    await own.prepare()
    watching = new Watching(own)
    expect(await watching.count(1)).toEqual(['everything'])
    await own.put(node(reference(1)))
    await other.put(node(reference(1), { revision: 2 }))
    await own.put(node(reference(1), { revision: 3 }))
    await other.put(node(reference(2)))
    await other.put({ type: 'region', region: 'Größe', revision: 1, versions: [], current: 1, closing: 0 })
    expect(await watching.count(4)).toEqual([
      'everything',
      [{ type: 'node', ref: reference(1) }],
      [{ type: 'node', ref: reference(2) }],
      [{ type: 'region', region: 'Größe' }],
    ])
    await db.collection<{ _id: string }>('strongroom_keys').deleteOne({ _id: `node:02${'00'.repeat(15)}` })
    expect((await watching.count(5))[4]).toEqual([{ type: 'node', ref: reference(2) }])
    watching.stop()
    await other.put(node(reference(3)))
    await pause(300)
    expect(watching.heard.length).toBe(5)
  })

  test('tells of none of thousands of its own writes, nor of what it did not write', async () => {
    const [own, other] = [mongoKeyStore({ db }), mongoKeyStore({ db })]
    await own.prepare()
    watching = new Watching(own)
    await watching.count(1)
    const written = Array.from({ length: 3000 }, (_, i) => node(reference(i >> 8, i & 255)))
    await Promise.all(written.map((record) => own.put(record)))
    await expect(own.put(written[0] as (typeof written)[0])).rejects.toMatchObject({ code: 'conflict' })
    await other.put(node(reference(200)))
    expect(await watching.count(2)).toEqual(['everything', [{ type: 'node', ref: reference(200) }]])
  })

  test('what it does not know, and a collection that is dropped, make everything old', async () => {
    const store = mongoKeyStore({ db })
    await store.prepare()
    watching = new Watching(store)
    await watching.count(1)
    await db.collection<{ _id: string }>('strongroom_keys').insertOne({ _id: 'what is this' })
    expect((await watching.count(2))[1]).toBe('everything')
    await db.collection('strongroom_keys').drop()
    expect((await watching.count(3))[2]).toBe('everything')
    await store.prepare()
    const before = watching.heard.length
    // Once it follows again.
    while (!watching.heard.slice(before).some((news) => news !== 'everything')) {
      await mongoKeyStore({ db }).put(node(reference(watching.heard.length, Math.floor(Math.random() * 256), Date.now() & 255)))
      await pause(50)
    }
  })

  test('a shred in one process is known in another long before the cache bound', async () => {
    const email = field('users', 'email', z.string())
    const provider = memoryKeyProvider()
    const options = () => ({
      keyProviders: { eu: provider },
      defaultRegion: 'eu',
      keyStore: mongoKeyStore({ db }),
      stateStore: mongoStateStore({ db }),
      cacheBound: 3_600_000,
    })
    await initVault(options())
    const [here, there] = [await openVault(options()), await openVault(options())]
    await here.tenants.create('acme')
    const alice = (vault: Vault) => vault.tenant('acme').subject('alice')
    const stored = await alice(here).encrypt(email, 'ada')
    // Until both streams are open, and the keys are in the cache.
    await pause(1000)
    expect(await alice(there).decrypt(email, stored)).toBe('ada')
    await alice(here).shred()
    const start = Date.now()
    let said = ''
    while (said !== 'shredded' && Date.now() - start < 30_000)
      said = await alice(there)
        .decrypt(email, stored)
        .then(
          () => 'it reads',
          ({ code }: { code: string }) => code,
        )
    expect(said).toBe('shredded')
    await here.close()
    await there.close()
  })

  test('a server without change streams: nothing is told, and nothing fails', async () => {
    const store = mongoKeyStore({ db })
    await store.prepare()
    const silent = new Proxy(db, {
      get(target, property) {
        if (property !== 'collection') return Reflect.get(target, property) as unknown
        return (...args: Parameters<Db['collection']>) => {
          const collection = target.collection(...args)
          // As a server that stands alone answers.
          collection.watch = () => collection.aggregate([{ $noSuchStage: {} }]) as never
          return collection
        }
      },
    })
    watching = new Watching(mongoKeyStore({ db: silent }))
    await pause(500)
    await store.put(node(reference(1)))
    await pause(200)
    expect(watching.heard.filter((news) => news !== 'everything')).toEqual([])
    expect(watching.heard.length).toBeLessThanOrEqual(1)
  })
})

describe.skipIf(uri === undefined)('watch, and the server dies', () => {
  let server: OwnServer
  let client: MongoClient
  beforeAll(async () => {
    const started = await startServer()
    if (started.uri === undefined) throw new Error(started.description)
    server = started
    client = new MongoClient(server.uri)
  })
  afterAll(async () => {
    await client.close()
    await server.stop()
  })

  test('what is changed after it came back is told, or everything is old', async () => {
    const db = client.db(randomUUID())
    const [store, other] = [mongoKeyStore({ db, timeout: 60_000 }), mongoKeyStore({ db, timeout: 60_000 })]
    await store.prepare()
    const watching = new Watching(store)
    await watching.count(1)
    await other.put(node(reference(1)))
    await watching.count(2)
    await server.kill()
    await server.start()
    await other.put(node(reference(2)))
    const [, , next] = await watching.count(3)
    expect(next === 'everything' || next?.[0]?.type === 'node').toBe(true)
    // And it goes on.
    for (let i = 0; !watching.heard.slice(2).some((news) => news !== 'everything'); i++) {
      await other.put(node(reference(3, i)))
      await pause(100)
    }
    watching.stop()
  })
})
