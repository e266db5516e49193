// Keys that are dropped between their opening and their use, because news of a change came: the batch is done again, and nothing of it is lost.
import { setTimeout } from 'node:timers/promises'

import { type KeyStore, initVault, openVault, type Vault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encryptedCollection } from '@strongroom/mongo-adapter'
import { describe, expect, test } from 'vitest'

import { withKeys } from '../../dist/collection/keys.js'
import { ada, bob, rival, uri, User, world } from './support.ts'

type News = Parameters<NonNullable<KeyStore['watch']>>[0]

/** Users in a vault that is told, so many times just before a key is used, that everything may have changed. */
async function interrupted() {
  const { client, commands } = await world()
  let tell: News = () => undefined
  const state = { times: 0, told: 0 }
  const options = {
    keyProviders: { eu: memoryKeyProvider() },
    defaultRegion: 'eu',
    keyStore: { ...memoryKeyStore(), watch: (news: News) => ((tell = news), () => undefined) },
    stateStore: memoryStateStore(),
    onAccess({ operation }: { readonly operation: string }) {
      if (!['encrypt', 'decrypt', 'index.value'].includes(operation) || state.told >= state.times) return
      state.told++
      tell(undefined)
    },
  }
  await initVault(options)
  const vault = await openVault(options)
  for (const tenant of ['acme', 'rival']) await vault.tenants.create(tenant)
  const users = encryptedCollection(vault, client.db(`dropped-${Date.now()}-${Math.random()}`.replaceAll('.', '')).collection('users'), {
    schema: User,
    tenant: 'orgId',
    subject: '_id',
  })
  // So that all keys are in memory.
  await users.insertMany([ada, bob, rival])
  commands.length = 0
  return { users, state, sent: () => commands.filter(({ commandName }) => ['insert', 'update', 'find'].includes(commandName)) }
}

describe.skipIf(uri === undefined)('keys that are dropped while a batch is opened', () => {
  test('are opened again: each call does what it would have done', async () => {
    const { users, state } = await interrupted()
    const again = (document: typeof ada): typeof ada => ({ ...document, _id: `${document._id}2`, email: `2${document.email}` })
    for (const call of [
      () => users.insertMany([again(ada)]),
      () => users.updateOne({ _id: 'ada', orgId: 'acme' }, { $set: { age: 37 } }),
      () => users.replaceOne({ _id: 'bob', orgId: 'acme' }, { ...bob, age: 40 }),
      () => users.findOne({ email: 'eve@example.com' }),
      () => users.find({ orgId: 'acme', age: 37 }).toArray(),
    ]) {
      Object.assign(state, { times: 2, told: 0 })
      await call()
      expect(state.told).toBe(2)
    }
    expect(await users.countDocuments({})).toBe(4)
    expect((await users.find().sort({ _id: 1 }).toArray()).map(({ age }) => age)).toEqual([37, 36, 40, 36])
  })

  test('again and again: refused, and nothing is sent', async () => {
    const { users, state, sent } = await interrupted()
    state.times = Infinity
    await expect(users.insertOne({ ...ada, _id: 'ada2', email: '2@example.com' })).rejects.toMatchObject({ code: 'handle_expired' })
    expect(sent()).toEqual([])
  })
})

// Of whichever kind the first failure is, the others are let go, also those that were still on their way.
test.each(['subject', 'index'])('a batch that cannot be opened keeps no key: %s', async (bad) => {
  let open = 0
  const handle = { dispose: () => void open-- }
  const later = async (what: string): Promise<typeof handle> => {
    if (what === bad) throw new Error('not there')
    await setTimeout(20)
    open++
    return handle
  }
  const tenant = { unlockMany: async () => [await later('subject')], findBlindIndex: () => later('index') }
  const index = { scope: 'tenant', domain: 'd', normalize: 'none', unique: false, key: 'd' } as const
  const needed = { owners: [{ tenant: 't', subject: 's' }], indexes: [{ index, tenant: 't' }], mint: false }
  await expect(withKeys({ tenant: () => tenant } as unknown as Vault, needed, () => 'used')).rejects.toThrow('not there')
  await setTimeout(50)
  expect(open).toBe(0)
})
