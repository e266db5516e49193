/** Canonical scalars: one byte string for each value, for record bindings and index values (docs/format.md). */

import { byteAndText } from '../crypto/text.ts'
import { invalidArgument, type StrongroomError } from '../errors.ts'
import { attempt } from '../read-options.ts'
import { concat, isBytes } from './bytes.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const NAN_BITS = 0x7ff8000000000000n
const MAX_BYTES = 65_536

/**
 * A scalar already in canonical form (docs/format.md, "Canonical scalars"): for the types of a database, made by its adapter.
 *
 * @example
 * ```ts
 * import { CanonicalScalar, type Scalar } from '@strongroom/core'
 *
 * function objectId(bytes: Uint8Array): Scalar {
 *   return new CanonicalScalar(Uint8Array.of(0x07, ...bytes))
 * }
 * ```
 */
export class CanonicalScalar {
  /** type ‖ body. */
  readonly bytes: Uint8Array
  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /**
   * A scalar in canonical form, made once where many values are bound to one record.
   *
   * @param argument - what the caller calls it, for the error
   * @throws StrongroomError `invalid_argument` for what is no scalar
   * @example
   * ```ts
   * import { CanonicalScalar, type Field, type UnlockedKeys } from '@strongroom/core'
   *
   * function encryptAll(keys: UnlockedKeys, id: string, values: ReadonlyMap<Field<string>, string>): Uint8Array[] {
   *   const record = CanonicalScalar.of(id, 'id')
   *   return [...values].map(([field, value]) => keys.encrypt(field, value, { record }))
   * }
   * ```
   */
  static of(value: Scalar, argument: string): CanonicalScalar {
    return new CanonicalScalar(canonicalScalar(value, argument))
  }
}

/** What a value can be bound to. Any number that is an int64 is the same as that bigint; −0 is 0. */
export type Scalar = string | number | bigint | boolean | Date | Uint8Array | CanonicalScalar

/** The canonical bytes of a scalar. @throws StrongroomError `invalid_argument` for any other type, or out of range. */
export function canonicalScalar(value: unknown, argument: string): Uint8Array {
  return typeof value === 'object' && value !== null ? objectScalar(value, argument) : primitiveScalar(value, argument)
}

function objectScalar(value: object, argument: string): Uint8Array {
  // A proxy may throw at every question.
  const kind = attempt(argument, () =>
    isBytes(value) ? 'bytes' : value instanceof CanonicalScalar ? 'canonical' : value instanceof Date ? 'date' : 'none',
  )
  if (kind === 'bytes') return binaryScalar(0, value as Uint8Array, argument)
  if (kind === 'date') return dateScalar(value as Date, argument)
  const bytes = kind === 'canonical' ? attempt(argument, () => (value as CanonicalScalar).bytes) : undefined
  if (isBytes(bytes)) return bounded(bytes, argument)
  throw notScalar(argument)
}

function notScalar(argument: string): StrongroomError {
  return invalidArgument(argument, 'must be a string, number, bigint, boolean, Date or Uint8Array')
}

function primitiveScalar(value: unknown, argument: string): Uint8Array {
  switch (typeof value) {
    case 'string':
      if (value.length > MAX_BYTES) throw tooLong(argument)
      if (!value.isWellFormed()) throw invalidArgument(argument, 'must not hold lone surrogates')
      return bounded(textScalar(value), argument)
    case 'boolean':
      return Uint8Array.of(0x08, value ? 1 : 0)
    case 'bigint':
      if (value < INT64_MIN || value > INT64_MAX) throw invalidArgument(argument, 'must be within 64 bits')
      return eight(0x12, BigInt.asUintN(64, value))
    case 'number':
      return numberScalar(value)
    default:
      throw notScalar(argument)
  }
}

// Most are short, and ASCII. An array of at most 64 bytes stands among the objects of the engine; every larger one is memory of its own.
function textScalar(text: string): Uint8Array {
  if (text.length >= 64) return byteAndText(0x02, text)
  const bytes = new Uint8Array(1 + text.length)
  bytes[0] = 0x02
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return byteAndText(0x02, text)
    bytes[1 + i] = unit
  }
  return bytes
}

/** Binary with its BSON subtype (0: generic, 4: UUID). */
export function binaryScalar(subtype: number, bytes: Uint8Array, argument: string): Uint8Array {
  return bounded(concat(Uint8Array.of(0x05, subtype), bytes), argument)
}

function numberScalar(value: number): Uint8Array {
  // 2^63 itself is a double that no int64 holds.
  if (Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63) return eight(0x12, BigInt.asUintN(64, BigInt(value)))
  if (Number.isNaN(value)) return eight(0x01, NAN_BITS)
  const out = new Uint8Array(9)
  out[0] = 0x01
  new DataView(out.buffer).setFloat64(1, value)
  return out
}

function dateScalar(value: Date, argument: string): Uint8Array {
  const time = timeOf(value)
  if (Number.isNaN(time)) throw invalidArgument(argument, 'must be a valid date')
  return eight(0x09, BigInt.asUintN(64, BigInt(time)))
}

// A proxy of a date is none.
function timeOf(value: Date): number {
  try {
    return Date.prototype.getTime.call(value)
  } catch {
    return Number.NaN
  }
}

function eight(type: number, bits: bigint): Uint8Array {
  const out = new Uint8Array(9)
  out[0] = type
  new DataView(out.buffer).setBigUint64(1, bits)
  return out
}

function bounded(bytes: Uint8Array, argument: string): Uint8Array {
  if (bytes.length > MAX_BYTES) throw tooLong(argument)
  return bytes
}

function tooLong(argument: string): StrongroomError {
  return invalidArgument(argument, `must be at most ${MAX_BYTES} bytes`)
}
