/** Walking a document beside its schema: every encrypted value is met, and nothing of another shape passes for one. */

import type { ArrayNode, EncryptedNode, ObjectNode, SchemaNode } from '../schema/node.ts'
import { isTree, type Tree } from '../values/resolve.ts'

export interface Walk {
  /** What stands for an encrypted value; never called for null. */
  readonly value: (value: unknown, node: EncryptedNode, path: string) => unknown
  /** What stands for something in which nothing is encrypted. */
  readonly plain: (value: unknown) => unknown
  /** The error for an object or array that is of another shape than the schema says, or nothing where it may be. */
  readonly mismatch: (path: string, node: ArrayNode | ObjectNode) => Error | undefined
  /** The error for a member of what is at a path that the schema does not have, or nothing where it may be there. */
  readonly undeclared: (path: string, name: string) => Error | undefined
  /** Whether `{ 0: …, 1: … }` may stand for an array: an update of one position makes it where nothing was. */
  readonly positions: boolean
}

/** A copy of a document, its encrypted values replaced. */
export function mapDocument(node: SchemaNode, value: unknown, walk: Walk, path = ''): unknown {
  if (value === null || value === undefined) return value
  if (node.kind === 'plain') return walk.plain(value)
  if (node.kind === 'encrypted') return walk.value(value, node, path)
  if (node.kind === 'array') return mapArray(node, value, walk, path)
  if (!isTree(value)) return misfit(node, value, walk, path)
  const out: Tree = {}
  for (const [name, member] of Object.entries(value)) {
    const below = path === '' ? name : `${path}.${name}`
    const declared = node.members.get(name)
    if (declared === undefined && !node.loose && below !== '_id') {
      const error = walk.undeclared(path, name)
      if (error !== undefined) throw error
    }
    setMember(out, name, declared === undefined ? walk.plain(member) : mapDocument(declared, member, walk, below))
  }
  return out
}

/** All that stands in a document where an encrypted value belongs, whatever shape the rest of it has. */
export function* encryptedIn(node: SchemaNode, value: unknown): Generator<unknown, void> {
  if (value === null || value === undefined) return
  if (node.kind === 'encrypted') yield value
  else if (node.kind === 'array') {
    const elements: readonly unknown[] = Array.isArray(value) ? value : isTree(value) ? Object.values(value) : []
    for (const each of elements) yield* encryptedIn(node.element, each)
  } else if (node.kind === 'object' && isTree(value))
    for (const [name, member] of node.members) if (Object.hasOwn(value, name)) yield* encryptedIn(member, value[name])
}

/** Sets a member of whatever name: an assignment to `__proto__` would change what the object inherits. */
export function setMember(tree: Tree, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(tree, name, { value, writable: true, enumerable: true, configurable: true })
  else tree[name] = value
}

function mapArray(node: ArrayNode, value: unknown, walk: Walk, path: string): unknown {
  const { element } = node
  if (Array.isArray(value)) return value.map((each, i) => mapDocument(element, each, walk, `${path}.${i}`))
  if (!walk.positions || !isTree(value) || !Object.keys(value).every((name) => /^\d+$/u.test(name))) return misfit(node, value, walk, path)
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapDocument(element, each, walk, `${path}.${name}`)]))
}

function misfit(node: ArrayNode | ObjectNode, value: unknown, walk: Walk, path: string): unknown {
  const error = walk.mismatch(path, node)
  if (error !== undefined) throw error
  return walk.plain(value)
}

/** The value at a path that leads through objects only. */
export function valueAt(document: Tree, steps: readonly string[]): unknown {
  let at: unknown = document
  for (const step of steps) at = isTree(at) && Object.hasOwn(at, step) ? at[step] : undefined
  return at
}
