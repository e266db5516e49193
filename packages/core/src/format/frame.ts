/** The frame inside an encrypted value: type u8 ‖ body, and padding where the type's bit 7 says so (docs/format.md, "Encrypted value"). */

import { invalidArgument } from '../errors.ts'
import { markPadding, paddedBodyEnd, padmeLength } from './padding.ts'

const PADDED = 0x80
// BSON's numbers, and 0x70 for JSON text.
const TYPES: ReadonlySet<number> = new Set([0x01, 0x02, 0x03, 0x04, 0x05, 0x07, 0x08, 0x09, 0x10, 0x12, 0x13, 0x70])

/** The most that one value may hold, encoded. Larger things are files. */
export const MAX_VALUE_BYTES: number = 16 * 1024 * 1024

/** A value as bytes, with its type. */
export interface EncodedValue {
  readonly type: number
  readonly body: Uint8Array
}

/** type ‖ body, padded to a Padmé length if asked. @throws StrongroomError `invalid_argument` for an unknown type or an oversize body. */
export function frame(value: EncodedValue, padded: boolean): Uint8Array {
  if (!TYPES.has(value.type)) throw invalidArgument('value', 'has a type that cannot be stored')
  const end = 1 + value.body.length
  if (end > MAX_VALUE_BYTES) throw invalidArgument('value', `must be at most ${MAX_VALUE_BYTES - 1} bytes when encoded`)
  const out = new Uint8Array(padded ? padmeLength(end + 1) : end)
  out[0] = padded ? value.type | PADDED : value.type
  out.set(value.body, 1)
  if (padded) markPadding(out, end)
  return out
}

/** What a frame holds, or `undefined` if it is not canonical. The body is a view. */
export function unframe(bytes: Uint8Array): EncodedValue | undefined {
  const first = bytes[0]
  if (first === undefined) return undefined
  const type = first & ~PADDED
  if (!TYPES.has(type)) return undefined
  if (first === type) return { type, body: bytes.subarray(1) }
  const end = paddedBodyEnd(bytes)
  return end === undefined ? undefined : { type, body: bytes.subarray(1, end) }
}
