/** Findings of several readings of one text, made one. */

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { BACKSLASH, PERCENT, tableOf } from './bytes.ts'
import { ADDRESS, AMBIGUOUS, type FindingKind, type Findings, QUERY_VALUE } from './findings.ts'

/** A finding by itself. */
export interface Found {
  readonly start: number
  readonly end: number
  readonly kind: FindingKind
  readonly address: Uint8Array | undefined
  /** It begins with the digits of an escape, such as those of `%20`: undone, that may be the end of something else. */
  readonly isTail: boolean
}

const IS_ESCAPE_LETTER = tableOf('xXuU')

/** Takes findings back out, from a number on. @param bytes - in which they are */
export function take(findings: Findings, count: number, addresses: number, bytes: Buffer): Found[] {
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

export function put({ start, end, kind, address }: Found, into: Findings): void {
  if (address === undefined) into.add(start, end, kind)
  else into.addAddress(start, end, address)
}

/** One finding in place of those that overlap: the one that holds the others, else nobody knows what is meant. */
export function united(all: readonly Found[]): readonly Found[] {
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

/** @param sorted - in order, and none of them overlaps another */
export function overlapsAny(one: Found, sorted: readonly Found[]): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as Found).end <= one.start) low = middle + 1
    else high = middle
  }
  const next = sorted[low]
  return next !== undefined && overlap(one, next)
}

export function overlap(a: Found, b: Found): boolean {
  return a.start < b.end && b.start < a.end
}
