/** What a collection knows of its documents: made once from the schema, and refused then or never. */

import { type EncodedValue, type Field, field, invalidArgument, type Normalize, StrongroomError } from '@strongroom/core'
import { z } from 'zod'

import type { ArrayNode, EncryptedNode, ObjectNode, SchemaNode } from '../schema/node.ts'
import { type OwnerPath, ownerPath } from '../schema/owner-path.ts'
import { walkSchema } from '../schema/walk.ts'
import { passThrough } from '../values/bson-value.ts'

/** The blind index of a path. */
export interface PathIndex {
  readonly scope: 'tenant' | 'application'
  readonly domain: string
  readonly normalize: Normalize
  readonly unique: boolean
}

/** A path whose values are encrypted. */
export interface SealedPath {
  /** As declared: `phones[]`. */
  readonly path: string
  readonly field: Field<EncodedValue>
  readonly index: PathIndex | undefined
}

export interface Layout {
  readonly root: ObjectNode
  readonly tenant: OwnerPath
  readonly subject: OwnerPath
  /** Whether each value opens only in the document with the `_id` that it was written in. */
  readonly boundToRecord: boolean
  /** Whether a document without `_id` gets an ObjectId, as from the driver. */
  readonly mintsIds: boolean
  readonly sealed: ReadonlyMap<EncryptedNode, SealedPath>
}

export interface LayoutOptions {
  readonly schema: z.ZodType
  readonly tenant: string
  readonly subject: string
  readonly context: string
  readonly bind: 'record' | 'none'
}

// What a value may be, the schema of the document says; a field of its own says only where it belongs.
const ANY = z.custom<EncodedValue>(() => true)

/** @throws StrongroomError `invalid_argument`, `unsupported_operation` */
export function layoutOf({ schema, tenant, subject, context, bind }: LayoutOptions): Layout {
  const root = walkSchema(schema)
  if (bind !== 'record' && bind !== 'none') throw invalidArgument('bind', "must be 'record' or 'none'")
  const id = root.members.get('_id')
  if (id !== undefined && id.kind !== 'plain')
    throw new StrongroomError('unsupported_operation', '_id: must be plain, since values are bound to it')
  const sealed = new Map<EncryptedNode, SealedPath>()
  for (const node of encryptedNodes(root)) {
    const { index, padded } = node.mark
    sealed.set(node, {
      path: node.path,
      field: field(context, node.path, ANY, { codec: passThrough, padded }),
      index:
        index === undefined
          ? undefined
          : {
              scope: index.scope,
              domain: index.domain ?? `${context}.${node.path}`,
              normalize: index.normalize ?? 'none',
              unique: index.unique === true,
            },
    })
  }
  const mintsIds = id === undefined || ownerTypeOf(root, schema) === 'objectId'
  return {
    root,
    tenant: ownerPath(root, schema, tenant, 'tenant'),
    subject: ownerPath(root, schema, subject, 'subject'),
    boundToRecord: bind === 'record',
    mintsIds,
    sealed,
  }
}

function ownerTypeOf(root: ObjectNode, schema: z.ZodType): string | undefined {
  try {
    return ownerPath(root, schema, '_id', '_id').type
  } catch {
    return undefined
  }
}

function encryptedNodes(node: SchemaNode): readonly EncryptedNode[] {
  switch (node.kind) {
    case 'plain':
      return []
    case 'encrypted':
      return [node]
    case 'array':
      return encryptedNodes(node.element)
    case 'object':
      return [...node.members.values()].flatMap(encryptedNodes)
  }
}

/** What a dotted path of a filter, an update or a projection leads to. */
export type Place =
  /** Nothing in it is encrypted. `declared` is false for what the schema does not have. */
  | { readonly kind: 'plain'; readonly declared: boolean }
  /** Encrypted; `array`: each element of an array is. */
  | { readonly kind: 'sealed'; readonly sealed: SealedPath; readonly array: boolean; readonly node: EncryptedNode | ArrayNode }
  /** An object or array that holds something encrypted. */
  | { readonly kind: 'holder'; readonly node: ObjectNode | ArrayNode }
  /** Within an encrypted value, where nothing can be reached. */
  | { readonly kind: 'within'; readonly sealed: SealedPath }

const POSITION = /^(?:\d+|\$|\$\[[A-Za-z0-9]*\])$/u

/** The place of a path beneath a node, by the rules of MongoDB: arrays are passed through, with or without a position. */
export function placeOf(layout: Layout, path: string, from: SchemaNode = layout.root): Place {
  let node: SchemaNode = from
  let declared = true
  for (const step of path === '' ? [] : path.split('.')) {
    while (node.kind === 'array' && !POSITION.test(step)) node = node.element
    if (node.kind === 'encrypted') return { kind: 'within', sealed: sealedOf(layout, node) }
    if (node.kind === 'array') {
      node = node.element
      continue
    }
    if (node.kind === 'plain') return { kind: 'plain', declared }
    const member: SchemaNode | undefined = node.members.get(step)
    if (member === undefined) {
      declared = node.loose || (step === '_id' && node === layout.root)
      return { kind: 'plain', declared }
    }
    node = member
  }
  if (node.kind === 'encrypted') return { kind: 'sealed', sealed: sealedOf(layout, node), array: false, node }
  if (node.kind === 'array' && node.element.kind === 'encrypted')
    return { kind: 'sealed', sealed: sealedOf(layout, node.element), array: true, node }
  if (node.kind === 'plain' || encryptedNodes(node).length === 0) return { kind: 'plain', declared }
  return { kind: 'holder', node }
}

export function sealedOf(layout: Layout, node: EncryptedNode): SealedPath {
  return layout.sealed.get(node) as SealedPath
}

/** For what cannot be done on an encrypted path. */
export function unsupported(what: string, path: string, hint = ''): StrongroomError {
  return new StrongroomError(
    'unsupported_operation',
    `${what} cannot be done on ${path}, which is encrypted${hint === '' ? '' : `: ${hint}`}; nothing was sent`,
  )
}
