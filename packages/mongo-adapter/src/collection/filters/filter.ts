/** Filters in the terms of what is stored. What cannot be asked of encrypted values is refused, and never silently finds nothing. */

import { invalidArgument, shownName } from '@strongroom/core'
import type { Binary } from 'mongodb'

import type { SchemaNode } from '../../schema/node.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { dottedPath, type Layout, type Place, placeOf, requireDeclared, type SealedPath, unsupported } from '../layout.ts'
import { filterOperator, LOGIC, refusedFilterOperator } from './operators.ts'
import { isOperators, requirePlainCondition } from './plain-conditions.ts'

/** The stored index values of a value: one for each tenant that may match. */
export type IndexValues = (sealed: SealedPath, value: unknown) => readonly Binary[]

/** A value that is searched for. */
export interface Sought {
  readonly sealed: SealedPath
  readonly value: unknown
}

export interface Translated {
  readonly filter: Tree
  /** The indexed paths that are searched by. */
  readonly searched: readonly SealedPath[]
  /** Lists of values, of each of which every hit holds at least one. */
  readonly required: readonly (readonly Sought[])[]
  /** Whether any condition is on something encrypted. */
  readonly touches: boolean
}

const NO_INDEX = 'it has no index; encrypted(…, { index }) gives it one'

/** What a filter is of. */
export interface FilterOf {
  /** What its paths begin at; the document unless given. */
  readonly node?: SchemaNode
  /** The argument that it is, or stands in. */
  readonly argument?: string
}

/**
 * @param filter - resolved
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`, and what `values` throws
 */
export function translateFilter(layout: Layout, filter: Tree, values: IndexValues, of: FilterOf = {}): Translated {
  const searched = new Set<SealedPath>()
  let touches = false
  const translator = new Translator(
    layout,
    (sealed, value) => {
      searched.add(sealed)
      return values(sealed, value)
    },
    () => (touches = true),
    of.argument ?? 'filter',
  )
  const translated = translator.filter(filter, of.node ?? layout.root)
  return { filter: translated, searched: [...searched], required: translator.required, touches }
}

class Translator {
  readonly #layout: Layout
  readonly #values: IndexValues
  readonly #touch: () => void
  readonly #argument: string
  #required: (readonly Sought[])[] = []

  constructor(layout: Layout, values: IndexValues, touch: () => void, argument: string) {
    this.#layout = layout
    this.#values = values
    this.#touch = touch
    this.#argument = argument
  }

  get required(): readonly (readonly Sought[])[] {
    return this.#required
  }

