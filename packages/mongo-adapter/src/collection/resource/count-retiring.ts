/** How many stored values a key version is still needed for: what the end of a rotation rests on. */

import { type RetiringVersion, StrongroomError } from '@strongroom/core'
import type { Document } from 'mongodb'

import { fetching, type Layout } from '../layout.ts'
import type { Source } from '../source.ts'
import { candidates, countStored } from '../stored-values.ts'
import { documentsOf, READING } from './whose.ts'

export async function countRetiring({ layout, collection }: Source, retiring: RetiringVersion): Promise<number> {
  const tags = { value: retiring.valueTag(layout.context), index: retiring.indexTag }
  const owner = whose(layout, retiring)
  if (owner === undefined) return 0
  const cursor = collection.find(
    { $and: [owner, candidates(layout, tags)] },
    { ...READING, projection: fetching(layout, [...layout.sealed.values()]) },
  )
  let count = 0
  for await (const document of cursor) count += countStored(layout, document, tags)
  return count
}

/** The documents in which a version's values can be. Where its names are not known, as for `verifyKeys`, that is all of them. */
function whose(layout: Layout, retiring: RetiringVersion): Document | undefined {
  const names = namesOf(retiring)
  return names === undefined ? {} : documentsOf(layout, names)
}

function namesOf(retiring: RetiringVersion): Pick<RetiringVersion, 'tenant' | 'subject' | 'item'> | undefined {
  try {
    const { tenant, subject, item } = retiring
    return { tenant, subject, item }
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'unsupported_operation') return undefined
    throw error
  }
}
