// A vault on MongoDB and three collections: encrypted, plain, and plain with what the encrypted one stores.
import { randomBytes } from 'node:crypto'

import { CanonicalScalar, field, initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { encrypted, encryptedCollection, encryptedDb, mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { Binary, MongoClient } from 'mongodb'
import { z } from 'zod'

import { text } from '../fields.mjs'

const TENANT = 'acme'
const SUBTYPE = 0x80
const SIZES = { name: 16, street: 24, city: 32, phone: 48, note: 64 }

const Person = z.object({
  _id: z.string(),
  orgId: z.string(),
  userId: z.string(),
  plan: z.string(),
  email: encrypted(z.string(), { index: { scope: 'tenant', normalize: 'email' } }),
  name: encrypted(z.string()),
  street: encrypted(z.string()),
  city: encrypted(z.string()),
  phone: encrypted(z.string()),
  note: encrypted(z.string()),
})
/** What is joined, of the same person. */
const Order = z.object({ _id: z.string(), orgId: z.string(), userId: z.string(), of: z.string(), note: encrypted(z.string()) })
const NAMES = ['email', ...Object.keys(SIZES)]
const ORDER_NOTE = field('orders', 'note', z.string())
const FIELDS = NAMES.map((name) => field('people', name, z.string()))

/** @param uri - of the server that data and keys are on */
export async function openGround(uri) {
  const [data, keys] = [new MongoClient(uri), new MongoClient(uri, { monitorCommands: true })]
  const name = `bench_${randomBytes(4).toString('hex')}`
  const db = data.db(name)
  const provider = memoryKeyProvider()
  let queries = 0
  keys.on('commandStarted', ({ commandName }) => {
    if (['find', 'insert', 'update', 'aggregate', 'getMore'].includes(commandName)) queries++
  })
  const options = () => ({
    keyProviders: { eu: provider },
    defaultRegion: 'eu',
    keyStore: mongoKeyStore({ db: keys.db(`${name}_keys`) }),
    stateStore: mongoStateStore({ db: keys.db(`${name}_state`) }),
    maxCachedKeys: 50_000,
  })
  await initVault({ ...options(), cacheBound: 3_600_000 })
  const opened = []
  const open = async () => {
    const vault = await openVault(options())
    opened.push(vault)
    return vault
  }
  await (await open()).tenants.create(TENANT)
  return {
    db,
    open,
    tenant: (vault) => vault.tenant(TENANT),
    /** The encrypted view of a collection; values are bound to the context `people`, whatever its name. */
    people: (vault, collection) =>
      encryptedCollection(vault, db.collection(collection), { schema: Person, tenant: 'orgId', subject: 'userId', context: 'people' }),
    /** Two collections that pipelines join. */
    shop: (vault) =>
      encryptedDb(vault, db, {
        encrypted: { schema: Person, tenant: 'orgId', subject: 'userId', context: 'people' },
        encrypted_orders: { schema: Order, tenant: 'orgId', subject: 'userId', context: 'orders' },
      }),
    /** Calls of the key store and of the provider while something runs. */
    async counted(work) {
      const before = { queries, provider: provider.calls.wrap + provider.calls.unwrap }
      await work()
      return { queries: queries - before.queries, provider: provider.calls.wrap + provider.calls.unwrap - before.provider }
    },
    async close() {
      for (const vault of opened) await vault.close()
      await db.dropDatabase()
      for (const each of ['keys', 'state']) await keys.db(`${name}_${each}`).dropDatabase()
      await data.close()
      await keys.close()
    },
  }
}

/** Documents of so many people in turn, new ids each time. */
export function documents(count, subjects) {
  return Array.from({ length: count }, (_, i) => ({
    _id: randomBytes(12).toString('hex'),
    orgId: TENANT,
    userId: `user-${i % subjects}`,
    plan: 'pro',
    email: `${text(36).replaceAll(/[^a-z]/gi, 'a')}@example.com`,
    ...Object.fromEntries(Object.entries(SIZES).map(([name, size]) => [name, text(size)])),
  }))
}

/** An order for each of some documents. */
export function ordersOf(all) {
  return all.map(({ _id, orgId, userId }) => ({ _id: randomBytes(12).toString('hex'), orgId, userId, of: _id, note: text(SIZES.note) }))
}

/**
 * What somebody writes who has open keys and the driver, and no adapter: `{ sealed(document), search(email), opened(stored), openedOrder(stored) }`; and the calls
 * of the cipher that are in it, alone: `encrypt(document)` and `decrypt(stored)`.
 */
export async function byHand(vault, all) {
  const tenant = vault.tenant(TENANT)
  const index = await tenant.blindIndex({ domain: 'people.email', normalize: 'email' })
  const keys = new Map()
  for (const { userId } of all) if (!keys.has(userId)) keys.set(userId, await tenant.subject(userId).unlock())
  // Of all values of a document the record is the same: as in the adapter, it is made once.
  const bound = ({ _id }) => ({ record: CanonicalScalar.of(_id, '_id') })
  const search = (email) => new Binary(index.value(email), SUBTYPE)
  const encrypt = (document) => {
    const [own, options] = [keys.get(document.userId), bound(document)]
    const values = FIELDS.map((one, i) => own.encrypt(one, document[NAMES[i]], options))
    return { values, indexValue: index.value(document.email) }
  }
  const decrypt = (stored) => {
    const [own, options] = [keys.get(stored.userId), bound(stored)]
    return FIELDS.map((one, i) => own.decrypt(one, (stored[NAMES[i]].c ?? stored[NAMES[i]]).buffer, options))
  }
  return {
    encrypt,
    decrypt,
    search,
    /** One value of a document, as it is stored. */
    value: (document, name, value) =>
      new Binary(keys.get(document.userId).encrypt(FIELDS[NAMES.indexOf(name)], value, bound(document)), SUBTYPE),
    sealed(document) {
      const { values, indexValue } = encrypt(document)
      const sealed = { ...document }
      for (const [i, name] of NAMES.entries()) sealed[name] = new Binary(values[i], SUBTYPE)
      sealed.email = { c: sealed.email, i: new Binary(indexValue, SUBTYPE) }
      return sealed
    },
    opened(stored) {
      const opened = { ...stored }
      for (const [i, value] of decrypt(stored).entries()) opened[NAMES[i]] = value
      return opened
    },
    /** An order that was joined. */
    openedOrder(stored) {
      return { ...stored, note: keys.get(stored.userId).decrypt(ORDER_NOTE, stored.note.buffer, bound(stored)) }
    },
  }
}
