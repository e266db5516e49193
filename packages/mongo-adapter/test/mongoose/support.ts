// What the tests of models stand on: a vault in memory, a connection of Mongoose's own copy, and a client that sees what is stored.
import { randomUUID } from 'node:crypto'
import { initVault, openVault, StrongroomError, type Vault, type VaultOptions } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encryptedFields, type EncryptedFieldsOptions } from '@strongroom/mongo-adapter/mongoose'
import { BSON, type Document, MongoClient } from 'mongodb'
import mongoose, { type Connection, type Model, type Schema } from 'mongoose'
import { afterAll } from 'vitest'

import { uri } from '../support.ts'

export { uri }

/** Models of whatever documents: what is asked of them is what does not compile as well. */
export type AnyModel = Model<Document>

export interface World {
  readonly vault: Vault
  readonly base: typeof mongoose
  readonly connection: Connection
  readonly options: EncryptedFieldsOptions
  /** A connection of the same Mongoose to the same server. */
  connect(database?: string): Promise<Connection>
  encrypt(schema: Schema, options?: Partial<EncryptedFieldsOptions>): Schema
  /** The documents as they are stored. */
  stored(collection: string, database?: string): Promise<readonly Document[]>
  /** Everything that the database holds, as text. */
  everything(): Promise<string>
}

const clients: { close(): Promise<void> }[] = []
const dropped: (() => Promise<unknown>)[] = []

export async function world(more: Partial<VaultOptions> = {}): Promise<World> {
  const base = new mongoose.Mongoose() as unknown as typeof mongoose
  const keys = {
    keyProviders: { eu: memoryKeyProvider() },
    defaultRegion: 'eu',
    keyStore: memoryKeyStore(),
    stateStore: memoryStateStore(),
    ...more,
  }
  await initVault(keys)
  const vault = await openVault(keys)
  await vault.tenants.create('acme')
  const dbName = `strongroom-test-${randomUUID()}`
  const client = new MongoClient(uri as string)
  clients.push(client)
  dropped.push(() => client.db(dbName).dropDatabase())
  const connect = async (database = dbName): Promise<Connection> => {
    const connection = await base.createConnection(uri as string, { dbName: database }).asPromise()
    clients.push(connection)
    return connection
  }
  const options = { vault, tenant: 'orgId', subject: '_id' }
  const stored = (name: string, database = dbName): Promise<readonly Document[]> => client.db(database).collection(name).find().toArray()
  return {
    vault,
    base,
    connection: await connect(),
    options,
    connect,
    encrypt: (schema, given = {}) => schema.plugin(encryptedFields, { ...options, ...given }),
    stored,
    async everything() {
      const all = await client.db(dbName).listCollections().toArray()
      const documents = await Promise.all(all.map(({ name }) => stored(name)))
      return documents
        .flat()
        .map((document) => Buffer.from(BSON.serialize(document)).toString('latin1'))
        .join('\n')
    },
  }
}

/** What a refused call says. */
export async function refusal(call: () => unknown): Promise<string | undefined> {
  try {
    await call()
  } catch (error) {
    return error instanceof StrongroomError ? error.code : `${(error as Error).name}: ${(error as Error).message}`
  }
  return undefined
}

/** A model of a connection, of whatever documents. */
export function modelOf(connection: Connection, name: string, schema: Schema): AnyModel {
  return connection.model(name, schema) as unknown as AnyModel
}

afterAll(async () => {
  await Promise.allSettled(dropped.map((drop) => drop()))
  await Promise.all(clients.map((client) => client.close()))
})
