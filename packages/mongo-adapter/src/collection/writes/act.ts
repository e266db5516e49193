/** Acting on what a filter lets through: one command, or, where an index found it, on hits that were compared first. */

import { invalidArgument } from '@strongroom/core'
import { BSON } from 'mongodb'

import type { Tree } from '../../values/resolve.ts'
import { withoutValues } from '../duplicates.ts'
import type { Layout } from '../layout.ts'
import type { FilterPlan, Source } from '../source.ts'
import { verifiedIds, type VerifyingOptions } from '../verified-ids.ts'
import { type PartialResult, withPartialResult } from './partial-result.ts'

/** How many documents a command reached. */
export type Reached<R> = (result: R) => number

/**
 * @param reading - how hits are looked for
 * @returns what each command answered, at least one
 * @throws what a command throws, with what those before it have done
 */
export async function acted<R extends { readonly acknowledged: boolean } & Partial<PartialResult>>(
  source: Source,
  plan: FilterPlan,
  many: boolean,
  reading: VerifyingOptions,
  act: (physical: Tree) => Promise<R>,
  reached: Reached<R>,
): Promise<readonly [R, ...R[]]> {
  const physical = await plan.physical()
  const send = (filter: Tree): Promise<R> => sending(source.layout, () => act(filter))
  if (plan.searched.length === 0) return [await send(physical)]
  const results: R[] = []
  const reachedBefore = new Set<string>()
  try {
    for await (const found of verifiedIds(source, plan, { ...reading, readPreference: 'primary' })) {
      // What the first of a batch changed may come again in a later one.
      const ids = found.filter((id) => isNew(reachedBefore, id))
      if (ids.length === 0) continue
      for (const hits of many ? [{ $in: ids }] : ids.map((id) => ({ $eq: id }))) {
        const result = await send(narrowed(physical, hits))
        results.push(result)
        // One that was changed since it was found is no match any more: the next may be. What is not acknowledged may have been one.
        if (!many && (reached(result) > 0 || !result.acknowledged)) return [result]
      }
    }
  } catch (error) {
    throw many ? withPartialResult(error, results) : error
  }
  const [first, ...rest] = results
  // So that a call that finds nothing answers as the driver does.
  return first === undefined ? [await send(narrowed(physical, { $in: [] }))] : many ? [first, ...rest] : [first]
}

// Conditions stay at the top, where `$` in an update looks for the element that they found.
function narrowed(physical: Tree, id: Tree): Tree {
  const joined = Array.isArray(physical['$and']) ? (physical['$and'] as readonly unknown[]) : []
  return { ...physical, $and: [...joined, { _id: id }] }
}

function isNew(before: Set<string>, id: unknown): boolean {
  const { size } = before
  return before.add(Buffer.from(BSON.serialize({ _id: id })).toString('base64')).size > size
}

/** Sends; an error of the server comes without values. @throws StrongroomError `invalid_argument` for what is too large to be sent */
export async function sending<R>(layout: Layout, send: () => Promise<R>): Promise<R> {
  try {
    return await send()
  } catch (error) {
    // Of the driver, before it sends: what it writes documents into is little larger than the largest.
    if (error instanceof RangeError) throw invalidArgument('document', 'is larger than MongoDB takes, encrypted as it is; nothing was sent')
    throw withoutValues(layout, error)
  }
}
