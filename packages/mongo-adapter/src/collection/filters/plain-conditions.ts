/** Conditions on plain paths, which are sent as they are: their operators are known ones, and what they name is declared. */

import { PLAIN, type SchemaNode } from '../../schema/node.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { elementOf, requireDeclaredMembers } from '../declared-members.ts'
import { type Layout, placeOf, requireDeclared } from '../layout.ts'
import { filterOperator, LOGIC, refusedFilterOperator } from './operators.ts'

export function isOperators(condition: unknown): condition is Tree {
  return isTree(condition) && Object.keys(condition).some((key) => key.startsWith('$'))
}

/**
 * @param node - what the schema says of the place, in which nothing is encrypted
 * @throws StrongroomError `unsupported_operation` for operators whose effect is not known, `invalid_argument` for what is not declared
 */
export function requirePlainCondition(layout: Layout, node: SchemaNode, condition: unknown, argument: string): void {
  if (!isOperators(condition)) return requireDeclaredMembers(node, condition, argument)
  for (const [operator, operand] of Object.entries(condition)) {
    if (filterOperator(operator)?.plain !== 'works') throw refusedFilterOperator(argument, operator)
    if (operator === '$elemMatch' && isTree(operand)) requirePlainFilter(layout, elementOf(node), operand, argument)
    else if (operator === '$not') requirePlainCondition(layout, node, operand, argument)
    else if (operator === '$all' && Array.isArray(operand)) for (const each of operand) requirePlainCondition(layout, node, each, argument)
    else if (COMPARING.includes(operator)) requireDeclaredMembers(node, operand, argument)
  }
}

// With a value, or with one of a list.
const COMPARING = ['$eq', '$ne', '$in', '$nin', '$gt', '$gte', '$lt', '$lte']

/** As {@link requirePlainCondition}, for a filter of what is at the place. */
export function requirePlainFilter(layout: Layout, node: SchemaNode, filter: Tree, argument: string): void {
  for (const [key, condition] of Object.entries(filter)) {
    if (LOGIC.includes(key)) {
      if (Array.isArray(condition)) for (const each of condition) if (isTree(each)) requirePlainFilter(layout, node, each, argument)
    } else if (key.startsWith('$')) requirePlainCondition(layout, node, { [key]: condition }, argument)
    else {
      const place = placeOf(layout, key, node)
      requireDeclared(place, key, argument)
      requirePlainCondition(layout, place.kind === 'plain' ? place.node : PLAIN, condition, argument)
    }
  }
}
