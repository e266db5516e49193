/** What a note of the end of a key says, signed (docs/format.md, "Notes of keys that are to end"). */

import { equalBytes, hmacSha256 } from '../crypto/hash.ts'
import { ascii, concat, copy, lp, toNumber, u8, u64, utf8 } from './bytes.ts'

const LABEL = lp(ascii('strongroom/v1/period-note'))
const FORM = u8(0x01)
const DUE_AT = 1
const MAC_AT = 9
const NOTE_BYTES = 41

/**
 * `0x01 ‖ due u64 ‖ HMAC(note key, LP('strongroom/v1/period-note') ‖ LP(key) ‖ due u64)`.
 *
 * @param key - of the entry
 * @param due - UTC milliseconds
 */
export function periodNote(noteKey: Uint8Array, key: string, due: number): Uint8Array {
  const instant = u64(due)
  return concat(FORM, instant, hmacSha256(noteKey, concat(LABEL, lp(utf8(key, 'key')), instant)))
}

/** When the key is to end; `undefined` for any bytes but those that {@link periodNote} makes of this entry. */
export function dueIn(noteKey: Uint8Array, key: string, note: Uint8Array): number | undefined {
  if (note.length !== NOTE_BYTES) return undefined
  const due = toNumber(copy(note, DUE_AT, MAC_AT))
  return Number.isSafeInteger(due) && equalBytes(note, periodNote(noteKey, key, due)) ? due : undefined
}
