/** Filters in the terms of what is stored. What cannot be asked of encrypted values is refused, and never silently finds nothing. */

import { invalidArgument, StrongroomError } from '@strongroom/core'
import type { Binary } from 'mongodb'

import type { SchemaNode } from '../../schema/node.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { type Layout, type Place, placeOf, requireDeclared, type SealedPath, unsupported } from '../layout.ts'

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

/** Operators that join filters. */
export const LOGIC: readonly string[] = ['$and', '$or', '$nor']
const PLAIN_OPERATORS: ReadonlySet<string> = new Set(
  [
    '$eq $ne $gt $gte $lt $lte $in $nin $all $not $elemMatch $exists $type $size $mod $regex $options',
    '$bitsAllClear $bitsAllSet $bitsAnyClear $bitsAnySet',
    '$geoIntersects $geoWithin $near $nearSphere $maxDistance $minDistance',
  ].flatMap((line) => line.split(' ')),
)

/**
 * @param filter - resolved
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`, and what `values` throws
 */
export function translateFilter(layout: Layout, filter: Tree, values: IndexValues): Translated {
  const searched = new Set<SealedPath>()
  let touches = false
  const translator = new Translator(
    layout,
    (sealed, value) => {
      searched.add(sealed)
      return values(sealed, value)
    },
    () => (touches = true),
  )
  const translated = translator.filter(filter, layout.root)
  return { filter: translated, searched: [...searched], required: translator.required, touches }
}

class Translator {
  readonly #layout: Layout
  readonly #values: IndexValues
  readonly #touch: () => void
  #required: (readonly Sought[])[] = []

  constructor(layout: Layout, values: IndexValues, touch: () => void) {
    this.#layout = layout
    this.#values = values
    this.#touch = touch
  }

  get required(): readonly (readonly Sought[])[] {
    return this.#required
  }

