/** Escapes, read one at a time: `%2e`, `\x2e`, `\u002e`, `\056`, `\.`, `&#46;`, `&period;` and `=2E`. */

import {
  AMPERSAND,
  BACKSLASH,
  BRACE,
  END_BRACE,
  EQUALS,
  hexValue,
  IS_DIGIT,
  IS_LETTER,
  LAST_ASCII,
  LETTER_U,
  LETTER_X,
  PERCENT,
  QUOTE,
  SEMICOLON,
  tableOf,
  ZERO,
} from './bytes.ts'
import { type Escape, OTHER, take, takeByte, takeCodePoint } from './escape.ts'
import { foldedToAscii } from './folding.ts'
import { readReference } from './references.ts'

const MOST_DIGITS = 8
// Digits of a unit of UTF-16.
const UNIT = 4
// ASCII punctuation, but for what begins other escapes: in `\&#46;` the backslash may be one of what comes out of that.
const IS_SHOWN = tableOf('!"#$\'()*+,-./:;<>?@[\\]^_`{|}~')

/** @param found - where the answer is put */
export function readEscape(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const byte = bytes[at] as number
  take(found, '', 0)
  if (byte === PERCENT) readPercent(bytes, at, to, found)
  else if (byte === BACKSLASH) readBackslash(bytes, at, to, found)
  else if (byte === AMPERSAND) readReferenceInFull(bytes, at, to, found)
  else if (byte === EQUALS) readQuotedPrintable(bytes, at, to, found)
}

// One without a semicolon waits for an escape behind it: its digits may go on in that, as in `&#5%34;`.
function readReferenceInFull(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  readReference(bytes, at, to, found)
  const { length, text } = found
  const next = at + length
  if (length === 0 || bytes[next - 1] === SEMICOLON) return
  if (next < to && (bytes[next] === PERCENT || bytes[next] === BACKSLASH)) {
    readEscape(bytes, next, to, found)
    if (found.length > 0) {
      found.length = 0
      return
    }
    take(found, text, length)
  }
  found.isOpen = true
}

function readPercent(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  if (at + 1 < to && ((bytes[at + 1] as number) | 0x20) === LETTER_U) takeUnits(bytes, at, to, found)
  else takeByte(found, hexNumber(bytes, at + 1, 2, to), 3)
  found.isOfUrl = true
}

function readBackslash(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  if (at + 1 >= to) return
  const next = bytes[at + 1] as number
  const letter = next | 0x20
  if (letter === LETTER_U || letter === LETTER_X) {
    if (bytes[at + 2] === BRACE) return readBraces(bytes, at, to, found)
    if (letter === LETTER_X) return readHex(bytes, at, to, found)
    if (next === LETTER_U) return takeUnits(bytes, at, to, found)
    return takeCodePoint(found, hexNumber(bytes, at + 2, MOST_DIGITS, to), MOST_DIGITS + 2)
  }
  if (IS_DIGIT[next] === 1) {
    takeByte(found, octalNumber(bytes, at + 1, to), 4)
    // Or the first number of an address behind a backslash.
    found.isSure = false
    found.isOpen = true
    return
  }
  const isLetter = IS_LETTER[next] === 1
  if (!isLetter && IS_SHOWN[next] === 0) return
  // Letters are controls; punctuation is what it shows, but a quote that is escaped ends nothing.
  take(found, isLetter ? ' ' : next === QUOTE ? OTHER : String.fromCharCode(next), 2)
  found.isSure = !isLetter
}

// One unit of UTF-16, or the two of one character: `\ud835\udfcf`.
function takeUnits(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const first = hexNumber(bytes, at + 2, UNIT, to)
  const next = at + UNIT + 2
  const isLead = first >= 0xd800 && first < 0xdc00 && bytes[next] === bytes[at] && bytes[next + 1] === bytes[at + 1]
  const second = isLead ? hexNumber(bytes, next + 2, UNIT, to) : -1
  if (second < 0xdc00 || second > 0xdfff) takeCodePoint(found, first, UNIT + 2)
  else takeCodePoint(found, 0x10000 + (first - 0xd800) * 0x400 + second - 0xdc00, 2 * (UNIT + 2))
}

function readBraces(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const start = at + 3
  let end = start
  while (end < to && end < start + MOST_DIGITS && hexValue(bytes[end]) >= 0) end++
  if (end < to && bytes[end] === END_BRACE) takeCodePoint(found, hexNumber(bytes, start, end - start, to), end - at + 1)
}

// Several are bytes of UTF-8, as Apache and nginx write it; one alone is a code point, as in JavaScript, if that is taken for ASCII.
function readHex(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const code = hexNumber(bytes, at + 2, 2, to)
  const isAlone = bytes[at - 4] !== BACKSLASH && (at + 4 >= to || bytes[at + 4] !== BACKSLASH)
  if (isAlone && code > LAST_ASCII && foldedToAscii(code) !== undefined) takeCodePoint(found, code, 4)
  else takeByte(found, code, 4)
}

// Only the separators and the sign itself: `ip=31.2.3.4` is no `1` in quoted-printable (RFC 2045, section 6.7).
function readQuotedPrintable(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const code = hexNumber(bytes, at + 1, 2, to)
  if (code === 0x2e || code === 0x3a || code === EQUALS) takeByte(found, code, 3)
}

function hexNumber(bytes: Uint8Array, at: number, count: number, to: number): number {
  if (at + count > to || count === 0) return -1
  let number = 0
  for (let i = at; i < at + count; i++) {
    const digit = hexValue(bytes[i])
    if (digit < 0) return -1
    number = number * 16 + digit
  }
  return number
}

function octalNumber(bytes: Uint8Array, at: number, to: number): number {
  if (at + 3 > to) return -1
  let number = 0
  for (let i = at; i < at + 3; i++) {
    const digit = (bytes[i] as number) - ZERO
    if (digit < 0 || digit > 7) return -1
    number = number * 8 + digit
  }
  return number
}
