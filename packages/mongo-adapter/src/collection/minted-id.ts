/** Ids of documents that have none yet. */

import { invalidArgument } from '@strongroom/core'
import { ObjectId } from 'mongodb'

import type { Source } from './source.ts'

/** An id as the driver makes it. @throws StrongroomError `invalid_argument` where the schema says that ids are something else */
export function mintedId({ layout, collection }: Source): unknown {
  if (!layout.mintsIds) throw invalidArgument('_id', 'must be there: the schema says what it is, and only an ObjectId can be made here')
  return collection.db.options?.pkFactory?.createPk() ?? new ObjectId()
}
