/** Rows with pseudonyms in a MongoDB collection. The driver is the caller's: three of its methods are all that is used. */

import { invalidArgument, readOptions, StrongroomError } from '@strongroom/core'

import type { PseudonymRows } from './rows.ts'

/** What is used of a collection of the driver `mongodb`. */
export interface MongoRowsCollection {
  createIndex(keys: Record<string, 1>, options?: { readonly expireAfterSeconds?: number }): Promise<unknown>
  deleteMany(filter: object): Promise<{ readonly deletedCount: number }>
  updateMany(filter: object, update: object): Promise<{ readonly modifiedCount: number }>
}

/** Options of {@link mongoRows}. */
export interface MongoRowsOptions {
  /** The field that has the event's instant, a BSON date. */
  readonly at: string
  /** The fields that have pseudonyms, where the rows are to stay without them; the rows go unless given. */
  readonly fields?: readonly string[]
}

const FIELD = /^[^$.\0][^$\0]*$/u

/**
 * Rows of a collection. Without `fields` a TTL index removes them as well, when nobody sweeps.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { mongoRows, type MongoRowsCollection, type Pseudonyms } from '@strongroom/pseudonyms'
 *
 * async function keepClean(pseudonyms: Pseudonyms, requests: MongoRowsCollection) {
 *   const rows = pseudonyms.resource(mongoRows(requests, { at: 'at' }))
 *   await rows.prepare()
 *   return rows.sweep()
 * }
 * ```
 */
export function mongoRows(collection: MongoRowsCollection, options: MongoRowsOptions): PseudonymRows {
  const { at, fields } = readOptions(options, ['at', 'fields'])
  if (typeof collection !== 'object' || collection === null || typeof collection.deleteMany !== 'function')
    throw invalidArgument('collection', 'must be a collection of the MongoDB driver')
  if (!isField(at)) throw invalidArgument('at', 'must be the name of a field')
  if (fields !== undefined && !(Array.isArray(fields) && fields.length > 0 && fields.every(isField) && !fields.includes(at)))
    throw invalidArgument('fields', 'must be names of other fields')
  const removed = fields?.map((field: string) => [field, ''] as const)
  return {
    async prepare(keep) {
      try {
        await collection.createIndex({ [at]: 1 }, removed === undefined ? { expireAfterSeconds: Math.ceil(keep / 1000) } : {})
      } catch (error) {
        throw new StrongroomError(
          'conflict',
          'the index on the instant could not be made: where there is one with another time to live, drop it first',
          {
            cause: error,
          },
        )
      }
    },
    async removeBefore(instant, { signal }) {
      signal?.throwIfAborted()
      const old = { [at]: { $lt: new Date(instant) } }
      if (removed === undefined) return (await collection.deleteMany(old)).deletedCount
      const some = { $or: removed.map(([field]) => ({ [field]: { $exists: true } })) }
      return (await collection.updateMany({ ...old, ...some }, { $unset: Object.fromEntries(removed) })).modifiedCount
    },
  }
}

function isField(name: unknown): name is string {
  return typeof name === 'string' && FIELD.test(name)
}
