/** Whose the documents are that a bulkWrite writes: Mongoose names them by `_id` alone, and an operation that encrypts has to say it. */

import { Binary, type ClientSession, ObjectId } from 'mongodb'

import { valueAt } from '../collection/documents.ts'
import type { EncryptedCollection } from '../collection/encrypted-collection.ts'
import { bsonKey } from '../values/bson-key.ts'
import { isTree, type Tree } from '../values/resolve.ts'
import { withKnownOwner } from './known-owners.ts'

const KINDS = ['updateOne', 'replaceOne'] as const

/**
 * Operations whose filters say the owner, where they name a document that is there.
 *
 * @param owners - the paths of tenant and subject
 */
export async function pinOwners(
  owners: readonly string[],
  view: EncryptedCollection<unknown>,
  given: unknown,
  options: unknown,
): Promise<unknown> {
  if (!Array.isArray(given)) return given
  const operations = given.map(ofKnown) as readonly Readonly<Record<string, Tree>>[]
  const filters = operations.map((operation) => unpinned(operation, owners))
  const ids = filters.flatMap((filter) => (filter === undefined ? [] : [filter['_id']]))
  if (ids.length === 0) return operations
  const { session } = (options ?? {}) as { readonly session?: ClientSession }
  const found = view.find({ _id: { $in: ids } } as never, {
    projection: Object.fromEntries(['_id', ...owners].map((path) => [path, 1])) as never,
    readPreference: 'primary',
    ...(session === undefined ? {} : { session }),
  })
  const pins = new Map<string, Tree>()
  for await (const document of found as AsyncIterable<Tree>)
    pins.set(bsonKey(document['_id']), Object.fromEntries(owners.map((path) => [path, valueAt(document, path.split('.'))])))
  return operations.map((operation, i) => {
    const filter = filters[i]
    const pin = filter === undefined ? undefined : pins.get(bsonKey(filter['_id']))
    if (pin === undefined) return operation
    return Object.fromEntries(Object.entries(operation).map(([kind, model]) => [kind, { ...model, filter: { ...pin, ...filter } }]))
  })
}

function ofKnown(operation: unknown): unknown {
  const { updateOne } = (operation ?? {}) as { readonly updateOne?: { readonly filter?: unknown } }
  return updateOne === undefined ? operation : { updateOne: { ...updateOne, filter: withKnownOwner(updateOne.filter) } }
}

function unpinned(operation: unknown, owners: readonly string[]): Tree | undefined {
  const of = operation as Readonly<Record<string, { readonly filter?: unknown } | undefined>> | null | undefined
  const kind = KINDS.find((each) => of?.[each] !== undefined)
  const filter = kind === undefined ? undefined : of?.[kind]?.filter
  if (!isTree(filter) || !isSimpleId(filter['_id'])) return undefined
  return owners.every((path) => Object.hasOwn(filter, path)) ? undefined : filter
}

function isSimpleId(id: unknown): boolean {
  return typeof id === 'string' || typeof id === 'number' || id instanceof ObjectId || id instanceof Binary
}
