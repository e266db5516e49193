/** What outlives the erasure of somebody: the keys of indexes that are not beneath her, under which old copies of her index values can be compared. */

import type { NamelessPlace, Survivor } from '@strongroom/core'

import type { Layout } from '../layout.ts'

export function survivorsOf(layout: Layout, { kind }: NamelessPlace): readonly Survivor[] {
  // Nothing of items, nor of the tenant itself, is in a collection.
  if (kind === 'item' || kind === 'self') return []
  const found = new Map<string, Survivor>()
  for (const { index } of layout.sealed.values()) {
    // An index of a tenant goes with its key.
    if (index === undefined || (index.scope === 'tenant' && kind === 'tenant')) continue
    found.set(`${index.scope} ${index.key}`, { what: 'index', name: index.domain, scope: index.scope, generation: FIRST_GENERATION })
  }
  return [...found.values()]
}

// A collection writes and searches by no other.
const FIRST_GENERATION = 1
