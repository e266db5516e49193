/** Values of BSON as canonical scalars: what an index compares, and the id that a value is bound to (docs/format.md, "Canonical scalar"). */

import { CanonicalScalar, invalidArgument, type Scalar } from '@strongroom/core'
import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb'

/** @throws StrongroomError `invalid_argument` for what is no scalar, naming `argument` */
export function bsonScalar(value: unknown, argument: string): Scalar {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value
  }
  if (value instanceof Date) return value
  if (value instanceof ObjectId) return new CanonicalScalar(objectIdBytes(value))
  if (value instanceof Binary) return new CanonicalScalar(binaryBytes(value))
  if (value instanceof Uint8Array) return value
  if (value instanceof Int32 || value instanceof Double) return value.valueOf()
  // A Timestamp is a Long by its class.
  if (value instanceof Long && !(value instanceof Timestamp)) return value.toBigInt()
  if (value instanceof Decimal128) {
    const integer = integerOf(value.toString())
    if (integer !== undefined) return integer
    throw invalidArgument(argument, 'must not be a Decimal128 other than an integer of 64 bits: it has no one form to be compared in')
  }
  throw invalidArgument(argument, 'must be a single value here: a string, a number, a boolean, a date, binary or an ObjectId')
}

function objectIdBytes({ id }: ObjectId): Uint8Array {
  const bytes = new Uint8Array(1 + id.length)
  bytes[0] = 0x07
  bytes.set(id, 1)
  return bytes
}

function binaryBytes(value: Binary): Uint8Array {
  const bytes = new Uint8Array(2 + value.length())
  bytes[0] = 0x05
  bytes[1] = value.sub_type
  bytes.set(value.value(), 2)
  return bytes
}

// `5`, `5.00` and `5E+2` are integers; an exponent may be thousands.
function integerOf(text: string): bigint | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]\d{1,4}))?$/u.exec(text)
  if (parts === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts
  const digits = `${whole}${fraction}`.replace(/^0+(?=\d)/u, '')
  const shift = Number(exponent) - fraction.length
  if (digits === '0') return 0n
  if (shift > 20) return undefined
  const scaled = shift >= 0 ? digits + '0'.repeat(shift) : digits.slice(0, shift)
  if (shift < 0 && !/^0*$/u.test(digits.slice(shift))) return undefined
  const integer = BigInt(`${sign}${scaled === '' ? '0' : scaled}`)
  return integer === BigInt.asIntN(64, integer) ? integer : undefined
}
