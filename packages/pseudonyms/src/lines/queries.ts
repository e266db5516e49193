/** Values of parameters of a URL, taken out by the names of the parameters. */

import { invalidArgument } from '@strongroom/core'

import { BACKSLASH, ENDS_NAME, ENDS_VALUE, EQUALS } from './bytes.ts'
import { type Escape, noEscape } from './escape.ts'
import { readEscape } from './escapes.ts'

const LONGEST_NAME = 256

/** Names of parameters, or all of them. */
export type QueryNames = readonly string[] | 'all'

/** Which parameters to take out. */
export class QueryRules {
  readonly #names: ReadonlySet<string> | undefined
  readonly #escape: Escape = noEscape()

  constructor(names: QueryNames) {
    if (names !== 'all' && !names.every((name) => typeof name === 'string' && name !== ''))
      throw invalidArgument('redactQuery', 'must be names of parameters, none of them empty, or "all"')
    this.#names = names === 'all' ? undefined : new Set(names.map((name) => Buffer.from(name.toLowerCase()).toString('latin1')))
  }

  /**
   * Where the value of a parameter begins, if it is to be taken out.
   *
   * @param start - behind the `?` or `&`
   * @returns -1 if there is none
   */
  valueAt(bytes: Buffer, start: number, to: number): number {
    const most = Math.min(to, start + LONGEST_NAME)
    let at = start
    while (at < most && bytes[at] !== EQUALS && ENDS_NAME[bytes[at] as number] === 0) at++
    if (at >= most || bytes[at] !== EQUALS) return -1
    return this.#names === undefined || this.#names.has(nameOf(bytes.toString('latin1', start, at))) ? at + 1 : -1
  }

  /** Where the value ends. @param isCovered - whether what stands at a place was written in a way that a URL does not end at it */
  endOfValue(bytes: Buffer, start: number, to: number, isCovered: (at: number) => boolean): number {
    const escape = this.#escape
    let at = start
    while (at < to) {
      const byte = bytes[at] as number
      if (ENDS_VALUE[byte] === 1 && !isCovered(at)) break
      if (byte === BACKSLASH) readEscape(bytes, at, to, escape)
      else escape.length = 0
      // `\u0026` ends it as `&` does, a quote that is escaped does not.
      if (escape.length > 2 && ENDS_VALUE[escape.text.charCodeAt(0)] === 1 && escape.text !== '"') break
      at += Math.max(1, escape.length)
    }
    return at
  }
}

// `user[email]` and `email[]` are what some servers make of one name.
function nameOf(text: string): string {
  const [name = ''] = text.toLowerCase().split('[')
  return name.replaceAll('+', ' ')
}
