/** How JavaScript values become frames. Databases with more types bring a codec of their own. */

import { byteAndText } from '../crypto/text.ts'
import { invalidArgument, StrongroomError } from '../errors.ts'
import { copy, fromUtf8, isBytes } from './bytes.ts'
import { type EncodedValue, MAX_VALUE_BYTES } from './frame.ts'
import { toJsonText } from './json-text.ts'

const INT32_MIN = -(2 ** 31)
const INT32_MAX = 2 ** 31 - 1
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const GENERIC_BINARY = 0
/** BSON's type of strings. */
export const STRING = 0x02

const encoder = new TextEncoder()

/** Turns values into typed bytes and back. Types are BSON's numbers; bodies are BSON's, little-endian (docs/format.md). */
export interface ValueCodec {
  /** @throws StrongroomError `invalid_argument` for what it cannot represent exactly. */
  encode(value: unknown): EncodedValue
  /** The value; `undefined` if the body is malformed or the type is not this codec's. */
  decode(encoded: EncodedValue): unknown
  /** `core`: strings never come to this codec, nor their type 0x02. Core encodes and decodes them as UTF-8, with no copy between. */
  readonly strings?: 'core'
}

/**
 * The codec of core: strings, numbers, bigints (64 bits), booleans, dates, bytes, and JSON for arrays and plain objects.
 *
 * @example
 * ```ts
 * import { jsonCodec } from '@strongroom/core'
 *
 * const { type, body } = jsonCodec.encode(7)   // type 0x10, body 07 00 00 00
 * ```
 */
export const jsonCodec: ValueCodec = {
  strings: 'core',
  encode(value) {
    try {
      return encode(value)
    } catch (error) {
      if (error instanceof StrongroomError) throw error
      // A getter or a proxy of the caller's threw: what it threw may hold the value.
      throw invalidArgument('value', 'could not be read: it threw')
    }
  },
  decode,
}

function encode(value: unknown): EncodedValue {
  switch (typeof value) {
    case 'string':
      requireText(value)
      return { type: STRING, body: encoder.encode(value) }
    case 'number':
      return Number.isInteger(value) && value >= INT32_MIN && value <= INT32_MAX && !Object.is(value, -0)
        ? { type: 0x10, body: view(4, (v) => v.setInt32(0, value, true)) }
        : { type: 0x01, body: view(8, (v) => v.setFloat64(0, value, true)) }
    case 'bigint':
      if (value < INT64_MIN || value > INT64_MAX) throw invalidArgument('value', 'must be within 64 bits')
      return { type: 0x12, body: view(8, (v) => v.setBigInt64(0, value, true)) }
    case 'boolean':
      return { type: 0x08, body: Uint8Array.of(value ? 1 : 0) }
    case 'object':
      if (value !== null) return encodeObject(value)
  }
  throw invalidArgument('value', 'must not be null, undefined, a function or a symbol; store null as null')
}

function encodeObject(value: object): EncodedValue {
  if (isBytes(value)) {
    if (value.length > MAX_VALUE_BYTES) throw oversize()
    const body = new Uint8Array(1 + value.length)
    body[0] = GENERIC_BINARY
    body.set(value, 1)
    return { type: 0x05, body }
  }
  if (value instanceof Date) {
    const time = Date.prototype.getTime.call(value)
    if (Number.isNaN(time)) throw invalidArgument('value', 'must be a valid date')
    return { type: 0x09, body: view(8, (v) => v.setBigInt64(0, BigInt(time), true)) }
  }
  return { type: 0x70, body: encoder.encode(toJsonText(value)) }
}

function decode({ type, body }: EncodedValue): unknown {
  const bytes = new DataView(body.buffer, body.byteOffset, body.byteLength)
  switch (type) {
    case STRING:
      return fromUtf8(body)
    case 0x10:
      return body.length === 4 ? bytes.getInt32(0, true) : undefined
    case 0x01:
      return body.length === 8 ? bytes.getFloat64(0, true) : undefined
    case 0x12:
      return body.length === 8 ? bytes.getBigInt64(0, true) : undefined
    case 0x08:
      return body.length === 1 && (body[0] as number) <= 1 ? body[0] === 1 : undefined
    case 0x09:
      return body.length === 8 ? date(bytes.getBigInt64(0, true)) : undefined
    case 0x05:
      return body[0] === GENERIC_BINARY ? copy(body, 1) : undefined
    case 0x70:
      return fromJson(body)
    default:
      return undefined
  }
}

/** The frame of a string, unpadded: the short cut for what most fields are. @throws StrongroomError `invalid_argument` */
export function stringFrame(value: string): Uint8Array {
  requireText(value)
  const bytes = byteAndText(STRING, value)
  if (bytes.length > MAX_VALUE_BYTES) throw oversize()
  return bytes
}

function requireText(value: string): void {
  if (value.length > MAX_VALUE_BYTES) throw oversize()
  if (!value.isWellFormed()) throw invalidArgument('value', 'must not hold lone surrogates')
}

function oversize(): StrongroomError {
  return invalidArgument('value', `must be at most ${MAX_VALUE_BYTES - 1} bytes when encoded`)
}

function date(time: bigint): Date | undefined {
  const value = new Date(Number(time))
  return Number.isNaN(value.getTime()) ? undefined : value
}

function fromJson(body: Uint8Array): unknown {
  const text = fromUtf8(body)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function view(length: number, write: (view: DataView) => void): Uint8Array {
  const out = new Uint8Array(length)
  write(new DataView(out.buffer))
  return out
}
