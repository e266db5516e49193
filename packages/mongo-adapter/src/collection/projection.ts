/** Projections: checked, and completed with what decryption needs, which is taken out again. */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'

import { isTree, resolveDocument, type Tree } from '../values/resolve.ts'
import { setMember } from './documents.ts'
import { fetchedPath, type Layout, projectedPlaceOf, type SealedPath, unsupported } from './layout.ts'

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
    const place = projectedPlaceOf(layout, path)
    if (place.kind === 'within') throw unsupported('projecting', place.sealed.path, 'nothing within it can be reached')
    if (path.startsWith('$') || path.includes('.$') || ![0, 1, true, false].includes(value as number))
      throw new StrongroomError(
        'unsupported_operation',
        `a projection of an encrypted collection only names paths, with 0 or 1, and has no other form, as ${shownName(path)}; nothing was sent`,
      )
  }
  const beside = entries.filter(([path]) => path !== '_id').map(([, value]) => Boolean(value))
  if (new Set(beside).size > 1)
    throw invalidArgument('projection', 'must name what to take, or what to leave out, and not both; _id is free')
  const [includes = Boolean(wanted['_id'])] = beside
  const owners = [layout.tenant.path, layout.subject.path]
  const fetched = searched.map(fetchedPath)
  return includes ? included(wanted, owners, fetched) : excluded(wanted, ['_id', ...owners, ...fetched])
}

// What is needed is fetched beside, with all that it holds; the document is then cut to what was asked for.
function included(wanted: Tree, owners: readonly string[], fetched: readonly string[]): PlannedProjection {
  const paths = Object.keys(wanted).filter((path) => Boolean(wanted[path]))
  for (const path of owners)
    if (path !== '_id' && paths.some((each) => each.startsWith(`${path}.`)))
      throw invalidArgument('projection', `must take ${path} whole, or not at all`)
  const beneath = (path: string, holders: readonly string[]): boolean => holders.some((each) => path.startsWith(`${each}.`))
  // What is fetched whole is not named in parts as well, which the server takes for a contradiction. One of the caller's own stays one.
  const whole = fetched.filter((path) => !paths.includes(path))
  const sent = [...paths.filter((path) => !beneath(path, whole)), ...[...owners, ...whole].filter((path) => !beneath(path, paths))]
  // The id comes unless it is left out.
  const asked = wanted['_id'] === undefined && !paths.some((path) => path.startsWith('_id.')) ? ['_id', ...paths] : paths
  return {
    projection: { ...Object.fromEntries(sent.filter((path) => !path.startsWith('_id.')).map((path) => [path, 1])), _id: 1 },
    strip: (document) =>
      only(
        document,
        asked.map((path) => path.split('.')),
      ) as Tree,
  }
}

// What is needed is fetched all the same, with what holds it, and taken out again.
function excluded(wanted: Tree, needed: readonly string[]): PlannedProjection {
  // `_id: 1` beside exclusions says nothing; alone it would mean the id and nothing else.
  const paths = Object.keys(wanted).filter((path) => !wanted[path])
  const holds = (each: string, path: string): boolean => path === each || path.startsWith(`${each}.`)
  const hidden = paths.filter((each) => needed.some((path) => holds(each, path) || holds(path, each)))
  const sent = Object.fromEntries(paths.filter((path) => !hidden.includes(path)).map((path) => [path, 0]))
  return {
    projection: Object.keys(sent).length === 0 ? undefined : sent,
    strip: (document) => hidden.reduce((out, path) => without(out, path.split('.')), document),
  }
}

// As the server: of an array each element that holds something, and of a single value nothing.
function only(value: unknown, paths: readonly (readonly string[])[]): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => only(each, paths)).filter((each) => each !== undefined)
  if (!isTree(value)) return undefined
  const out: Tree = {}
  for (const [name, member] of Object.entries(value)) {
    const below = paths.filter(([first]) => first === name).map(([, ...rest]) => rest)
    const kept = below.some((rest) => rest.length === 0) ? member : only(member, below)
    if (below.length > 0 && kept !== undefined) setMember(out, name, kept)
  }
  return out
}

function without(value: Tree, steps: readonly string[]): Tree
function without(value: unknown, steps: readonly string[]): unknown
function without(value: unknown, [first = '', ...rest]: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => without(each, [first, ...rest]))
  if (!isTree(value) || !Object.hasOwn(value, first)) return value
  const { [first]: inner, ...out } = value
  return rest.length === 0 ? out : { ...value, [first]: without(inner, rest) }
}
