// An epoch with both stores on a server, as docs/rotation-runbook.md has it: the marker is read from a copy of the key store in another
// database, and after the close it is that copy which opens what lives.
import { field, initVault, openVault, readEpochMarker, type Vault, type VaultOptions } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import type { Db, MongoClient } from 'mongodb'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { outcome, refusalOf } from '../refusals.ts'
import { emptyDatabase, openClient, uri } from '../support.ts'

const email = field('users', 'email', z.string())
const KEYS = 'strongroom_keys'

async function toEnd(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

/** Documents and indexes, as mongodump and mongorestore bring them. */
async function copyOf(from: Db, to: Db): Promise<Db> {
  const documents = await from.collection(KEYS).find({}, { promoteValues: false }).toArray()
  await to.collection(KEYS).insertMany(documents)
  const indexes = (await from.collection(KEYS).indexes()).filter(({ name }) => name !== '_id_')
  await to.collection(KEYS).createIndexes(indexes.map(({ name, key }) => ({ name: name as string, key: key as Record<string, 1> })))
  return to
}

describe.skipIf(uri === undefined)('on a server', () => {
  let client: MongoClient
  beforeAll(() => {
    client = openClient()
  })

  test('rotate, copy, read the marker from the copy, close; then restore', async () => {
    const [keys, state] = [emptyDatabase(client), emptyDatabase(client)]
    const options = (db: Db): VaultOptions => ({
      keyProviders: { eu: provider },
      defaultRegion: 'eu',
      keyStore: mongoKeyStore({ db }),
      stateStore: mongoStateStore({ db: state }),
      cacheBound: 100,
    })
    const provider = memoryKeyProvider()
    await initVault(options(keys))
    const vault = await openVault(options(keys))
    await vault.tenants.create('acme')
    const of = (on: Vault, name: string): ReturnType<ReturnType<Vault['tenant']>['subject']> => on.tenant('acme').subject(name)
    const stored = { ada: await of(vault, 'ada').encrypt(email, 'ada'), bob: await of(vault, 'bob').encrypt(email, 'bob') }
    const before = await copyOf(keys, emptyDatabase(client))
    await of(vault, 'bob').shred()

    await toEnd(vault.rotateRootKey())
    // A copy from before shows that it is one.
    expect(await readEpochMarker({ keyStore: mongoKeyStore({ db: before }), region: 'eu' })).toBeUndefined()
    const startedAt = Date.now()
    const restored = await copyOf(keys, emptyDatabase(client))
    const marker = await readEpochMarker({ keyStore: mongoKeyStore({ db: restored }), region: 'eu' })
    if (marker === undefined) throw new Error('in this copy no rotation of the region has ended')
    await toEnd(vault.closeEpoch({ region: 'eu', backup: { marker, startedAt }, rootBackup: true }))
    await vault.close()

    const again = await openVault(options(restored))
    expect(await of(again, 'ada').decrypt(email, stored.ada)).toBe('ada')
    expect(await outcome(() => of(again, 'bob').decrypt(email, stored.bob))).toBe('shredded')
    await again.close()
    // Of the older copy nothing opens any more.
    expect(await outcome(() => openVault(options(before)))).toBe('root_version_destroyed')
  })

  test('a database without the copy is refused, and not taken for an empty one', async () => {
    const error = await refusalOf(() => readEpochMarker({ keyStore: mongoKeyStore({ db: emptyDatabase(client) }), region: 'eu' }))
    expect([error.code, error.argument]).toEqual(['invalid_argument', 'region'])
  })
})
