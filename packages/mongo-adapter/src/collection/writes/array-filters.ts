/** `arrayFilters`: which elements `$[name]` in an update means. By what is plain in them only. */

import { invalidArgument, shownName } from '@strongroom/core'

import { isTree, readList, resolveDocument, type Tree } from '../../values/resolve.ts'
import { LOGIC } from '../filters/operators.ts'
import { requirePlainCondition } from '../filters/plain-conditions.ts'
import { type Layout, placeOf, requireDeclared, unsupported } from '../layout.ts'

/**
 * @param change - the update, resolved
 * @returns the filters, resolved
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`
 */
export function checkArrayFilters(layout: Layout, given: unknown, change: Tree, ignoreUndefined: boolean): Tree[] {
  const paths = Object.values(change).flatMap((members) => (isTree(members) ? Object.keys(members) : []))
  return readList(given, 'arrayFilters', 'filters').map((each) => {
    const filter = resolveDocument(each, { argument: 'arrayFilters', operators: true, ignoreUndefined })
    requirePlain(layout, filter, paths)
    return filter
  })
}

function requirePlain(layout: Layout, filter: Tree, paths: readonly string[]): void {
  for (const [key, condition] of Object.entries(filter)) {
    if (LOGIC.includes(key)) {
      if (!Array.isArray(condition) || !condition.every(isTree))
        throw invalidArgument('arrayFilters', `must have a list of filters in ${key}`)
      for (const inner of condition as readonly Tree[]) requirePlain(layout, inner, paths)
      continue
    }
    const [name = '', ...below] = key.split('.')
    const arrays = name === '' || name.startsWith('$') ? [] : arraysNamed(name, paths)
    // The server would refuse it as well, and have it in its log by then.
    if (arrays.length === 0)
      throw invalidArgument('arrayFilters', `must begin each path with a name that the update has in $[…], and not with ${shownName(name)}`)
    for (const array of arrays) {
      const place = placeOf(layout, [array, '0', ...below].join('.'))
      const path = [array, ...below].join('.')
      if (place.kind !== 'plain') throw unsupported('choosing elements by arrayFilters', path, 'choose them by what is plain in them')
      requireDeclared(place, path, 'arrayFilters')
      requirePlainCondition(layout, place.node, condition, 'arrayFilters')
    }
  }
}

/** The arrays whose elements an update chooses by a name. */
function arraysNamed(name: string, paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    const steps = path.split('.')
    return steps.flatMap((step, i) => (step === `$[${name}]` ? [steps.slice(0, i).join('.')] : []))
  })
}
