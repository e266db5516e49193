/** Which parts of a line are worth reading without their escapes: most escapes stand for nothing that an address or a parameter has. */

import {
  AT,
  BACKSLASH,
  BEGINS_ESCAPE,
  COLON,
  CONTROLS,
  DOT,
  EQUALS,
  hexValue,
  IS_HEX,
  LAST_ASCII,
  LETTER_X,
  QUOTE,
  SLASH,
  tableOf,
  ZERO,
} from './bytes.ts'
import { type Escape, noEscape, OTHER } from './escape.ts'
import { readEscape } from './escapes.ts'
import { type Folded, readFolded } from './folding.ts'

// What addresses, and escapes of another level, are made of.
const OF_ADDRESSES = tableOf('0123456789abcdefxABCDEFX.:%\\&#')
const OF_PARAMETERS = tableOf('ghijklmnopqrstuvwyzGHIJKLMNOPQRSTUVWYZ?&;=#[]_-')
const OF_HOSTS = tableOf('/\\@')
const OF_NUMBERS = tableOf('0123456789abcdefxABCDEFX.')
const DIGITS_AND_SLASHES = tableOf('0123456789/\\%')
// No address, no escape and no value of a parameter goes on behind them; NULs are what UTF-16 is full of.
const ENDS_TOKEN = tableOf(` ${CONTROLS.replace('\0', '')}`)

/** The tokens of a line that have escapes of account. One object, filled anew for each line. */
export class Tokens {
  readonly starts: number[] = []
  readonly ends: number[] = []
  readonly #found: Escape = noEscape()
  readonly #folded: Folded = { length: 0, text: undefined }
  readonly #hasParameters: boolean

  /** @param hasParameters - whether parameters are looked for as well */
  constructor(hasParameters: boolean) {
    this.#hasParameters = hasParameters
  }

  get count(): number {
    return this.starts.length
  }

  clear(): void {
    this.starts.length = 0
    this.ends.length = 0
  }

  /** Looks at a byte that may begin an escape, and notes its token where it counts. */
  note(bytes: Buffer, at: number, from: number, to: number): void {
    const last = this.ends.at(-1) ?? from
    if (at < last || !this.#counts(bytes, at, from, to)) return
    let start = at
    while (start > last && !endsToken(bytes, start - 1)) start--
    let end = at + 1
    while (end < to && !endsToken(bytes, end)) end++
    this.starts.push(start)
    this.ends.push(end)
  }

  #counts(bytes: Buffer, at: number, from: number, to: number): boolean {
    const byte = bytes[at] as number
    if (byte === 0) return true
    if (byte > LAST_ASCII) {
      readFolded(bytes, at, to, this.#folded)
      const { text, length } = this.#folded
      return text !== undefined && this.#isOfAccount(text, bytes, at + length, to)
    }
    if (BEGINS_ESCAPE[byte] === 0) return false
    const found = this.#found
    readEscape(bytes, at, to, found)
    if (found.length === 0) return false
    if (isBehindHost(bytes, at, from)) return true
    if (found.text !== OTHER) return this.#isOfAccount(found.text, bytes, at + found.length, to)
    return (this.#hasParameters && byte === BACKSLASH) || isReadOn(bytes, at + found.length, to)
  }

  #isOfAccount(text: string, bytes: Buffer, next: number, to: number): boolean {
    if (text === '') return true
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > LAST_ASCII || OF_ADDRESSES[code] === 1 || (this.#hasParameters && OF_PARAMETERS[code] === 1)) return true
      if (code === EQUALS && next < to && (bytes[next] as number) - ZERO >= 2 && (bytes[next] as number) - ZERO <= 3) return true
      if (OF_HOSTS[code] === 1 && next < to && DIGITS_AND_SLASHES[bytes[next] as number] === 1) return true
    }
    return isReadOn(bytes, next, to)
  }
}

// The digits of an escape and what follows may look like the beginning of an address: `%20192.0.2.1`.
function isReadOn(bytes: Buffer, start: number, to: number): boolean {
  let at = start
  while (at < to && (hexValue(bytes[at]) >= 0 || ((bytes[at] as number) | 0x20) === LETTER_X)) at++
  if (at >= to) return false
  const byte = bytes[at] as number
  return (byte === DOT || byte === COLON) && (bytes[at + 1] === COLON || IS_HEX[bytes[at + 1] ?? 0] === 1)
}

// A number that may be a host, and ends where an escape begins: `http://127.1%2F`.
function isBehindHost(bytes: Buffer, at: number, from: number): boolean {
  let start = at
  while (start > from && OF_NUMBERS[bytes[start - 1] as number] === 1) start--
  if (start === at || start === from) return false
  const before = bytes[start - 1] as number
  if (before !== SLASH && before !== BACKSLASH) return before === COLON || before === AT
  const last = start - 2 >= from ? bytes[start - 2] : undefined
  return last === SLASH || last === BACKSLASH || last === COLON
}

// A quote behind a backslash, which is no escaped one itself, ends nothing.
function endsToken(bytes: Buffer, at: number): boolean {
  const byte = bytes[at] as number
  if (byte !== QUOTE) return ENDS_TOKEN[byte] === 1
  let start = at
  while (bytes[start - 1] === BACKSLASH) start--
  return (at - start) % 2 === 0
}
