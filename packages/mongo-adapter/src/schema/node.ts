/** What a schema says of a document, as the collection needs it. */

import type { Mark } from './encrypted.ts'

/** A value that is stored as it is, with all that it holds. */
export interface PlainNode {
  readonly kind: 'plain'
}

/** A value that is encrypted, as one, with all that it holds. */
export interface EncryptedNode {
  readonly kind: 'encrypted'
  /** The declared path: `address.street`, `phones[]`. */
  readonly path: string
  readonly mark: Mark
}

/** An array whose elements are looked at one by one. */
export interface ArrayNode {
  readonly kind: 'array'
  readonly element: SchemaNode
}

/** An object whose members are looked at one by one. */
export interface ObjectNode {
  readonly kind: 'object'
  readonly members: ReadonlyMap<string, SchemaNode>
  /** Whether members that are not declared may be written, as they are. */
  readonly loose: boolean
}

export type SchemaNode = PlainNode | EncryptedNode | ArrayNode | ObjectNode

export const PLAIN: PlainNode = { kind: 'plain' }

/** Whether anything in it is encrypted. */
export function holdsEncrypted(node: SchemaNode): boolean {
  if (node.kind === 'array') return holdsEncrypted(node.element)
  return node.kind === 'encrypted' || (node.kind === 'object' && [...node.members.values()].some(holdsEncrypted))
}

/** The path of a member of what is at a path. */
export function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
