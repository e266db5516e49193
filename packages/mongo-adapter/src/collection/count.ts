/** countDocuments: what an index finds is compared before it counts. */

import type { Abortable, CountDocumentsOptions } from 'mongodb'

import { hintOf } from './indexes/index-keys.ts'
import { COUNT_OPTIONS, readDriverOptions } from './options.ts'
import { collationOf, planFilter, type Source } from './source.ts'
import { verifiedIds } from './verified-hits.ts'
import { wholeFrom } from './whole-numbers.ts'

/** Options of countDocuments. */
export type EncryptedCountOptions = Pick<
  CountDocumentsOptions,
  | 'session'
  | 'limit'
  | 'skip'
  | 'comment'
  | 'maxTimeMS'
  | 'timeoutMS'
  | 'readConcern'
  | 'readPreference'
  | 'collation'
  | 'hint'
  | 'ignoreUndefined'
> &
  Abortable

export async function countDocuments(source: Source, filter: unknown = {}, options: EncryptedCountOptions | undefined): Promise<number> {
  const { skip, limit, collation, hint, ignoreUndefined, ...rest } = readDriverOptions(options, COUNT_OPTIONS)
  const plan = planFilter(source, filter, ignoreUndefined === undefined ? {} : { ignoreUndefined })
  const sent = {
    ...rest,
    ...collationOf(source, plan, collation),
    ...(hint === undefined ? {} : { hint: hintOf(source.layout, hint) }),
  }
  if (limit !== undefined) wholeFrom(1, 'limit', limit)
  if (skip !== undefined) wholeFrom(0, 'skip', skip)
  if (plan.searched.length === 0)
    return source.collection.countDocuments(await plan.physical(), {
      ...sent,
      ...(limit === undefined ? {} : { limit }),
      ...(skip === undefined ? {} : { skip }),
    })
  let count = 0
  for await (const ids of verifiedIds(source, plan, sent)) {
    count += ids.length
    if (limit !== undefined && count >= limit + (skip ?? 0)) return limit
  }
  return Math.max(0, count - (skip ?? 0))
}
