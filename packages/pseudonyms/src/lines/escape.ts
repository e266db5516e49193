/** What an escape stands for. */

import { LAST_ASCII } from './bytes.ts'
import { foldedToAscii } from './folding.ts'

/** One object, read anew each time. */
export interface Escape {
  /** How many bytes it takes; 0 where there is none. */
  length: number
  /** Code points beyond ASCII are ASCII text by now, or a byte that is no part of an address; bytes beyond ASCII are read again. */
  text: string
  /** It is one of a URL, and what it stands for is data there. */
  isOfUrl: boolean
  /** Nobody would write its bytes and mean them as they stand. */
  isSure: boolean
  /** Nothing ends it: its digits may be those of a number behind it, as in `\203.0.113.9`. */
  isOpen: boolean
}

export function noEscape(): Escape {
  return { length: 0, text: '', isOfUrl: false, isSure: false, isOpen: false }
}

/** Stands for what is of no account: no part of an address, and the end of nothing. */
export const OTHER = '\u0080'
const LAST_BYTE = 0xff

/** It stands for a text. */
export function take(found: Escape, text: string, length: number): void {
  found.length = length
  found.text = text
  found.isOfUrl = false
  found.isSure = true
  found.isOpen = false
}

/** It stands for a code point. @param code - below zero: it is no escape */
export function takeCodePoint(found: Escape, code: number, length: number): void {
  if (code >= 0) take(found, code <= LAST_ASCII ? String.fromCharCode(code) : (foldedToAscii(code) ?? OTHER), length)
}

/** It stands for a byte, which may be one of several that make a character. @param byte - below zero, or too much: it is no escape */
export function takeByte(found: Escape, byte: number, length: number): void {
  if (byte < 0 || byte > LAST_BYTE) return
  take(found, String.fromCharCode(byte), length)
  found.isSure = byte <= LAST_ASCII
}
