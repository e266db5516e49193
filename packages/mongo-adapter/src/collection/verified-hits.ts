/** What a filter has found, compared where it was a blind index that found it, before it counts or is acted on. */

import type { FindOptions } from 'mongodb'

import type { Tree } from '../values/resolve.ts'
import { fetching } from './layout.ts'
import { openDocuments } from './open.ts'
import type { FilterPlan, Source } from './source.ts'

/** How hits are looked for. */
export type VerifyingOptions = Pick<
  FindOptions,
  | 'session'
  | 'comment'
  | 'maxTimeMS'
  | 'timeoutMS'
  | 'readConcern'
  | 'readPreference'
  | 'collation'
  | 'hint'
  | 'sort'
  | 'limit'
  | 'batchSize'
> & { readonly signal?: AbortSignal | undefined }

/** Documents that a filter lets through, a batch at a time, with their ids and owners; those that cannot be compared any more are left out. */
export async function* verifiedHits(source: Source, plan: FilterPlan, options: VerifyingOptions): AsyncGenerator<readonly Tree[], void> {
  const { layout, vault, collection } = source
  const cursor = collection.find(await plan.physical(), {
    ...options,
    promoteBuffers: false,
    projection: fetching(layout, plan.searched),
  })
  try {
    while (await cursor.hasNext()) {
      const batch = cursor.readBufferedDocuments() as Tree[]
      const opened = await openDocuments(vault, layout, batch, { bson: {}, shredded: 'mark', verify: plan })
      yield batch.filter((_, i) => opened[i] !== undefined)
    }
  } finally {
    await cursor.close()
  }
}

/** The ids of such documents. */
export async function* verifiedIds(source: Source, plan: FilterPlan, options: VerifyingOptions): AsyncGenerator<readonly unknown[], void> {
  for await (const hits of verifiedHits(source, plan, options)) yield hits.map((document) => document['_id'])
}
