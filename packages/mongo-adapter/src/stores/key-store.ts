/** The key store of a service that runs on several machines. */

import {
  decryptFailed,
  invalidArgument,
  type KeyStore,
  type KeyStoreRecord,
  type NodeRecord,
  randomBytes,
  StrongroomError,
  type WrappingKeyRecord,
} from '@strongroom/core'
import { Binary, BSON, type Filter } from 'mongodb'

import { failuresOf, isDuplicate } from './failures.ts'
import { checkColumns, listingOf, placeOf } from './key-places.ts'
import { type MongoStoreOptions, openCollection, type Stored } from './options.ts'
import { type DeclaredIndex, preparationOf } from './preparation.ts'
import { decodeRecord, encodeRecord } from './record-documents.ts'
import { watchKeys } from './watch-keys.ts'

/** A record, and the write that it is of: 16 random bytes. */
export interface StoredRecord extends Stored {
  readonly write: Binary
  readonly record: object
}

const COLLECTION = 'strongroom_keys'
const MAX_PAGE = 10_000
// What a document may be, less what a command has around it.
const MAX_DOCUMENT = 16 * 2 ** 20 - 16_384

// One for each kind of query, so that each is answered in the order of primary keys without reading what is not in the answer.
const INDEXES: readonly DeclaredIndex[] = [
  { name: 'strongroom_tenant', key: { 'record.tenantRef': 1, _id: 1 } },
  { name: 'strongroom_parent', key: { 'record.parentRef': 1, _id: 1 } },
  { name: 'strongroom_tenant_parent', key: { 'record.tenantRef': 1, 'record.parentRef': 1, _id: 1 } },
]

/** A key store on MongoDB, and what only such a one has. */
export interface MongoKeyStore extends KeyStore {
  /** Makes the collection and its indexes. `initVault` calls it. */
  prepare(): Promise<void>
  watch(onChange: Parameters<NonNullable<KeyStore['watch']>>[0]): () => void
}

/**
 * A key store in one collection of MongoDB, `strongroom_keys` unless named. It reads from the primary with majority read concern and writes
 * with majority write concern, whatever the URI says, and never in a session or transaction of yours.
 *
 * Each vault has a store object of its own: by it a process knows its own writes from those of others.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
 * import { MongoClient } from 'mongodb'
 *
 * const client = new MongoClient('mongodb://localhost:27017')
 * const stores = {
 *   keyStore: mongoKeyStore({ db: client.db('strongroom_keys') }),
 *   stateStore: mongoStateStore({ db: client.db('strongroom_state') }),
 *   close: () => client.close(),
 * }
 * ```
 */
export function mongoKeyStore(options: MongoStoreOptions): MongoKeyStore {
  const collection = openCollection<StoredRecord>(options, COLLECTION)
  const failures = failuresOf('key_store_unavailable', 'key store')
  const preparation = preparationOf(collection, INDEXES, failures)
  const changes = watchKeys(collection)

  async function replace(document: StoredRecord, revision: number): Promise<boolean> {
    const { _id } = document
    if (revision > 1) {
      const filter: Filter<StoredRecord> = { _id, 'record.revision': revision - 1 }
      return (await collection.replaceOne(filter, document)).matchedCount === 1
    }
    try {
      await collection.insertOne(document)
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  // The driver sends a write again whose answer was lost, and may meet the write itself.
  async function isThere({ _id, write }: StoredRecord): Promise<boolean> {
    return (await collection.findOne({ _id, write }, { projection: { _id: 1 } })) !== null
  }

  return {
    prepare: preparation.prepare,

    async get(keys) {
      if (keys.length > MAX_PAGE) throw invalidArgument('keys', `must be at most ${MAX_PAGE}`)
      const places = keys.map(placeOf)
      const distinct = [...new Set(places)]
      if (distinct.length === 0 || !(await preparation.isPrepared())) return keys.map(() => undefined)
      const found = await failures.reading(() => collection.find({ _id: { $in: distinct } }, { batchSize: MAX_PAGE }).toArray())
      const byPlace = new Map(found.map((document) => [document._id, document]))
      // Decoded for each: what a caller was given is the caller's.
      return places.map((place) => {
        const document = byPlace.get(place)
        return document && recordIn(document)
      })
    },

    async put(record) {
      if (!Number.isSafeInteger(record.revision) || record.revision < 1) {
        throw invalidArgument('revision', 'must be a whole number from 1')
      }
      checkColumns(record)
      const { revision } = record
      const document = { _id: placeOf(record), write: new Binary(randomBytes(16)), record: encodeRecord(record) }
      if (BSON.calculateObjectSize(document) > MAX_DOCUMENT) throw invalidArgument('record', 'must be smaller than 16 MiB')
      await preparation.requirePrepared()
      changes.own(document.write)
      const written = await failures.writing(async () => (await replace(document, revision)) || (await isThere(document)))
      if (written) return
      changes.disown(document.write)
      throw new StrongroomError('conflict', 'the record was written by another; read it again')
    },

    async scan(query) {
      const { limit } = query
      if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
        throw invalidArgument('limit', `must be a whole number from 1 to ${MAX_PAGE}`)
      }
      const listing = listingOf(query)
      if (!(await preparation.isPrepared())) return []
      const page = await failures.reading(() =>
        collection
          .find(listing as Filter<StoredRecord>, { limit, batchSize: limit })
          .sort({ _id: 1 })
          .toArray(),
      )
      return page.map((document) => recordIn(document) as NodeRecord | WrappingKeyRecord)
    },

    watch: changes.watch,
  }
}

function recordIn(document: StoredRecord): KeyStoreRecord {
  const record = decodeRecord(document.record)
  if (placeIn(record) !== document._id) throw decryptFailed()
  return record
}

function placeIn(record: KeyStoreRecord): string | undefined {
  try {
    return placeOf(record)
  } catch {
    return undefined
  }
}
