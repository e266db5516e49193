/** Errors of values, with where these stand. */

import { StrongroomError } from '@strongroom/core'

import { bsonScalar } from '../values/bson-scalar.ts'

/** Whether no key opens a value, and nobody has shredded its own: it is damaged, or of a version that a rotation has ended. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof StrongroomError && (error.code === 'decrypt_failed' || error.code === 'retired')
}

/** The error of a value, with where it stands; any other as it is. */
export function located(error: unknown, id: unknown, path: string): Error {
  if (!(error instanceof StrongroomError)) return error as Error
  if (!['decrypt_failed', 'schema_mismatch', 'shredded', 'retired'].includes(error.code)) return error
  return new StrongroomError(error.code, `${path} of ${shownDocument(id)}: ${error.message}`, { cause: error })
}

function shownDocument(id: unknown): string {
  if (!isSingle(id)) return 'a document whose _id is no single value'
  // It may be of somebody who would like to write other lines into a log.
  return PRINTED.test(String(id)) ? `the document with _id ${String(id)}` : 'a document whose _id holds what is not printed'
}

const PRINTED = /^[^\p{C}\p{Zl}\p{Zp}]*$/u

// What an object says of itself may be anything, or nothing.
function isSingle(id: unknown): boolean {
  try {
    bsonScalar(id, '_id')
    return true
  } catch {
    return false
  }
}
