// Which rows of the table of operations an operation is of.
import type { Document } from 'mongodb'

import type { Operation } from './operations.ts'

const WRITES = /^(?:insert|update|replace|delete|findOneAnd|bulk)/

export function isWrite({ kind }: Operation): boolean {
  return WRITES.test(kind)
}

/** Methods, methods with what they are asked for, and operators. */
export function rowsOf(operation: Operation): readonly string[] {
  const rows = new Set<string>([operation.kind])
  if ('options' in operation && operation.options?.['upsert'] === true) rows.add(`${operation.kind} as upsert`)
  if ('filter' in operation) for (const operator of operatorsIn(operation.filter)) rows.add(`filter ${operator}`)
  if ('update' in operation) for (const operator of Object.keys(operation.update)) rows.add(`update ${operator}`)
  if (operation.kind === 'bulkWrite')
    for (const each of operation.operations) for (const kind of Object.keys(each)) rows.add(`bulkWrite ${kind}`)
  return [...rows]
}

function operatorsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(operatorsIn)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return []
  return Object.entries(value as Document).flatMap(([key, inner]) => [...(key.startsWith('$') ? [key] : []), ...operatorsIn(inner)])
}

/** Does an operation make documents whose members may stand in another order? The server puts what it takes from a filter by an order of its own. */
export function mayReorder(operation: Operation): boolean {
  const inserts = (options: Document | undefined): boolean => options?.['upsert'] === true
  if (operation.kind === 'bulkWrite') return operation.operations.some((each) => Object.values(each).some((of) => inserts(of as Document)))
  return 'options' in operation && inserts(operation.options)
}
