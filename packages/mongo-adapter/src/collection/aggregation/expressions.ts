/** Expressions: a plain reference to anything, and whatever can be computed of what is plain. */

import { invalidArgument, shownName } from '@strongroom/core'

import { PLAIN } from '../../schema/node.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { KNOWN } from './expression-operators.ts'
import { type Found, findPath, moved, requireCertain, type Value, valuePath, valueShape } from './reference.ts'
import { type DocumentShape, GONE, hasChecks, isPlain, refusedInPipeline, refusedPath, requireName, type Shape } from './shape.ts'

/** How a reference is put where it goes. */
export type Move = (found: Found) => Value

/**
 * @param move - of what is encrypted
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`
 */
export function expressionOf(root: DocumentShape, given: unknown, move: Move): Value {
  if (given === '$$REMOVE') return { expression: given, shape: GONE }
  if (typeof given === 'string' && given.startsWith('$') && !given.startsWith('$$')) return move(findPath(root, given.slice(1)))
  if (isTree(given) && !isOperator(given)) {
    const members = Object.entries(given).map(([name, each]) => {
      requireName(name, 'a member of an object')
      return [name, expressionOf(root, each, move)] as const
    })
    return {
      expression: Object.fromEntries(members.map(([name, { expression }]) => [name, expression])),
      shape: { kind: 'object', members: new Map(members.map(([name, { shape }]): [string, Shape] => [name, shape])), loose: false },
    }
  }
  return { expression: plainExpression(root, given), shape: PLAIN }
}

/** What goes into the same document, beside whose it is, or somewhere else. */
export function moving(beside: boolean): Move {
  return (found) => moved(found, beside)
}

/** An expression in which nothing encrypted is looked at. @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function plainExpression(root: DocumentShape, given: unknown): unknown {
  if (typeof given === 'string') return given.startsWith('$') ? reference(root, given) : given
  if (Array.isArray(given)) return given.map((each) => plainExpression(root, each))
  if (!isTree(given)) return given
  if (!isOperator(given))
    return Object.fromEntries(
      Object.entries(given).map(([name, each]) => {
        requireName(name, 'a member of an object')
        return [name, plainExpression(root, each)]
      }),
    )
  const [[operator, operand] = ['', undefined]] = Object.entries(given)
  if (!KNOWN.has(operator)) throw refusedInPipeline(`the operator ${shownName(operator)} of expressions`, 'compute it of what was read')
  if (operator === '$literal') return given
  return { [operator]: operator === '$size' ? counted(root, operand) : operands(root, operator, operand) }
}

function operands(root: DocumentShape, operator: string, operand: unknown): unknown {
  // Names of operands and of variables, and no expression of their own.
  if (!isTree(operand) || isOperator(operand)) return plainExpression(root, operand)
  return Object.fromEntries(
    Object.entries(operand).map(([name, each]) => {
      if (operator !== '$let' || name !== 'vars' || !isTree(each)) return [name, plainExpression(root, each)]
      // Under that name it would be what paths begin at.
      for (const variable of Object.keys(each))
        if (!/^[a-z]/u.test(variable)) throw invalidArgument('pipeline', 'must have variables that begin with a lower case letter')
      return [name, Object.fromEntries(Object.entries(each).map(([variable, value]) => [variable, plainExpression(root, value)]))]
    }),
  )
}

function reference(root: DocumentShape, given: string): string {
  if (given.startsWith('$$')) {
    const [variable = ''] = given.slice(2).split('.')
    // Of an expression's own: what it holds is plain.
    if (given === '$$NOW' || given === '$$REMOVE' || /^[a-z]/u.test(variable)) return given
    throw refusedInPipeline(`the variable ${shownName(variable)}`, 'name the paths')
  }
  const found = findPath(root, given.slice(1))
  if (!isPlain(found.shape)) throw refusedPath('computing', found.named, 'it is encrypted, or holds what is: compute it of what was read')
  requireCertain(found, 'computing')
  return `$${found.path}`
}

// How many elements an array has is no secret, whatever they are; unless an index has found them.
function counted(root: DocumentShape, operand: unknown): unknown {
  const [only] = Array.isArray(operand) && operand.length === 1 ? (operand as readonly unknown[]) : [operand]
  if (typeof only !== 'string' || !only.startsWith('$') || only.startsWith('$$')) return plainExpression(root, operand)
  const found = findPath(root, only.slice(1))
  if (valueShape(found).kind !== 'array' || found.arrays > 0) return plainExpression(root, operand)
  if (hasChecks(found.shape))
    throw refusedPath('counting', found.named, 'an index has found what is in it, which is compared when it is read')
  return `$${valuePath(found)}`
}

/** Whether an object is an operator with its operands. @throws StrongroomError `invalid_argument` for both at once */
export function isOperator(given: Tree): boolean {
  const names = Object.keys(given)
  const count = names.filter((name) => name.startsWith('$')).length
  if (count > 0 && names.length > 1)
    throw invalidArgument('pipeline', 'must have one operator in an expression, and no other members beside it')
  return count > 0
}