  /** @param node - what the paths of the filter begin at */
  filter(filter: Tree, node: SchemaNode): Tree {
    const clauses: Tree[] = []
    for (const [key, condition] of Object.entries(filter)) {
      if (LOGIC.includes(key)) {
        if (!Array.isArray(condition) || !condition.every(isTree))
          throw invalidArgument(this.#argument, `must have a list of filters in ${key}`)
        clauses.push({ [key]: this.#branches(key, condition, node) })
      } else if (key === '$comment') clauses.push({ $comment: condition })
      else if (key.startsWith('$')) throw refusedFilterOperator(this.#argument, key)
      else clauses.push(...this.#condition(key, condition, placeOf(this.#layout, key, node)))
    }
    return joined(clauses)
  }

  #branches(operator: string, branches: readonly Tree[], node: SchemaNode): readonly Tree[] {
    if (operator === '$and') return branches.map((each) => this.filter(each, node))
    const apart = branches.map((each) => this.#apart(() => this.filter(each, node)))
    // A hit lets one of the branches through, and so holds something of what that requires.
    const firsts = apart.map(({ required: [first] }) => first)
    if (operator === '$or' && firsts.every((first) => first !== undefined)) this.#required.push(firsts.flat())
    return apart.map(({ result }) => result)
  }

  // What a condition requires, kept from what the whole filter does.
  #apart<T>(translate: () => T): { readonly result: T; readonly required: readonly (readonly Sought[])[] } {
    const before = this.#required
    this.#required = []
    const result = translate()
    const required = this.#required
    this.#required = before
    return { result, required }
  }

  #condition(path: string, condition: unknown, place: Place): readonly Tree[] {
    switch (place.kind) {
      case 'plain':
        requireDeclared(place, path, this.#argument)
        requirePlainCondition(this.#layout, place.node, condition, this.#argument)
        return [{ [path]: condition }]
      case 'within':
        throw unsupported('searching', place.sealed.path, 'nothing within it can be reached')
      case 'holder':
        this.#touch()
        return this.#each(condition, path, (operator, operand) => this.#holder(path, operator, operand, place))
      case 'sealed':
        this.#touch()
        return this.#each(condition, path, (operator, operand) => this.#sealed(path, operator, operand, place))
    }
  }

  #each(condition: unknown, path: string, one: (operator: string, operand: unknown) => Tree): readonly Tree[] {
    if (!isOperators(condition)) return [one('$eq', condition)]
    return Object.entries(condition).map(([operator, operand]) => {
      if (operator !== '$not') return one(operator, operand)
      if (!isOperators(operand)) throw unsupported('$not of anything but operators', path, '$ne is its form for a value')
      return { $nor: [joined(this.#apart(() => this.#each(operand, path, one)).result)] }
    })
  }

  #holder(path: string, operator: string, operand: unknown, { node }: Place & { readonly kind: 'holder' }): Tree {
    if (operator === '$exists') return { [path]: { $exists: yesOrNo(operand, path, this.#argument) } }
    if ((operator === '$eq' || operator === '$ne') && operand === null) return { [path]: { [operator]: null } }
    if (node.kind === 'array' && operator === '$size') return { [path]: { $size: sizeOf(operand, path, this.#argument) } }
    if (node.kind === 'array' && operator === '$elemMatch' && isTree(operand) && !isOperators(operand))
      return { [path]: { $elemMatch: this.filter(operand, node.element) } }
    throw unsupported(
      operator === '$eq' ? 'comparing the whole' : shownName(operator),
      path,
      'it holds encrypted values: name the paths in it',
    )
  }

  #sealed(path: string, operator: string, operand: unknown, place: Place & { readonly kind: 'sealed' }): Tree {
    const { sealed, array } = place
    requireWorking(operator, place)
    switch (operator) {
      case '$exists':
        return { [path]: { $exists: yesOrNo(operand, path, this.#argument) } }
      case '$size':
        return { [path]: { $size: sizeOf(operand, path, this.#argument) } }
      case '$eq':
      case '$ne':
        if (operand === null) return isAbsent(path, place, operator === '$eq')
        if (Array.isArray(operand) && array) throw unsupported('comparing a whole array', sealed.path, '$all and $size work')
        return { [indexedPath(path, place)]: this.#among(operator === '$eq' ? '$in' : '$nin', sealed, [operand]) }
      case '$in':
      case '$nin': {
        const list = listOf(operator, operand, path, this.#argument)
        const some = list.filter((value) => value !== null)
        if (list.length > 0 && some.length === 0) return isAbsent(path, place, operator === '$in')
        const { result, required } = this.#apart(() => ({ [indexedPath(path, place)]: this.#among(operator, sealed, some) }))
        if (some.length === list.length) {
          this.#required.push(...required)
          return result
        }
        const absent = isAbsent(path, place, operator === '$in')
        return operator === '$in' ? { $or: [result, absent] } : { $and: [result, absent] }
      }
      case '$all':
        // Each value has one index value for each tenant: so each is a condition of its own.
        return listOf(operator, operand, path, this.#argument).length === 0
          ? { [indexedPath(path, place)]: { $in: [] } }
          : {
              $and: listOf(operator, operand, path, this.#argument).map((value) => ({
                [indexedPath(path, place)]: this.#among('$in', sealed, [value]),
              })),
            }
      case '$elemMatch':
        return this.#elemMatch(path, operand, sealed)
    }
    throw unsupported(operator, sealed.path)
  }

  #elemMatch(path: string, operand: unknown, sealed: SealedPath): Tree {
    if (!isOperators(operand)) throw unsupported('$elemMatch by members', sealed.path, 'nothing within its elements can be reached')
    const inner = this.#each(operand, path, (each, value) => this.#element(each, value, sealed))
    const clause = { [path]: { $elemMatch: joined(inner) } }
    // An element that is null is no object, in which the server looks for an index value.
    return letsNullThrough(operand) ? { $or: [clause, { [path]: { $elemMatch: { $eq: null } } }] } : clause
  }

  #element(operator: string, operand: unknown, sealed: SealedPath): Tree {
    if (operator === '$eq' || operator === '$in')
      return { i: this.#among('$in', sealed, operator === '$eq' ? [operand] : listOf(operator, operand, sealed.path, this.#argument)) }
    if (operator === '$ne' || operator === '$nin')
      return { i: this.#among('$nin', sealed, operator === '$ne' ? [operand] : listOf(operator, operand, sealed.path, this.#argument)) }
    throw unsupported(`${shownName(operator)} in $elemMatch`, sealed.path, 'there $eq, $ne, $in and $nin work')
  }

  #among(operator: '$in' | '$nin', sealed: SealedPath, values: readonly unknown[]): Tree {
    const indexed = this.#indexed(sealed, values)
    if (operator === '$in') this.#required.push(values.map((value) => ({ sealed, value })))
    return { [operator]: indexed }
  }

  #indexed(sealed: SealedPath, values: readonly unknown[]): readonly Binary[] {
    if (sealed.index === undefined) throw unsupported('searching', sealed.path, NO_INDEX)
    for (const value of values)
      if (value === null || value instanceof RegExp || value === undefined)
        throw unsupported('searching by a regular expression, or by null in a list', sealed.path, 'find by what is equal')
    return values.flatMap((value) => this.#values(sealed, value))
  }
}

/** Whether an element that is null fulfils conditions on values. */
function letsNullThrough(condition: Tree): boolean {
  return Object.entries(condition).every(([operator, operand]) =>
    operator === '$not' ? !(isTree(operand) && letsNullThrough(operand)) : operator === '$ne' || operator === '$nin',
  )
}

const POSITION = /(?:^|\.)\d+$/u

/**
 * That there is no value, or null; or that there is one. An indexed element is stored as an object, in which the server looks as well for a
 * member that is named like its position, and finds none: so at a position it is asked what is there.
 *
 * @throws StrongroomError `unsupported_operation` where the path enters another array before: what is said of one of its elements is said of all
 */
function isAbsent(path: string, { sealed, array }: Place & { readonly kind: 'sealed' }, absent: boolean): Tree {
  // An element that `$unwind` has taken out of its array stands at no position.
  const isElement = sealed.path.endsWith('[]') && POSITION.test(path)
  if (array || sealed.index === undefined || !isElement) return { [path]: { [absent ? '$eq' : '$ne']: null } }
  const list = path.replace(/\.?\d+$/u, '[]')
  if (sealed.path !== list && !sealed.path.endsWith(`[].${list}`))
    throw unsupported('null at a position', sealed.path, 'ask $elemMatch of the array around it, or $exists')
  const stored = { $type: ['object', 'binData'] }
  return { [path]: absent ? { $not: stored } : stored }
}

/**
 * Where the index values of a path are.
 *
 * @throws StrongroomError `unsupported_operation` for an array at a position of another: MongoDB compares that as a whole, but the index
 *   values in it one by one
 */
function indexedPath(path: string, { sealed, array }: Place & { readonly kind: 'sealed' }): string {
  if (array && path !== dottedPath(sealed) && POSITION.test(path))
    throw unsupported('searching an array at a position', path, 'ask its $elemMatch, or for one of its positions')
  return `${path}.i`
}

// What stands where these belong may be what was searched for, and would be sent.
function yesOrNo(operand: unknown, path: string, argument: string): boolean {
  if (operand === true || operand === 1) return true
  if (operand === false || operand === 0) return false
  throw invalidArgument(argument, `must have true or false in $exists of ${path}`)
}

function sizeOf(operand: unknown, path: string, argument: string): number {
  if (typeof operand !== 'number') throw invalidArgument(argument, `must have a number in $size of ${path}`)
  return operand
}

function listOf(operator: string, operand: unknown, path: string, argument: string): readonly unknown[] {
  if (!Array.isArray(operand)) throw invalidArgument(argument, `must have a list in ${operator} of ${path}`)
  return operand
}

/** @throws StrongroomError `unsupported_operation` for an operator that the table refuses on such a path */
function requireWorking(operator: string, { sealed, array }: Place & { readonly kind: 'sealed' }): void {
  const known = filterOperator(operator)
  if (known === undefined) throw unsupported(shownName(operator), sealed.path, 'it is no operator that is known here')
  const here = sealed.index === undefined ? known.unindexed : known.indexed
  if (here === 'refused') throw unsupported(operator, sealed.path, known.indexed === 'refused' ? known.instead : NO_INDEX)
  if (here === 'arrays' && !array) throw unsupported(operator, sealed.path, 'it is no array')
}

// One filter where no two clauses have the same key.
function joined(clauses: readonly Tree[]): Tree {
  const keys = clauses.flatMap((clause) => Object.keys(clause))
  if (new Set(keys).size === keys.length) return Object.assign({}, ...clauses) as Tree
  return { $and: clauses }
}
