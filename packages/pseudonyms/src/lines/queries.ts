/** Values of parameters of a URL, taken out by the names of the parameters. */

import { invalidArgument } from '@strongroom/core'

import { BACKSLASH, CONTROLS, ENDS_NAME, ENDS_VALUE, EQUALS, tableOf } from './bytes.ts'
import { type Escape, noEscape } from './escape.ts'
import { readEscape } from './escapes.ts'

// Before these a value ends, a backslash before them or not.
const IS_CONTROL = tableOf(CONTROLS)
// In a name that may be another than it looks like; most are not.
const IS_WRITTEN_OTHERWISE = /[A-Z%+[\]]/

/** Names of parameters, or all of them. */
export type QueryNames = readonly string[] | 'all'

/** Which parameters to take out. */
export class QueryRules {
  readonly #names: ReadonlySet<string> | undefined
  readonly #escape: Escape = noEscape()

  constructor(names: QueryNames) {
    if (names !== 'all' && !(Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== '')))
      throw invalidArgument('redactQuery', 'must be names of parameters, none of them empty, or "all"')
    this.#names = names === 'all' ? undefined : new Set(names.map((name) => compared(Buffer.from(name).toString('latin1'))))
  }

  /**
   * Where the value of a parameter begins, if it is to be taken out.
   *
   * @param start - behind the `?` or `&`
   * @returns -1 if there is none
   */
  valueAt(bytes: Buffer, start: number, to: number): number {
    let at = start
    while (at < to && bytes[at] !== EQUALS && ENDS_NAME[bytes[at] as number] === 0) at++
    if (at >= to || bytes[at] !== EQUALS) return -1
    return this.#names === undefined || isOneOf(this.#names, bytes.toString('latin1', start, at)) ? at + 1 : -1
  }

  /** Where the value ends. @param isCovered - whether what stands at a place was written in a way that a URL does not end at it */
  endOfValue(bytes: Buffer, start: number, to: number, isCovered: (at: number) => boolean): number {
    const escape = this.#escape
    let at = start
    while (at < to) {
      const byte = bytes[at] as number
      if (ENDS_VALUE[byte] === 1 && !isCovered(at)) break
      if (byte === BACKSLASH && IS_CONTROL[bytes[at + 1] ?? 0] === 0) readEscape(bytes, at, to, escape)
      else escape.length = 0
      // `\u0026` ends it as `&` does, a quote that is escaped does not.
      if (escape.length > 2 && ENDS_VALUE[escape.text.charCodeAt(0)] === 1 && escape.text !== '"') break
      at += Math.max(1, escape.length)
    }
    return at
  }
}

// `user[email]` and `email[]` are what some servers make objects and lists of: any part counts, and the whole. Blanks around are left out.
function isOneOf(names: ReadonlySet<string>, text: string): boolean {
  if (!IS_WRITTEN_OTHERWISE.test(text)) return names.has(text)
  const name = compared(text.replaceAll(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(Number(`0x${escape.slice(1)}`))))
  return names.has(name) || name.split(/[[\]]/).some((part) => names.has(part.trim()))
}

// Bytes as characters: of those only ASCII has an upper case. A plus is a blank.
function compared(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()).replaceAll('+', ' ')
}
