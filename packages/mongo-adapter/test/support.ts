/** What the tests of this package share: the server of the run, and databases that go away. */

import { randomUUID } from 'node:crypto'

import { type Db, MongoClient, type MongoClientOptions } from 'mongodb'
import { afterAll, inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** As tools/mongo-server/global-setup.mjs provides it. */
    mongoServer: { readonly uri: string | undefined; readonly description: string }
  }
}

/** The server's address; `undefined` if there is none: then the tests that need one are skipped. */
export const uri: string | undefined = inject('mongoServer').uri

const clients: MongoClient[] = []
const databases: Db[] = []

/** A client that is closed after the tests of this file. */
export function openClient(options: MongoClientOptions = {}, at: string = uri as string): MongoClient {
  const client = new MongoClient(at, options)
  clients.push(client)
  return client
}

/** An empty database that is dropped after the tests of this file. */
export function emptyDatabase(client: MongoClient): Db {
  const db = client.db(`strongroom-test-${randomUUID()}`)
  databases.push(db)
  return db
}

afterAll(async () => {
  await Promise.allSettled(databases.map((db) => db.dropDatabase()))
  await Promise.all(clients.map((client) => client.close()))
})
