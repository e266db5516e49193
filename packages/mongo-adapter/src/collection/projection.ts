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
  const hidden = new Set<string>()
  const projection: Tree = includes ? { ...wanted } : Object.fromEntries(entries)
  for (const path of needed) {
    if (includes) {
      if (
        path === '_id'
          ? wanted['_id'] === undefined || Boolean(wanted['_id'])
          : entries.some(([each]) => each === path || path.startsWith(`${each}.`))
      )
        continue
      if (entries.some(([each]) => each.startsWith(`${path}.`)))
        throw invalidArgument('projection', `must take ${path} whole, or not at all`)
      projection[path] = 1
      hidden.add(path)
    } else {
      for (const [each] of entries) {
        if (each === path) {
          delete projection[each]
          hidden.add(path)
        } else if (path.startsWith(`${each}.`) || each.startsWith(`${path}.`))
          throw invalidArgument('projection', `must not leave out what holds ${path}, or a part of it: decryption needs it`)
      }
    }
  }
  // `{}` would mean everything, which an exclusion of hidden paths alone does mean.
  if (includes && projection['_id'] === 0) delete projection['_id']
  return {
    projection: Object.keys(projection).length === 0 ? undefined : projection,
    strip: (document) => (hidden.size === 0 ? document : without(document, [...hidden])),
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

function without(document: Tree, paths: readonly string[]): Tree {
  const out: Tree = { ...document }
  for (const path of paths) {
    const [first = '', ...rest] = path.split('.')
    const inner = out[first]
    if (rest.length === 0) delete out[first]
    else if (isTree(inner)) {
      const left = without(inner, [rest.join('.')])
      if (Object.keys(left).length === 0) delete out[first]
      else out[first] = left
    }
  }
  return out
}