  /** @param node - what the paths of the filter begin at */
  filter(filter: Tree, node: SchemaNode): Tree {
    const clauses: Tree[] = []
    for (const [key, condition] of Object.entries(filter)) {
      if (LOGIC.includes(key)) {
        if (!Array.isArray(condition) || !condition.every(isTree)) throw invalidArgument('filter', `must have a list of filters in ${key}`)
        clauses.push({ [key]: this.#branches(key, condition, node) })
      } else if (key === '$comment') clauses.push({ $comment: condition })
      else if (key.startsWith('$'))
        throw new StrongroomError(
          'unsupported_operation',
          'the filter has an operator at its top that is not among $and, $or, $nor and $comment; nothing was sent',
        )
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
        requireDeclared(place, path, 'filter')
        requirePlainOperators(condition)
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
      if (!isOperators(operand)) throw unsupported('$not of anything but operators', path)
      return { $nor: [joined(this.#apart(() => this.#each(operand, path, one)).result)] }
    })
  }

  #holder(path: string, operator: string, operand: unknown, { node }: Place & { readonly kind: 'holder' }): Tree {
    if (operator === '$exists') return { [path]: { $exists: yesOrNo(operand) } }
    if ((operator === '$eq' || operator === '$ne') && operand === null) return { [path]: { [operator]: null } }
    if (node.kind === 'array' && operator === '$size') return { [path]: { $size: sizeOf(operand) } }
    if (node.kind === 'array' && operator === '$elemMatch' && isTree(operand) && !isOperators(operand))
      return { [path]: { $elemMatch: this.filter(operand, node.element) } }
    throw unsupported(operator === '$eq' ? 'comparing the whole' : operator, path, 'it holds encrypted values')
  }

  #sealed(path: string, operator: string, operand: unknown, place: Place & { readonly kind: 'sealed' }): Tree {
    const { sealed, array } = place
    switch (operator) {
      case '$exists':
        return { [path]: { $exists: yesOrNo(operand) } }
      case '$size':
        if (array) return { [path]: { $size: sizeOf(operand) } }
        break
      case '$eq':
      case '$ne':
        if (operand === null) return { [path]: { [operator]: null } }
        if (Array.isArray(operand) && array) throw unsupported('comparing a whole array', sealed.path)
        return { [`${path}.i`]: this.#among(operator === '$eq' ? '$in' : '$nin', sealed, [operand]) }
      case '$in':
      case '$nin': {
        const list = listOf(operator, operand)
        const some = list.filter((value) => value !== null)
        if (list.length > 0 && some.length === 0) return { [path]: { [operator]: [null] } }
        const { result, required } = this.#apart(() => ({ [`${path}.i`]: this.#among(operator, sealed, some) }))
        if (some.length === list.length) {
          this.#required.push(...required)
          return result
        }
        return operator === '$in' ? { $or: [result, { [path]: null }] } : { $and: [result, { [path]: { $ne: null } }] }
      }
      case '$all':
        // Each value has one index value for each tenant: so each is a condition of its own.
        return listOf(operator, operand).length === 0
          ? { [`${path}.i`]: { $in: [] } }
          : { $and: listOf(operator, operand).map((value) => ({ [`${path}.i`]: this.#among('$in', sealed, [value]) })) }
      case '$elemMatch':
        if (array && isOperators(operand)) {
          const inner = this.#each(operand, path, (each, value) => this.#element(each, value, sealed))
          const clause = { [path]: { $elemMatch: joined(inner) } }
          // An element that is null has no index value: it is none of those that are excluded.
          const excludes = Object.keys(operand).every((each) => each === '$ne' || each === '$nin')
          return excludes ? { $or: [clause, { [path]: { $elemMatch: { $eq: null } } }] } : clause
        }
    }
    throw unsupported(operator.startsWith('$') ? operator : 'this condition', sealed.path)
  }

  #element(operator: string, operand: unknown, sealed: SealedPath): Tree {
    if (operator === '$eq' || operator === '$in')
      return { i: this.#among('$in', sealed, operator === '$eq' ? [operand] : listOf(operator, operand)) }
    if (operator === '$ne' || operator === '$nin')
      return { i: this.#among('$nin', sealed, operator === '$ne' ? [operand] : listOf(operator, operand)) }
    throw unsupported(`${operator} in $elemMatch`, sealed.path)
  }

  #among(operator: '$in' | '$nin', sealed: SealedPath, values: readonly unknown[]): Tree {
    const indexed = this.#indexed(sealed, values)
    if (operator === '$in') this.#required.push(values.map((value) => ({ sealed, value })))
    return { [operator]: indexed }
  }

  #indexed(sealed: SealedPath, values: readonly unknown[]): readonly Binary[] {
    if (sealed.index === undefined) throw unsupported('searching', sealed.path, 'it has no index; encrypted(…, { index }) gives it one')
    for (const value of values)
      if (value === null || value instanceof RegExp || value === undefined)
        throw unsupported('a regular expression or null in a list', sealed.path)
    return values.flatMap((value) => this.#values(sealed, value))
  }
}

function isOperators(condition: unknown): condition is Tree {
  return isTree(condition) && Object.keys(condition).some((key) => key.startsWith('$'))
}

// What stands where these belong may be what was searched for, and would be sent.
function yesOrNo(operand: unknown): boolean {
  if (operand === true || operand === 1) return true
  if (operand === false || operand === 0) return false
  throw invalidArgument('filter', 'must have true or false in $exists')
}

function sizeOf(operand: unknown): number {
  if (typeof operand !== 'number') throw invalidArgument('filter', 'must have a number in $size')
  return operand
}

function listOf(operator: string, operand: unknown): readonly unknown[] {
  if (!Array.isArray(operand)) throw invalidArgument('filter', `must have a list in ${operator}`)
  return operand
}

/** @throws StrongroomError `unsupported_operation` for operators whose effect is not known */
export function requirePlainOperators(condition: unknown): void {
  if (!isOperators(condition)) return
  for (const [operator, operand] of Object.entries(condition)) {
    if (!PLAIN_OPERATORS.has(operator))
      throw new StrongroomError('unsupported_operation', 'the filter has an operator that is not known here; nothing was sent')
    if (operator === '$not') requirePlainOperators(operand)
    if (operator === '$elemMatch' && isTree(operand)) requirePlainFilter(operand)
  }
}

function requirePlainFilter(filter: Tree): void {
  for (const [key, condition] of Object.entries(filter)) {
    if (LOGIC.includes(key)) {
      if (Array.isArray(condition)) for (const each of condition) if (isTree(each)) requirePlainFilter(each)
    } else if (key.startsWith('$')) requirePlainOperators({ [key]: condition })
    else requirePlainOperators(condition)
  }
}

// One filter where no two clauses have the same key.
function joined(clauses: readonly Tree[]): Tree {
  const keys = clauses.flatMap((clause) => Object.keys(clause))
  if (new Set(keys).size === keys.length) return Object.assign({}, ...clauses) as Tree
  return { $and: clauses }
}
