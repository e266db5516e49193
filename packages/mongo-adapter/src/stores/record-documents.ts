/** Key store records as BSON: their fields as they are, bytes as binary of subtype 0. Strict on the way back. */

import { decryptFailed, invalidArgument, type KeyStoreRecord } from '@strongroom/core'
import { Binary } from 'mongodb'

/** @throws StrongroomError `invalid_argument` if a field is of a type that no record has. */
export function encodeRecord(record: KeyStoreRecord): object {
  return encode(record) as object
}

/** Byte fields are copies. @throws StrongroomError `decrypt_failed` if it holds what no record has. */
export function decodeRecord(stored: unknown): KeyStoreRecord {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored) || stored instanceof Binary) throw decryptFailed()
  return decode(stored) as KeyStoreRecord
}

function encode(value: unknown): unknown {
  if (typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw invalidArgument('record', 'must not hold lone surrogates')
    return value
  }
  if (value instanceof Uint8Array) return binary(value)
  if (Array.isArray(value)) return value.map(encode)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (field === undefined ? [] : [[name, encode(field)]])))
  }
  throw invalidArgument('record', 'must hold numbers, strings, booleans, bytes, lists and records only')
}

function decode(value: unknown): unknown {
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') return value
  if (value instanceof Binary) return bytesOf(value)
  if (Array.isArray(value)) return value.map(decode)
  // Other types of BSON come as objects of a class.
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, decode(field)]))
  }
  throw decryptFailed()
}

/** A copy as BSON has it. */
export function binary(bytes: Uint8Array): Binary {
  return new Binary(Uint8Array.from(bytes))
}

/** A copy of what is in it. @throws StrongroomError `decrypt_failed` if it is not binary of subtype 0. */
export function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Binary) || value.sub_type !== Binary.SUBTYPE_DEFAULT) throw decryptFailed()
  return Uint8Array.from(value.buffer.subarray(0, value.position))
}
