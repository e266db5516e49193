/** Values of BSON as the frames of encrypted values, and back with the options that the caller reads other values with (docs/format.md, "Frame"). */

import { type EncodedValue, invalidArgument, type ValueCodec } from '@strongroom/core'
import { Binary, BSON, type BSONSerializeOptions, UUID } from 'mongodb'

const BINARY = 0x05
// Document, array, ObjectId, boolean, date, the numbers.
const AS_IN_BSON: ReadonlySet<number> = new Set([0x01, 0x03, 0x04, 0x07, 0x08, 0x09, 0x10, 0x12, 0x13])
// u32 length ‖ type ‖ empty name.
const BODY_AT = 6

/** A value as a field takes it and gives it back: only strings are what they are. */
export type FieldValue = string | EncodedValue

/** All others are encoded before they come to the field, and decoded behind it: only a call knows how it wants them. */
export const passThrough: ValueCodec = {
  strings: 'core',
  encode: (value) => value as EncodedValue,
  decode: (encoded) => encoded,
}

/**
 * A value as its field takes it.
 *
 * @param path - of the value, for the error
 * @throws StrongroomError `invalid_argument` for types that are not encrypted
 */
export function encodeValue(value: unknown, path: string): FieldValue {
  if (typeof value === 'string') return value
  if (value instanceof Binary) {
    const body = new Uint8Array(1 + value.length())
    body[0] = value.sub_type
    body.set(value.value(), 1)
    return { type: BINARY, body }
  }
  const bytes = serialize(value, path)
  const type = bytes[4] as number
  if (!AS_IN_BSON.has(type))
    throw invalidArgument(path, 'must be a string, a number, a boolean, a date, binary, an ObjectId, an array or an object')
  return { type, body: bytes.subarray(BODY_AT, -1) }
}

/** What gives back a value, or `undefined` where the body is none of its type. */
export type DecodeValue = (encoded: FieldValue) => unknown

/** @param options - how the caller reads other values: made once for many */
export function valueDecoder(options: BSONSerializeOptions): DecodeValue {
  const reading = { ...readingOf(options), allowObjectSmallerThanBufferSize: false }
  return (encoded) => {
    // No option says anything about strings.
    if (typeof encoded === 'string') return encoded
    const { type, body } = encoded
    try {
      if (type === BINARY) return binaryOf(body, options)
      if (!AS_IN_BSON.has(type)) return undefined
      return BSON.deserialize(concat(i32(BODY_AT + body.length + 1), [type, 0], body, [0]), reading)['']
    } catch {
      return undefined
    }
  }
}

// Not by way of BSON, which has the length of subtype 2 twice.
function binaryOf(body: Uint8Array, { promoteBuffers, promoteValues }: BSONSerializeOptions): unknown {
  const [subtype] = body
  if (subtype === undefined) return undefined
  const bytes = Buffer.from(body.subarray(1))
  if (promoteBuffers === true && promoteValues !== false) return bytes
  const binary = new Binary(bytes, subtype)
  return subtype === Binary.SUBTYPE_UUID && UUID.isValid(binary) ? binary.toUUID() : binary
}

function readingOf({
  promoteLongs,
  promoteValues,
  promoteBuffers,
  useBigInt64,
  bsonRegExp,
}: BSONSerializeOptions): BSON.DeserializeOptions {
  const options = { promoteLongs, promoteValues, promoteBuffers, useBigInt64, bsonRegExp }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function serialize(value: unknown, path: string): Uint8Array {
  try {
    return BSON.serialize({ '': value })
  } catch {
    throw invalidArgument(path, 'is no value that MongoDB can store')
  }
}

function i32(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setInt32(0, value, true)
  return out
}

function concat(...parts: readonly ArrayLike<number>[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
