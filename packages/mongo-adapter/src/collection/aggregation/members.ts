/** Documents of which members were set, kept or taken away. */

import { invalidArgument } from '@strongroom/core'

import { PLAIN } from '../../schema/node.ts'
import { type DocumentShape, GONE, hasChecks, HIDDEN, isPlain, type ObjectShape, refusedPath, requireFree, type Shape } from './shape.ts'

const NOTHING: ObjectShape = { kind: 'object', members: new Map(), loose: false }

/** The document, or what is in it, with something else at a path. @throws StrongroomError `unsupported_operation` */
export function withMember<S extends Shape>(shape: S, path: string, value: Shape): S {
  requireCompared(shapeAt(shape, path.split('.')), path)
  return reshaped(shape, path, value)
}

/** The same, where nothing of what was there is lost. */
export function reshaped<S extends Shape>(shape: S, path: string, value: Shape): S {
  return set(shape, path.split('.'), value, path) as S
}

function shapeAt(shape: Shape, [first, ...rest]: readonly string[]): Shape | undefined {
  if (first === undefined) return shape
  if (shape.kind === 'array') return shapeAt(shape.element, [first, ...rest])
  if (shape.kind === 'document' || shape.kind === 'carried') return shapeAt(shape.inner, [first, ...rest])
  const member = shape.kind === 'object' ? shape.members.get(first) : undefined
  return member === undefined ? undefined : shapeAt(member, rest)
}

function set(shape: Shape, [first = '', ...rest]: readonly string[], value: Shape, path: string): Shape {
  requireFree(first)
  switch (shape.kind) {
    case 'array':
      return { ...shape, element: set(shape.element, [first, ...rest], value, path) }
    case 'document':
      return { ...shape, inner: set(shape.inner, [first, ...rest], value, path) as ObjectShape }
    case 'carried':
      return { ...shape, inner: set(shape.inner, [first, ...rest], value, path) }
    case 'plain':
      if (!isPlain(value))
        throw refusedPath('putting something encrypted', path, 'the schema says of no member there: use a name of its own')
      return shape
    case 'object': {
      const there = shape.members.get(first)
      if (rest.length > 0) {
        const inner = there === undefined || there.kind === 'gone' ? NOTHING : there
        return { ...shape, members: new Map(shape.members).set(first, set(inner, rest, value, path)) }
      }
      return { ...shape, members: new Map(shape.members).set(first, value) }
    }
    case 'encrypted':
      throw refusedPath('setting', path, 'nothing within an encrypted value can be reached')
    default:
      throw refusedPath('setting', path, 'it holds documents of several collections')
  }
}

/** Where a member is to be put. */
export interface Target {
  /** As the server has it. */
  readonly path: string
  /** Whether it is beside the record of whose the document is. */
  readonly beside: boolean
}

export function targetOf(root: DocumentShape, path: string): Target {
  const parts: string[] = []
  let at: Shape = root
  let beside = root.layout !== undefined
  for (const step of path.split('.')) {
    while (at.kind === 'array' || at.kind === 'document' || at.kind === 'carried') {
      if (at.kind === 'carried') parts.push('v')
      if (at.kind !== 'array' && parts.length > 0) beside = false
      at = at.kind === 'array' ? at.element : at.inner
    }
    parts.push(step)
    at = at.kind === 'object' ? (at.members.get(step) ?? PLAIN) : PLAIN
  }
  return { path: parts.join('.'), beside }
}

/** What is left of it where only these paths are kept. @throws StrongroomError `unsupported_operation` */
export function onlyMembers<S extends Shape>(shape: S, paths: readonly (readonly string[])[]): S {
  return only(shape, paths) as S
}

function only(shape: Shape, paths: readonly (readonly string[])[]): Shape {
  switch (shape.kind) {
    case 'array':
      return { ...shape, element: only(shape.element, paths) }
    case 'document':
      return { ...shape, inner: only(shape.inner, paths) as ObjectShape }
    case 'carried':
      return { ...shape, inner: only(shape.inner, paths) }
    case 'object': {
      const members = new Map<string, Shape>()
      for (const [name, member] of shape.members) {
        const below = paths.filter(([first]) => first === name).map(([, ...rest]) => rest)
        if (below.length === 0) {
          requireCompared(member, name)
          members.set(name, GONE)
        } else members.set(name, below.some((rest) => rest.length === 0) ? member : only(member, below))
      }
      for (const [first = ''] of paths) if (!members.has(first)) members.set(first, PLAIN)
      return { kind: 'object', members, loose: false }
    }
    default:
      return shape
  }
}

// What is taken away cannot be compared, and what has come of it would stay.
function requireCompared(shape: Shape | undefined, path: string): void {
  if (shape !== undefined && hasChecks(shape))
    throw refusedPath('leaving out', path, 'an index has found what is in it, which is compared when it is read: keep it')
}

/** The leaves of a document of nested documents, by dotted path. @throws StrongroomError `invalid_argument` */
export function leavesOf(
  spec: Readonly<Record<string, unknown>>,
  isNested: (value: unknown) => boolean,
  above = '',
): readonly (readonly [string, unknown])[] {
  const entries = Object.entries(spec)
  if (entries.length === 0) throw invalidArgument('pipeline', 'must name at least one path where it sets or keeps some')
  return entries.flatMap(([name, value]) => {
    const path = above === '' ? name : `${above}.${name}`
    if (name.startsWith('$') || path.split('.').some((step) => step === '' || step === HIDDEN || step.startsWith('$')))
      throw invalidArgument('pipeline', 'must name paths with no empty part, and no $ before them')
    return isNested(value) ? leavesOf(value as Readonly<Record<string, unknown>>, isNested, path) : [[path, value] as const]
  })
}
