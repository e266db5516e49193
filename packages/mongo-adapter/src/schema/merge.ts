/** The options of a discriminated union as one object: what is encrypted in one must not be plain in another. */

import { below, holdsEncrypted, type ObjectNode, PLAIN, type SchemaNode } from './node.ts'

/** @param conflict - the error for a path that the options do not agree about */
export function mergeMembers(objects: readonly ObjectNode[], conflict: (path: string) => Error, path: string): ObjectNode {
  const members = new Map<string, SchemaNode>()
  for (const object of objects) {
    for (const [name, node] of object.members) {
      const before = members.get(name)
      const place = below(path, name)
      members.set(name, before === undefined ? node : merge(before, node, conflict, place))
    }
  }
  return { kind: 'object', members, loose: objects.some(({ loose }) => loose) }
}

function merge(a: SchemaNode, b: SchemaNode, conflict: (path: string) => Error, path: string): SchemaNode {
  if (a.kind === 'encrypted' || b.kind === 'encrypted') {
    if (a.kind !== b.kind || !sameMark(a, b)) throw conflict(path)
    return a
  }
  if (a.kind === 'object' && b.kind === 'object') return mergeMembers([a, b], conflict, path)
  if (a.kind === 'array' && b.kind === 'array') return { kind: 'array', element: merge(a.element, b.element, conflict, `${path}[]`) }
  if (holdsEncrypted(a) || holdsEncrypted(b)) throw conflict(path)
  return PLAIN
}

function sameMark(a: SchemaNode, b: SchemaNode): boolean {
  return a.kind === 'encrypted' && b.kind === 'encrypted' && JSON.stringify(a.mark) === JSON.stringify(b.mark)
}
