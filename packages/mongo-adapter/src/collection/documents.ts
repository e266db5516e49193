/** Walking a document beside its schema: every encrypted value is met, and nothing of another shape passes for one. */

import { type ArrayNode, below, type EncryptedNode, type ObjectNode, type SchemaNode } from '../schema/node.ts'
import { isTree, type Tree } from '../values/resolve.ts'

/** How a document that was read is walked. What the schema does not have may be in it: there may have been another schema. */
export interface ReadingWalk {
  /** What stands for an encrypted value; never called for null. */
  readonly value: (value: unknown, node: EncryptedNode, path: string) => unknown
  /** What stands for something in which nothing is encrypted. */
  readonly plain: (value: unknown) => unknown
  /** The error for an object or array that is of another shape than the schema says, or nothing where it may be. */
  readonly mismatch: (path: string, node: ArrayNode | ObjectNode) => Error | undefined
}

/** A copy of a document that was read, its encrypted values replaced. */
export function mapDocument(node: SchemaNode, value: unknown, walk: ReadingWalk, path = ''): unknown {
  if (value === null || value === undefined) return value
  if (node.kind === 'plain') return walk.plain(value)
  if (node.kind === 'encrypted') return walk.value(value, node, path)
  if (node.kind === 'array') return mapArray(node, value, walk, path)
  if (!isTree(value)) return misfit(node, value, walk, path)
  const out: Tree = {}
  for (const [name, member] of Object.entries(value)) {
    const declared = node.members.get(name)
    setMember(out, name, declared === undefined ? walk.plain(member) : mapDocument(declared, member, walk, below(path, name)))
  }
  return out
}

/** Where a value stands: in a tree of our own, by its name or position. */
export interface Holder {
  [name: string | number]: unknown
}

/** How a document that is to be written is walked. */
export interface WritingWalk {
  /** Takes the place of an encrypted value; never called for null. */
  readonly value: (holder: Holder, name: string | number, node: EncryptedNode, path: string) => void
  /** The error for an object or array that is of another shape than the schema says. */
  readonly mismatch: (path: string) => Error
  /** The error for a member of what is at a path that the schema does not have. */
  readonly undeclared: (path: string, name: string) => Error
}

/** Meets every encrypted value of a document where it stands. @param holder - has what `node` describes as its member `name` */
export function eachEncrypted(node: SchemaNode, holder: Holder, name: string | number, walk: WritingWalk, path: string): void {
  const value = holder[name]
  if (node.kind === 'plain' || value === null || value === undefined) return
  if (node.kind === 'encrypted') return walk.value(holder, name, node, path)
  if (node.kind === 'array') {
    if (!Array.isArray(value)) throw walk.mismatch(path)
    for (let i = 0; i < value.length; i++) eachEncrypted(node.element, value as unknown as Holder, i, walk, `${path}.${i}`)
    return
  }
  if (!isTree(value)) throw walk.mismatch(path)
  for (const member of Object.keys(value)) {
    const declared = node.members.get(member)
    if (declared !== undefined) eachEncrypted(declared, value, member, walk, below(path, member))
    else if (!node.loose && below(path, member) !== '_id') throw walk.undeclared(path, member)
  }
}

/** All that stands in a document where an encrypted value belongs, whatever shape the rest of it has. */
export function* encryptedIn(node: SchemaNode, value: unknown): Generator<{ readonly value: unknown; readonly node: EncryptedNode }, void> {
  if (value === null || value === undefined) return
  if (node.kind === 'encrypted') yield { value, node }
  else if (node.kind === 'array') {
    const elements: readonly unknown[] = Array.isArray(value) ? value : isTree(value) ? Object.values(value) : []
    for (const each of elements) yield* encryptedIn(node.element, each)
  } else if (node.kind === 'object' && isTree(value))
    for (const [name, member] of node.members) if (Object.hasOwn(value, name)) yield* encryptedIn(member, value[name])
}

/** The paths where that stands, as an update has them. An array that has nothing else in it is one path. */
export function* pathsOfEncrypted(node: SchemaNode, value: unknown, path = ''): Generator<string, void> {
  if (value === null || value === undefined) return
  if (isOnlyEncrypted(node)) yield path
  else if (node.kind === 'array') {
    const elements = Array.isArray(value) || isTree(value) ? Object.entries(value) : []
    // A name that no path can have: then all of it.
    if (elements.some(([name]) => !/^[^.$]+$/u.test(name))) yield path
    else for (const [name, each] of elements) yield* pathsOfEncrypted(node.element, each, below(path, name))
  } else if (node.kind === 'object' && isTree(value))
    for (const [name, member] of node.members)
      if (Object.hasOwn(value, name)) yield* pathsOfEncrypted(member, value[name], below(path, name))
}

function isOnlyEncrypted(node: SchemaNode): boolean {
  return node.kind === 'encrypted' || (node.kind === 'array' && isOnlyEncrypted(node.element))
}

/** A tree of our own, once more; what stands in it is the same. */
export function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  return isTree(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member)])) : value
}

/** Sets a member of whatever name: an assignment to `__proto__` would change what the object inherits. */
export function setMember(tree: Tree, name: string, value: unknown): void {
  if (name === '__proto__') Object.defineProperty(tree, name, { value, writable: true, enumerable: true, configurable: true })
  else tree[name] = value
}

// An update of one position makes `{ 0: … }` where nothing was: that stands for an array as well.
function mapArray(node: ArrayNode, value: unknown, walk: ReadingWalk, path: string): unknown {
  const { element } = node
  if (Array.isArray(value)) return value.map((each, i) => mapDocument(element, each, walk, `${path}.${i}`))
  if (!isTree(value) || !Object.keys(value).every((name) => /^\d+$/u.test(name))) return misfit(node, value, walk, path)
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapDocument(element, each, walk, `${path}.${name}`)]))
}

function misfit(node: ArrayNode | ObjectNode, value: unknown, walk: ReadingWalk, path: string): unknown {
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
