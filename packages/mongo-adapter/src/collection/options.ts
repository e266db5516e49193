/** Every option of the driver for each operation that works, and what becomes of it. What the driver adds does not compile until it is here. */

import { readOptions, StrongroomError } from '@strongroom/core'
import type {
  Abortable,
  AggregateOptions,
  BSONSerializeOptions,
  BulkWriteOptions,
  ChangeStreamOptions,
  CommandOperationOptions,
  CountDocumentsOptions,
  CreateIndexesOptions,
  DeleteOptions,
  DistinctOptions,
  DropCollectionOptions,
  DropIndexesOptions,
  EstimatedDocumentCountOptions,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  FindOptions,
  IndexInformationOptions,
  InsertOneOptions,
  OperationOptions,
  ReplaceOptions,
  Sort,
  UpdateOptions,
} from 'mongodb'

/** `works`, or refused with `unsupported_operation` before anything is sent. */
export type OptionOutcome = 'works' | 'refused'
export type OptionTable = Readonly<Record<string, OptionOutcome>>
type Table<T> = Readonly<Record<keyof T & string, OptionOutcome>>

// Functions are never stored; what `raw` gives could not be decrypted.
/** The driver's options about how what is read comes. */
export type BsonReading = 'promoteLongs' | 'promoteValues' | 'promoteBuffers' | 'useBigInt64' | 'bsonRegExp' | 'enableUtf8Validation'

const BSON_OF_WRITES: Table<BSONSerializeOptions> = {
  ignoreUndefined: 'works',
  ...refused('checkKeys', 'serializeFunctions', 'raw', 'fieldsAsRaw'),
  ...refused('useBigInt64', 'promoteLongs', 'promoteBuffers', 'promoteValues', 'bsonRegExp', 'enableUtf8Validation'),
}
const BSON_OF_READS: Table<BSONSerializeOptions> = {
  ...BSON_OF_WRITES,
  ...works('useBigInt64', 'promoteLongs', 'promoteBuffers', 'promoteValues', 'bsonRegExp', 'enableUtf8Validation'),
}
const COMMAND: Table<Omit<CommandOperationOptions, keyof BSONSerializeOptions>> = {
  ...works('session', 'readPreference', 'readConcern', 'collation', 'maxTimeMS', 'timeoutMS', 'comment'),
  ...refused('writeConcern', 'willRetryWrite', 'dbName', 'authdb', 'explain'),
}
const WRITE: Table<CommandOperationOptions> = {
  ...BSON_OF_WRITES,
  ...COMMAND,
  writeConcern: 'works',
  ...refused('readPreference', 'readConcern'),
}

export const FIND_OPTIONS: Table<FindOptions & Abortable & { readonly shredded?: unknown }> = {
  ...BSON_OF_READS,
  ...works('session', 'readPreference', 'readConcern', 'collation', 'maxTimeMS', 'timeoutMS', 'comment', 'signal', 'shredded'),
  ...works('sort', 'limit', 'skip', 'projection', 'hint', 'batchSize', 'allowDiskUse', 'allowPartialResults', 'noCursorTimeout'),
  ...refused('tailable', 'awaitData', 'maxAwaitTimeMS', 'oplogReplay', 'timeout', 'timeoutMode', 'singleBatch'),
  ...refused('returnKey', 'showRecordId', 'min', 'max', 'let', 'explain', 'willRetryWrite', 'dbName', 'authdb'),
}

export const AGGREGATE_OPTIONS: Table<AggregateOptions & Abortable & { readonly shredded?: unknown }> = {
  ...BSON_OF_READS,
  ...works('session', 'readPreference', 'readConcern', 'collation', 'maxTimeMS', 'timeoutMS', 'comment', 'signal', 'shredded'),
  ...works('hint', 'batchSize', 'allowDiskUse'),
  ...refused(
    'bypassDocumentValidation',
    'cursor',
    'maxAwaitTimeMS',
    'let',
    'out',
    'explain',
    'writeConcern',
    'willRetryWrite',
    'dbName',
    'authdb',
  ),
}

export const COUNT_OPTIONS: Table<CountDocumentsOptions & Abortable> = {
  ...BSON_OF_WRITES,
  ...COMMAND,
  ...works('skip', 'limit', 'hint', 'signal'),
  ...refused('allowDiskUse', 'batchSize', 'bypassDocumentValidation', 'cursor', 'maxAwaitTimeMS', 'let', 'out', 'explain'),
}

export const ESTIMATED_COUNT_OPTIONS: Table<EstimatedDocumentCountOptions> = { ...BSON_OF_WRITES, ...COMMAND, collation: 'refused' }

export const DISTINCT_OPTIONS: Table<DistinctOptions & { readonly shredded?: unknown }> = {
  ...BSON_OF_READS,
  ...COMMAND,
  ...works('hint', 'shredded'),
}

export const WATCH_OPTIONS: Table<ChangeStreamOptions & { readonly shredded?: unknown }> = {
  ...BSON_OF_READS,
  ...works('session', 'readPreference', 'readConcern', 'maxTimeMS', 'timeoutMS', 'comment', 'batchSize', 'maxAwaitTimeMS', 'shredded'),
  ...works('fullDocument', 'fullDocumentBeforeChange', 'resumeAfter', 'startAfter', 'startAtOperationTime'),
  // What is told of indexes and validators is in stored paths.
  ...refused('showExpandedEvents', 'collation', 'allowDiskUse', 'bypassDocumentValidation', 'cursor', 'explain', 'hint', 'let', 'out'),
  ...refused('timeoutMode', 'willRetryWrite', 'dbName', 'authdb'),
}

