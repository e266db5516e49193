/** What goes wrong between a store and its server, as errors that name no value. */

import { StrongroomError } from '@strongroom/core'
import { MongoServerError, MongoWriteConcernError } from 'mongodb'

/** The errors of one of the two stores. */
export interface Failures {
  /** Runs what only reads. */
  reading<T>(work: () => Promise<T>): Promise<T>
  /** Runs a write: what it throws says whether something may have been written. */
  writing<T>(work: () => Promise<T>): Promise<T>
  /** The storage is not what the store made of it. */
  unusable(why: string): StrongroomError
}

const DUPLICATE_KEY = 11000
// Interrupted on the server: MaxTimeMSExpired, ExceededTimeLimit, and those of a server that shuts down or steps down.
const INTERRUPTED: readonly unknown[] = [50, 91, 189, 262, 10107, 11600, 11601, 11602, 13435, 13436]

/** @param code - under which the failures of this store are known */
export function failuresOf(code: 'key_store_unavailable' | 'state_store_unavailable', store: string): Failures {
  async function guarded<T>(work: () => Promise<T>, messageFor: (error: unknown) => string): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof StrongroomError) throw error
      throw new StrongroomError(code, messageFor(error), { cause: withoutValues(error) })
    }
  }
  return {
    reading: (work) => guarded(work, () => `the ${store} on MongoDB could not be read`),
    writing: (work) =>
      guarded(work, (error) =>
        isRefusal(error)
          ? `the ${store} on MongoDB refused the write; nothing was written`
          : `the ${store} on MongoDB did not confirm the write; it may have been made or not, in whole: read again`,
      ),
    unusable: (why) => new StrongroomError(code, `the ${store} on MongoDB cannot be used: ${why}`),
  }
}

/** Whether an insert met a document of the same primary key, and not only one that an index of somebody else does not allow beside it. */
export function isDuplicate(error: unknown): boolean {
  if (!(error instanceof MongoServerError) || error.code !== DUPLICATE_KEY) return false
  const pattern: unknown = error['keyPattern']
  // Not every compatible server says which index it was.
  return typeof pattern !== 'object' || pattern === null || Object.keys(pattern).join() === '_id'
}

// A failed selection of a server proves nothing: the driver throws it as well where it could not send a write again.
function isRefusal(error: unknown): boolean {
  return (
    error instanceof MongoServerError &&
    !(error instanceof MongoWriteConcernError) &&
    !error.hasErrorLabel('RetryableWriteError') &&
    !INTERRUPTED.includes(error.code)
  )
}

// What a server answers may quote the document.
function withoutValues(error: unknown): unknown {
  if (!(error instanceof MongoServerError)) return error
  const name = typeof error.codeName === 'string' ? ` ${error.codeName}` : ''
  return new Error(`${error.name} ${String(error.code)}${name}`)
}
