/** Every method of the driver that an encrypted collection has, and what becomes of it: the one table. */

import { StrongroomError } from '@strongroom/core'

/** `works`, or refused with `unsupported_operation` before anything is sent; `own`: the driver's own affair, not for applications. */
export type Outcome = 'works' | 'refused' | 'own'

export const COLLECTION: Readonly<Record<string, Outcome>> = {
  dbName: 'works',
  collectionName: 'works',
  namespace: 'works',
  fullNamespace: 'own',
  readConcern: 'works',
  readPreference: 'works',
  writeConcern: 'works',
  bsonOptions: 'works',
  hint: 'refused',
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
  aggregate: 'refused',
  bulkWrite: 'refused',
  count: 'refused',
  createSearchIndex: 'refused',
  createSearchIndexes: 'refused',
  dropSearchIndex: 'refused',
  findOneAndDelete: 'refused',
  findOneAndReplace: 'refused',
  findOneAndUpdate: 'refused',
  initializeOrderedBulkOp: 'refused',
  initializeUnorderedBulkOp: 'refused',
  listSearchIndexes: 'refused',
  options: 'refused',
  rename: 'refused',
  updateSearchIndex: 'refused',
  watch: 'refused',
}

export const FIND_CURSOR: Readonly<Record<string, Outcome>> = {
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
  addQueryModifier: 'refused',
  count: 'refused',
  explain: 'refused',
  max: 'refused',
  maxAwaitTimeMS: 'refused',
  min: 'refused',
  returnKey: 'refused',
  showRecordId: 'refused',
  namespace: 'refused',
  ...all('own', 'client cleanup cursorInit emitClose fetchBatch getMore isDead loadBalanced'),
  ...all(
    'own',
    'emitAndLog emitAndLogCommand emitAndLogHeartbeat resolveExplainTimeoutOptions server session throwIfInitialized trackCursor transformDocument _initialize',
  ),
}

/** `aggregate` is refused, and with it every cursor that it gives. */
export const AGGREGATION_CURSOR: Readonly<Record<string, Outcome>> = {
  ...all(
    'own',
    'client cleanup cursorInit emitClose fetchBatch getMore id isDead killed loadBalanced namespace readConcern readPreference',
  ),
  ...all(
    'own',
    'emitAndLog emitAndLogCommand emitAndLogHeartbeat resolveExplainTimeoutOptions server session throwIfInitialized trackCursor transformDocument _initialize',
  ),
  ...all(
    'refused',
    'addCursorFlag addStage batchSize bufferedCount clone close closed explain forEach geoNear group hasNext limit lookup map',
  ),
  ...all('refused', 'match maxTimeMS next out project readBufferedDocuments redact rewind skip sort stream toArray tryNext unwind'),
  ...all('refused', 'withReadConcern withReadPreference Symbol(Symbol.asyncIterator) Symbol(nodejs.asyncDispose)'),
}

/** `watch` is refused, and with it every change stream. */
export const CHANGE_STREAM: Readonly<Record<string, Outcome>> = {
  ...all('own', '_setIsEmitter _setIsIterator _createChangeStreamCursor _closeEmitterModeWithError _streamEvents _endStream'),
  ...all(
    'own',
    'emitAndLog emitAndLogCommand emitAndLogHeartbeat _processChange _processErrorStreamMode _processErrorIteratorMode _resume',
  ),
  ...all('refused', 'bufferedCount close closed hasNext next resumeToken stream tryNext'),
  ...all('refused', 'Symbol(Symbol.asyncIterator) Symbol(nodejs.asyncDispose)'),
}

/** For what is refused whatever it is called with. */
export function refusedOperation(name: string): StrongroomError {
  return new StrongroomError(
    'unsupported_operation',
    `${name} does not work on encrypted collections (docs/operations.md); nothing was sent`,
  )
}

function all(outcome: Outcome, names: string): Readonly<Record<string, Outcome>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, outcome]))
}
