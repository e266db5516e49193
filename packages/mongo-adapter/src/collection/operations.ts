/** Every method of the driver that an encrypted collection has, and what becomes of it: the one table. */

import { StrongroomError } from '@strongroom/core'

/** `works`, refused, or `own`: the driver's own affair, not for applications. */
export type Outcome = 'works' | Refused | 'own'

/** Refused with `unsupported_operation` before anything is sent. */
export interface Refused {
  /** What to do in its place. */
  readonly instead: string
}

export type Operations = Readonly<Record<string, Outcome>>

const SEARCH_INDEXES: Refused = { instead: 'dangerouslyUnwrap(), for plain paths' }
const MANY_WRITES: Refused = { instead: 'bulkWrite' }

export const COLLECTION: Operations = {
  dbName: 'works',
  collectionName: 'works',
  namespace: 'works',
  fullNamespace: 'own',
  readConcern: 'works',
  readPreference: 'works',
  writeConcern: 'works',
  bsonOptions: 'works',
  hint: { instead: 'the option hint of a call, or hint() of a cursor' },
  timeoutMS: 'works',
  find: 'works',
  findOne: 'works',
  insertOne: 'works',
  insertMany: 'works',
  updateOne: 'works',
  updateMany: 'works',
  replaceOne: 'works',
  deleteOne: 'works',
  deleteMany: 'works',
  findOneAndUpdate: 'works',
  findOneAndReplace: 'works',
  findOneAndDelete: 'works',
  bulkWrite: 'works',
  countDocuments: 'works',
  estimatedDocumentCount: 'works',
  distinct: 'works',
  createIndex: 'works',
  createIndexes: 'works',
  dropIndex: 'works',
  dropIndexes: 'works',
  listIndexes: 'works',
  indexInformation: 'works',
  drop: 'works',
  indexes: 'works',
  indexExists: 'works',
  isCapped: 'works',
  aggregate: 'works',
  count: { instead: 'countDocuments' },
  createSearchIndex: SEARCH_INDEXES,
  createSearchIndexes: SEARCH_INDEXES,
  dropSearchIndex: SEARCH_INDEXES,
  initializeOrderedBulkOp: MANY_WRITES,
  initializeUnorderedBulkOp: MANY_WRITES,
  listSearchIndexes: SEARCH_INDEXES,
  options: { instead: 'dangerouslyUnwrap().options(), which speaks in stored paths' },
  rename: { instead: 'dangerouslyUnwrap().rename(); encryptedCollection() has to be given the old name as context from then on' },
  updateSearchIndex: SEARCH_INDEXES,
  watch: 'works',
}

export const FIND_CURSOR: Operations = {
  next: 'works',
  hasNext: 'works',
  tryNext: 'works',
  toArray: 'works',
  forEach: 'works',
  close: 'works',
  closed: 'works',
  sort: 'works',
  limit: 'works',
  skip: 'works',
  project: 'works',
  batchSize: 'works',
  comment: 'works',
  maxTimeMS: 'works',
  allowDiskUse: 'works',
  stream: 'works',
  filter: 'works',
  hint: 'works',
  collation: 'works',
  map: 'works',
  clone: 'works',
  rewind: 'works',
  addCursorFlag: 'works',
  bufferedCount: 'works',
  readBufferedDocuments: 'works',
  withReadConcern: 'works',
  withReadPreference: 'works',
  id: 'works',
  killed: 'works',
  readConcern: 'works',
  readPreference: 'works',
  'Symbol(Symbol.asyncIterator)': 'works',
  'Symbol(nodejs.asyncDispose)': 'works',
  addQueryModifier: { instead: 'the options of find' },
  count: { instead: 'countDocuments' },
  explain: { instead: 'dangerouslyUnwrap().find().explain(), with a filter on plain paths' },
  max: { instead: 'a filter with $lt on a plain path' },
  maxAwaitTimeMS: { instead: 'maxTimeMS: no cursor waits for more documents' },
  min: { instead: 'a filter with $gte on a plain path' },
  returnKey: { instead: 'project' },
  showRecordId: { instead: '_id' },
  namespace: { instead: 'namespace of the collection' },
  ...all('own', 'client cleanup cursorInit emitClose fetchBatch getMore isDead loadBalanced'),
  ...all(
    'own',
    'emitAndLog emitAndLogCommand emitAndLogHeartbeat resolveExplainTimeoutOptions server session throwIfInitialized trackCursor transformDocument _initialize',
  ),
}

export const AGGREGATION_CURSOR: Operations = {
  ...all('works', 'next hasNext tryNext toArray forEach close closed addStage group limit lookup match project skip sort unwind map'),
  ...all('works', 'batchSize maxTimeMS stream clone rewind addCursorFlag bufferedCount readBufferedDocuments'),
  ...all('works', 'withReadConcern withReadPreference id killed readConcern readPreference'),
  ...all('works', 'Symbol(Symbol.asyncIterator) Symbol(nodejs.asyncDispose)'),
  explain: { instead: 'dangerouslyUnwrap().aggregate().explain(), of a pipeline on plain paths' },
  geoNear: { instead: 'dangerouslyUnwrap(), for plain paths' },
  out: { instead: 'insertMany of what was read' },
  redact: { instead: '$match and $unset' },
  namespace: { instead: 'namespace of the collection' },
  ...all('own', 'client cleanup cursorInit emitClose fetchBatch getMore isDead loadBalanced'),
  ...all(
    'own',
    'emitAndLog emitAndLogCommand emitAndLogHeartbeat resolveExplainTimeoutOptions server session throwIfInitialized trackCursor transformDocument _initialize',
  ),
}

export const CHANGE_STREAM: Operations = {
  ...all('own', '_setIsEmitter _setIsIterator _createChangeStreamCursor _closeEmitterModeWithError _streamEvents _endStream'),
  ...all(
    'own',
    'emitAndLog emitAndLogCommand emitAndLogHeartbeat _processChange _processErrorStreamMode _processErrorIteratorMode _resume',
  ),
  ...all('works', 'next tryNext hasNext close closed resumeToken bufferedCount stream'),
  ...all('works', 'Symbol(Symbol.asyncIterator) Symbol(nodejs.asyncDispose)'),
}

/** For what is refused whatever it is called with. @param instead - what to do in its place */
export function refusedOperation(what: string, instead: string): StrongroomError {
  return new StrongroomError(
    'unsupported_operation',
    `${what} does not work on encrypted collections; instead: ${instead} (docs/operations.md); nothing was sent`,
  )
}

/** For a method that a table refuses. @param of - what it is a method of, where that is not the collection */
export function refusedMethod(table: Operations, method: string, of = ''): StrongroomError {
  const outcome = table[method]
  if (typeof outcome !== 'object') throw new Error(`${method} is not refused`)
  return refusedOperation(`${method}${of}`, outcome.instead)
}

function all(outcome: Outcome, names: string): Operations {
  return Object.fromEntries(names.split(' ').map((name) => [name, outcome]))
}
