/** Updates in the terms of what is stored: what they write is encrypted, and whatever could move plaintext into an encrypted path is refused. */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'
import type { Binary } from 'mongodb'

import type { SchemaNode } from '../../schema/node.ts'
import type { PlacedValue } from '../../schema/validation.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { elementOf, requireDeclaredMembers } from '../declared-members.ts'
import { requirePlainFilter } from '../filters/plain-conditions.ts'
import { type Layout, type Place, requireDeclared, unsupported, writtenPlaceOf } from '../layout.ts'
import { prepareTree } from '../seal.ts'
import { addToSet, type ComparedValues, pull, pullObjects, push } from './array-operators.ts'
import { updateOperator } from './operators.ts'

/** A value that an update writes somewhere that holds something encrypted. */
export interface WrittenValue {
  readonly node: SchemaNode
  readonly value: unknown
  readonly path: string
}

/** What stands in an update for values, and for what elements are compared with. */
export interface Making {
  readonly seal: (written: WrittenValue) => unknown
  readonly index: (compared: ComparedValues) => readonly Binary[]
}

export interface CheckedUpdate {
  /** Everything that has to be encrypted before the update is sent. */
  readonly written: readonly WrittenValue[]
  /** As `written`, of `$setOnInsert`: of no effect on a document that there is. */
  readonly onInsert: readonly WrittenValue[]
  /** Everything that needs index values. */
  readonly compared: readonly ComparedValues[]
  /** What it puts where, encrypted or not, as far as it says so itself. */
  readonly assigned: readonly PlacedValue[]
  /** Of an `$addToSet` on an encrypted array: the array, which gets the element only where it has none that is equal. */
  readonly adds: { readonly path: string; readonly compared: ComparedValues } | undefined
  /** The update, with all of that replaced. */
  readonly with: (making: Making) => Tree
}

/**
 * @param update - resolved
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`
 */
export function checkUpdate(layout: Layout, update: Tree): CheckedUpdate {
  const written: WrittenValue[] = []
  const onInsert: WrittenValue[] = []
  const compared: ComparedValues[] = []
  const assigned: PlacedValue[] = []
  const parts: { readonly operator: string; readonly path: string; readonly with: CheckedMember['with'] }[] = []
  let adds: CheckedUpdate['adds']
  const names = Object.keys(update)
  const other = names.find((name) => !name.startsWith('$'))
  if (other !== undefined || names.length === 0)
    throw invalidArgument(
      'update',
      `must have update operators and nothing else${other === undefined ? '' : `, as ${shownName(other)}`}; replaceOne replaces a whole document`,
    )
  for (const operator of names) {
    const members = update[operator]
    if (updateOperator(operator)?.plain !== 'works') throw refusedOperator(operator)
    if (!isTree(members)) throw invalidArgument('update', `must have a document in ${operator}`)
    for (const [path, operand] of Object.entries(members)) {
      // Whose a new document is, it has to say.
      if (operator !== '$setOnInsert') requireFree(layout, path)
      if (operator === '$rename') requireFree(layout, newName(operand, path))
      const checked = member(layout, operator, path, operand)
      if (operator === '$addToSet' && checked.operator === '$push') {
        if (names.length > 1 || Object.keys(members).length > 1)
          throw unsupported('$addToSet beside anything else', path, 'make an update of its own of it')
        adds = { path, compared: checked.compared[0] as ComparedValues }
      }
      if (parts.some((each) => each.operator === checked.operator && each.path === path))
        throw invalidArgument('update', `must not have both $pull and $pullAll of ${shownName(path)}`)
      ;(operator === '$setOnInsert' ? onInsert : written).push(...checked.written)
      compared.push(...checked.compared)
      const put = assignedBy(operator, path, operand)
      for (const value of operator === '$min' || operator === '$max' ? [operand] : put.map((each) => each.value)) requireData(value, path)
      assigned.push(...put)
      parts.push({ operator: checked.operator, path, with: checked.with })
    }
    // An operator without members stays one.
    if (Object.keys(members).length === 0) parts.push({ operator, path: '', with: () => undefined })
  }
  return { written, onInsert, compared, assigned, adds, with: (making) => joined(parts, making) }
}

function joined(
  parts: readonly { readonly operator: string; readonly path: string; readonly with: CheckedMember['with'] }[],
  making: Making,
): Tree {
  const update: Record<string, Tree> = {}
  for (const part of parts) {
    const members = (update[part.operator] ??= {})
    if (part.path !== '') members[part.path] = part.with(making)
  }
  return update
}

function assignedBy(operator: string, path: string, operand: unknown): readonly PlacedValue[] {
  if (operator === '$set' || operator === '$setOnInsert') return [{ path, value: operand }]
  if (operator !== '$push' && operator !== '$addToSet') return []
  const each: unknown = isTree(operand) && Object.hasOwn(operand, '$each') ? operand['$each'] : [operand]
  return Array.isArray(each) ? each.map((value: unknown) => ({ path: `${path}.$[]`, value })) : []
}

