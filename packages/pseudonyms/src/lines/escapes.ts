/** Escapes, read one at a time: `%2e`, `\x2e`, `\u002e`, `\056`, `&#46;`, and UTF-8 of characters that parsers take for ASCII. */

import { AMPERSAND, BACKSLASH, HASH, hexValue, IS_DIGIT, IS_LETTER, PERCENT, SLASH, ZERO } from './bytes.ts'
import { foldedToAscii } from './folding.ts'

/** What an escape stands for. One object, read anew each time. */
export interface Escape {
  /** How many bytes it takes; 0 where there is none. */
  length: number
  /** Code points beyond ASCII are ASCII text by now, or a byte that is no part of an address. */
  text: string
  /** It is one of a URL, and what it stands for is data there. */
  isOfUrl: boolean
}

/** Stands for what is of no account: no part of an address, and the end of nothing. */
export const OTHER = '\u0080'
const X = 0x78
const U = 0x75
const BRACE = 0x7b
const END_BRACE = 0x7d
const SEMICOLON = 0x3b
const MOST_DIGITS = 8

/** @param found - where the answer is put */
export function readEscape(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const byte = bytes[at] as number
  found.length = 0
  found.isOfUrl = false
  if (byte === PERCENT) readPercent(bytes, at, to, found)
  else if (byte === BACKSLASH) readBackslash(bytes, at, to, found)
  else if (byte === AMPERSAND) readReference(bytes, at, to, found)
  else if (byte >= 0x80) readUtf8(bytes, at, to, found)
}

function readPercent(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const isUnicode = at + 1 < to && ((bytes[at + 1] as number) | 0x20) === U
  const code = isUnicode ? hexNumber(bytes, at + 2, 4, to) : hexNumber(bytes, at + 1, 2, to)
  if (code < 0) return
  found.length = isUnicode ? 6 : 3
  found.isOfUrl = true
  // A byte: it may be one of several that make a character, and is read again.
  found.text = isUnicode ? textOf(code) : String.fromCharCode(code)
}

function readBackslash(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  if (at + 1 >= to) return
  const next = bytes[at + 1] as number
  const letter = next | 0x20
  if (letter === X) return take(found, hexNumber(bytes, at + 2, 2, to), 4)
  if (letter === U && bytes[at + 2] === BRACE) {
    let end = at + 3
    while (end < to && end < at + 3 + MOST_DIGITS && hexValue(bytes[end]) >= 0) end++
    return take(found, bytes[end] === END_BRACE && end < to ? hexNumber(bytes, at + 3, end - at - 3, to) : -1, end - at + 1)
  }
  if (letter === U) return next === U ? take(found, hexNumber(bytes, at + 2, 4, to), 6) : take(found, hexNumber(bytes, at + 2, 8, to), 10)
  if (IS_DIGIT[next] === 1) return take(found, octalNumber(bytes, at + 1, to), 4)
  found.length = 2
  // `\/` and `\\` are what they show; a quote that is escaped ends nothing; letters are controls.
  found.text = next === SLASH || next === BACKSLASH ? String.fromCharCode(next) : IS_LETTER[next] === 1 ? ' ' : OTHER
}

function readReference(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  if (bytes[at + 1] !== HASH || at + 2 >= to) return
  const isHex = ((bytes[at + 2] as number) | 0x20) === X
  const digits = isHex ? at + 3 : at + 2
  let end = digits
  let code = 0
  for (; end < to && end - digits < MOST_DIGITS; end++) {
    const value = isHex ? hexValue(bytes[end]) : IS_DIGIT[bytes[end] as number] === 1 ? (bytes[end] as number) - ZERO : -1
    if (value < 0) break
    code = code * (isHex ? 16 : 10) + value
  }
  if (end > digits && end < to && bytes[end] === SEMICOLON) take(found, code, end - at + 1)
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

function take(found: Escape, code: number, length: number): void {
  if (code < 0) return
  found.length = length
  found.text = textOf(code)
}

function textOf(code: number): string {
  return code < 0x80 ? String.fromCharCode(code) : (foldedToAscii(code) ?? OTHER)
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
