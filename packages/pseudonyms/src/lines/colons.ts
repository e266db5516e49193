/** Runs of hexadecimal digits, colons and dots: IPv6 addresses, times, and words such as `std::fs`. */

import { parseAddress } from '../addresses/parse.ts'
import { BACKSLASH, COLON, DOT, IS_DIGIT, IS_HEX, IS_WORD, UNDERSCORE } from './bytes.ts'

/** The run that was read last. One object, read anew each time. */
export interface ColonRun {
  start: number
  end: number
  /** Where to go on. */
  next: number
  /** Its bytes, where it is one address. */
  address: Uint8Array | undefined
  /** It is no address, but holds one, or several; or nobody knows where it begins. */
  isUnclear: boolean
}

export function emptyColonRun(): ColonRun {
  return { start: 0, end: 0, next: 0, address: undefined, isUnclear: false }
}

const MOST_CHARACTERS = 45
const COLONS_IN_FULL = 7
const MOST_GROUP = 4
const MOST_OF_A_NAME = 2

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
  if (!hasDigit && isShortened && isPartOfWord(bytes, start, end, from, to)) return
  const whole = addressIn(bytes, start, end)
  // `IPv6:2001:db8::1`: the colon is that of a word, whose end is no group.
  const group = hasDigit ? endOfGroup(bytes, start, end) : start
  const glue = group > start && isBehindWord(bytes, start, from) ? bytes[start - 1] : undefined
  const rest = mayEndWord(group - start, glue) ? addressBehind(bytes, group, end) : undefined
  if (rest === undefined) run.address = whole
  else if (endsWord(bytes, start, group, glue)) {
    run.start = group + 1
    run.address = rest
  }
  run.isUnclear = run.address === undefined && (hasDigit || whole !== undefined)
}

function addressIn(bytes: Buffer, start: number, end: number): Uint8Array | undefined {
  return end - start <= MOST_CHARACTERS ? parseAddress(bytes.toString('latin1', start, end)) : undefined
}

// With the colon of `eth0::1` as well as without it.
function addressBehind(bytes: Buffer, group: number, end: number): Uint8Array | undefined {
  return addressIn(bytes, bytes[group + 1] === COLON ? group : group + 1, end)
}

function endOfGroup(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && IS_HEX[bytes[at] as number] === 1) at++
  return bytes[at] === COLON ? at : start
}

// Behind an underscore an address may begin, but for `eth_0:`.
function mayEndWord(length: number, glue: number | undefined): boolean {
  return length > MOST_GROUP || (glue !== undefined && (glue !== UNDERSCORE || length <= MOST_OF_A_NAME))
}

/** Whether hexadecimal digits before a colon are for sure what a word ends in: those of `source:`, `IPv6:` and `eth0:` are, of `src2001:` not. */
function endsWord(bytes: Buffer, start: number, group: number, glue: number | undefined): boolean {
  if (bytes[group + 1] === COLON || glue === UNDERSCORE) return false
  let digits = 0
  for (let at = start; at < group; at++) if (IS_DIGIT[bytes[at] as number] === 1) digits++
  return digits === 0 || (glue !== undefined && digits === group - start && digits <= MOST_OF_A_NAME)
}

function isPartOfWord(bytes: Buffer, start: number, end: number, from: number, to: number): boolean {
  return (end < to && IS_WORD[bytes[end] as number] === 1) || isBehindWord(bytes, start, from)
}

function isBehindWord(bytes: Buffer, start: number, from: number): boolean {
  // Of `\n` the letter is not one.
  return start > from && IS_WORD[bytes[start - 1] as number] === 1 && !(start - 1 > from && bytes[start - 2] === BACKSLASH)
}
