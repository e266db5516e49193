/** updateMany: one command, or, where each document needs values of its own, batches of updates of one document each. */

import { BSON, type BulkWriteOptions, MongoBulkWriteError, MongoServerError, type UpdateOptions, type UpdateResult } from 'mongodb'

import type { Tree } from '../../values/resolve.ts'
import { pinnedOwner } from '../source.ts'
import { acted, newOnes } from './act.ts'
import { locateAll } from './locate.ts'
import { withPartialResult } from './partial-result.ts'
import { acknowledges, narrowed, sending } from './send.ts'
import { sealAll, sealOne, type Write } from './write.ts'

const MOST_AT_ONCE = 1000
/** Of bytes that a batch puts into all of its documents together, before they are encrypted. */
const MOST_BYTES = 16 * 1024 * 1024

type Counts = Pick<UpdateResult, 'acknowledged' | 'matchedCount' | 'modifiedCount'>

/** What the driver says of what is not acknowledged: no counts. */
const UNHEARD = { acknowledged: false } as Counts

/**
 * @param update - as it was given, resolved
 * @param options - as they are sent
 * @returns what all commands together have done; `undefined` where nothing was found, and nothing sent
 * @throws what a command throws, with what was done before
 */
export async function reachMany(write: Write<UpdateResult>, update: Tree, options: UpdateOptions): Promise<UpdateResult | undefined> {
  const { source, plan, change } = write
  if (!change.seals) return summed(await acted(write, true, change.blank))
  const owner = pinnedOwner(source, plan.pins)
  if (owner === undefined) return summed(await inBatches(write, sizeFor(update), options))
  return summed(await acted(write, true, await sealOne(source.vault, change.prepare({ owner, id: plan.pins.id }))))
}

async function inBatches(
  write: Write<UpdateResult>,
  size: number,
  { arrayFilters, hint, collation, ...options }: UpdateOptions,
): Promise<readonly Counts[]> {
  const { source, plan, change, reading } = write
  const physical = await plan.physical()
  const isNew = newOnes()
  const results: Counts[] = []
  const each = { ...(arrayFilters && { arrayFilters }), ...(hint === undefined ? {} : { hint }), ...(collation && { collation }) }
  const acknowledged = acknowledges(source, options.writeConcern)
  const bulk: BulkWriteOptions = { ...options, ordered: true }
  try {
    for await (const found of locateAll(source, plan, reading, size)) {
      const fresh = found.filter(({ id }) => isNew(id))
      if (fresh.length === 0) continue
      const sealed = await sealAll(source.vault, fresh, change.prepare)
      const operations = fresh.map(({ only }, i) => ({
        updateOne: { filter: narrowed(physical, only), update: sealed[i]?.tree ?? {}, ...each },
      }))
      const { matchedCount, modifiedCount } = await sending(source.layout, () => source.collection.bulkWrite(operations, bulk))
      results.push(acknowledged ? { acknowledged, matchedCount, modifiedCount } : UNHEARD)
    }
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw withPartialResult(error, results)
    const { matchedCount, modifiedCount } = error
    throw withPartialResult(asOfOne(error), matchedCount === 0 ? results : [...results, { matchedCount, modifiedCount }])
  }
  return results
}

function sizeFor(update: Tree): number {
  return Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(MOST_BYTES / BSON.calculateObjectSize(update))))
}

/** The error that the driver throws of one update. */
function asOfOne(error: MongoBulkWriteError): MongoServerError {
  const [first] = [error.writeErrors].flat()
  if (first === undefined) return error
  const { errmsg = '', op: _, ...raw } = first.err as { readonly errmsg?: string; readonly op?: unknown }
  return new MongoServerError({ ...raw, message: errmsg })
}

function summed(results: readonly Counts[]): UpdateResult | undefined {
  const [first] = results
  if (first === undefined) return undefined
  const sum = (name: 'matchedCount' | 'modifiedCount'): number =>
    first.acknowledged ? results.reduce((total, each) => total + each[name], 0) : first[name]
  return {
    acknowledged: first.acknowledged,
    modifiedCount: sum('modifiedCount'),
    upsertedId: null,
    upsertedCount: 0,
    matchedCount: sum('matchedCount'),
  }
}
