/** What both stores are told, and how they speak to the server whatever the client was told. */

import { invalidArgument, readOptions } from '@strongroom/core'
import type { BSONSerializeOptions, Collection, CollectionOptions, Db } from 'mongodb'

/** Where a store keeps what it holds. */
export interface MongoStoreOptions {
  /**
   * A database of a connected client. It may be another than that of your data, and of another cluster; let the two stores have
   * backups of their own. The client stays yours: close it after the vault.
   */
  readonly db: Db
  /** The collection's name. It belongs to this store alone. */
  readonly collection?: string
  /** Milliseconds that one call may take; 10,000 unless given. */
  readonly timeout?: number
}

/** Documents have the primary key of what they hold as `_id`: unique by itself, and in the byte order of UTF-8. */
export interface Stored {
  readonly _id: string
}

const DEFAULT_TIMEOUT = 10_000

/** The collection of a store: primary and majority, and what is read comes as the store expects it, whatever URI and client say. */
export function openCollection<T extends Stored>(options: MongoStoreOptions, defaultName: string): Collection<T> {
  const { db, collection = defaultName, timeout = DEFAULT_TIMEOUT } = readOptions(options, ['db', 'collection', 'timeout'])
  if (typeof db !== 'object' || db === null || typeof db.collection !== 'function') {
    throw invalidArgument('db', 'must be a database of a MongoClient: client.db(name)')
  }
  // Names that begin with `system.` are the server's own.
  if (typeof collection !== 'string' || !/^(?!system\.)[A-Za-z_][A-Za-z0-9_.-]{0,119}$/.test(collection)) {
    throw invalidArgument('collection', 'must be a name of 1 to 120 letters, digits, _, - and dots that does not begin with system.')
  }
  if (!Number.isSafeInteger(timeout) || timeout < 1 || timeout > 600_000) {
    throw invalidArgument('timeout', 'must be a whole number from 1 to 600,000')
  }
  return db.collection<T>(collection, { ...BSON_AS_EXPECTED, ...PRIMARY_MAJORITY, timeoutMS: timeout })
}

const PRIMARY_MAJORITY = {
  readPreference: 'primary',
  readConcern: { level: 'majority' },
  writeConcern: { w: 'majority', journal: true },
} as const satisfies CollectionOptions

/** How BSON is read and written, whatever the client was told. */
export const BSON_AS_EXPECTED: BSONSerializeOptions = {
  raw: false,
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: false,
  useBigInt64: false,
  bsonRegExp: false,
  fieldsAsRaw: {},
  ignoreUndefined: true,
  serializeFunctions: false,
  checkKeys: false,
  enableUtf8Validation: true,
}
