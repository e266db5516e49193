/** The database's indexes for the paths that are declared with one. */

import type { IndexDescription } from 'mongodb'

import { dottedPath, type Layout } from '../layout.ts'
import { storedKey } from './index-keys.ts'

/** Unique ones leave out what has no value. */
export function declaredIndexes(layout: Layout): readonly IndexDescription[] {
  return [...layout.sealed.values()].flatMap((sealed) => {
    if (sealed.index === undefined) return []
    const { key, name } = storedKey(layout, dottedPath(sealed))
    const [stored = ''] = key.keys()
    // With a key for each tenant, equal values of two tenants are two index values: unique within each.
    const unique = sealed.index.unique ? { unique: true, partialFilterExpression: { [stored]: { $exists: true } } } : {}
    return [{ key: { [stored]: 1 }, name, ...unique }]
  })
}
