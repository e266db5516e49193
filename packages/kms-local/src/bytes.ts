/** The building blocks of the file's bytes: LP(x) = u32 big-endian byte length ‖ bytes; big-endian integers; base64url. */

import { Buffer } from 'node:buffer'

const encoder = new TextEncoder()

/** UTF-8 of a well-formed string. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
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

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** LP of each field, in order: no two lists of fields give the same bytes. */
export function lpAll(...fields: readonly Uint8Array[]): Uint8Array {
  return concat(...fields.flatMap((field) => [u32(field.length), field]))
}

/** base64url without padding (RFC 4648, section 5). */
export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

/** The bytes of base64url; lenient, so that the caller must compare what it encodes to. */
export function fromBase64url(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64url'))
}
