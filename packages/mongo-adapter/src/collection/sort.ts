/** Sorts, in whichever of the driver's forms: by plain paths only. */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'

import { guarded } from '../values/resolve.ts'
import { type Layout, placeOf, requireDeclared, unsupported } from './layout.ts'

const DIRECTIONS: ReadonlyMap<string, 1 | -1> = new Map([
  ['1', 1],
  ['asc', 1],
  ['ascending', 1],
  ['-1', -1],
  ['desc', -1],
  ['descending', -1],
])

/**
 * @returns paths in order; `undefined` for a sort by nothing
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`
 */
export function sortOf(layout: Layout, given: unknown): Map<string, 1 | -1> | undefined {
  const sort = new Map<string, 1 | -1>()
  for (const [path, direction] of guarded('sort', () => pairsOf(given))) {
    if (typeof path !== 'string' || path === '') throw invalidArgument('sort', 'must name paths')
    const place = placeOf(layout, path)
    if (place.kind !== 'plain') throw unsupported('sorting', path, 'sort by a plain path, or what was read')
    if (path !== '$natural') requireDeclared(place, path, 'sort')
    sort.set(path, directionOf(path, direction))
  }
  return sort.size === 0 ? undefined : sort
}

function pairsOf(given: unknown): readonly (readonly [unknown, unknown])[] {
  if (typeof given === 'string') return [[given, 1]]
  if (given instanceof Map) return [...(given as Map<unknown, unknown>).entries()]
  if (!Array.isArray(given)) {
    if (typeof given !== 'object' || given === null) throw invalidArgument('sort', 'must be a path, or an object, a map or a list of paths')
    return Object.entries(given)
  }
  const list = given as readonly unknown[]
  // `['plan', -1]` is one path, `['plan', 'name']` are two.
  if (list.length === 2 && !Array.isArray(list[0]) && DIRECTIONS.has(String(list[1]).toLowerCase())) return [[list[0], list[1]]]
  return list.map((each) => (Array.isArray(each) ? [each[0] as unknown, (each[1] as unknown) ?? 1] : [each, 1]))
}

function directionOf(path: string, given: unknown): 1 | -1 {
  if (typeof given === 'object' && given !== null)
    throw new StrongroomError(
      'unsupported_operation',
      `the sort by ${shownName(path)} has an object as direction, as $meta, which does not work on encrypted collections; nothing was sent`,
    )
  const direction = typeof given === 'string' || typeof given === 'number' ? DIRECTIONS.get(String(given).toLowerCase()) : undefined
  if (direction === undefined) throw invalidArgument('sort', `must have 1 or -1 as direction of ${shownName(path)}`)
  return direction
}
