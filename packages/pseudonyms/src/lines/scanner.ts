/** Finds what is to be taken out of a line, wherever in it that stands. */

import {
  AMPERSAND,
  AT,
  BACKSLASH,
  BEGINS_ESCAPE,
  COLON,
  DOT,
  HASH,
  IS_DIGIT,
  IS_HEX,
  LAST_ASCII,
  LETTER_X,
  QUESTION,
  SEMICOLON,
  SLASH,
} from './bytes.ts'
import { type ColonRun, emptyColonRun, readColons } from './colons.ts'
import { type DottedRun, emptyRun, NOTHING, ONE_ADDRESS, readDotted } from './dotted.ts'
import { AMBIGUOUS, type Findings, QUERY_VALUE } from './findings.ts'
import { Authority, hostAfterScheme, readNumericHost } from './hosts.ts'
import type { QueryRules } from './queries.ts'
import { Tokens } from './tokens.ts'
import { Unfolding } from './unfold.ts'

// What a byte may be the middle of, or the beginning.
const NONE = 0
const DOTTED = 1
const COLONS = 2
const HOST = 3
const PARAMETER = 4
const FOLDED = 5
const USER = 6

const isNeverCovered = (): boolean => false

/** Kept for many lines; it remembers nothing of them. */
export class Scanner {
  readonly #classes: Uint8Array
  readonly #queries: QueryRules | undefined
  readonly #dotted: DottedRun = emptyRun()
  readonly #colons: ColonRun = emptyColonRun()
  readonly #authority = new Authority()
  readonly #unfolding: Unfolding
  readonly #tokens: Tokens

  /** @param queries - parameters of URLs whose values are taken out too */
  constructor(queries?: QueryRules) {
    this.#queries = queries
    this.#classes = classes(queries !== undefined)
    this.#tokens = new Tokens(queries !== undefined)
    this.#unfolding = new Unfolding((bytes, from, to, into, isCovered) => this.#search(bytes, from, to, into, isCovered))
  }

  /** Searches a part of a line. @param from - where it begins: what is before is not looked at */
  text(bytes: Buffer, from: number, to: number, into: Findings): void {
    const { count, addresses } = into
    this.#tokens.clear()
    this.#search(bytes, from, to, into, isNeverCovered, this.#tokens)
    if (this.#tokens.count > 0) this.#unfolding.search(bytes, this.#tokens, into, count, addresses)
  }

  #search(bytes: Buffer, from: number, to: number, into: Findings, isCovered: (at: number) => boolean, tokens?: Tokens): void {
    const classOf = this.#classes
    this.#authority.end()
    let done = from
    for (let at = from; at < to;) {
      switch (classOf[bytes[at] as number]) {
        case NONE:
          at++
          continue
        case DOTTED:
          if (at + 1 < to && IS_DIGIT[bytes[at + 1] as number] === 1 && at > done && isEndOfNumber(bytes[at - 1] as number)) {
            const run = this.#dotted
            readDotted(bytes, at, done, to, run)
            at = run.end
            if (run.verdict === NOTHING) continue
            const [a, b, c, d] = run.numbers as unknown as [number, number, number, number]
            if (run.verdict === ONE_ADDRESS) into.addV4(run.start, run.end, a, b, c, d)
            else into.add(run.start, run.end, AMBIGUOUS)
            done = at
          } else at++
          continue
        case COLONS:
          at = this.#atColon(bytes, at, done, to, into)
          break
        case HOST:
          at = at > done && isSlash(bytes[at - 1]) && !isSlash(bytes[at + 1]) ? this.#atHost(bytes, at + 1, to, into) : at + 1
          break
        case USER:
          at = this.#authority.reaches(bytes, at) ? this.#atNumber(bytes, at + 1, to, into) : at + 1
          break
        case PARAMETER:
          tokens?.note(bytes, at, from, to)
          at = this.#atParameter(bytes, at + 1, to, into, isCovered)
          break
        case FOLDED:
          tokens?.note(bytes, at, from, to)
          // A backslash is a slash to browsers.
          if (bytes[at] === BACKSLASH && at > done && isSlash(bytes[at - 1]) && !isSlash(bytes[at + 1]))
            at = this.#atHost(bytes, at + 1, to, into)
          else at++
          break
        default:
          at++
      }
      if (into.count > 0 && (into.ends[into.count - 1] as number) > done) done = into.ends[into.count - 1] as number
    }
  }

  #atColon(bytes: Buffer, at: number, done: number, to: number, into: Findings): number {
    const host = at > done ? hostAfterScheme(bytes, at, done, to) : undefined
    if (host !== undefined) {
      const end = this.#atHost(bytes, host, to, into)
      // Else what was passed over is read as well: a backslash there may begin an escape.
      if (end > host) return end
    }
    const next = at + 1 < to ? (bytes[at + 1] as number) : 0
    if (next !== COLON && IS_HEX[next] === 0) return at + 1
    const run = this.#colons
    readColons(bytes, at, done, to, run)
    if (run.address !== undefined) into.addAddress(run.start, run.end, run.address)
    else if (run.isUnclear) into.add(run.start, run.end, AMBIGUOUS)
    return run.next
  }

  #atHost(bytes: Buffer, start: number, to: number, into: Findings): number {
    this.#authority.begin(start)
    return this.#atNumber(bytes, start, to, into)
  }

  #atNumber(bytes: Buffer, start: number, to: number, into: Findings): number {
    const run = this.#dotted
    if (!readNumericHost(bytes, start, to, run)) return start
    into.add(run.start, run.end, AMBIGUOUS)
    return run.end
  }

  #atParameter(bytes: Buffer, start: number, to: number, into: Findings, isCovered: (at: number) => boolean): number {
    const queries = this.#queries
    const value = queries?.valueAt(bytes, start, to) ?? -1
    if (queries === undefined || value < 0) return start
    const end = queries.endOfValue(bytes, value, to, isCovered)
    if (end > value) into.add(value, end, QUERY_VALUE)
    return end
  }
}

function isSlash(byte: number | undefined): boolean {
  return byte === SLASH || byte === BACKSLASH
}

// `0x.0.0.1` too: to some, `0x` is zero.
function isEndOfNumber(byte: number): boolean {
  return IS_HEX[byte] === 1 || (byte | 0x20) === LETTER_X
}

function classes(hasQueries: boolean): Uint8Array {
  const table = new Uint8Array(256)
  table[DOT] = DOTTED
  table[COLON] = COLONS
  table[SLASH] = HOST
  table[AT] = USER
  table[0] = FOLDED
  table.fill(FOLDED, LAST_ASCII + 1)
  for (const [byte, begins] of BEGINS_ESCAPE.entries()) if (begins === 1) table[byte] = FOLDED
  if (hasQueries) for (const byte of [QUESTION, AMPERSAND, SEMICOLON, HASH]) table[byte] = PARAMETER
  return table
}
