/** What a collection knows of its documents: made once from the schema, and refused then or never. */

import { type Field, field, invalidArgument, type Normalize, shownName, StrongroomError } from '@strongroom/core'
import { z } from 'zod'

import type { IndexOptions } from '../schema/encrypted.ts'
import { type ArrayNode, type EncryptedNode, holdsEncrypted, type ObjectNode, PLAIN, type SchemaNode } from '../schema/node.ts'
import { type OwnerPath, ownerPath } from '../schema/owner-path.ts'
import { walkSchema } from '../schema/walk.ts'
import { type FieldValue, passThrough } from '../values/bson-value.ts'

/** The blind index of a path. */
export interface PathIndex {
  readonly scope: 'tenant' | 'application'
  readonly domain: string
  readonly normalize: Normalize
  readonly unique: boolean
  /** The same for two paths whose values have one key. */
  readonly key: string
}

/** A path whose values are encrypted. */
export interface SealedPath {
  /** As declared: `phones[]`. */
  readonly path: string
  readonly field: Field<FieldValue>
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
  /** The logical name, which is part of every value. */
  readonly context: string
}

export interface LayoutOptions {
  readonly schema: z.ZodType
  readonly tenant: string
  readonly subject: string
  readonly context: string
  readonly bind: 'record' | 'none'
}

/** What a layout is made of, whatever the schema is written in. */
export interface LayoutParts extends Pick<Layout, 'root' | 'tenant' | 'subject' | 'mintsIds' | 'context'> {
  readonly bind: 'record' | 'none'
}

// What a value may be, the schema of the document says; a field of its own says only where it belongs.
const ANY = z.custom<FieldValue>(() => true)

/** @throws StrongroomError `invalid_argument`, `unsupported_operation` */
export function layoutOf({ schema, tenant, subject, context, bind }: LayoutOptions): Layout {
  const root = walkSchema(schema)
  return makeLayout({
    root,
    tenant: ownerPath(root, schema, tenant, 'tenant'),
    subject: ownerPath(root, schema, subject, 'subject'),
    mintsIds: root.members.get('_id') === undefined || ownerTypeOf(root, schema) === 'objectId',
    context,
    bind,
  })
}

/** @throws StrongroomError `invalid_argument`, `unsupported_operation` */
export function makeLayout({ root, tenant, subject, mintsIds, context, bind }: LayoutParts): Layout {
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
      index: index === undefined ? undefined : indexOf(index, context, node.path),
    })
  }
  return { root, tenant, subject, boundToRecord: bind === 'record', mintsIds, sealed, context }
}

// As the vault takes it; said now, and not at the first write.
const MOST_DOMAIN_BYTES = 256

