/** What a search by a blind index has found, compared before it counts. */

import type { FindOptions } from 'mongodb'

import type { Tree } from '../values/resolve.ts'
import { fetching } from './layout.ts'
import { openDocuments } from './open.ts'
import type { FilterPlan, Source } from './source.ts'

/** How hits are looked for. */
export type VerifyingOptions = Pick<
  FindOptions,
  'session' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'readConcern' | 'readPreference' | 'collation' | 'hint' | 'sort'
> & { readonly signal?: AbortSignal | undefined }

/** Ids of documents that a filter lets through, a batch at a time; those that cannot be compared any more are left out. */
export async function* verifiedIds(source: Source, plan: FilterPlan, options: VerifyingOptions): AsyncGenerator<readonly unknown[], void> {
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
      yield batch.flatMap((document, i) => (opened[i] === undefined ? [] : [document['_id']]))
    }
  } finally {
    await cursor.close()
  }
}
