/** deleteOne and deleteMany. */

import type { DeleteOptions, DeleteResult } from 'mongodb'

import { DELETE_OPTIONS, readDriverOptions } from '../options.ts'
import { planFilter, type Source } from '../source.ts'
import { acted } from './act.ts'
import { reachNone } from './pinned-retry.ts'
import { lookingFor, sendable } from './update.ts'
import { NOTHING, type Write } from './write.ts'

/** Options of deleteOne and deleteMany. */
export type EncryptedDeleteOptions = Pick<
  DeleteOptions,
  'session' | 'writeConcern' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'ignoreUndefined' | 'collation' | 'hint'
>

export async function remove(
  source: Source,
  many: boolean,
  filter: unknown = {},
  options: EncryptedDeleteOptions | undefined,
): Promise<DeleteResult> {
  const { collection } = source
  const read = readDriverOptions(options, DELETE_OPTIONS)
  const plan = planFilter(source, filter, read)
  const sent: DeleteOptions = sendable(source, plan, read, false)
  const write: Write<DeleteResult> = {
    source,
    plan,
    change: NOTHING,
    reading: lookingFor(sent),
    send: (physical) => (many ? collection.deleteMany(physical, sent) : collection.deleteOne(physical, sent)),
    reached: ({ acknowledged, deletedCount }) => (acknowledged ? deletedCount : undefined),
  }
  const results = await acted(write, many, NOTHING.blank)
  const first = results[0] ?? (await reachNone(write))
  // Of what is not acknowledged the driver knows no count.
  if (!first.acknowledged) return first
  return {
    acknowledged: true,
    deletedCount: results.reduce((sum, { deletedCount }) => sum + deletedCount, 0),
  }
}
