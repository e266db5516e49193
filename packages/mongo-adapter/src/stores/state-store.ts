/** The state store of a service that runs on several machines. */

import { type DueEntry, invalidArgument, randomBytes, type StateEntry, type StateStore, StrongroomError } from '@strongroom/core'
import type { Binary, Filter } from 'mongodb'

import { failuresOf, isDuplicate } from './failures.ts'
import { type MongoStoreOptions, openCollection, type Stored } from './options.ts'
import { type DeclaredIndex, preparationOf } from './preparation.ts'
import { binary, bytesOf } from './record-documents.ts'
import { checkNamespace, pageOf, partOfKey, placeOf } from './state-places.ts'

interface StoredEntry extends Stored {
  readonly namespace: string
  readonly key: string
  readonly value: Binary
  /** Random: no two writes have the same. */
  readonly version: string
  readonly due?: number
}

const COLLECTION = 'strongroom_state'
const MAX_VALUE = 2 ** 20
const MAX_PAGE = 10_000

const INDEXES: readonly DeclaredIndex[] = [
  { name: 'strongroom_due', key: { namespace: 1, due: 1, key: 1 }, partialFilterExpression: { due: { $exists: true } } },
]

/** A state store on MongoDB, which has to be prepared. */
export interface MongoStateStore extends StateStore {
  /** Makes the collection and its index. `initVault` calls it, and so does `repairLedger`. */
  prepare(): Promise<void>
}

/**
 * A state store in one collection of MongoDB, `strongroom_state` unless named. It reads and writes as {@link mongoKeyStore} does. Keep its
 * backups apart from the key store's: a database of its own makes that easy.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { mongoStateStore } from '@strongroom/mongo-adapter'
 * import { MongoClient } from 'mongodb'
 *
 * const client = new MongoClient('mongodb://localhost:27017')
 * const stateStore = mongoStateStore({ db: client.db('strongroom_state') })
 * ```
 */
export function mongoStateStore(options: MongoStoreOptions): MongoStateStore {
  const collection = openCollection<StoredEntry>(options, COLLECTION)
  const failures = failuresOf('state_store_unavailable', 'state store')
  const preparation = preparationOf(collection, INDEXES, failures)

  async function replace(document: StoredEntry, expected: string): Promise<boolean> {
    if (expected !== 'absent') return (await collection.replaceOne({ _id: document._id, version: expected }, document)).matchedCount === 1
    try {
      await collection.insertOne(document)
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  // The driver sends a write again whose answer was lost, and may meet the write itself.
  async function isThere({ _id, version }: StoredEntry): Promise<boolean> {
    return (await collection.findOne({ _id, version }, { projection: { _id: 1 } })) !== null
  }

  return {
    prepare: preparation.prepare,

    async get(namespace, key) {
      const _id = placeOf(namespace, key)
      if (!(await preparation.isPrepared())) return undefined
      const stored = await failures.reading(() => collection.findOne({ _id }))
      if (stored === null) return undefined
      const { value, version } = entryIn(stored)
      return { value, version }
    },

    async put(namespace, key, value, { expected, due }) {
      const _id = placeOf(namespace, key)
      if (!(value instanceof Uint8Array) || value.length > MAX_VALUE) throw invalidArgument('value', `must be at most ${MAX_VALUE} bytes`)
      checkVersion(expected)
      if (due !== undefined) checkInstant(due, 'due')
      const version = Buffer.from(randomBytes(16)).toString('hex')
      const document = { _id, namespace, key, value: binary(value), version, ...(due === undefined ? {} : { due }) }
      await preparation.requirePrepared()
      const written = await failures.writing(async () => (await replace(document, expected)) || (await isThere(document)))
      if (!written) throw conflict()
      return version
    },

    async delete(namespace, key, { expected }) {
      const _id = placeOf(namespace, key)
      checkVersion(expected)
      await preparation.requirePrepared()
      const { deletedCount } = await failures.writing(() => collection.deleteOne({ _id, version: expected }))
      if (deletedCount !== 1) throw conflict()
    },

    async due(namespace, before, limit, after) {
      checkNamespace(namespace)
      checkInstant(before, 'before')
      checkLimit(limit)
      const filter = { namespace, due: { $lte: before }, ...(after === undefined ? {} : behind(after)) } as Filter<StoredEntry>
      if (!(await preparation.isPrepared())) return []
      const page = await failures.reading(() => collection.find(filter, { limit, batchSize: limit }).sort({ due: 1, key: 1 }).toArray())
      return page.map((stored) => ({ ...entryIn(stored), due: dueIn(stored) }))
    },

    async scan(namespace, prefix, { after, limit }) {
      const bounds = pageOf(namespace, prefix, after)
      checkLimit(limit)
      if (!(await preparation.isPrepared())) return []
      const page = await failures.reading(() => collection.find({ _id: bounds }, { limit, batchSize: limit }).sort({ _id: 1 }).toArray())
      return page.map(entryIn)
    },
  }

  function entryIn(stored: StoredEntry): StateEntry {
    const { _id, namespace, key, version } = stored
    if (typeof version !== 'string' || placeIn(namespace, key) !== _id) throw failures.unusable('an entry of it was altered')
    try {
      return { key, value: bytesOf(stored.value), version }
    } catch {
      throw failures.unusable('an entry of it was altered')
    }
  }

  function dueIn({ due }: StoredEntry): DueEntry['due'] {
    if (!Number.isSafeInteger(due)) throw failures.unusable('an entry of it was altered')
    return due as number
  }
}

// What comes after an entry in the order of the index.
function behind({ due, key }: Pick<DueEntry, 'due' | 'key'>): object {
  checkInstant(due, 'after')
  return { $or: [{ due: { $gt: due } }, { due, key: { $gt: partOfKey(key, 'after') } }] }
}

function placeIn(namespace: string, key: string): string | undefined {
  try {
    return placeOf(namespace, key)
  } catch {
    return undefined
  }
}

function checkVersion(expected: string): void {
  if (typeof expected !== 'string' || expected === '') throw invalidArgument('expected', "must be a version or 'absent'")
}

function checkInstant(instant: number, argument: string): void {
  if (!Number.isSafeInteger(instant) || instant < 0) throw invalidArgument(argument, 'must be UTC milliseconds, a whole number from 0')
}

function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw invalidArgument('limit', `must be a whole number from 1 to ${MAX_PAGE}`)
  }
}

function conflict(): StrongroomError {
  return new StrongroomError('conflict', 'the entry was written by another; read it again')
}
