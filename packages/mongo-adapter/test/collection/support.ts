// What the tests of encrypted collections stand on: a vault in memory, a collection on a server, and every command that was sent to it.
import { randomUUID } from 'node:crypto'
import { initVault, type Access, openVault, type Vault } from '@strongroom/core'
import { type ManualClock, manualClock, memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encrypted, encryptedCollection, type EncryptedCollection, type OnShredded, type Shreddable } from '@strongroom/mongo-adapter'
import { type Collection, type CommandStartedEvent, type Document, MongoClient, type MongoClientOptions } from 'mongodb'
import { afterAll } from 'vitest'
import { z } from 'zod'

import { uri } from '../support.ts'

/** The address of a server; without one the tests that need it are skipped. */
export { uri }

export const User = z.object({
  _id: z.string(),
  orgId: z.string(),
  plan: z.string().optional(),
  email: encrypted(z.email(), { index: { scope: 'application', unique: true, normalize: 'email' } }).nullish(),
  name: encrypted(z.string()).optional(),
  age: encrypted(z.number(), { index: { scope: 'tenant' } }).optional(),
  address: z.object({ street: encrypted(z.string()), city: z.string() }).optional(),
  phones: z.array(encrypted(z.string(), { index: { scope: 'tenant', normalize: 'phone' } })).optional(),
  notes: z.array(z.object({ title: z.string(), text: encrypted(z.string()) })).optional(),
})

export type Person = z.output<typeof User>

export interface World {
  readonly vault: Vault
  /** Typed as by the driver, since what does not compile is asked for as well. */
  readonly users: EncryptedCollection<Person, Shreddable<typeof User>>
  /** As it is stored. */
  readonly stored: Collection<Document & { _id: string }>
  /** What was sent to the server since it was last emptied, as text. */
  readonly commands: CommandStartedEvent[]
  readonly accesses: Access[]
  readonly client: MongoClient
  /** What the servers answers to whoever knows nothing of encryption, on documents that are not encrypted. */
  readonly plain: Collection<Person>
  /** The same collection in another process, that has loaded no keys. */
  reopen(): Promise<World['users']>
  readonly clock: ManualClock
  readonly keyStore: ReturnType<typeof memoryKeyStore>
  /** Queries to the key store since it was last set to 0. */
  readonly queries: { count: number }
  /** Records written to the key store since it was last set to 0. */
  readonly puts: { count: number }
  /** Calls of the key provider since it was last set to 0. */
  readonly provider: { count: number }
}

export interface WorldOptions {
  readonly client?: MongoClientOptions
  readonly validate?: boolean
  readonly shredded?: OnShredded
}

/** The commands about data that were sent. */
export const dataCommands = ({ commands }: World): readonly string[] =>
  commands.map(({ commandName }) => commandName).filter((name) => !['endSessions', 'killCursors'].includes(name))

const clients: MongoClient[] = []

export async function world({ client: clientOptions, ...collectionOptions }: WorldOptions = {}): Promise<World> {
  const client = new MongoClient(uri as string, { ...clientOptions, monitorCommands: true })
  clients.push(client)
  const commands: CommandStartedEvent[] = []
  client.on('commandStarted', (event) => commands.push(event))
  const keyStore = memoryKeyStore()
  const queries = { count: 0 }
  const puts = { count: 0 }
  const counted: typeof keyStore = {
    ...keyStore,
    get: (keys) => (queries.count++, keyStore.get(keys)),
    scan: (query) => (queries.count++, keyStore.scan(query)),
    put: (record) => (puts.count++, keyStore.put(record)),
  }
  const accesses: Access[] = []
  const provider = { count: 0 }
  const own = memoryKeyProvider()
  const countedProvider: typeof own = {
    ...own,
    wrap: (...given) => (provider.count++, own.wrap(...given)),
    unwrap: (...given) => (provider.count++, own.unwrap(...given)),
  }
  const clock = manualClock(Date.UTC(2030, 0, 1))
  const options = {
    keyProviders: { eu: countedProvider },
    defaultRegion: 'eu',
    keyStore: counted,
    stateStore: memoryStateStore(),
    clock,
    onAccess: (access: Access) => void accesses.push(access),
  }
  await initVault(options)
  const vault = await openVault(options)
  await vault.tenants.create('acme')
  await vault.tenants.create('rival')
  const db = client.db(`strongroom-test-${randomUUID()}`)
  const usersOf = (opened: Vault): World['users'] =>
    encryptedCollection(opened, db.collection('users'), {
      ...collectionOptions,
      schema: User,
      tenant: 'orgId',
      subject: '_id',
    }) as unknown as World['users']
  const users = usersOf(vault)
  await users.createIndexes()
  commands.length = 0
  return {
    client,
    reopen: async () => usersOf(await openVault(options)),
    vault,
    users,
    stored: db.collection('users'),
    commands,
    accesses,
    keyStore,
    queries,
    puts,
    clock,
    provider,
    plain: db.collection<Person>('plain'),
  }
}

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
})

/** A collection beside the others, whose documents may have members that its schema does not declare. */
export function looseUsers({ vault, client, stored }: World): EncryptedCollection<Document & { _id: string }> {
  const schema = z.looseObject({
    _id: z.string(),
    orgId: z.string(),
    email: encrypted(z.string(), { index: { scope: 'application' } }).optional(),
    inner: z.object({ city: z.string(), street: encrypted(z.string()) }).optional(),
  })
  const loose = encryptedCollection(vault, client.db(stored.dbName).collection('loose'), { schema, tenant: 'orgId', subject: '_id' })
  return loose as unknown as EncryptedCollection<Document & { _id: string }>
}

export const ada = {
  _id: 'ada',
  orgId: 'acme',
  plan: 'pro',
  email: 'Ada@Example.com',
  name: 'Canary-Lovelace',
  age: 36,
  address: { street: 'Canary Street 1', city: 'London' },
  phones: ['+44 20 7946 0001', '+44 20 7946 0002'],
  notes: [{ title: 'one', text: 'Canary note' }],
}
export const bob: Person = { _id: 'bob', orgId: 'acme', plan: 'free', email: 'bob@example.com', name: 'Canary-Bob', age: 36 }
export const rival: Person = { _id: 'eve', orgId: 'rival', plan: 'free', email: 'eve@example.com', name: 'Canary-Eve', age: 36 }
