/**
 * Escapes, read one at a time: `%2e`, `\x2e`, `\u002e`, `\056`, `\.`, `&#46;`, `&period;`, `=2E`, and UTF-8 of characters that parsers take for
 * ASCII.
 */

import {
  AMPERSAND,
  BACKSLASH,
  BRACE,
  END_BRACE,
  EQUALS,
  hexValue,
  IS_DIGIT,
  IS_LETTER,
  IS_PUNCTUATION,
  LETTER_U,
  LETTER_X,
  PERCENT,
  QUOTE,
  ZERO,
} from './bytes.ts'
import { type Escape, LAST_ASCII, OTHER, takeByte, takeCodePoint, textOf } from './escape.ts'
import { readReference } from './references.ts'

const MOST_DIGITS = 8

/** @param found - where the answer is put */
export function readEscape(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const byte = bytes[at] as number
  found.length = 0
  found.isOfUrl = false
  found.isSure = true
  if (byte === PERCENT) readPercent(bytes, at, to, found)
  else if (byte === BACKSLASH) readBackslash(bytes, at, to, found)
  else if (byte === AMPERSAND) readReference(bytes, at, to, found)
  else if (byte === EQUALS) readQuotedPrintable(bytes, at, to, found)
  else if (byte > LAST_ASCII) readUtf8(bytes, at, to, found)
}

function readPercent(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  found.isOfUrl = true
  if (at + 1 < to && ((bytes[at + 1] as number) | 0x20) === LETTER_U) takeCodePoint(found, hexNumber(bytes, at + 2, 4, to), 6)
  else takeByte(found, hexNumber(bytes, at + 1, 2, to), 3)
}

function readBackslash(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  if (at + 1 >= to) return
  const next = bytes[at + 1] as number
  const letter = next | 0x20
  if (letter === LETTER_U || letter === LETTER_X) {
    if (bytes[at + 2] === BRACE) return readBraces(bytes, at, to, found)
    if (letter === LETTER_X) return readHex(bytes, at, to, found)
    const digits = next === LETTER_U ? 4 : 8
    return takeCodePoint(found, hexNumber(bytes, at + 2, digits, to), digits + 2)
  }
  if (IS_DIGIT[next] === 1) return takeByte(found, octalNumber(bytes, at + 1, to), 4)
  found.length = 2
  found.isSure = IS_LETTER[next] === 0
  // Letters are controls; punctuation is what it shows, but a quote that is escaped ends nothing.
  if (IS_LETTER[next] === 1) found.text = ' '
  else found.text = IS_PUNCTUATION[next] === 1 && next !== QUOTE ? String.fromCharCode(next) : OTHER
}

function readBraces(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const start = at + 3
  let end = start
  while (end < to && end < start + MOST_DIGITS && hexValue(bytes[end]) >= 0) end++
  if (end < to && bytes[end] === END_BRACE) takeCodePoint(found, hexNumber(bytes, start, end - start, to), end - at + 1)
}

// One alone is a code point, as in JavaScript; several are bytes of UTF-8, as Apache and nginx write it.
function readHex(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const code = hexNumber(bytes, at + 2, 2, to)
  if (bytes[at - 4] === BACKSLASH || (at + 4 < to && bytes[at + 4] === BACKSLASH)) takeByte(found, code, 4)
  else takeCodePoint(found, code, 4)
}

// Only the separators and the sign itself: `ip=31.2.3.4` is no `1` in quoted-printable (RFC 2045, section 6.7).
function readQuotedPrintable(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const code = hexNumber(bytes, at + 1, 2, to)
  if (code === 0x2e || code === 0x3a || code === EQUALS) takeByte(found, code, 3)
}

// Also in more bytes than it needs: some read that too.
function readUtf8(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const lead = bytes[at] as number
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1
  found.length = 1
  found.text = OTHER
  if (length === 1 || lead >= 0xf8 || at + length > to) return
  let code = lead & (0xff >> (length + 1))
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] as number
    if ((next & 0xc0) !== 0x80) return
    code = (code << 6) | (next & 0x3f)
  }
  found.length = length
  found.text = textOf(code)
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
