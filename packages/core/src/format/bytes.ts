/** The building blocks of every format: LP(x) = u32 big-endian byte length ‖ bytes; big-endian integers; strict UTF-8. */

import { invalidArgument } from '../errors.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const EMPTY: Uint8Array = new Uint8Array(0)

/** UTF-8 of a well-formed string, without normalisation. @throws StrongroomError `invalid_argument` for lone surrogates. */
export function utf8(text: string, argument: string): Uint8Array {
  if (!text.isWellFormed()) throw invalidArgument(argument, 'must not hold lone surrogates')
  return encoder.encode(text)
}

/** The text of strict UTF-8, or `undefined`. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** A constant label as bytes. */
export function ascii(label: string): Uint8Array {
  return encoder.encode(label)
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** A copy of its own. `Buffer.slice` makes a view, and stores and providers hand out buffers: never use `slice` on bytes. */
export function copy(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end))
}

/** Whether two public byte strings are equal, such as ids and commitments: it stops where they differ. For secrets there is `equalBytes`. */
export function samePublic(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return a.length === b.length
}

/** LP(x). */
export function lp(bytes: Uint8Array): Uint8Array {
  return concat(u32(bytes.length), bytes)
}

/** Every x of LP(x) ‖ LP(y) ‖ …, each a copy of its own; `undefined` if the bytes are not a whole number of them. */
export function split(bytes: Uint8Array): Uint8Array[] | undefined {
  const fields: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined
    const end = at + 4 + toNumber(bytes.subarray(at, at + 4))
    if (end > bytes.length) return undefined
    fields.push(copy(bytes, at + 4, end))
    at = end
  }
  return fields
}

export function u8(value: number): Uint8Array {
  return Uint8Array.of(value)
}

export function u32(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}

/** A whole number up to 2^53 − 1 as eight bytes. */
export function u64(value: number): Uint8Array {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, BigInt(value))
  return out
}

/** The whole number that big-endian bytes stand for. Past 2^53 − 1 it is not exact: whoever reads a `u64` checks that. */
export function toNumber(bytes: Uint8Array): number {
  let value = 0
  for (const byte of bytes) value = value * 256 + byte
  return value
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

export function hex(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += HEX[byte] as string
  return out
}

/** True for `Uint8Array` and its subclasses, from any realm. False for a proxy of one, whose bytes cannot be trusted to stay. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && (value instanceof Uint8Array || Object.prototype.toString.call(value) === '[object Uint8Array]')
}
