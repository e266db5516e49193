/** Projections and sorts: checked, and completed with what decryption needs, which is taken out again. */

import { invalidArgument, StrongroomError } from '@strongroom/core'

import { isTree, resolveDocument, resolveValue, type Tree } from '../values/resolve.ts'
import { type Layout, placeOf, type SealedPath, unsupported } from './layout.ts'

export interface PlannedProjection {
  readonly projection: Tree | undefined
  /** Takes out what was only there for decryption. */
  readonly strip: (document: Tree) => Tree
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function planProjection(layout: Layout, given: unknown, searched: readonly SealedPath[]): PlannedProjection {
  if (given === undefined || given === null) return { projection: undefined, strip: (document) => document }
  const wanted = resolveDocument(given, { argument: 'projection', operators: true, ignoreUndefined: true })
  const entries = Object.entries(wanted)
  for (const [path, value] of entries) {
    const place = placeOf(layout, path)
    if (place.kind === 'within') throw unsupported('projecting', place.sealed.path, 'nothing within it can be reached')
    if (path.startsWith('$') || path.includes('.$') || ![0, 1, true, false].includes(value as number))
      throw new StrongroomError(
        'unsupported_operation',
        'a projection of an encrypted collection only names paths, with 0 or 1; nothing was sent',
      )
  }
  if (entries.length === 0) return { projection: undefined, strip: (document) => document }
  const needed = [...new Set([layout.tenant.path, layout.subject.path, '_id', ...searched.map(({ path }) => path.replaceAll('[]', ''))])]
  const includes = entries.some(([path, value]) => path !== '_id' && Boolean(value)) || entries.every(([, value]) => Boolean(value))
  return includes ? including(wanted, needed) : excluding(wanted, needed)
}

function including(wanted: Tree, needed: readonly string[]): PlannedProjection {
  const entries = Object.entries(wanted)
  const projection: Tree = { ...wanted }
  let more = false
  for (const path of needed) {
    if (
      path === '_id'
        ? wanted['_id'] === undefined || Boolean(wanted['_id'])
        : entries.some(([each]) => each === path || path.startsWith(`${each}.`))
    )
      continue
    if (entries.some(([each]) => each.startsWith(`${path}.`))) throw invalidArgument('projection', `must take ${path} whole, or not at all`)
    projection[path] = 1
    more = true
  }
  const kept = entries.filter(([, value]) => Boolean(value)).map(([path]) => path)
  if (wanted['_id'] === undefined) kept.push('_id')
  return { projection, strip: (document) => (more ? (only(document, kept) as Tree) : document) }
}

function excluding(wanted: Tree, needed: readonly string[]): PlannedProjection {
  const excluded = Object.entries(wanted).flatMap(([path, value]) => (value ? [] : [path]))
  const hidden = excluded.filter((each) =>
    needed.some((path) => path === each || path.startsWith(`${each}.`) || each.startsWith(`${path}.`)),
  )
  const sent = excluded.filter((each) => !hidden.includes(each))
  return {
    // `{}` and nothing are the same: all of a document.
    projection: sent.length === 0 ? undefined : Object.fromEntries(sent.map((path) => [path, 0])),
    strip: (document) => (hidden.length === 0 ? document : (without(document, hidden) as Tree)),
  }
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function checkSort(layout: Layout, given: unknown): unknown {
  const sort = resolveValue(given, { argument: 'sort', operators: true, ignoreUndefined: true })
  const paths =
    typeof sort === 'string'
      ? [sort]
      : Array.isArray(sort)
        ? sort.map((each: unknown) => (Array.isArray(each) ? (each[0] as unknown) : each))
        : isTree(sort)
          ? Object.keys(sort)
          : []
  for (const path of paths) {
    if (typeof path !== 'string') throw invalidArgument('sort', 'must name paths')
    const place = placeOf(layout, path)
    if (place.kind !== 'plain') throw unsupported('sorting', path)
  }
  return sort
}

/** What a projection that names these paths leaves, as on the server: elements of arrays one by one, and nothing of what is no object. */
function only(value: unknown, paths: readonly string[]): unknown {
  if (Array.isArray(value)) return value.filter((each) => Array.isArray(each) || isTree(each)).map((each) => only(each, paths))
  if (!isTree(value)) return value
  return mapMembers(value, paths, (member, whole, below) => {
    if (whole) return member
    return below.length > 0 && (Array.isArray(member) || isTree(member)) ? only(member, below) : undefined
  })
}

/** What a projection that excludes these paths leaves. */
function without(value: unknown, paths: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each) => without(each, paths))
  if (!isTree(value)) return value
  return mapMembers(value, paths, (member, whole, below) => (whole ? undefined : below.length > 0 ? without(member, below) : member))
}

/** @param map - given whether a path ends at the member, and what of the paths goes on below it; `undefined` leaves it out */
function mapMembers(
  document: Tree,
  paths: readonly string[],
  map: (member: unknown, whole: boolean, below: readonly string[]) => unknown,
): Tree {
  const out: Tree = {}
  for (const [name, member] of Object.entries(document)) {
    const below = paths.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1))
    const mapped = map(member, paths.includes(name), below)
    if (mapped !== undefined) out[name] = mapped
  }
  return out
}
