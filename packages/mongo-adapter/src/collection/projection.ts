/** Projections: checked, and completed with what decryption needs, which is taken out again. */

import { invalidArgument, StrongroomError } from '@strongroom/core'

import { isTree, resolveDocument, type Tree } from '../values/resolve.ts'
import { dottedPath, type Layout, placeOf, type SealedPath, unsupported } from './layout.ts'

export interface PlannedProjection {
  readonly projection: Tree | undefined
  /** Takes out what was only there for decryption. */
  readonly strip: (document: Tree) => Tree
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function planProjection(layout: Layout, given: unknown, searched: readonly SealedPath[]): PlannedProjection {
  const everything: PlannedProjection = { projection: undefined, strip: (document) => document }
  if (given === undefined || given === null) return everything
  const wanted = resolveDocument(given, { argument: 'projection', operators: true, ignoreUndefined: true })
  const entries = Object.entries(wanted)
  if (entries.length === 0) return everything
  for (const [path, value] of entries) {
    const place = placeOf(layout, path)
    if (place.kind === 'within') throw unsupported('projecting', place.sealed.path, 'nothing within it can be reached')
    if (path.startsWith('$') || path.includes('.$') || ![0, 1, true, false].includes(value as number))
      throw new StrongroomError(
        'unsupported_operation',
        'a projection of an encrypted collection only names paths, with 0 or 1; nothing was sent',
      )
  }
  const needed = [...new Set([layout.tenant.path, layout.subject.path, '_id', ...searched.map(dottedPath)])]
  const includes = entries.some(([path, value]) => path !== '_id' && Boolean(value)) || entries.every(([, value]) => Boolean(value))
  const { projection, hidden } = includes ? included(wanted, needed) : excluded(wanted, needed)
  return {
    projection: Object.keys(projection).length === 0 ? undefined : projection,
    strip: (document) => hidden.reduce((out, path) => without(out, path.split('.')), document),
  }
}

interface Completed {
  readonly projection: Tree
  /** Paths that the caller did not ask for. */
  readonly hidden: readonly string[]
}

function included(wanted: Tree, needed: readonly string[]): Completed {
  const projection: Tree = { ...wanted }
  const paths = Object.keys(wanted).filter((path) => Boolean(wanted[path]))
  const hidden: string[] = []
  // The id comes unless it is left out.
  if (projection['_id'] !== undefined && !projection['_id']) {
    delete projection['_id']
    hidden.push('_id')
  }
  for (const path of needed) {
    if (path === '_id' || paths.some((each) => each === path || path.startsWith(`${each}.`))) continue
    if (paths.some((each) => each.startsWith(`${path}.`))) throw invalidArgument('projection', `must take ${path} whole, or not at all`)
    projection[path] = 1
    hidden.push(outermost(path, paths))
  }
  return { projection, hidden }
}

// Of `meta.org`, all of `meta` is there for it alone, unless something else of that was asked for.
function outermost(path: string, paths: readonly string[]): string {
  const steps = path.split('.')
  for (let length = 1; length < steps.length; length++) {
    const ancestor = steps.slice(0, length).join('.')
    if (!paths.some((each) => each.startsWith(`${ancestor}.`))) return ancestor
  }
  return path
}

// What is needed is fetched all the same, with what holds it, and taken out again.
function excluded(wanted: Tree, needed: readonly string[]): Completed {
  // `_id: 1` beside exclusions says nothing; alone it would mean the id and nothing else.
  const paths = Object.keys(wanted).filter((path) => !wanted[path])
  const holds = (each: string, path: string): boolean => path === each || path.startsWith(`${each}.`)
  const hidden = paths.filter((each) => needed.some((path) => holds(each, path) || holds(path, each)))
  return { projection: Object.fromEntries(paths.filter((path) => !hidden.includes(path)).map((path) => [path, 0])), hidden }
}

function without(value: Tree, steps: readonly string[]): Tree
function without(value: unknown, steps: readonly string[]): unknown
function without(value: unknown, [first = '', ...rest]: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => without(each, [first, ...rest]))
  if (!isTree(value) || !Object.hasOwn(value, first)) return value
  const { [first]: inner, ...out } = value
  return rest.length === 0 ? out : { ...value, [first]: without(inner, rest) }
}
