/**
 * Text with escapes: each level of them is undone and searched, `%31%32` as much as `%2531`. What is found in any of the readings is taken
 * out, from where it begins in the line to where it ends there.
 */

import { type Found, overlapsAny, put, take, united } from './found.ts'
import { Findings } from './findings.ts'
import type { Tokens } from './tokens.ts'
import { View } from './view.ts'

/** Searches bytes, as they stand. */
export type Search = (bytes: Buffer, from: number, to: number, into: Findings, isCovered: (at: number) => boolean) => void

// Nobody undoes more than this many, one within another.
const MOST_LEVELS = 6

/** Searches tokens in all their readings. Kept for many lines, so that its room is. */
export class Unfolding {
  readonly #search: Search
  readonly #findings = new Findings()
  #view = new View()
  #next = new View()

  constructor(search: Search) {
    this.#search = search
  }

  /** Replaces the findings from `count` on, those of the line as it stands, by those of all readings of some of its tokens. */
  search(line: Buffer, tokens: Tokens, into: Findings, count: number, addresses: number): void {
    const raw = take(into, count, addresses, line)
    let at = 0
    for (let token = 0; token < tokens.count; token++) {
      const [start, end] = [tokens.starts[token] as number, tokens.ends[token] as number]
      for (; at < raw.length && (raw[at] as Found).end <= start; at++) put(raw[at] as Found, into)
      const own: Found[] = []
      for (; at < raw.length && (raw[at] as Found).start < end; at++) own.push(raw[at] as Found)
      for (const each of this.#read(line, start, end, own)) put(each, into)
    }
    for (; at < raw.length; at++) put(raw[at] as Found, into)
  }

  #read(line: Buffer, start: number, end: number, found: Found[]): readonly Found[] {
    this.#view.copy(line, start, end)
    let isChanged = false
    for (let level = 0; level < MOST_LEVELS && this.#next.undo(this.#view); level++) {
      this.#swap()
      isChanged = true
      for (const each of this.#findInView()) found.push(each)
    }
    if (this.#next.withoutNuls(this.#view)) {
      this.#swap()
      isChanged = true
      // Fields that a NUL divides are not one.
      const before = united(found)
      for (const each of this.#findInView()) if (!overlapsAny(each, before)) found.push(each)
    }
    return isChanged ? united(found) : found
  }

  #findInView(): readonly Found[] {
    const [view, findings] = [this.#view, this.#findings]
    findings.clear()
    this.#search(view.bytes, 0, view.length, findings, (at) => view.isCovered(at))
    return take(findings, 0, 0, view.bytes).map(({ start, end, ...rest }) => ({
      ...rest,
      start: view.starts[start] as number,
      end: view.ends[end - 1] as number,
    }))
  }

  #swap(): void {
    ;[this.#view, this.#next] = [this.#next, this.#view]
  }
}
