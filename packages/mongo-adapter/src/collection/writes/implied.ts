/** What a filter says of the document that an upsert inserts: MongoDB puts into it whatever is asked for by equality. */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'
import { BSONRegExp } from 'mongodb'

import { bsonKey } from '../../values/bson-key.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { isOperators } from '../filters/plain-conditions.ts'
import { type Layout, requireDeclared, writtenPlaceOf } from '../layout.ts'

/** Values by path. */
export interface Implied {
  readonly plain: ReadonlyMap<string, unknown>
  /** Of encrypted paths. */
  readonly sealed: ReadonlyMap<string, unknown>
}

/**
 * @param filter - resolved, in declared paths
 * @throws StrongroomError `unsupported_operation`, `invalid_argument` for what does not say for sure what the document is to hold
 */
export function impliedBy(layout: Layout, filter: Tree): Implied {
  const implied = { plain: new Map<string, unknown>(), sealed: new Map<string, unknown>() }
  for (const [path, value] of equalities(filter)) {
    const place = writtenPlaceOf(layout, path)
    requireDeclared(place, path, 'filter')
    const values = place.kind === 'sealed' && value !== null ? implied.sealed : implied.plain
    if (values.has(path) && !isSame(values.get(path), value)) throw ambiguous(path, 'must have one value')
    values.set(path, value)
  }
  return implied
}

function* equalities(filter: Tree): Generator<readonly [string, unknown], void> {
  for (const [key, condition] of Object.entries(filter)) {
    if (key === '$and' || key === '$or') {
      const branches = condition as readonly Tree[]
      if (key === '$and' || branches.length === 1) for (const each of branches) yield* equalities(each)
    } else if (!key.startsWith('$')) yield* equalityOf(key, condition)
  }
}

function* equalityOf(path: string, condition: unknown): Generator<readonly [string, unknown], void> {
  if (!isOperators(condition)) {
    if (!(condition instanceof RegExp) && !(condition instanceof BSONRegExp)) yield [path, condition]
    return
  }
  for (const operator of ['$in', '$all'])
    // Some servers take that for equality.
    if (Array.isArray(condition[operator]) && (condition[operator] as readonly unknown[]).length === 1)
      throw ambiguous(path, `must have no ${operator} of one value: name the value itself`)
  if (Object.hasOwn(condition, '$eq')) yield [path, condition['$eq']]
}

/** Whether two values are stored alike. */
export function isSame(a: unknown, b: unknown): boolean {
  return bsonKey(a) === bsonKey(b)
}

function ambiguous(path: string, says: string): StrongroomError {
  return new StrongroomError('unsupported_operation', `${shownName(path)} in the filter of an upsert ${says}; nothing was sent`)
}

/** Puts a value at a dotted path. */
export function putAt(document: Tree, path: string, value: unknown): void {
  const steps = path.split('.')
  let at = document
  for (const step of steps.slice(0, -1)) {
    if (!Object.hasOwn(at, step)) at[step] = {}
    const inner = at[step]
    if (!isTree(inner)) throw invalidArgument('filter', `must not say of ${shownName(path)} what it says otherwise of what holds it`)
    at = inner
  }
  at[steps.at(-1) as string] = value
}
