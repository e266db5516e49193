/** What the hidden members of a pipeline's documents say: whose the values in them are, and which keys that takes. */

import { decryptFailed } from '@strongroom/core'

import { ownerName } from '../../schema/owner-path.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import type { Needed, NeededIndex, Owner } from '../keys.ts'
import { type Layout, type SealedPath, sealedOf } from '../layout.ts'
import { neededIndex } from '../seal.ts'
import { type Check, HIDDEN, type RootShape, type Shape } from './shape.ts'

/** Whose a value is. */
export interface Belongs {
  readonly layout: Layout
  readonly id: unknown
  readonly owner: Owner | undefined
}

export function belongingOf(layout: Layout, record: unknown): Belongs {
  const { t, s, i } = isTree(record) ? record : ({} as Tree)
  const tenant = ownerName(layout.tenant.type, t)
  const subject = ownerName(layout.subject.type, s)
  return { layout, id: i, owner: tenant === undefined || subject === undefined ? undefined : { tenant, subject } }
}

/** The hidden member of a document. */
export function hiddenOf(value: Tree): Tree {
  const hidden = value[HIDDEN]
  return isTree(hidden) ? hidden : {}
}

export function alternative(shape: Extract<Shape, { readonly kind: 'either' }>, value: unknown): Shape | undefined {
  const k: unknown = isTree(value) ? (hiddenOf(value)['k'] ?? 0) : 0
  // Of whichever class numbers are read as.
  return shape.of[Number(String(k))]
}

export function copiesOf(check: Check, value: Tree): readonly unknown[] {
  const copies = hiddenOf(value)[check.name]
  // Whoever took them away has changed the answer.
  if (!Array.isArray(copies) || copies.length !== check.places.length) throw decryptFailed()
  return copies
}

/** The keys that documents of a pipeline need. */
export function keysFor(shape: RootShape, documents: readonly Tree[]): Pick<Needed, 'owners' | 'indexes'> {
  const needed = new NeededKeys()
  for (const document of documents) needed.of(shape, document, undefined, [])
  return needed
}

class NeededKeys {
  readonly owners: Owner[] = []
  readonly indexes: NeededIndex[] = []

  /** @param searched - whose index values are compared */
  of(shape: Shape, value: unknown, belongs: Belongs | undefined, searched: readonly SealedPath[]): void {
    if (value === null || value === undefined) return
    switch (shape.kind) {
      case 'encrypted':
        if (belongs?.owner === undefined) return
        this.owners.push(belongs.owner)
        for (const { index } of searched) if (index !== undefined) this.indexes.push(neededIndex(index, belongs.owner.tenant))
        return
      case 'array':
        for (const each of Array.isArray(value) ? (value as readonly unknown[]) : isTree(value) ? Object.values(value) : [])
          this.of(shape.element, each, belongs, searched)
        return
      case 'object':
        if (isTree(value)) for (const [name, member] of shape.members) this.of(member, value[name], belongs, searched)
        return
      case 'carried':
        if (isTree(value)) {
          const theirs = belongingOf(shape.layout, value['o'])
          this.of(
            shape.inner,
            value['v'],
            theirs,
            shape.compared && shape.inner.kind === 'encrypted' ? [sealedOf(shape.layout, shape.inner)] : searched,
          )
        }
        return
      case 'document': {
        if (!isTree(value)) return
        const own = shape.layout === undefined ? undefined : belongingOf(shape.layout, hiddenOf(value)['o'])
        for (const check of shape.checks)
          copiesOf(check, value).forEach((copy, i) => this.of(check.places[i] as Shape, copy, own, check.searched))
        this.of(shape.inner, value, own, searched)
        return
      }
      case 'either': {
        const one = alternative(shape, value)
        if (one !== undefined) this.of(one, value, belongs, searched)
      }
    }
  }
}
