/** What single bytes can be part of. Tables, since every byte of a log passes through them. */

export const DOT = 0x2e
export const COLON = 0x3a
export const SLASH = 0x2f
export const BACKSLASH = 0x5c
export const ZERO = 0x30
export const QUOTE = 0x22
export const SPACE = 0x20
export const PERCENT = 0x25
export const AT = 0x40
export const EQUALS = 0x3d
export const AMPERSAND = 0x26
export const HASH = 0x23
export const COMMA = 0x2c
export const SEMICOLON = 0x3b
export const QUESTION = 0x3f
export const BRACKET = 0x5b
export const END_BRACKET = 0x5d
export const BRACE = 0x7b
export const END_BRACE = 0x7d
export const UNDERSCORE = 0x5f
export const LETTER_U = 0x75
export const LETTER_X = 0x78
export const LINE_FEED = 0x0a

/** A table with a 1 for each byte of some characters. */
export function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = 1
  return table
}

const DIGITS = '0123456789'
/** C0, the blank and DEL. */
export const CONTROLS: string = String.fromCharCode(...Array.from({ length: 33 }, (_, i) => i), 0x7f)

export const IS_DIGIT: Uint8Array = tableOf(DIGITS)
export const IS_HEX: Uint8Array = tableOf(`${DIGITS}abcdefABCDEF`)
export const IS_LETTER: Uint8Array = tableOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')
/** Letters that are no hexadecimal digits, and the underscore: what makes of `d::` in `std::` a part of a word. */
export const IS_WORD: Uint8Array = tableOf('ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ_')
/** What ends the name of a parameter, but for its equals sign. */
export const ENDS_NAME: Uint8Array = tableOf(`&;?#/"'<>${CONTROLS}`)
/** What ends the value of a parameter. */
export const ENDS_VALUE: Uint8Array = tableOf(`&#"<>${CONTROLS}`)

/** What may begin an escape. */
export const BEGINS_ESCAPE: Uint8Array = tableOf('%\\&=')
export const LAST_ASCII = 0x7f

/** 0 to 15, or -1. */
export function hexValue(byte: number | undefined): number {
  if (byte === undefined || IS_HEX[byte] === 0) return -1
  return byte <= 0x39 ? byte - ZERO : (byte | 0x20) - 87
}

/** Where a byte stands first; `to` where it does not. `Buffer.indexOf` would go on to the end of the buffer, for each line anew. */
export function indexWithin(bytes: Uint8Array, byte: number, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at] !== byte) at++
  return at
}
