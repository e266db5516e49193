/** deleteOne and deleteMany. */

import type { DeleteOptions, DeleteResult } from 'mongodb'

import { hintOf } from '../indexes/index-keys.ts'
import { DELETE_OPTIONS, readDriverOptions } from '../options.ts'
import { collationOf, planFilter, type Source } from '../source.ts'
import type { VerifyingOptions } from '../verified-ids.ts'
import { acted } from './act.ts'

/** Options of deleteOne and deleteMany. */
export type EncryptedDeleteOptions = Pick<
  DeleteOptions,
  'session' | 'writeConcern' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'ignoreUndefined' | 'collation' | 'hint'
>

export async function remove(
  source: Source,
  many: boolean,
  filter: unknown,
  options: EncryptedDeleteOptions | undefined,
): Promise<DeleteResult> {
  const { collection, layout } = source
  const { collation, hint, ...rest } = readDriverOptions(options, DELETE_OPTIONS)
  const plan = planFilter(source, filter, rest)
  const shared = {
    ...collationOf(source, plan, collation),
    ...(hint === undefined ? {} : { hint: hintOf(layout, hint) }),
  }
  const sent: DeleteOptions = { ...rest, ...shared }
  const { session, maxTimeMS, timeoutMS } = rest
  const reading: VerifyingOptions = {
    ...shared,
    ...(session === undefined ? {} : { session }),
    ...(maxTimeMS === undefined ? {} : { maxTimeMS }),
    ...(timeoutMS === undefined ? {} : { timeoutMS }),
  }
  const results = await acted(
    source,
    plan,
    many,
    reading,
    (physical) => (many ? collection.deleteMany(physical, sent) : collection.deleteOne(physical, sent)),
    ({ deletedCount }) => deletedCount,
  )
  const [first] = results
  // Of what is not acknowledged the driver knows no count.
  if (!first.acknowledged) return first
  return {
    acknowledged: true,
    deletedCount: results.reduce((sum, { deletedCount }) => sum + deletedCount, 0),
  }
}
