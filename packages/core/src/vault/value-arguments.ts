/** The arguments of encrypt and decrypt, checked before any key is opened. */

import { decryptFailed, invalidArgument } from '../errors.ts'
import { Field } from '../field.ts'
import { isBytes } from '../format/bytes.ts'
import { valueFromText } from '../format/encrypted-value.ts'
import { canonicalScalar, type Scalar } from '../format/scalar.ts'
import { attempt, readOptions } from '../read-options.ts'

/** Options of encrypt and decrypt. */
export interface ValueOptions {
  /**
   * The id of the record that the value belongs to: it then opens only with the same id. A string, number, bigint,
   * boolean, Date or Uint8Array.
   */
  readonly record?: Scalar
}

export function requireField(field: unknown): asserts field is Field<unknown> {
  if (!Field.isField(field)) throw invalidArgument('field', 'must be made with field()')
}

export function recordScalar(options: ValueOptions | undefined): Uint8Array | undefined {
  const { record } = readOptions(options, ['record'])
  // An id that is missing where one was meant would bind the value to nothing.
  if (record === undefined && options !== undefined && attempt('record', () => Object.hasOwn(options, 'record'))) {
    throw invalidArgument('record', 'must not be undefined: leave it out to bind the value to no record')
  }
  return record === undefined ? undefined : canonicalScalar(record, 'record')
}

/** The bytes of a stored value, of either form. */
export function storedBytes(stored: unknown): Uint8Array {
  if (isBytes(stored)) return stored
  if (typeof stored !== 'string')
    throw invalidArgument('stored', 'must be an encrypted value: a Uint8Array, or its text form; for JSON, store encryptedToText(value)')
  const bytes = valueFromText(stored)
  if (bytes === undefined) throw decryptFailed()
  return bytes
}
