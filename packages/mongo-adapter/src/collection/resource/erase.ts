/** Taking people's documents out of a collection, or all that is encrypted in them. */

import type { AnyBulkWriteOperation, Document, FindOptions } from 'mongodb'

import type { Tree } from '../../values/resolve.ts'
import { encryptedIn, pathsOfEncrypted, valueAt } from '../documents.ts'
import { fetching, type Layout } from '../layout.ts'
import type { Source } from '../source.ts'
import { EXACT, READING, WRITING } from './whose.ts'

/** @returns how many documents */
export async function eraseDocuments({ collection }: Source, theirs: Document): Promise<number> {
  return (await collection.deleteMany(theirs, { ...WRITING, collation: EXACT })).deletedCount
}

/** How many encrypted values documents hold. */
export async function countValues(source: Source, theirs: Document): Promise<number> {
  let count = 0
  for await (const batch of batches(source, theirs)) count += valuesIn(source.layout, batch)
  return count
}

/** @returns how many values; the documents stay */
export async function eraseValues(source: Source, theirs: Document, signal: AbortSignal | undefined): Promise<number> {
  let erased = 0
  for await (const batch of batches(source, theirs)) {
    signal?.throwIfAborted()
    erased += await eraseValuesIn(source, batch)
  }
  return erased
}

/** All that is encrypted in documents that were read. @returns how many values */
export async function eraseValuesIn({ layout, collection }: Source, documents: readonly Tree[]): Promise<number> {
  const updates = documents.flatMap((document): AnyBulkWriteOperation[] => {
    const paths = [...pathsOfEncrypted(layout.root, document)]
    if (paths.length === 0) return []
    const update = { $unset: Object.fromEntries(paths.map((path) => [path, ''])) }
    return [{ updateOne: { filter: same(layout, document), update, collation: EXACT } }]
  })
  if (updates.length > 0) await collection.bulkWrite(updates, { ...WRITING, ordered: false })
  return valuesIn(layout, documents)
}

/** Documents that were read, as far as they are there and of the same people. @returns how many */
export async function eraseTheseDocuments({ layout, collection }: Source, documents: readonly Tree[]): Promise<number> {
  if (documents.length === 0) return 0
  const { deletedCount } = await collection.bulkWrite(
    documents.map((document) => ({ deleteOne: { filter: same(layout, document), collation: EXACT } })),
    { ...WRITING, ordered: false },
  )
  return deletedCount
}

/** Documents with what says whose they are and all that is encrypted in them, a batch of the server at a time. */
export async function* batches(
  { layout, collection }: Source,
  filter: Document,
  { batchSize }: Pick<FindOptions, 'batchSize'> = {},
): AsyncGenerator<readonly Tree[], void> {
  const cursor = collection.find(filter, {
    ...READING,
    projection: fetching(layout, [...layout.sealed.values()]),
    ...(batchSize === undefined ? {} : { batchSize }),
  })
  try {
    while (await cursor.hasNext()) yield cursor.readBufferedDocuments()
  } finally {
    await cursor.close()
  }
}

function valuesIn(layout: Layout, documents: readonly Tree[]): number {
  return documents.reduce((sum, document) => sum + [...encryptedIn(layout.root, document)].length, 0)
}

/** The document that was read, as far as it is there and of the same person. */
export function same({ tenant, subject }: Layout, document: Tree): Document {
  const as = (path: string, steps: readonly string[]): Document => ({ [path]: { $eq: valueAt(document, steps) } })
  return { $and: [as('_id', ['_id']), as(tenant.path, tenant.steps), as(subject.path, subject.steps)] }
}
