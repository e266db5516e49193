/** Options that Mongoose hands on with a call: its own are left out, since the driver would not look at them. */

import { readOptions } from '@strongroom/core'

import { guarded } from '../values/resolve.ts'

/** Of a cursor of Mongoose's that will never be read, since its filter could not be cast. */
export const NOT_CAST: unique symbol = Symbol('not cast')

/** Where the options of a method stand. */
export const OPTIONS_AT: Readonly<Record<string, number>> = {
  aggregate: 1,
  bulkWrite: 1,
  countDocuments: 1,
  createIndex: 1,
  deleteMany: 1,
  deleteOne: 1,
  distinct: 2,
  estimatedDocumentCount: 0,
  find: 1,
  findOne: 1,
  findOneAndDelete: 1,
  findOneAndReplace: 2,
  findOneAndUpdate: 2,
  insertMany: 1,
  insertOne: 1,
  replaceOne: 2,
  updateMany: 2,
  updateOne: 2,
  watch: 1,
}

// Of queries, documents and bulk writes. Whatever else the driver does not know is refused.
const MONGOOSE_ONLY: ReadonlySet<string> = new Set(
  [
    'context defaults fields lean multipleCastError new omitUndefined populate rawResult returnOriginal runValidators sanitizeFilter',
    'schemaLevelProjections setDefaultsOnInsert strict strictPopulate strictQuery timestamps transform translateAliases upsertId',
    'skipValidation throwOnValidationError validateBeforeSave validateModifiedOnly pathsToSave middleware aggregateErrors',
    'overwriteDiscriminatorKey overwriteImmutable overwrite updatePipeline cloneUpdate requireFilter',
    'clone forceRepopulate retainNullValues',
  ].flatMap((line) => line.split(' ')),
)
// How many documents insertMany validates at once.
const ITS_OWN: Readonly<Record<string, string>> = { insertMany: 'limit' }
const FIND_ONE_AND = ['findOneAndDelete', 'findOneAndReplace', 'findOneAndUpdate']
// Mongoose gives them to others too, as what a schema does not select to any, and to findOne() those of an update that turned out to be empty.
// There the driver does not read them.
const READ_BY: Readonly<Record<string, readonly string[]>> = {
  projection: ['find', 'findOne', ...FIND_ONE_AND],
  returnDocument: FIND_ONE_AND,
  includeResultMetadata: FIND_ONE_AND,
  upsert: ['findOneAndReplace', 'findOneAndUpdate', 'replaceOne', 'updateMany', 'updateOne'],
  arrayFilters: ['findOneAndUpdate', 'updateMany', 'updateOne'],
}
// What begins with _ is so too.
const isMongooseOnly = (name: string): boolean => name.startsWith('_') || MONGOOSE_ONLY.has(name)
const WRITE_CONCERN: readonly string[] = ['w', 'j', 'wtimeout']

/** @throws StrongroomError `invalid_argument` */
export function optionsForDriver(method: string, given: unknown): unknown {
  if (typeof given !== 'object' || given === null) return given
  const all = Object.entries(guarded('options', () => ({ ...given })) as Record<string, unknown>)
  const options: Record<string, unknown> = {}
  const writeConcern: Record<string, unknown> = {}
  for (const [name, value] of all) {
    if (isMongooseOnly(name) || ITS_OWN[method] === name) continue
    if (READ_BY[name]?.includes(method) === false) continue
    if (WRITE_CONCERN.includes(name)) writeConcern[name === 'wtimeout' ? 'wtimeoutMS' : name] = value
    else if (name === 'cursor' && method === 'aggregate') Object.assign(options, batchSizeOf(value))
    else options[name] = value
  }
  return Object.keys(writeConcern).length === 0 ? options : { ...options, writeConcern }
}

function batchSizeOf(cursor: unknown): { readonly batchSize?: unknown } {
  const { batchSize } = readOptions(cursor as { readonly batchSize?: unknown; readonly transform?: unknown } | undefined, [
    'batchSize',
    'transform',
  ])
  return batchSize === undefined ? {} : { batchSize }
}

/** Operations of a bulkWrite without what Mongoose alone reads of them. */
export function withoutOwnMembers(operations: unknown): unknown {
  if (!Array.isArray(operations)) return operations
  return guarded('operations', () =>
    operations.map((operation: unknown) =>
      typeof operation === 'object' && operation !== null
        ? Object.fromEntries(Object.entries(operation).map(([kind, model]: [string, unknown]) => [kind, withoutOwn(model)]))
        : operation,
    ),
  )
}

function withoutOwn(model: unknown): unknown {
  if (typeof model !== 'object' || model === null) return model
  return Object.fromEntries(Object.entries(model).filter(([name]) => !isMongooseOnly(name)))
}
