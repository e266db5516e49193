/** Members of a whole value that is named in a filter or an update: as with paths, none that the schema does not declare. */

import { PLAIN, type SchemaNode } from '../schema/node.ts'
import { isTree } from '../values/resolve.ts'
import { undeclaredPath } from './layout.ts'

/**
 * Refuses a value that has members which the schema does not have. Of an array a filter may mean one element, and the database may hold an
 * array where the schema says an object.
 *
 * @param node - what the schema says of the place, in which nothing is encrypted
 * @throws StrongroomError `invalid_argument`
 */
export function requireDeclaredMembers(node: SchemaNode, value: unknown, argument: string): void {
  if (node.kind === 'plain') return
  if (Array.isArray(value)) for (const each of value) requireDeclaredMembers(node.kind === 'array' ? node.element : node, each, argument)
  else if (node.kind === 'array') requireDeclaredMembers(node.element, value, argument)
  else if (node.kind === 'object' && isTree(value))
    for (const [name, member] of Object.entries(value)) {
      const declared = node.members.get(name)
      if (declared === undefined && !node.loose) throw undeclaredPath(name, argument)
      requireDeclaredMembers(declared ?? PLAIN, member, argument)
    }
}

/** What the schema says of the elements at a place; nothing where it says nothing of an array. */
export function elementOf(node: SchemaNode): SchemaNode {
  return node.kind === 'array' ? node.element : PLAIN
}
