/** Whose a document is, as it was read: added, beneath, to the filter by which Mongoose writes it, so that nobody has to look. */

import { Binary, ObjectId } from 'mongodb'

import { bsonKey } from '../values/bson-key.ts'
import { isTree, type Tree } from '../values/resolve.ts'
import type { Method, MongooseDocument, MongooseModel } from './internals.ts'

interface Known {
  readonly id: unknown
  readonly owner: Tree
}

/** By filters that documents have made of themselves. */
const known = new WeakMap<object, Known>()

/** @param owners - the paths of tenant and subject */
export function rememberOwners({ prototype }: MongooseModel, owners: readonly string[]): void {
  // Of save() and bulkSave().
  const where = prototype['$__where'] as (this: MongooseDocument, ...args: unknown[]) => object
  prototype['$__where'] = function (this: MongooseDocument, ...args: unknown[]) {
    const filter = where.apply(this, args)
    remember(filter, this, owners)
    return filter
  }
  const updateOne = prototype['updateOne'] as (this: MongooseDocument, ...args: unknown[]) => MongooseQuery
  prototype['updateOne'] = function (this: MongooseDocument, ...args: unknown[]) {
    const query = updateOne.apply(this, args)
    // After the one that says which document it is.
    query.pre(() => remember(query._conditions, this, owners))
    return query
  }
}

interface MongooseQuery {
  readonly _conditions: object
  pre(hook: Method): unknown
}

function remember(filter: object, document: MongooseDocument, owners: readonly string[]): void {
  known.delete(filter)
  const owner: Tree = {}
  for (const path of owners) {
    const value = loaded(document, path)
    if (value === undefined) return
    owner[path] = value
  }
  known.set(filter, { id: document.$__getValue('_id'), owner })
}

// What was not read, or is not what was read, says nothing of the document that there is.
function loaded(document: MongooseDocument, path: string): unknown {
  if (!document.isSelected(path) || document.isModified(path) || document.$isDefault(path)) return undefined
  const value = document.$__getValue(path)
  const names = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
  return names || value instanceof ObjectId || value instanceof Binary ? value : undefined
}

/** A filter of one document, with its owner, where that is known. */
export function withKnownOwner(filter: unknown): unknown {
  const of = isTree(filter) ? known.get(filter) : undefined
  // Hooks may have made it the filter of another.
  if (of === undefined || !isTree(filter) || bsonKey(filter['_id']) !== bsonKey(of.id)) return filter
  return { ...of.owner, ...filter }
}
