/**
 * Lines with escapes: each level of them is undone and searched, `%31%32` as much as `%2531`. What is found in any of the readings is taken
 * out, from where it begins in the line to where it ends there.
 */

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { ADDRESS, AMBIGUOUS, type FindingKind, Findings, QUERY_VALUE } from './findings.ts'
import { BACKSLASH, PERCENT, tableOf } from './bytes.ts'
import { View } from './view.ts'

/** Searches bytes, as they stand. */
export type Search = (bytes: Buffer, from: number, to: number, into: Findings, isCovered: (at: number) => boolean) => void

interface Found {
  readonly start: number
  readonly end: number
  readonly kind: FindingKind
  readonly address: Uint8Array | undefined
  /** It begins with the digits of an escape, such as those of `%20`: undone, that may be the end of something else. */
  readonly isTail: boolean
}

// Nobody undoes more than this many, one within another.
const MOST_LEVELS = 6
const IS_ESCAPE_LETTER = tableOf('xXuU')

/** Searches a line in all its readings. Kept for many lines, so that its room is. */
export class Unfolding {
  readonly #search: Search
  readonly #findings = new Findings()
  #view = new View()
  #next = new View()

  constructor(search: Search) {
    this.#search = search
  }

  /** Replaces the findings from `count` on, those of the line as it stands, by those of all its readings. */
  search(line: Buffer, from: number, to: number, into: Findings, count: number, addresses: number): void {
    const found = take(into, count, addresses, line)
    this.#view.copy(line, from, to)
    let isChanged = false
    for (let level = 0; level < MOST_LEVELS && this.#next.undo(this.#view); level++) {
      this.#swap()
      isChanged = true
      for (const each of this.#read()) found.push(each)
    }
    if (this.#next.withoutNuls(this.#view)) {
      this.#swap()
      isChanged = true
      // Fields that a NUL divides are not one.
      const before = united(found)
      for (const each of this.#read()) if (!overlapsAny(each, before)) found.push(each)
    }
    for (const each of isChanged ? united(found) : found) put(each, into)
  }

  #read(): readonly Found[] {
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

function take(findings: Findings, count: number, addresses: number, bytes: Buffer): Found[] {
  const found: Found[] = []
  let block = addresses
  for (let i = count; i < findings.count; i++) {
    const kind = findings.kinds[i] as FindingKind
    const address = kind === ADDRESS ? findings.blocks.slice(block * ADDRESS_BYTES, ++block * ADDRESS_BYTES) : undefined
    const start = findings.starts[i] as number
    found.push({ start, end: findings.ends[i] as number, kind, address, isTail: isInEscape(bytes, start) })
  }
  findings.cutTo(count, addresses)
  return found
}

function put({ start, end, kind, address }: Found, into: Findings): void {
  if (address === undefined) into.add(start, end, kind)
  else into.addAddress(start, end, address)
}

/** One finding in place of those that overlap: the one that holds the others, else nobody knows what is meant. */
function united(all: readonly Found[]): readonly Found[] {
  const sorted = all.toSorted((a, b) => a.start - b.start || b.end - a.end)
  const result: Found[] = []
  for (const each of sorted) {
    const last = result.at(-1)
    if (last === undefined || !overlap(last, each)) result.push(each)
    else result[result.length - 1] = unite(last, each)
  }
  return result
}

// The first begins no later than the second.
function unite(first: Found, second: Found): Found {
  if (first.isTail && second.kind === ADDRESS && second.end === first.end) return second
  const isFirstAll = first.end >= second.end
  if (isFirstAll && first.kind !== AMBIGUOUS) {
    const isSame = first.start === second.start && first.end === second.end
    // The same place twice: as the last reading has it.
    return isSame && first.kind !== QUERY_VALUE ? second : first
  }
  if (first.start === second.start && second.end >= first.end) return second
  const kind = first.kind === QUERY_VALUE || second.kind === QUERY_VALUE ? QUERY_VALUE : AMBIGUOUS
  return { start: first.start, end: Math.max(first.end, second.end), kind, address: undefined, isTail: false }
}

function isInEscape(bytes: Buffer, start: number): boolean {
  const at = start - (IS_ESCAPE_LETTER[bytes[start - 1] ?? 0] as number)
  return bytes[at - 1] === PERCENT || bytes[at - 1] === BACKSLASH
}

// Both in order, and those that were united do not overlap one another.
function overlapsAny(one: Found, sorted: readonly Found[]): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as Found).end <= one.start) low = middle + 1
    else high = middle
  }
  const next = sorted[low]
  return next !== undefined && overlap(one, next)
}

function overlap(a: Found, b: Found): boolean {
  return a.start < b.end && b.start < a.end
}
