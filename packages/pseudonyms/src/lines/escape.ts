/** What an escape stands for. */

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
}

export function noEscape(): Escape {
  return { length: 0, text: '', isOfUrl: false, isSure: false }
}

/** Stands for what is of no account: no part of an address, and the end of nothing. */
export const OTHER = '\u0080'
export const LAST_ASCII = 0x7f
const LAST_BYTE = 0xff

/** It stands for a code point. @param code - below zero: it is no escape */
export function takeCodePoint(found: Escape, code: number, length: number): void {
  if (code < 0) return
  found.length = length
  found.text = textOf(code)
}

/** It stands for a byte, which may be one of several that make a character. @param byte - below zero, or too much: it is no escape */
export function takeByte(found: Escape, byte: number, length: number): void {
  if (byte < 0 || byte > LAST_BYTE) return
  found.length = length
  found.text = String.fromCharCode(byte)
  found.isSure = byte <= LAST_ASCII
}

export function textOf(code: number): string {
  return code <= LAST_ASCII ? String.fromCharCode(code) : (foldedToAscii(code) ?? OTHER)
}