function indexOf({ scope, domain, normalize = 'none', unique = false }: IndexOptions, context: string, path: string): PathIndex {
  const named = domain ?? `${context}.${path}`
  if (!named.isWellFormed() || Buffer.byteLength(named) > MOST_DOMAIN_BYTES)
    throw invalidArgument(
      'index.domain',
      `of ${path} must be a name of at most ${MOST_DOMAIN_BYTES} bytes, as context and path together are where none is given`,
    )
  return { scope, domain: named, normalize, unique, key: JSON.stringify([named, normalize]) }
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
  /** Nothing in it is encrypted. `declared` is false for what the schema does not have, of which `node` says nothing. */
  | { readonly kind: 'plain'; readonly declared: boolean; readonly node: SchemaNode }
  /** Encrypted; `array`: each element of an array is. */
  | { readonly kind: 'sealed'; readonly sealed: SealedPath; readonly array: boolean; readonly node: EncryptedNode | ArrayNode }
  /** An object or array that holds something encrypted. */
  | { readonly kind: 'holder'; readonly node: ObjectNode | ArrayNode }
  /** Within an encrypted value, where nothing can be reached. */
  | { readonly kind: 'within'; readonly sealed: SealedPath }

const POSITION = /^(?:\d+|\$|\$\[[A-Za-z0-9]*\])$/u

/** The place that a path of a filter or an index leads to, by the rules of MongoDB: arrays are passed through, with or without a position. */
export function placeOf(layout: Layout, path: string, from: SchemaNode = layout.root): Place {
  let node: SchemaNode = from
  for (const step of stepsOf(path)) {
    while (node.kind === 'array' && !POSITION.test(step)) node = node.element
    if (node.kind === 'encrypted') return { kind: 'within', sealed: sealedOf(layout, node) }
    if (node.kind === 'plain') return unnamed(true)
    if (node.kind === 'array') node = node.element
    else {
      const member = node.members.get(step)
      // The database may hold an array where the schema says an object: then a position leads to one of its elements.
      if (member === undefined && isPositionIn(layout, node, step)) continue
      if (member === undefined) return unnamed(isLoose(layout, node, step))
      node = member
    }
  }
  return placeAt(layout, node)
}

/** The place that a path of a projection leads to, where MongoDB knows no positions: what is named like one is a member of each element. */
export function projectedPlaceOf(layout: Layout, path: string): Place {
  let node: SchemaNode = layout.root
  for (const step of stepsOf(path)) {
    while (node.kind === 'array') node = node.element
    if (node.kind === 'encrypted') return { kind: 'within', sealed: sealedOf(layout, node) }
    const member: SchemaNode | undefined = node.kind === 'plain' ? undefined : node.members.get(step)
    if (member === undefined) return unnamed(node.kind === 'plain' || isLoose(layout, node, step))
    node = member
  }
  return placeAt(layout, node)
}

/**
 * The place that a path of an update writes to. What the database makes where nothing was has to be what the schema says, so that positions
 * stand in arrays only, and in every array.
 */
export function writtenPlaceOf(layout: Layout, path: string): Place {
  let node: SchemaNode = layout.root
  for (const step of stepsOf(path)) {
    if (node.kind === 'encrypted') return { kind: 'within', sealed: sealedOf(layout, node) }
    if (node.kind === 'plain') return unnamed(true)
    if (node.kind === 'array') {
      if (!POSITION.test(step)) return unnamed(false)
      node = node.element
    } else {
      const member = node.members.get(step)
      // Of an array that the database has where the schema says an object, it would write into each element.
      if (member === undefined) return unnamed(isLoose(layout, node, step) && !isPositionIn(layout, node, step))
      node = member
    }
  }
  return placeAt(layout, node)
}

/**
 * Refuses a path that the schema does not have. What a filter says of it would be sent as it is: of `emial`, the address that was searched for.
 *
 * @throws StrongroomError `invalid_argument`
 */
export function requireDeclared(place: Place, path: string, argument: string): void {
  if (place.kind === 'plain' && !place.declared) throw undeclaredPath(path, argument)
}

export function undeclaredPath(path: string, argument: string): StrongroomError {
  return invalidArgument(
    argument,
    `must name no other paths than the schema declares, as ${shownName(path)}; use z.looseObject() to allow them`,
  )
}

// Of which the schema says nothing, whether it may be there or not.
function unnamed(declared: boolean): Place {
  return { kind: 'plain', declared, node: PLAIN }
}

function stepsOf(path: string): readonly string[] {
  return path === '' ? [] : path.split('.')
}

function isPositionIn(layout: Layout, node: ObjectNode, step: string): boolean {
  return POSITION.test(step) && node !== layout.root && holdsEncrypted(node)
}

function isLoose(layout: Layout, node: ObjectNode, step: string): boolean {
  return node.loose || (step === '_id' && node === layout.root)
}

function placeAt(layout: Layout, node: SchemaNode): Place {
  if (node.kind === 'encrypted') return { kind: 'sealed', sealed: sealedOf(layout, node), array: false, node }
  if (node.kind === 'array' && node.element.kind === 'encrypted')
    return { kind: 'sealed', sealed: sealedOf(layout, node.element), array: true, node }
  if (node.kind === 'plain' || !holdsEncrypted(node)) return { kind: 'plain', declared: true, node }
  return { kind: 'holder', node }
}

/** The path of an encrypted value as MongoDB has it: `phones[]` is `phones`. */
export function dottedPath({ path }: SealedPath): string {
  return path.replaceAll('[]', '')
}

/** The path to ask the database for, so that an encrypted value comes in whatever form it is stored: an array always comes whole. */
export function fetchedPath({ path }: SealedPath): string {
  const [whole = ''] = path.split('[]')
  return whole
}

/** The projection that brings such paths, and what says whose a document is. */
export function fetching({ tenant, subject }: Layout, sealed: readonly SealedPath[]): Readonly<Record<string, 1>> {
  return Object.fromEntries(['_id', tenant.path, subject.path, ...sealed.map(fetchedPath)].map((path) => [path, 1]))
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
