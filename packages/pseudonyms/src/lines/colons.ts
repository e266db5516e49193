/** Runs of hexadecimal digits, colons and dots: IPv6 addresses, times, and words such as `std::fs`. */

import { parseAddress } from '../addresses/parse.ts'
import { BACKSLASH, COLON, DOT, IS_DIGIT, IS_HEX, IS_WORD } from './bytes.ts'

/** The run that was read last. One object, read anew each time. */
export interface ColonRun {
  start: number
  end: number
  /** Where to go on. */
  next: number
  /** Its bytes, where it is one address. */
  address: Uint8Array | undefined
  /** It is no address, but holds one, or several. */
  isUnclear: boolean
}

export function emptyColonRun(): ColonRun {
  return { start: 0, end: 0, next: 0, address: undefined, isUnclear: false }
}

const MOST_CHARACTERS = 45
const COLONS_IN_FULL = 7

/** Reads the run around a colon. @param colon - the first of the run; what is before `from` belongs to something else */
export function readColons(bytes: Buffer, colon: number, from: number, to: number, run: ColonRun): void {
  run.address = undefined
  run.isUnclear = false
  run.next = colon + 1
  let start = colon
  while (start > from && IS_HEX[bytes[start - 1] as number] === 1) start--
  let end = start
  let colons = 0
  let dots = 0
  let isShortened = false
  let hasDigit = false
  for (; end < to; end++) {
    const byte = bytes[end] as number
    if (byte === COLON) {
      colons++
      if (end > start && bytes[end - 1] === COLON) isShortened = true
    } else if (byte === DOT) dots++
    else if (IS_HEX[byte] === 1) hasDigit ||= IS_DIGIT[byte] === 1
    else break
  }
  // `12:30:45` and hardware addresses of six pairs end here, and so does `10.0.0.1:80`, whose colon comes after its dots.
  if (!isShortened && colons < COLONS_IN_FULL && (colons < COLONS_IN_FULL - 1 || dots < 3)) return
  run.next = end
  // What ends a sentence, or stands between the address and something else.
  while (end > start && bytes[end - 1] === DOT) end--
  if (bytes[end - 1] === COLON && bytes[end - 2] !== COLON) end--
  if (bytes[start] === COLON && bytes[start + 1] !== COLON) start++
  run.start = start
  run.end = end
  const address = end - start <= MOST_CHARACTERS ? parseAddress(bytes.toString('latin1', start, end)) : undefined
  if (hasDigit) {
    run.address = address
    run.isUnclear = address === undefined
  } else if (address !== undefined && !isPartOfWord(bytes, start, end, from, to)) run.address = address
}

function isPartOfWord(bytes: Buffer, start: number, end: number, from: number, to: number): boolean {
  if (end < to && IS_WORD[bytes[end] as number] === 1) return true
  // Of `\n` the letter is not one.
  return start > from && IS_WORD[bytes[start - 1] as number] === 1 && !(start - 1 > from && bytes[start - 2] === BACKSLASH)
}