export const INSERT_OPTIONS: Table<InsertOneOptions> = {
  ...WRITE,
  bypassDocumentValidation: 'works',
  ...refused('forceServerObjectId', 'collation'),
}

export const INSERT_MANY_OPTIONS: Table<BulkWriteOptions> = {
  ...INSERT_OPTIONS,
  ordered: 'works',
  let: 'refused',
}

export const UPDATE_OPTIONS: Table<UpdateOptions & { readonly sort?: Sort }> = {
  ...WRITE,
  ...works('arrayFilters', 'bypassDocumentValidation', 'hint', 'sort', 'upsert'),
  let: 'refused',
}

export const UPDATE_MANY_OPTIONS: Table<UpdateOptions & { readonly sort?: Sort }> = { ...UPDATE_OPTIONS, sort: 'refused' }

export const REPLACE_OPTIONS: Table<ReplaceOptions> = {
  ...WRITE,
  ...works('bypassDocumentValidation', 'hint', 'sort', 'upsert'),
  let: 'refused',
}

export const FIND_ONE_AND_DELETE_OPTIONS: Table<FindOneAndDeleteOptions & { readonly shredded?: unknown }> = {
  ...WRITE,
  ...BSON_OF_READS,
  ...works('hint', 'sort', 'projection', 'includeResultMetadata', 'shredded'),
  let: 'refused',
}

export const FIND_ONE_AND_REPLACE_OPTIONS: Table<FindOneAndReplaceOptions & { readonly shredded?: unknown }> = {
  ...FIND_ONE_AND_DELETE_OPTIONS,
  ...works('bypassDocumentValidation', 'returnDocument', 'upsert'),
}

export const FIND_ONE_AND_UPDATE_OPTIONS: Table<FindOneAndUpdateOptions & { readonly shredded?: unknown }> = {
  ...FIND_ONE_AND_REPLACE_OPTIONS,
  arrayFilters: 'works',
}

export const BULK_WRITE_OPTIONS: Table<BulkWriteOptions> = INSERT_MANY_OPTIONS

export const DELETE_OPTIONS: Table<DeleteOptions> = { ...WRITE, hint: 'works', ...refused('ordered', 'let') }

/** Those of an index itself, beside those of the command that makes it. */
// The driver sends a write concern, of which its types do not know.
export const CREATE_INDEX_OPTIONS: Table<CreateIndexesOptions & Pick<CommandOperationOptions, 'writeConcern'>> = {
  ...BSON_OF_WRITES,
  ...COMMAND,
  ...works('unique', 'name', 'partialFilterExpression', 'sparse', 'hidden', 'expireAfterSeconds', 'commitQuorum', 'background', 'version'),
  writeConcern: 'works',
  ...works('default_language', 'language_override', 'textIndexVersion', '2dsphereIndexVersion', 'bits', 'min', 'max'),
  ...refused('weights', 'bucketSize', 'wildcardProjection', 'storageEngine', 'readPreference', 'readConcern'),
}

export const DROP_INDEX_OPTIONS: Table<DropIndexesOptions> = { ...WRITE, collation: 'refused' }

export const DROP_OPTIONS: Table<DropCollectionOptions> = { ...WRITE, ...refused('collation', 'encryptedFields') }

export const IS_CAPPED_OPTIONS: Table<OperationOptions> = {
  ...BSON_OF_WRITES,
  ...works('session', 'readPreference', 'timeoutMS'),
  willRetryWrite: 'refused',
}

export const LIST_INDEXES_OPTIONS: Table<IndexInformationOptions> = {
  ...BSON_OF_WRITES,
  ...works('session', 'readPreference', 'batchSize', 'maxTimeMS', 'timeoutMS', 'comment', 'full'),
  ...refused('readConcern', 'maxAwaitTimeMS', 'tailable', 'awaitData', 'noCursorTimeout', 'timeoutMode'),
}

/**
 * The options of a call, read once.
 *
 * @throws StrongroomError `invalid_argument` for what is no option, `unsupported_operation` naming one that does not work here
 */
export function readDriverOptions<T extends object>(options: T | undefined, table: OptionTable): Partial<T> {
  const read: Record<string, unknown> = readOptions(options as Record<string, unknown> | undefined, Object.keys(table))
  for (const [name, value] of Object.entries(read)) {
    if (table[name] === 'works') continue
    // As without it.
    if (value === false) delete read[name]
    else
      throw new StrongroomError(
        'unsupported_operation',
        `the option ${name} does not work here on encrypted collections; instead: leave it out (docs/operations.md); nothing was sent`,
      )
  }
  return read as Partial<T>
}

function works<K extends string>(...names: readonly K[]): Readonly<Record<K, 'works'>> {
  return Object.fromEntries(names.map((name) => [name, 'works'])) as Record<K, 'works'>
}

function refused<K extends string>(...names: readonly K[]): Readonly<Record<K, 'refused'>> {
  return Object.fromEntries(names.map((name) => [name, 'refused'])) as Record<K, 'refused'>
}
