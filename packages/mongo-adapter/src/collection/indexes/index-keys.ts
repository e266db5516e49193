/** Keys of the database's indexes: declared paths to those where index values are stored, and back. */

import { invalidArgument } from '@strongroom/core'
import type { Hint } from 'mongodb'

import { isTree, resolveDocument, resolveValue, type Tree } from '../../values/resolve.ts'
import { type Layout, placeOf, requireDeclared, type SealedPath, unsupported } from '../layout.ts'

/** An index as it is to be made. */
export interface StoredKey {
  /** With the paths where index values are stored. */
  readonly key: Map<string, unknown>
  /** As the driver would name it, by the paths that were declared. */
  readonly name: string
  readonly sealed: SealedPath | undefined
}

/**
 * @param given - in any of the driver's forms
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`
 */
export function storedKey(layout: Layout, given: unknown): StoredKey {
  const key = new Map<string, unknown>()
  const named: (readonly [string, unknown])[] = []
  let found: SealedPath | undefined
  for (const [path, direction] of pairsOf(given)) {
    if (typeof path !== 'string' || path === '') throw invalidArgument('index', 'must name paths')
    const { stored, sealed } = storedPath(layout, path, direction, 'index')
    if (sealed !== undefined && found !== undefined) throw unsupported('one index', `${found.path} and ${sealed.path}`, 'make one of each')
    found ??= sealed
    key.set(stored, direction)
    named.push([path, direction])
  }
  if (key.size === 0) throw invalidArgument('index', 'must name at least one path')
  return { key, name: named.flat().join('_'), sealed: found }
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function hintOf(layout: Layout, given: unknown): Hint {
  if (typeof given === 'string') return given
  const hint = resolveDocument(given, { argument: 'hint', operators: true, ignoreUndefined: true })
  return Object.fromEntries(
    Object.entries(hint).map(([path, direction]) => [storedPath(layout, path, direction, 'hint').stored, direction]),
  )
}

/** A key, or a filter of a partial index, as it was declared. */
export function declaredPaths(layout: Layout, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => declaredPaths(layout, each))
  if (!isTree(value)) return value
  return Object.fromEntries(Object.entries(value).map(([path, inner]) => [declaredPath(layout, path), declaredPaths(layout, inner)]))
}

/** The declared path of a stored one; any other as it is. */
export function declaredPath(layout: Layout, path: string): string {
  const bare = path.endsWith('.i') ? path.slice(0, -2) : path
  return placeOf(layout, bare).kind === 'sealed' ? bare : path
}

function storedPath(
  layout: Layout,
  path: string,
  direction: unknown,
  argument: string,
): { readonly stored: string; readonly sealed: SealedPath | undefined } {
  const wildcard = path === '$**' || path.endsWith('.$**')
  const place = placeOf(layout, wildcard ? path.slice(0, -4) : path)
  if (path !== '$natural') requireDeclared(place, path, argument)
  if (place.kind === 'plain') return { stored: path, sealed: undefined }
  if (wildcard) throw unsupported('an index of everything', path, 'name its paths')
  if (place.kind === 'holder') throw unsupported('an index', path, 'it holds encrypted values: name the paths in it')
  if (place.kind === 'within') throw unsupported('an index', place.sealed.path, 'nothing within it can be reached')
  const { sealed } = place
  if (sealed.index === undefined) throw unsupported('an index', sealed.path, 'encrypted(…, { index }) gives it one')
  if (direction !== 1 && direction !== -1) throw unsupported('an index other than 1 or -1', sealed.path)
  return { stored: `${path}.i`, sealed }
}

function pairsOf(given: unknown): readonly (readonly [unknown, unknown])[] {
  const resolved = given instanceof Map ? given : resolveValue(given, { argument: 'index', operators: true, ignoreUndefined: true })
  if (typeof resolved === 'string') return [[resolved, 1]]
  if (resolved instanceof Map) return [...(resolved as Map<unknown, unknown>).entries()]
  if (isTree(resolved)) return Object.entries(resolved)
  if (!Array.isArray(resolved)) throw invalidArgument('index', 'must be a path, or an object, a map or a list of paths')
  const list = resolved as readonly unknown[]
  const [first, second] = list
  if (list.length === 2 && typeof first === 'string' && (typeof second === 'number' || KINDS.has(second))) return [[first, second]]
  return list.flatMap((each) => (Array.isArray(each) ? [[each[0], each[1] ?? 1] as const] : pairsOf(each as Tree | string)))
}

// Of a pair of two strings the second may be the kind of the index.
const KINDS: ReadonlySet<unknown> = new Set(['2d', '2dsphere', 'text', 'geoHaystack'])
