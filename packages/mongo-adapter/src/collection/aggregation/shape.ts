/**
 * What stands where in the documents of a pipeline: as a schema says it, and for each encrypted value whose it is, wherever stages move it.
 *
 * Each document that comes from an encrypted collection has a hidden member `_strongroom` with the record `o` of whose it is, `{ t, s, i }`:
 * tenant, subject, `_id`. What is taken out of such a document is carried, `{ v, o }`: the value, and a copy of the record.
 */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'

import { type EncryptedNode, PLAIN, type PlainNode, type SchemaNode } from '../../schema/node.ts'
import type { Sought } from '../filters/filter.ts'
import type { Layout, SealedPath } from '../layout.ts'

/** The member of documents that nobody sees. */
export const HIDDEN = '_strongroom'

export interface ArrayShape {
  readonly kind: 'array'
  readonly element: Shape
}

export interface ObjectShape {
  readonly kind: 'object'
  readonly members: ReadonlyMap<string, Shape>
  /** Whether there may be members that nothing is known of: they are plain. */
  readonly loose: boolean
}

/** What an index has found, to be compared when the document is decrypted. */
export interface Check {
  /** The member of the hidden one that has copies of what is compared. */
  readonly name: string
  readonly places: readonly Shape[]
  readonly searched: readonly SealedPath[]
  /** Lists of values, of each of which the places hold at least one. */
  readonly required: readonly (readonly Sought[])[]
}

/** A document with a hidden member: of an encrypted collection, or, without `layout`, of the pipeline's own making. */
export interface DocumentShape {
  readonly kind: 'document'
  /** Says whose the encrypted values in it are that are not carried. */
  readonly layout: Layout | undefined
  readonly inner: ObjectShape
  readonly checks: readonly Check[]
  /** Whether what an index says of its values is compared before the pipeline begins. */
  readonly verified: boolean
}

/** A value that has left its document. */
export interface CarriedShape {
  readonly kind: 'carried'
  readonly layout: Layout
  readonly inner: Shape
  readonly verified: boolean
  /** Whether its index value is compared when it is decrypted. */
  readonly compared: boolean
}

/** Documents of several collections: the hidden member has in `k` which one's. */
export interface EitherShape {
  readonly kind: 'either'
  readonly of: readonly DocumentShape[]
}

/** What an earlier stage has taken away: it cannot be named any more. */
export interface GoneShape {
  readonly kind: 'gone'
}

export type Shape = PlainNode | EncryptedNode | ArrayShape | ObjectShape | DocumentShape | CarriedShape | EitherShape | GoneShape
/** The documents that a stage begins with. */
export type RootShape = DocumentShape | EitherShape

export const GONE: GoneShape = { kind: 'gone' }

/** The documents of an encrypted collection. @throws StrongroomError `unsupported_operation` for a schema that has the hidden member */
export function documentsOf(layout: Layout, checks: readonly Check[] = [], verified = false): DocumentShape {
  if (layout.root.members.has(HIDDEN))
    throw refusedInPipeline(`a schema with a member ${HIDDEN}`, 'which carries what decryption needs: rename it')
  const members = new Map<string, SchemaNode>(layout.root.members)
  if (!members.has('_id')) members.set('_id', PLAIN)
  return { kind: 'document', layout, inner: { kind: 'object', members, loose: layout.root.loose }, checks, verified }
}

/** Documents of the pipeline's own making. */
export function madeOf(members: ReadonlyMap<string, Shape>, loose = false): DocumentShape {
  return { kind: 'document', layout: undefined, inner: { kind: 'object', members, loose }, checks: [], verified: false }
}

/** Whether anything in it is encrypted, or to be compared. */
export function isPlain(shape: Shape): boolean {
  switch (shape.kind) {
    case 'plain':
    case 'gone':
      return true
    case 'encrypted':
    case 'carried':
    case 'document':
    case 'either':
      return false
    case 'array':
      return isPlain(shape.element)
    case 'object':
      return [...shape.members.values()].every(isPlain)
  }
}

/** Whether it holds encrypted values that do not say themselves whose they are. */
export function needsOwner(shape: Shape): boolean {
  if (shape.kind === 'array') return needsOwner(shape.element)
  if (shape.kind === 'object') return [...shape.members.values()].some(needsOwner)
  return shape.kind === 'encrypted'
}

/** Whether anything in it was found by an index, and is not compared yet. */
export function hasChecks(shape: Shape): boolean {
  switch (shape.kind) {
    case 'array':
      return hasChecks(shape.element)
    case 'object':
      return [...shape.members.values()].some(hasChecks)
    case 'carried':
      return hasChecks(shape.inner)
    case 'document':
      return shape.checks.length > 0 || hasChecks(shape.inner)
    case 'either':
      return shape.of.some(hasChecks)
    default:
      return false
  }
}

/** Whether what an index says of all that is encrypted in it is compared before the pipeline begins. @param owner - whether of what is its owner's */
export function isVerified(shape: Shape, owner: boolean): boolean {
  switch (shape.kind) {
    case 'encrypted':
      return owner
    case 'array':
      return isVerified(shape.element, owner)
    case 'object':
      return [...shape.members.values()].every((member) => isVerified(member, owner))
    case 'carried':
    case 'document':
      return isVerified(shape.inner, shape.verified)
    case 'either':
      return false
    default:
      return true
  }
}

/** A document as a member of another: without what it has of its own where that is nothing. */
export function asMember(shape: RootShape): Shape {
  return shape.kind === 'document' && shape.layout === undefined && shape.checks.length === 0 ? shape.inner : shape
}

/** @throws StrongroomError `invalid_argument` for a name that no member of a pipeline's documents can have */
export function requireName(name: unknown, what: string): asserts name is string {
  if (typeof name !== 'string' || name === '' || name.startsWith('$') || name.includes('.'))
    throw invalidArgument('pipeline', `must have a name without dots, and without $ before it, as ${what}`)
  requireFree(name)
}

/** @throws StrongroomError `invalid_argument` for the hidden member, and for what an assignment would not make a member */
export function requireFree(step: string): void {
  if (step === HIDDEN) throw invalidArgument('pipeline', `must not name ${HIDDEN}, which carries what decryption needs`)
  if (step === '__proto__') throw invalidArgument('pipeline', 'must not name __proto__')
  if (step === '') throw invalidArgument('pipeline', 'must have paths with no empty part')
}

/** For what a pipeline cannot do. */
export function refusedInPipeline(what: string, instead: string): StrongroomError {
  return new StrongroomError(
    'unsupported_operation',
    `${what} does not work on encrypted collections: ${instead} (docs/operations.md); nothing was sent`,
  )
}

export function refusedPath(what: string, path: string, why: string): StrongroomError {
  return new StrongroomError('unsupported_operation', `${what} cannot be done on ${shownName(path)}: ${why}; nothing was sent`)
}
