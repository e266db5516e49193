/** Walking a document beside its schema: every encrypted value is met, and nothing of another shape passes for one. */

import type { EncryptedNode, SchemaNode } from '../schema/node.ts'
import { isTree, type Tree } from '../values/resolve.ts'

export interface Walk {
  /** What stands for an encrypted value; never called for null. */
  readonly value: (value: unknown, node: EncryptedNode, path: string) => unknown
  /** The error for an object or array that is of another shape than the schema says. */
  readonly mismatch: (path: string) => Error
  /** The error for a member that the schema does not have, or nothing where it may be there. */
  readonly undeclared: (path: string) => Error | undefined
}

/** A copy of a document, its encrypted values replaced. */
export function mapDocument(node: SchemaNode, value: unknown, walk: Walk, path = ''): unknown {
  if (value === null || value === undefined || node.kind === 'plain') return value
  if (node.kind === 'encrypted') return walk.value(value, node, path)
  if (node.kind === 'array') {
    if (!Array.isArray(value)) throw walk.mismatch(path)
    return value.map((each, i) => mapDocument(node.element, each, walk, `${path}.${i}`))
  }
  if (!isTree(value)) throw walk.mismatch(path)
  const out: Tree = {}
  for (const [name, member] of Object.entries(value)) {
    const below = path === '' ? name : `${path}.${name}`
    const declared = node.members.get(name)
    if (declared === undefined && !node.loose && below !== '_id') {
      const error = walk.undeclared(path)
      if (error !== undefined) throw error
    }
    out[name] = declared === undefined ? member : mapDocument(declared, member, walk, below)
  }
  return out
}

/** The value at a path that leads through objects only. */
export function valueAt(document: Tree, steps: readonly string[]): unknown {
  let at: unknown = document
  for (const step of steps) at = isTree(at) && Object.hasOwn(at, step) ? at[step] : undefined
  return at
}
