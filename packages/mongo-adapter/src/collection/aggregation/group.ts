/** `$group`: by what is plain, or by an indexed path; of encrypted values the first, the last, or all of them are carried. */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'

import { PLAIN } from '../../schema/node.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { sealedOf, type SealedPath } from '../layout.ts'
import type { Context, Step } from './context.ts'
import { expressionOf, isOperator, moving, plainExpression } from './expressions.ts'
import { type Found, findPath, movedOrNull, type Value } from './reference.ts'
import {
  type CarriedShape,
  type DocumentShape,
  HIDDEN,
  isPlain,
  madeOf,
  refusedInPipeline,
  refusedPath,
  requireName,
  type Shape,
} from './shape.ts'

/** What an accumulator takes: any reference, or only what is plain. */
export const ACCUMULATORS: Readonly<Record<string, 'anything' | 'plain'>> = {
  $first: 'anything',
  $last: 'anything',
  $push: 'anything',
  $addToSet: 'plain',
  $avg: 'plain',
  $count: 'plain',
  $max: 'plain',
  $min: 'plain',
  $sum: 'plain',
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument`, `tenant_required` */
export function groupStage(root: DocumentShape, spec: unknown, context: Context): Step {
  if (!isTree(spec) || !Object.hasOwn(spec, '_id')) throw invalidArgument('pipeline', 'must have a document with _id in $group')
  const { _id, ...rest } = spec
  const key = keyOf(root, _id, context)
  const members = new Map<string, Shape>([['_id', key.shape]])
  const group: Tree = { _id: key.expression }
  const copies: Tree = {}
  for (const [name, accumulator] of Object.entries(rest)) {
    requireName(name, 'a member of $group')
    const { shape, expression, copied } = accumulated(root, accumulator)
    members.set(name, shape)
    group[name] = expression
    if (copied === undefined) continue
    // Of a path, what is missing is not pushed; of an expression, not every server agrees.
    const copy = `${HIDDEN}.p${Object.keys(copies).length}`
    copies[copy] = copied
    group[name] = { $push: `$${copy}` }
  }
  const before = Object.keys(copies).length === 0 ? [] : [{ $set: copies }]
  if (key.shown.length === 0) return { stages: [...before, { $group: group }], shape: madeOf(members) }
  // The server groups by index values; what is shown in their place is one that has it.
  group[HIDDEN] = { $first: Object.fromEntries(key.shown.map(({ name, value }) => [name, value])) }
  const set = Object.fromEntries(key.shown.map(({ name, at }) => [at, `$${HIDDEN}.${name}`]))
  return { stages: [...before, { $group: group }, { $set: set }, { $unset: HIDDEN }], shape: madeOf(members) }
}

interface Key extends Value {
  /** Of each index value in it, the value that it is of. */
  readonly shown: readonly { readonly at: string; readonly name: string; readonly value: unknown }[]
}

function keyOf(root: DocumentShape, given: unknown, context: Context): Key {
  if (isTree(given) && !isOperator(given)) {
    const members = Object.entries(given).map(([name, each]) => {
      requireName(name, 'a member of _id in $group')
      return [name, singleKey(root, each, `_id.${name}`, name, context)] as const
    })
    return {
      expression: Object.fromEntries(members.map(([name, { expression }]) => [name, expression])),
      shape: { kind: 'object', members: new Map(members.map(([name, { shape }]): [string, Shape] => [name, shape])), loose: false },
      shown: members.flatMap(([, { shown }]) => shown),
    }
  }
  return singleKey(root, given, '_id', 'k', context)
}

function singleKey(root: DocumentShape, given: unknown, at: string, name: string, context: Context): Key {
  if (typeof given !== 'string' || !given.startsWith('$') || given.startsWith('$$'))
    return { expression: plainExpression(root, given), shape: PLAIN, shown: [] }
  const found = findPath(root, given.slice(1))
  if (isPlain(found.shape)) return { expression: `$${found.path}`, shape: PLAIN, shown: [] }
  const sealed = indexedAt(found, context)
  context.verify(sealed)
  const path = `$${found.path}`
  const { expression, shape } = at === '_id' ? movedOrNull(found) : moving(false)(found)
  // Nothing and null are groups as they are.
  const whole = { $cond: [{ $gt: [path, null] }, `${path}.i`, path] }
  return { expression: whole, shape: { ...(shape as CarriedShape), compared: true }, shown: [{ at, name, value: expression }] }
}

function indexedAt({ shape, owner, arrays, named }: Found, { tenants }: Context): SealedPath {
  const sealed = shape.kind === 'encrypted' && owner !== undefined ? sealedOf(owner.layout, shape) : undefined
  if (sealed?.index === undefined || owner?.own !== true || arrays > 0)
    throw refusedPath(
      'grouping by it',
      named,
      'it is encrypted: group by what is plain, or by an indexed path of the collection itself, and $unwind arrays first',
    )
  if (!owner.verified)
    throw refusedPath('grouping by it', named, 'only the pipeline of the collection itself can, whose hits are compared before')
  if (sealed.index.scope === 'tenant' && tenants?.length !== 1)
    throw new StrongroomError(
      'tenant_required',
      `${sealed.path} has an index for each tenant: the pipeline must begin with a $match of one tenant, or the collection with for(); nothing was sent`,
    )
  return sealed
}

interface Accumulated extends Value {
  /** What is to be pushed, by way of a path. */
  readonly copied?: unknown
}

function accumulated(root: DocumentShape, given: unknown): Accumulated {
  if (!isTree(given) || !isOperator(given)) throw invalidArgument('pipeline', 'must have an accumulator for each member of $group')
  const [[operator, operand] = ['', undefined]] = Object.entries(given)
  const takes = Object.hasOwn(ACCUMULATORS, operator) ? ACCUMULATORS[operator] : undefined
  if (takes === undefined) throw refusedInPipeline(`the accumulator ${shownName(operator)}`, `${Object.keys(ACCUMULATORS).join(', ')} work`)
  if (takes === 'plain') return { expression: { [operator]: operator === '$count' ? {} : plainExpression(root, operand) }, shape: PLAIN }
  if (operator !== '$push') {
    const { expression, shape } = expressionOf(root, operand, isTree(operand) ? moving(false) : movedOrNull)
    return { expression: { [operator]: expression }, shape }
  }
  const { expression, shape } = expressionOf(root, operand, moving(false))
  const pushed: Accumulated = { expression: { $push: expression }, shape: { kind: 'array', element: shape } }
  return shape.kind === 'carried' && isTree(expression) ? { ...pushed, copied: expression } : pushed
}
