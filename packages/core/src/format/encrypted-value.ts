/** The envelope of one encrypted field: 0x01 ‖ tag 16 ‖ nonce 24 ‖ ciphertext ‖ GCM tag 16 (docs/format.md, "Encrypted value"). */

import { base64url, fromBase64url } from '../crypto/text.ts'
import { XAES_NONCE, XAES_TAG } from '../crypto/xaes-256-gcm.ts'
import { invalidArgument } from '../errors.ts'
import { ascii, concat, isBytes, lp, u8 } from './bytes.ts'
import { TAG_BYTES } from './derivations.ts'
import { MAX_VALUE_BYTES } from './frame.ts'

const SEALED = lp(ascii('strongroom/v1/sealed'))

/** The bytes of an encrypted value, as stored. */
export type EncryptedValueBytes = Uint8Array

export const VALUE_VERSION = 0x01
export const HEADER_BYTES: number = 1 + TAG_BYTES
export const NONCE_AT: number = HEADER_BYTES
export const CIPHERTEXT_AT: number = HEADER_BYTES + XAES_NONCE
/** The shortest envelope: a frame is at least its type byte. */
const MIN_BYTES = CIPHERTEXT_AT + 1 + XAES_TAG
// Padding adds at most 12 %.
const MAX_BYTES = CIPHERTEXT_AT + 1.25 * MAX_VALUE_BYTES + XAES_TAG
const MAX_TEXT = Math.ceil((MAX_BYTES * 4) / 3) + 4

const TEXT_PREFIX = 'sr1.'

/** The header: version ‖ tag. */
export function valueHeader(tag: Uint8Array): Uint8Array {
  return concat(u8(VALUE_VERSION), tag)
}

/** What the associated data of a field's values has of its name: LP(context) ‖ LP(field). */
export function fieldData(context: Uint8Array, field: Uint8Array): Uint8Array {
  return concat(lp(context), lp(field))
}

// Where associated data are written: an array of its own for each value would cost as much as a block cipher does.
let scratch = new Uint8Array(1024)
scratch.set(SEALED)

/**
 * The associated data: LP('strongroom/v1/sealed') ‖ header ‖ LP(context) ‖ LP(field), then 0x00, or 0x01 ‖ LP(canonical scalar of the record).
 *
 * @param ofField - as {@link fieldData} makes it
 * @returns to be used before the next are made: they stand in the same place
 */
export function valueData(header: Uint8Array, ofField: Uint8Array, record: Uint8Array | undefined): Uint8Array {
  const length = SEALED.length + header.length + ofField.length + (record === undefined ? 1 : 5 + record.length)
  if (length > scratch.length) {
    scratch = new Uint8Array(length)
    scratch.set(SEALED)
  }
  const out = scratch
  let at = SEALED.length
  for (let i = 0; i < header.length; i++) out[at++] = header[i] as number
  out.set(ofField, at)
  at += ofField.length
  if (record === undefined) out[at] = 0
  else {
    out[at] = 1
    out[at + 1] = record.length >>> 24
    out[at + 2] = record.length >>> 16
    out[at + 3] = record.length >>> 8
    out[at + 4] = record.length
    out.set(record, at + 5)
  }
  return out.subarray(0, length)
}

/** True if these bytes have the form of an encrypted value. Says nothing about whether they open. */
export function isValueForm(bytes: Uint8Array): boolean {
  return bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES && bytes[0] === VALUE_VERSION
}

/**
 * The text form of an encrypted value, for stores without a binary type: `sr1.` ‖ base64url without padding. `decrypt` takes both.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { encryptedToText, type Encrypted } from '@strongroom/core'
 *
 * function column(stored: Encrypted<string>): string {
 *   return encryptedToText(stored)
 * }
 * ```
 */
export function valueToText(bytes: Uint8Array): string {
  if (!isBytes(bytes)) throw invalidArgument('value', 'must be an encrypted value: a Uint8Array')
  return TEXT_PREFIX + base64url(bytes)
}

/** The bytes of a text form, or `undefined` if it is not the one text form of those bytes. */
export function valueFromText(text: string): Uint8Array | undefined {
  return text.length <= MAX_TEXT && text.startsWith(TEXT_PREFIX) ? fromBase64url(text.slice(TEXT_PREFIX.length)) : undefined
}
