/** Acting on what a filter lets through: one command, or, where an index found it, on hits that were compared first. */

import { bsonKey } from '../../values/bson-key.ts'
import { verifiedIds } from '../verified-hits.ts'
import { type PartialResult, withPartialResult } from './partial-result.ts'
import { narrowed, sendSealed } from './send.ts'
import type { Sealed, Write } from './write.ts'

/**
 * @param sealed - for all documents that it may reach
 * @returns what each command answered; nothing where an index found nothing, and nothing was sent
 * @throws what a command throws, with what those before it have done
 */
export async function acted<R>(write: Write<R>, many: boolean, sealed: Sealed): Promise<readonly R[]> {
  const { source, plan, reading, reached } = write
  const physical = await plan.physical()
  if (plan.searched.length === 0) return [await sendSealed(write, physical, sealed)]
  const results: R[] = []
  const isNew = newOnes()
  try {
    for await (const found of verifiedIds(source, plan, { ...reading, readPreference: 'primary' })) {
      const ids = found.filter(isNew)
      if (ids.length === 0) continue
      for (const hits of many ? [{ $in: ids }] : ids.map((id) => ({ $eq: id }))) {
        const result = await sendSealed(write, narrowed(physical, { _id: hits }), sealed)
        results.push(result)
        // One that was changed since it was found is no match any more: the next may be. What is not acknowledged may have been one.
        if (!many && reached(result) !== 0) return [result]
      }
    }
  } catch (error) {
    throw many ? withPartialResult(error, results as readonly Partial<PartialResult>[]) : error
  }
  return results
}

/** Says of an id whether it is met for the first time: what the first of a batch changed may come again in a later one. */
export function newOnes(): (id: unknown) => boolean {
  const before = new Set<string>()
  return (id) => {
    const { size } = before
    return before.add(bsonKey(id)).size > size
  }
}
