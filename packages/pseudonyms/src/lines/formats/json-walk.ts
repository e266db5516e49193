/** Walks over a line of JSON without making anything of it, and says where the values of some members are (RFC 8259). */

import {
  BACKSLASH,
  BRACE as OBJECT,
  BRACKET as ARRAY,
  COLON,
  COMMA,
  DOT,
  END_BRACE as END_OBJECT,
  END_BRACKET as END_ARRAY,
  hexValue,
  IS_DIGIT,
  LETTER_U,
  QUOTE,
  SPACE,
  ZERO,
} from '../bytes.ts'

/** A value: for a string, what is between its quotes. */
export interface JsonValue {
  readonly kind: 'string' | 'number'
  readonly start: number
  readonly end: number
}

/** Told of values in the order in which they stand. @param path - names of members with dots between them; elements of arrays have none */
export type OnValue = (path: string, value: JsonValue) => void

const [MINUS, PLUS, LETTER_E] = [0x2d, 0x2b, 0x65]
const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text))
const ESCAPES = new Set(Array.from('"\\/bfnrt', (character) => character.charCodeAt(0)))
const MOST_DEPTH = 64

/**
 * @param longestPath - what has a longer one is not told of
 * @returns whether all of it is one object of JSON, not more than 64 deep
 */
export function walkObject(bytes: Buffer, from: number, to: number, longestPath: number, onValue: OnValue): boolean {
  const walk = new Walk(bytes, from, to, longestPath, onValue)
  return walk.isObject()
}

class Walk {
  readonly #bytes: Buffer
  readonly #to: number
  readonly #longestPath: number
  readonly #onValue: OnValue
  #at: number

  constructor(bytes: Buffer, from: number, to: number, longestPath: number, onValue: OnValue) {
    this.#bytes = bytes
    this.#at = from
    this.#to = to
    this.#longestPath = longestPath
    this.#onValue = onValue
  }

  isObject(): boolean {
    this.#space()
    if (this.#next() !== OBJECT || !this.#value('', 0)) return false
    this.#space()
    return this.#at === this.#to
  }

  // Without a path nothing in it is told of.
  #value(path: string | undefined, depth: number): boolean {
    if (depth > MOST_DEPTH) return false
    const first = this.#next()
    if (first === OBJECT) return this.#members(path, depth)
    if (first === ARRAY) return this.#elements(path, depth)
    const start = this.#at
    if (first === QUOTE) {
      if (!this.#string()) return false
      if (path !== undefined) this.#onValue(path, { kind: 'string', start: start + 1, end: this.#at - 1 })
      return true
    }
    if (first === MINUS || IS_DIGIT[first] === 1) {
      if (!this.#number()) return false
      if (path !== undefined) this.#onValue(path, { kind: 'number', start, end: this.#at })
      return true
    }
    const literal = LITERALS.find((each) => this.#bytes.compare(each, 0, each.length, start, Math.min(start + each.length, this.#to)) === 0)
    this.#at += literal?.length ?? 0
    return literal !== undefined
  }

  #members(path: string | undefined, depth: number): boolean {
    return this.#list(END_OBJECT, () => {
      const start = this.#at
      if (this.#next() !== QUOTE || !this.#string()) return false
      const inner = path === undefined ? undefined : this.#pathOf(path, start)
      this.#space()
      if (!this.#take(COLON)) return false
      this.#space()
      return this.#value(inner, depth + 1)
    })
  }

  // A path that is too long is not made: it would be read anew for each of many members.
  #pathOf(outer: string, start: number): string | undefined {
    const name = nameOf(this.#bytes, start, this.#at)
    const path = outer === '' ? name : `${outer}.${name}`
    return path.length > this.#longestPath ? undefined : path
  }

  #elements(path: string | undefined, depth: number): boolean {
    return this.#list(END_ARRAY, () => this.#value(path, depth + 1))
  }

  #list(end: number, one: () => boolean): boolean {
    this.#at++
    this.#space()
    if (this.#take(end)) return true
    for (;;) {
      if (!one()) return false
      this.#space()
      if (this.#take(end)) return true
      if (!this.#take(COMMA)) return false
      this.#space()
    }
  }

  #string(): boolean {
    const [bytes, to] = [this.#bytes, this.#to]
    let at = this.#at + 1
    for (; at < to && bytes[at] !== QUOTE; at++) {
      if ((bytes[at] as number) < SPACE) return false
      if (bytes[at] !== BACKSLASH) continue
      at++
      if (bytes[at] === LETTER_U) {
        for (let i = 1; i <= 4; i++) if (at + i >= to || hexValue(bytes[at + i]) < 0) return false
      } else if (!ESCAPES.has(bytes[at] ?? 0)) return false
    }
    if (at >= to) return false
    this.#at = at + 1
    return true
  }

  #number(): boolean {
    this.#take(MINUS)
    const start = this.#at
    if (!this.#digits() || (this.#bytes[start] === ZERO && this.#at - start > 1)) return false
    if (this.#take(DOT) && !this.#digits()) return false
    if ((this.#next() | 0x20) !== LETTER_E) return true
    this.#at++
    if (!this.#take(MINUS)) this.#take(PLUS)
    return this.#digits()
  }

  #digits(): boolean {
    const start = this.#at
    while (IS_DIGIT[this.#next()] === 1) this.#at++
    return this.#at > start
  }

  #space(): void {
    for (let byte = this.#next(); byte === SPACE || byte === 0x09 || byte === 0x0d; byte = this.#next()) this.#at++
  }

  #take(byte: number): boolean {
    if (this.#next() !== byte) return false
    this.#at++
    return true
  }

  // 0 behind the end: no token begins with it.
  #next(): number {
    return this.#at < this.#to ? (this.#bytes[this.#at] as number) : 0
  }
}

// With its quotes. Names with escapes are rare.
function nameOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)
}
