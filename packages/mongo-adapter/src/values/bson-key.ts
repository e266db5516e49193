/** What stands for a value in memory: of two that are stored alike it is the same. */

import { BSON } from 'mongodb'

export function bsonKey(value: unknown): string {
  return Buffer.from(BSON.serialize({ '': value })).toString('latin1')
}
