/** The database's indexes over index values. */

import type { IndexDescription, IndexDescriptionInfo } from 'mongodb'

import { type Layout, placeOf } from './layout.ts'

/** One for each path that is declared with an index. Unique ones leave out what has no value. */
export function declaredIndexes(layout: Layout): readonly IndexDescription[] {
  return [...layout.sealed.values()].flatMap(({ path, index }) => {
    if (index === undefined) return []
    const stored = `${path.replaceAll('[]', '')}.i`
    // With a key for each tenant, equal values of two tenants are two index values: unique within each.
    return [
      {
        key: { [stored]: 1 },
        name: `${stored}_1`,
        ...(index.unique ? { unique: true, partialFilterExpression: { [stored]: { $exists: true } } } : {}),
      },
    ]
  })
}

/** Descriptions as the server gives them, with declared paths. */
export function shownIndexes(layout: Layout, indexes: readonly IndexDescriptionInfo[]): IndexDescription[] {
  return indexes.map((index) => ({
    ...index,
    key: Object.fromEntries(Object.entries(index.key as Record<string, 1>).map(([path, direction]) => [declared(layout, path), direction])),
  }))
}

function declared(layout: Layout, path: string): string {
  const bare = path.endsWith('.i') ? path.slice(0, -2) : path
  return placeOf(layout, bare).kind === 'sealed' ? bare : path
}
