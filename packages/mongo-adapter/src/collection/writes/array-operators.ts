/** What updates do with encrypted arrays: elements are added as values, and taken out by their index values. */

import { invalidArgument, requireIndexable, shownName } from '@strongroom/core'
import { Binary } from 'mongodb'

import type { SchemaNode } from '../../schema/node.ts'
import { bsonScalar } from '../../values/bson-scalar.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { translateFilter } from '../filters/filter.ts'
import { isOperators } from '../filters/plain-conditions.ts'
import type { BatchKeys } from '../keys.ts'
import { type Layout, type Place, type SealedPath, unsupported } from '../layout.ts'
import { indexValueOf } from '../seal.ts'
import { SUBTYPE } from '../stored-form.ts'
import type { CheckedMember, Making, WrittenValue } from './check-update.ts'
import { PUSH_MODIFIERS } from './operators.ts'

/** Values that elements are compared with. */
export interface ComparedValues {
  readonly sealed: SealedPath
  readonly values: readonly unknown[]
}

/** Their index values, of which each was checked before. */
export function indexValuesOf({ sealed, values }: ComparedValues, tenant: string, keys: BatchKeys): readonly Binary[] {
  return values.flatMap((value) => {
    const bytes = indexValueOf(sealed, bsonScalar(value, sealed.path), tenant, keys)
    return bytes === undefined ? [] : [new Binary(bytes, SUBTYPE)]
  })
}

/** `$push`. @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function push(path: string, operand: unknown, element: SchemaNode): CheckedMember {
  const { $each: each, ...modifiers } = isTree(operand) && Object.hasOwn(operand, '$each') ? operand : { $each: [operand] }
  if (!Array.isArray(each)) throw invalidArgument('update', `must have a list in $each of ${path}`)
  for (const [name, modifier] of Object.entries(modifiers)) {
    if (!PUSH_MODIFIERS.includes(name))
      throw unsupported(`$push with ${shownName(name)}`, path, `beside $each there may be ${PUSH_MODIFIERS.join(' and ')}`)
    if (!Number.isSafeInteger(modifier)) throw invalidArgument('update', `must have a whole number in ${name} of ${path}`)
  }
  const written = each.map((value: unknown): WrittenValue => ({ node: element, value, path }))
  return { operator: '$push', written, compared: [], with: ({ seal }) => ({ ...modifiers, $each: written.map(seal) }) }
}

/** `$pull` of what is equal, and `$pullAll`. @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function pull(operator: string, operand: unknown, place: Place & { readonly kind: 'sealed' }): CheckedMember {
  const { sealed } = place
  const compared = comparedValues(operator, sealed, operator === '$pullAll' ? listOf(operand, operator, sealed) : pulled(operand, sealed))
  return { operator: '$pull', written: [], compared: [compared], with: ({ index }) => ({ i: { $in: index(compared) } }) }
}

/**
 * `$pull` of objects that hold something encrypted, by what a filter can ask of their members.
 *
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`
 */
export function pullObjects(layout: Layout, path: string, operand: unknown, element: SchemaNode): CheckedMember {
  if (element.kind !== 'object' || !isTree(operand))
    throw unsupported('$pull of what is equal', path, 'conditions on members of its elements say what to take out')
  const of = { node: element, argument: 'update' }
  const compared: ComparedValues[] = []
  translateFilter(
    layout,
    operand,
    (sealed, value) => {
      compared.push(comparedValues('$pull', sealed, [value]))
      return []
    },
    of,
  )
  const translated = (index: Making['index']): Tree =>
    translateFilter(layout, operand, (sealed, value) => index({ sealed, values: [value] }), of).filter
  return { operator: '$pull', written: [], compared, with: ({ index }) => translated(index) }
}

/** `$addToSet` of one element, as the `$push` that it is where the array has none that is equal. */
export function addToSet(path: string, operand: unknown, place: Place & { readonly kind: 'sealed' }, element: SchemaNode): CheckedMember {
  const { sealed } = place
  const each = isTree(operand) && Object.hasOwn(operand, '$each') ? listOf(operand['$each'], '$each', sealed) : [operand]
  const [value] = each
  if (each.length !== 1 || (isTree(operand) && Object.keys(operand).length > 1 && Object.hasOwn(operand, '$each')))
    throw unsupported('$addToSet of several', sealed.path, 'add them one by one')
  if (path.split('.').some((step) => step.startsWith('$'))) throw unsupported('$addToSet within elements that are chosen', sealed.path)
  const written: WrittenValue = { node: element, value, path }
  return {
    operator: '$push',
    written: [written],
    compared: [comparedValues('$addToSet', sealed, [value])],
    with: ({ seal }) => ({ $each: [seal(written)] }),
  }
}

function pulled(operand: unknown, sealed: SealedPath): readonly unknown[] {
  if (!isOperators(operand)) return [operand]
  const [operator = '', ...others] = Object.keys(operand)
  if (others.length === 0 && operator === '$eq') return [operand[operator]]
  if (others.length === 0 && operator === '$in') return listOf(operand[operator], operator, sealed)
  throw unsupported(`$pull by ${shownName(others[0] ?? operator)}`, sealed.path, 'a value, $eq or $in say what to take out')
}

function listOf(operand: unknown, operator: string, { path }: SealedPath): readonly unknown[] {
  if (!Array.isArray(operand)) throw invalidArgument('update', `must have a list in ${operator} of ${path}`)
  return operand
}

function comparedValues(operator: string, sealed: SealedPath, values: readonly unknown[]): ComparedValues {
  for (const value of values) {
    if (value === null || value === undefined) throw unsupported(`${operator} of null`, sealed.path, 'null has no index value')
    requireIndexable(sealed.index?.normalize ?? 'none', bsonScalar(value, sealed.path), sealed.path)
  }
  return { sealed, values }
}
