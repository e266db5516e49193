/** What stands in the database for an encrypted value, without a key that opens it (docs/format.md). */

import { Binary } from 'mongodb'

import { isTree } from '../values/resolve.ts'

/** The subtype of stored values: BSON's first that is for users. */
export const SUBTYPE = 0x80

/** What values and index values begin with. */
export const VERSION = 0x01

// Version, tag, nonce, a frame of one byte, and the tag of GCM.
const SHORTEST = 1 + 16 + 24 + 1 + 16

/** Both forms of a stored value: bare, and with its index values, of which there may be a list (docs/format.md). */
export function partsOf(stored: unknown): { readonly c: Uint8Array | undefined; readonly i: readonly Uint8Array[] } {
  if (!isTree(stored)) return { c: bytesOf(stored), i: [] }
  const listed = Array.isArray(stored['i']) ? (stored['i'] as readonly unknown[]) : [stored['i']]
  return { c: bytesOf(stored['c']), i: listed.map(bytesOf).filter((bytes) => bytes !== undefined) }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Binary) return value.value()
  return value instanceof Uint8Array ? value : undefined
}

/**
 * The bytes of what may be a stored value that was read without its collection: the application's own bytes may look the same. Some options of the
 * driver give bytes without their subtype.
 */
export function likelyStored(value: unknown): Uint8Array | undefined {
  const bytes = bytesOf(isTree(value) ? value['c'] : value)
  return bytes !== undefined && bytes.length >= SHORTEST && bytes[0] === VERSION ? bytes : undefined
}