export interface CheckedMember {
  /** The operator that it is sent with. */
  readonly operator: string
  readonly written: readonly WrittenValue[]
  readonly compared: readonly ComparedValues[]
  readonly with: (making: Making) => unknown
}

function member(layout: Layout, operator: string, path: string, operand: unknown): CheckedMember {
  const place = writtenPlaceOf(layout, path)
  const asItIs: CheckedMember = { operator, written: [], compared: [], with: () => operand }
  if (place.kind === 'within') throw unsupported(operator, place.sealed.path, 'nothing within it can be reached')
  // Whatever it says, the server takes nothing of it; and it may be what is to go.
  if (operator === '$unset') return { ...asItIs, with: () => '' }
  if (operator === '$rename') {
    const name = newName(operand, path)
    const target = writtenPlaceOf(layout, name)
    const encrypted = place.kind === 'plain' ? target.kind !== 'plain' && name : path
    if (encrypted !== false) throw unsupported(operator, encrypted, updateOperator(operator)?.instead)
    requireDeclared(place, path, 'update')
    requireDeclared(target, name, 'update')
    return asItIs
  }
  if (place.kind === 'plain') {
    requireDeclared(place, path, 'update')
    requireFit(layout, operator, path, operand, place.node)
    return asItIs
  }
  requireWorking(operator, place, path)
  if (operator === '$set' || operator === '$setOnInsert') {
    const one: WrittenValue = { node: place.node, value: operand, path }
    return { ...asItIs, written: [one], with: ({ seal }) => seal(one) }
  }
  if (place.node.kind === 'array') {
    if (operator === '$push') return push(path, operand, place.node.element)
    if (place.kind === 'sealed' && operator === '$addToSet') return addToSet(path, operand, place, place.node.element)
    if (place.kind === 'sealed' && (operator === '$pull' || operator === '$pullAll')) return pull(operator, operand, place)
    if (operator === '$pull') return pullObjects(layout, path, operand, place.node.element)
  }
  if (operator === '$pop') {
    if (operand !== 1 && operand !== -1) throw invalidArgument('update', `must have 1 or -1 in $pop of ${path}`)
    return asItIs
  }
  throw unsupported(operator, path)
}

/** What is written to a place in which nothing is encrypted has the shape that the schema says, as in a document, and no undeclared members. */
function requireFit(layout: Layout, operator: string, path: string, operand: unknown, node: SchemaNode): void {
  const element = elementOf(node)
  if (operator === '$set' || operator === '$setOnInsert' || operator === '$min' || operator === '$max')
    prepareTree(layout, node, operand, path)
  else if (operator === '$pull' && isTree(operand)) requirePlainFilter(layout, element, operand, 'update')
  else if (operator === '$pullAll') requireDeclaredMembers(node, operand, 'update')
  else for (const { value } of assignedBy(operator, path, operand)) prepareTree(layout, element, value, path)
}

function newName(operand: unknown, path: string): string {
  if (typeof operand !== 'string') throw invalidArgument('update', `must have a path in $rename of ${shownName(path)}`)
  return operand
}

type Encrypted = Extract<Place, { readonly kind: 'sealed' | 'holder' }>

/** @throws StrongroomError `unsupported_operation` for an operator that the table refuses on such a path */
function requireWorking(operator: string, place: Encrypted, path: string): void {
  const known = updateOperator(operator)
  const shown = place.kind === 'sealed' ? place.sealed.path : path
  if (known === undefined || known.encrypted === 'refused') throw unsupported(operator, shown, known?.instead)
  if (known.encrypted !== 'works' && place.node.kind !== 'array') throw unsupported(operator, shown, 'it is no array')
  if (known.encrypted === 'chosen' && place.kind === 'holder') return
  if ((known.encrypted === 'indexed' || known.encrypted === 'chosen') && (place.kind !== 'sealed' || place.sealed.index === undefined))
    throw unsupported(operator, shown, known.instead)
}

// The keys within what is written follow the rules of documents.
function requireData(value: unknown, path: string): void {
  if (Array.isArray(value)) for (const each of value) requireData(each, path)
  else if (isTree(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (key.startsWith('$') || key.includes('.'))
        throw invalidArgument('update', `must write no documents at ${shownName(path)} with dots in their keys or $ before them`)
      requireData(inner, path)
    }
  }
}

// Changing whose a document is, or its id, would leave its values where no key opens them.
function requireFree(layout: Layout, path: string): void {
  const bound = [layout.tenant.path, layout.subject.path, '_id'].find(
    (each) => each === path || each.startsWith(`${path}.`) || path.startsWith(`${each}.`),
  )
  if (bound !== undefined)
    throw new StrongroomError(
      'unsupported_operation',
      `the update writes ${bound}, by which encrypted values belong to their document: insert another, and delete this one; nothing was sent`,
    )
}

function refusedOperator(operator: string): StrongroomError {
  const instead = updateOperator(operator)?.instead
  const says = instead === undefined ? 'is no operator that is known here' : `does not work on encrypted collections; instead: ${instead}`
  return new StrongroomError('unsupported_operation', `${shownName(operator)} in update ${says} (docs/operations.md); nothing was sent`)
}
