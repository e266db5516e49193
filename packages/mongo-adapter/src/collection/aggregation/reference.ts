/** What a path of a pipeline leads to, by the rules of expressions: arrays are passed through, and a number is a name like any other. */

import type { StrongroomError } from '@strongroom/core'

import { PLAIN } from '../../schema/node.ts'
import { type Layout, undeclaredPath } from '../layout.ts'
import {
  type CarriedShape,
  hasChecks,
  HIDDEN,
  isPlain,
  needsOwner,
  refusedPath,
  requireFree,
  type DocumentShape,
  type Shape,
} from './shape.ts'

/** Where whose something is stands. */
export interface Ownership {
  readonly path: string
  readonly layout: Layout
  readonly verified: boolean
  /** Whether it is the document's own. */
  readonly own: boolean
}

export interface Found {
  /** As the caller has it, and as the server has it. */
  readonly named: string
  readonly path: string
  /** With all that stands around it there. */
  readonly shape: Shape
  /** Of what it holds that does not say itself whose it is. */
  readonly owner: Ownership | undefined
  /** Arrays on the way: as many levels of lists a reference gives. */
  readonly arrays: number
  /** Whether one of them stands around the owner, so that there are several. */
  readonly apart: boolean
  /** Whether it leads through, or to, a list of what an index has found and nobody has compared: some of it may be left out. */
  readonly uncertain: boolean
  /** Paths that must be kept with this one. */
  readonly companions: readonly string[]
}

const POSITION = /^\d+$/u

/**
 * @param positions - whether a number is a position in an array, as it is in filters and sorts
 * @throws StrongroomError `invalid_argument` for a path that is not declared, `unsupported_operation` for one that leads into an encrypted value
 */
export function findPath(root: DocumentShape | Shape, named: string, positions = false): Found {
  const parts: string[] = []
  const companions: string[] = []
  let at: Shape = root
  let owner: Ownership | undefined
  let arrays = 0
  let apart = false
  let uncertain = false
  for (const step of named.split('.')) {
    requireFree(step)
    let position = false
    for (;;) {
      if (at.kind === 'array') {
        uncertain ||= hasChecks(at)
        position = positions && POSITION.test(step)
        at = at.element
        if (position) break
        arrays++
      } else if (at.kind === 'document') {
        if (parts.length > 0) companions.push([...parts, HIDDEN].join('.'))
        if (at.layout !== undefined) {
          owner = { path: [...parts, HIDDEN, 'o'].join('.'), layout: at.layout, verified: at.verified, own: parts.length === 0 }
          apart = arrays > 0
        }
        at = at.inner
      } else if (at.kind === 'carried') {
        owner = { path: [...parts, 'o'].join('.'), layout: at.layout, verified: at.verified, own: false }
        companions.push(owner.path)
        apart = arrays > 0
        parts.push('v')
        at = at.inner
      } else break
    }
    parts.push(step)
    if (!position) at = memberOf(at, step, named)
  }
  uncertain ||= at.kind === 'array' && hasChecks(at)
  return { named, path: parts.join('.'), shape: at, owner, arrays, apart, uncertain, companions }
}

function memberOf(at: Shape, step: string, named: string): Shape {
  switch (at.kind) {
    case 'plain':
      return PLAIN
    case 'object': {
      const member = at.members.get(step)
      if (member?.kind === 'gone') throw unreachable(named, 'an earlier stage has taken it away')
      if (member === undefined && !at.loose) throw undeclaredPath(named, 'pipeline')
      return member ?? PLAIN
    }
    case 'either':
      throw unreachable(named, 'it holds documents of several collections')
    default:
      throw unreachable(named, 'nothing within an encrypted value can be reached')
  }
}

function unreachable(named: string, why: string): StrongroomError {
  return refusedPath('naming it', named, why)
}

/** @throws StrongroomError `unsupported_operation` for a path of which the server would take more than is left once it is compared */
export function requireCertain({ uncertain, named }: Found, what: string): void {
  if (uncertain)
    throw refusedPath(what, named, 'an index has found what is in the list, which is compared when it is read: $unwind it first')
}

/** What a stage puts somewhere: an expression as it is sent, and what it gives. */
export interface Value {
  readonly expression: unknown
  readonly shape: Shape
}

/**
 * What is found, to be put somewhere else.
 *
 * @param beside - whether it is put into the same document, beside the record of whose it is
 * @throws StrongroomError `unsupported_operation` where it is of several owners
 */
export function moved(found: Found, beside: boolean): Value {
  if (isPlain(found.shape)) requireCertain(found, 'moving it')
  const expression = `$${found.path}`
  if (!isMoved(found, beside)) return { expression, shape: listOf(found.shape, found.arrays) }
  // What is missing stays so.
  const isMissing = { $eq: [{ $type: expression }, 'missing'] }
  return { expression: { $cond: [isMissing, expression, { v: expression, o: ownerOf(found) }] }, shape: carried(found) }
}

/** As {@link moved}, for `$first` and `$last`: what is missing becomes null, as there. */
export function movedOrNull(found: Found): Value {
  if (isPlain(found.shape)) requireCertain(found, 'moving it')
  const expression = `$${found.path}`
  if (!isMoved(found, false)) return { expression, shape: listOf(found.shape, found.arrays) }
  return { expression: { v: { $ifNull: [expression, null] }, o: ownerOf(found) }, shape: carried(found) }
}

function isMoved({ shape, owner }: Found, beside: boolean): boolean {
  return needsOwner(shape) && !(beside && owner?.own === true)
}

function ownerOf({ owner, apart, named }: Found): string {
  if (apart || owner === undefined) throw refusedPath('moving it', named, 'it stands in an array of documents: $unwind that first')
  return `$${owner.path}`
}

function carried({ owner, shape, arrays }: Found): CarriedShape {
  const { layout, verified } = owner as Ownership
  return { kind: 'carried', layout, inner: listOf(shape, arrays), verified, compared: false }
}

function listOf(shape: Shape, levels: number): Shape {
  return levels === 0 ? shape : { kind: 'array', element: listOf(shape, levels - 1) }
}

/** The path of a value itself, where it is carried. */
export function valuePath({ path, shape }: Found): string {
  return shape.kind === 'carried' ? `${path}.v` : path
}

/** What stands there, without what carries it. */
export function valueShape({ shape }: Found): Shape {
  return shape.kind === 'carried' ? shape.inner : shape
}
