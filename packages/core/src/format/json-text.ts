/** Strict JSON text: what parses back to an equal value, or a refusal. Reads its input once, so that getters and proxies cannot change it midway. */

import { invalidArgument } from '../errors.ts'

const MAX_DEPTH = 100
const MAX_VALUES = 500_000

/** The text. @throws StrongroomError `invalid_argument` for anything that JSON would drop or change. */
export function toJsonText(value: unknown): string {
  return write(value, 0, { left: MAX_VALUES })
}

// One array that holds another twice, which holds another twice, …: small in memory, endless as text.
interface Budget {
  left: number
}

function write(value: unknown, depth: number, budget: Budget): string {
  if (depth > MAX_DEPTH) throw invalidArgument('value', `must not be nested deeper than ${MAX_DEPTH}, or cyclic`)
  if (--budget.left < 0) throw invalidArgument('value', `must not hold more than ${MAX_VALUES} values`)
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw invalidArgument('value', 'must not hold lone surrogates')
      return JSON.stringify(value)
    case 'boolean':
      return String(value)
    case 'number':
      if (!Number.isFinite(value)) throw invalidArgument('value', 'must not hold NaN or infinite numbers inside objects')
      return Object.is(value, -0) ? '-0' : String(value)
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? writeArray(value, depth, budget) : writeObject(value, depth, budget)
    default:
      throw invalidArgument('value', 'must hold only JSON inside objects and arrays: turn dates and bytes into text, leave undefined out')
  }
}

function writeArray(value: readonly unknown[], depth: number, budget: Budget): string {
  if (Object.getPrototypeOf(value) !== Array.prototype) throw invalidArgument('value', 'must hold only plain objects')
  // An array has its elements and `length`: whatever else hangs on it, JSON would drop.
  if (Reflect.ownKeys(value).length !== value.length + 1)
    throw invalidArgument('value', 'must not have arrays with holes or named properties')
  const parts: string[] = []
  for (let i = 0; i < value.length; i++) parts.push(write(value[i], depth + 1, budget))
  return `[${parts.join(',')}]`
}

function writeObject(value: object, depth: number, budget: Budget): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw invalidArgument('value', 'must hold only plain objects')
  const parts: string[] = []
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol') throw invalidArgument('value', 'must not have symbol keys')
    // Whoever merges the parsed value into another object would set its prototype.
    if (key === '__proto__') throw invalidArgument('value', 'must not have a key __proto__')
    if (!Object.prototype.propertyIsEnumerable.call(value, key)) throw invalidArgument('value', 'must not have hidden properties')
    parts.push(`${write(key, depth, budget)}:${write((value as Record<string, unknown>)[key], depth + 1, budget)}`)
  }
  return `{${parts.join(',')}}`
}
