/**
 * Text with escapes: each level of them is undone and searched, `%31%32` as much as `%2531`. What is found in any of the readings is taken
 * out, from where it begins in the line to where it ends there.
 *
 * A line is read a few times for each level, whatever is in it, and what was found in one reading is united with what was found before in one
 * pass over both.
 */

import { ADDRESS, Findings } from './findings.ts'
import { Found } from './found.ts'
import type { Tokens } from './tokens.ts'
import { unite } from './unite.ts'
import { View } from './view.ts'

/** Searches bytes, as they stand. */
export type Search = (bytes: Buffer, from: number, to: number, into: Findings, isCovered: (at: number) => boolean) => void

// Nobody undoes more than this many, one within another.
const MOST_LEVELS = 6

/** Searches tokens in all their readings. Kept for many lines, so that its room is. */
export class Unfolding {
  readonly #searchBytes: Search
  // Of the line as it stands, and of a view.
  readonly #raw = new Findings()
  readonly #ofView = new Findings()
  #view = new View()
  #nextView = new View()
  #folded = new View()
  // Of all views so far, of the one that is read, and room for both.
  #found = new Found()
  readonly #read = new Found()
  #united = new Found()

  constructor(search: Search) {
    this.#searchBytes = search
  }

  /** Replaces the findings from `count` on, those of the line as it stands, by those of all readings of some of its tokens. */
  search(line: Buffer, tokens: Tokens, into: Findings, count: number, addresses: number): void {
    const raw = this.#raw
    raw.clear()
    raw.takeFrom(into, count, addresses)
    let [at, address] = [0, 0]
    const pass = (end: number): void => {
      for (; at < raw.count && (raw.starts[at] as number) < end; at++) address = into.addOf(raw, at, address)
    }
    for (let token = 0; token < tokens.count; token++) {
      const [start, end] = [tokens.starts[token] as number, tokens.ends[token] as number]
      pass(start)
      const [first, firstAddress] = [at, address]
      for (; at < raw.count && (raw.starts[at] as number) < end; at++) if (raw.kinds[at] === ADDRESS) address++
      this.#view.copy(line, start, end)
      if (this.#readAll(first, at, firstAddress, start)) this.#readSparingly(line, start, end)
      this.#found.give(into)
    }
    pass(line.length)
  }

  // All readings of the view, of which the first is in the findings of the line. @returns whether another one may read digits otherwise
  #readAll(first: number, end: number, address: number, start: number): boolean {
    this.#found.clear()
    let isChanged = this.#nextView.undo(this.#view, false)
    let isDoubtful = this.#view.isDoubtful
    this.#add(this.#raw, first, end, address, start, false)
    for (let level = 0; ; level++) {
      const isAtEnd = level === MOST_LEVELS
      if (this.#folded.fold(this.#view)) {
        ;[this.#view, this.#folded] = [this.#folded, this.#view]
        isChanged = this.#search(isAtEnd, false)
        isDoubtful ||= this.#view.isDoubtful
      }
      if (!isChanged || isAtEnd) break
      this.#swapViews()
      isChanged = this.#search(level + 1 === MOST_LEVELS, false)
      isDoubtful ||= this.#view.isDoubtful
    }
    if (!this.#nextView.withoutNuls(this.#view)) return isDoubtful
    this.#swapViews()
    this.#searchView()
    // Fields that a NUL divides are not one.
    this.#add(this.#ofView, 0, this.#ofView.count, 0, 0, true)
    return isDoubtful
  }

  // Without folding, and without escapes that nothing ends: to whoever reads none of these, digits beside an address are not its own.
  #readSparingly(line: Buffer, start: number, end: number): void {
    this.#view.copy(line, start, end)
    let isChanged = this.#nextView.undo(this.#view, true)
    for (let level = 1; isChanged; level++) {
      this.#swapViews()
      isChanged = this.#search(level === MOST_LEVELS, true)
    }
  }

  // @returns whether the view has escapes; those of the last level are not looked for
  #search(isLast: boolean, isSparing: boolean): boolean {
    this.#searchView()
    const isChanged = !isLast && this.#nextView.undo(this.#view, isSparing)
    this.#add(this.#ofView, 0, this.#ofView.count, 0, 0, isSparing)
    return isChanged
  }

  #searchView(): void {
    const [view, findings] = [this.#view, this.#ofView]
    findings.clear()
    this.#searchBytes(view.bytes, 0, view.length, findings, (at) => view.isCovered(at))
  }

  #add(findings: Findings, first: number, end: number, address: number, start: number, isSecondary: boolean): void {
    if (first === end) return
    this.#read.take(this.#view, findings, first, end, address, start)
    unite(this.#found, this.#read, isSecondary, this.#united)
    ;[this.#found, this.#united] = [this.#united, this.#found]
  }

  #swapViews(): void {
    ;[this.#view, this.#nextView] = [this.#nextView, this.#view]
  }
}
