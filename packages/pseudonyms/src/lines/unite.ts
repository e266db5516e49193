/** Findings of two readings of one text, made one. */

import { ADDRESS, AMBIGUOUS, QUERY_VALUE } from './findings.ts'
import type { Found } from './found.ts'
import { OUTSIDE, QUOTED, UNSURE } from './view.ts'

// Which of two that overlap stays; or nobody knows which is meant, and neither does, from where the one begins to where the other ends.
const SHALLOWER = 0
const DEEPER = 1
const NEITHER = 2

/**
 * Unites two readings, none of whose own findings overlaps another but for a character that stands for several.
 *
 * @param deeper - the reading in which more escapes are undone
 * @param isSecondary - what overlaps a finding of the other reading is not meant
 * @param into - in place of what it has
 */
export function unite(shallower: Found, deeper: Found, isSecondary: boolean, into: Found): void {
  into.clear()
  let i = 0
  for (let j = 0; j < deeper.count; j++) {
    const start = deeper.starts[j] as number
    while (i < shallower.count && (shallower.starts[i] as number) <= start) add(shallower, i++, false, isSecondary, into)
    add(deeper, j, true, isSecondary, into)
  }
  while (i < shallower.count) add(shallower, i++, false, isSecondary, into)
}

// In its place, or as one with the last, where it overlaps that.
function add(from: Found, i: number, isDeeper: boolean, isSecondary: boolean, into: Found): void {
  const last = into.count - 1
  if (last < 0 || (into.ends[last] as number) <= (from.starts[i] as number)) {
    into.put(from, i, false)
    return
  }
  const verdict = isSecondary ? SHALLOWER : isDeeper ? judge(into, last, from, i) : judge(from, i, into, last)
  const isQueryValue = into.kinds[last] === QUERY_VALUE || from.kinds[i] === QUERY_VALUE
  if (verdict === NEITHER) into.widen(from.ends[i] as number, isQueryValue ? QUERY_VALUE : AMBIGUOUS)
  else if ((verdict === DEEPER) === isDeeper) into.put(from, i, true)
}

function judge(a: Found, s: number, b: Found, d: number): typeof SHALLOWER | typeof DEEPER | typeof NEITHER {
  if (a.kinds[s] === QUERY_VALUE || b.kinds[d] === QUERY_VALUE) return NEITHER
  const areAddresses = a.kinds[s] === ADDRESS && b.kinds[d] === ADDRESS
  const [start, end] = [a.starts[s] as number, a.ends[s] as number]
  const [deeperStart, deeperEnd] = [b.starts[d] as number, b.ends[d] as number]
  // The digits of an escape and what is behind it, and what is behind it alone: `201.2.3.4` in `%201.2.3.4`.
  if (a.within[s] !== OUTSIDE && deeperStart <= (a.solids[s] as number) && deeperEnd >= end) {
    const isLiteralToo = a.within[s] === QUOTED || (a.within[s] === UNSURE && deeperStart > start)
    return areAddresses && isLiteralToo ? NEITHER : DEEPER
  }
  // What stood there before may be an escape only now: `\172.16.0.1` of `\\172.16.0.1`.
  if (a.kinds[s] === ADDRESS && b.within[d] === UNSURE && start <= (b.literals[d] as number) && end >= deeperEnd) return SHALLOWER
  if (deeperStart <= start && deeperEnd >= end) {
    // `fe80::1%31` has a zone, or is `fe80::11`.
    return areAddresses && a.zoned[s] === 1 && deeperEnd > end ? NEITHER : DEEPER
  }
  return start <= deeperStart && end >= deeperEnd ? SHALLOWER : NEITHER
}
