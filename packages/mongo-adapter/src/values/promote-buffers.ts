/** The driver's option `promoteBuffers`, for what was read without it. */

import { Binary } from 'mongodb'

import { isTree } from './resolve.ts'

/** A value with buffers where there was binary, of whatever subtype. */
export function promoteBuffers(value: unknown): unknown {
  if (value instanceof Binary) return Buffer.from(value.value())
  if (Array.isArray(value)) return value.map(promoteBuffers)
  return isTree(value) ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, promoteBuffers(member)])) : value
}
