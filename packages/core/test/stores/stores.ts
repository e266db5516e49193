/**
 * The stores of a vault in a folder, for tests that run on either kind: embedded ones, or with `STRONGROOM_TEST_STORES=mongodb` those on
 * MongoDB. Of these the folder holds the names of their databases, one for each of the two stores.
 */

import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { backupLocalStore } from '@strongroom/store-local'
import { MongoClient } from 'mongodb'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** As tools/mongo-server/global-setup.mjs provides it. */
    mongoServer: { readonly uri: string | undefined; readonly description: string }
  }
}

export type StoreName = 'keys' | 'state'

const BOTH: readonly StoreName[] = ['keys', 'state']

/** Whether this run is on MongoDB. Read when it is asked: a file of tests may set it before it imports others. */
export function onMongoDB(): boolean {
  return process.env['STRONGROOM_TEST_STORES'] === 'mongodb'
}

interface Database {
  readonly uri: string
  readonly name: string
}

let connected: MongoClient | undefined
const made = new Set<string>()

function client(): MongoClient {
  const { uri, description } = inject('mongoServer')
  if (uri === undefined) throw new Error(description)
  return (connected ??= new MongoClient(uri))
}

function fileOf(directory: string, store: StoreName): string {
  return join(directory, store, 'mongodb.json')
}

function databaseOf(directory: string, store: StoreName): Database | undefined {
  const file = fileOf(directory, store)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Database) : undefined
}

async function makeDatabase(directory: string, store: StoreName): Promise<Database> {
  client()
  const database = { uri: inject('mongoServer').uri as string, name: `strongroom-test-${store}-${randomUUID()}` }
  made.add(database.name)
  await mkdir(join(directory, store), { recursive: true })
  await writeFile(fileOf(directory, store), JSON.stringify(database))
  return database
}

/** Makes a folder for the stores of a vault that is yet to be made. */
export async function makeStores(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  if (onMongoDB()) for (const store of BOTH) await makeDatabase(directory, store)
}

/** Copies a folder with its stores, which no process has open; `directory` is not there yet. */
export async function copyStores(from: string, directory: string): Promise<void> {
  await cp(from, directory, { recursive: true })
  for (const store of BOTH) if (databaseOf(from, store) !== undefined) await copyDatabase(from, directory, store)
}

/** Puts a copy of one store in the place of another, which no process has open. */
export async function replaceStore(from: string, directory: string, store: StoreName): Promise<void> {
  await removeStore(directory, store)
  await cp(join(from, store), join(directory, store), { recursive: true })
  if (databaseOf(from, store) !== undefined) await copyDatabase(from, directory, store)
}

/** Copies both stores as they are now, whoever has them open, and puts the copies in use. */
export async function backUpStores(from: string, directory: string): Promise<void> {
  await mkdir(directory)
  for (const store of BOTH) {
    if (databaseOf(from, store) !== undefined) await copyDatabase(from, directory, store)
    else {
      await backupLocalStore({ directory: from, store, to: join(directory, store) })
      await rm(join(directory, store, 'copy.json'))
    }
  }
}

// One query reads all of it; the tests hold writers back, or compare with what they had heard before.
async function copyDatabase(from: string, directory: string, store: StoreName): Promise<void> {
  const [source, target] = [databaseOf(from, store) as Database, await makeDatabase(directory, store)]
  const db = client().db(source.name)
  for (const { name } of await db.listCollections().toArray()) {
    const indexes = (await db.collection(name).indexes()).filter((index) => index.name !== '_id_')
    const copy = client()
      .db(target.name)
      .collection(name, { writeConcern: { w: 'majority' } })
    for (const { name: of, key, partialFilterExpression } of indexes)
      await copy.createIndex(key, { name: of as string, ...(partialFilterExpression === undefined ? {} : { partialFilterExpression }) })
    const documents = await db
      .collection(name, { promoteBuffers: false, readConcern: { level: 'majority' } })
      .find()
      .toArray()
    if (documents.length > 0) await copy.insertMany(documents)
  }
}

async function removeStore(directory: string, store: StoreName): Promise<void> {
  const database = databaseOf(directory, store)
  if (database !== undefined) {
    await client().db(database.name).dropDatabase()
    made.delete(database.name)
  }
  await rm(join(directory, store), { recursive: true, force: true })
}

/** Removes a folder with its stores. */
export async function removeStores(directory: string): Promise<void> {
  for (const store of BOTH) await removeStore(directory, store)
  await rm(directory, { recursive: true, force: true })
}

/** After the last test of a file: what is left on the server. */
export async function removeAllDatabases(): Promise<void> {
  for (const name of made) await client().db(name).dropDatabase()
  made.clear()
  await connected?.close()
  connected = undefined
}
