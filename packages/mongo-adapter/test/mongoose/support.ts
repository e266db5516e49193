// What the tests of models stand on: a vault in memory, connections of Mongoose's own copy behind a tap, and a client that sees what is stored.
import { randomUUID } from 'node:crypto'
import { initVault, openVault, StrongroomError, type Vault, type VaultOptions } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encryptedFields, type EncryptedFieldsOptions } from '@strongroom/mongo-adapter/mongoose'
import { BSON, type Document, MongoClient } from 'mongodb'
import mongoose, { type Connection, type Model, type Mongoose, type Schema } from 'mongoose'
import { afterAll, expect } from 'vitest'

import { openTap, type Tap } from '../proof/tap.ts'
import { uri } from '../support.ts'
import { findings, hearConnection, hearDebug, hearProcess, TALKATIVE, thrownBy, witness } from './heard.ts'

export { CANARY } from './heard.ts'
export { uri }

/** Models of whatever documents: what is asked of them is what does not compile as well. */
export type AnyModel = Model<Document>

export interface World {
  readonly vault: Vault
  readonly base: Mongoose
  readonly connection: Connection
  readonly options: EncryptedFieldsOptions
  /** Another copy of Mongoose, heard as `base` is. */
  mongoose(): Mongoose
  /** A connection behind the tap that is not open yet, heard from the first. */
  unopened(base?: Mongoose): Connection
  open(connection: Connection, database?: string): Promise<Connection>
  /** A connection to the same server, behind the tap. */
  connect(database?: string, base?: Mongoose): Promise<Connection>
  /** A connection that nobody listens to, of a Mongoose and to a database of its own: for models that are not encrypted. */
  plain(): Promise<Connection>
  encrypt(schema: Schema, options?: Partial<EncryptedFieldsOptions>): Schema
  /** The documents as they are stored. */
  stored(collection: string, database?: string): Promise<readonly Document[]>
  /** Everything that the database holds, as text. */
  everything(): Promise<string>
}

interface Opened {
  readonly tap: Tap
  readonly client: MongoClient
  /** Databases whose documents are searched. */
  readonly searched: Set<string>
  readonly dropped: Set<string>
}

const opened: Opened[] = []
const connections: Connection[] = []
const silence = hearProcess()

export async function world(more: Partial<VaultOptions> = {}): Promise<World> {
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
  const [tap, client] = [await openTap(uri as string), new MongoClient(uri as string)]
  const [searched, dropped] = [new Set([dbName]), new Set([dbName])]
  opened.push({ tap, client, searched, dropped })

  const newMongoose = (): Mongoose => {
    const base = new mongoose.Mongoose()
    hearDebug(base)
    return base
  }
  const base = newMongoose()
  const unopened: World['unopened'] = (of = base) => {
    const connection = hearConnection(of.createConnection())
    connections.push(connection)
    return connection
  }
  const open: World['open'] = (connection, database = dbName) => {
    for (const names of [searched, dropped]) names.add(database)
    return connection.openUri(tap.uri, { ...TALKATIVE, dbName: database })
  }
  const connect: World['connect'] = (database, of) => open(unopened(of), database)
  const options = { vault, tenant: 'orgId', subject: '_id' }
  const stored: World['stored'] = (name, database = dbName) => client.db(database).collection(name).find().toArray()
  return {
    vault,
    base,
    connection: await connect(),
    options,
    mongoose: newMongoose,
    unopened,
    open,
    connect,
    async plain() {
      const database = `strongroom-test-${randomUUID()}`
      dropped.add(database)
      const connection = await new mongoose.Mongoose().createConnection(uri as string, { dbName: database }).asPromise()
      connections.push(connection)
      return connection
    },
    encrypt: (schema, given = {}) => schema.plugin(encryptedFields, { ...options, ...given }),
    stored,
    async everything() {
      return (await documentsOf(client, dbName)).map((bytes) => bytes.toString('latin1')).join('\n')
    },
  }
}

async function documentsOf(client: MongoClient, database: string): Promise<readonly Buffer[]> {
  const names = (await client.db(database).listCollections().toArray()).map(({ name }) => name)
  const documents = await Promise.all(names.map((name) => client.db(database).collection(name).find().toArray()))
  return documents.flat().map((document) => Buffer.from(BSON.serialize(document)))
}

/** What a refused call says. */
export async function refusal(call: () => unknown): Promise<string | undefined> {
  const error = await thrownBy(call)
  if (error === undefined) return undefined
  return error instanceof StrongroomError ? error.code : `${(error as Error).name}: ${(error as Error).message}`
}

/** What a call fails with. */
export async function failure(call: () => unknown): Promise<Error & Readonly<Record<string, unknown>>> {
  const error = await thrownBy(call)
  if (error === undefined) throw new Error('it did not fail')
  return error as Error & Readonly<Record<string, unknown>>
}

/** A model of a connection, of whatever documents. */
export function modelOf(connection: Connection, name: string, schema: Schema): AnyModel {
  return connection.model(name, schema) as unknown as AnyModel
}

/** Brings what went over the lines, and what is stored, to the witness. */
export async function gather(): Promise<void> {
  for (const { tap, client, searched } of opened) {
    const { sent, received } = tap.heard()
    for (const bytes of sent) witness.bytes('sent', 'a connection', bytes)
    for (const bytes of received) witness.bytes('received', 'a connection', bytes)
    for (const database of searched) for (const bytes of await documentsOf(client, database)) witness.bytes('stored', database, bytes)
  }
}

/** Forgets what was heard, and what the lines have carried. */
export function forget(): void {
  witness.forget()
  for (const { tap } of opened) tap.clear()
}

/** Nothing has come out since the last time. */
export async function expectSilence(): Promise<void> {
  await gather()
  expect(findings()).toEqual([])
  forget()
}

// Of every file of tests, all that its encrypted models did.
afterAll(async () => {
  try {
    await expectSilence()
  } finally {
    silence()
    await Promise.allSettled(opened.flatMap(({ client, dropped }) => [...dropped].map((name) => client.db(name).dropDatabase())))
    await Promise.all([...connections, ...opened.map(({ client }) => client)].map((each) => each.close()))
    await Promise.all(opened.map(({ tap }) => tap.close()))
  }
})
