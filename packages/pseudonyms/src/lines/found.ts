/** Findings of one reading of a text. Arrays of numbers, so that a line full of them takes no more than some times its length. */

import { ADDRESS_BYTES, isV4 } from '../addresses/parse.ts'
import { COLON, DOT, PERCENT } from './bytes.ts'
import { ADDRESS, AMBIGUOUS, copyBlock, type FindingKind, type Findings, QUERY_VALUE } from './findings.ts'
import { OUTSIDE, QUOTED, type View, type Within } from './view.ts'

const FIRST_ROOM = 256

/** In the order in which they stand in the line. */
export class Found {
  count = 0
  /** Where they begin in the line: those that begin with the digits of an escape, such as of `%20`, where that does. */
  starts: Uint32Array = new Uint32Array(FIRST_ROOM)
  ends: Uint32Array = new Uint32Array(FIRST_ROOM)
  kinds: Uint8Array = new Uint8Array(FIRST_ROOM)
  /** Whether they begin within an escape. */
  within: Uint8Array = new Uint8Array(FIRST_ROOM)
  /** Where those begin as they stand. */
  literals: Uint32Array = new Uint32Array(FIRST_ROOM)
  /** Where those go on behind the escape, and behind dots and colons that follow it. */
  solids: Uint32Array = new Uint32Array(FIRST_ROOM)
  /** 1 where a percent sign follows IPv6: a zone may begin with it. */
  zoned: Uint8Array = new Uint8Array(FIRST_ROOM)
  #blocks: Uint8Array = new Uint8Array(FIRST_ROOM * ADDRESS_BYTES)

  clear(): void {
    this.count = 0
  }

  /**
   * Takes over findings in a view in place of its own.
   *
   * @param findings - those from `first` to `end`, of which the first address is that of `block`
   * @param viewStart - where the view begins, for who made the findings
   */
  take(view: View, findings: Findings, first: number, end: number, block: number, viewStart: number): void {
    this.clear()
    let address = block
    for (let i = first; i < end; i++) {
      const isAddress = findings.kinds[i] === ADDRESS
      this.#take(
        view,
        findings.kinds[i] as FindingKind,
        (findings.starts[i] as number) - viewStart,
        (findings.ends[i] as number) - viewStart,
      )
      if (!isAddress) continue
      copyBlock(findings.blocks, address, this.#blocks, this.count - 1)
      if (isV4(findings.blocks, address++ * ADDRESS_BYTES)) this.zoned[this.count - 1] = 0
    }
  }

  /** Adds one of others, or puts it in the place of the last. */
  put(other: Found, i: number, isInPlace: boolean): void {
    if (!isInPlace) this.#add()
    const to = this.count - 1
    this.starts[to] = other.starts[i] as number
    this.ends[to] = other.ends[i] as number
    this.kinds[to] = other.kinds[i] as number
    this.within[to] = other.within[i] as number
    this.literals[to] = other.literals[i] as number
    this.solids[to] = other.solids[i] as number
    this.zoned[to] = other.zoned[i] as number
    if (other.kinds[i] === ADDRESS) copyBlock(other.#blocks, i, this.#blocks, to)
  }

  /** Makes of the last one that goes on to another end, and is of another kind. */
  widen(end: number, kind: FindingKind): void {
    const last = this.count - 1
    this.ends[last] = Math.max(this.ends[last] as number, end)
    this.kinds[last] = kind
    this.within[last] = OUTSIDE
    this.zoned[last] = 0
  }

  /** Adds them to the findings of a line. */
  give(into: Findings): void {
    for (let i = 0; i < this.count; i++) {
      const [start, end] = [this.starts[i] as number, this.ends[i] as number]
      // Nothing in another reading took the place of what begins within an escape.
      const kind = this.within[i] === OUTSIDE || this.within[i] === QUOTED ? (this.kinds[i] as FindingKind) : AMBIGUOUS
      if (kind === ADDRESS) into.addBlock(start, end, this.#blocks, i)
      else into.add(start, end, kind)
    }
  }

  #take(view: View, kind: FindingKind, start: number, end: number): void {
    const to = this.#add()
    const within = kind === QUERY_VALUE ? OUTSIDE : (view.within[start] as Within)
    this.kinds[to] = kind
    this.within[to] = within
    this.ends[to] = view.ends[end - 1] as number
    this.literals[to] = view.starts[start] as number
    this.starts[to] = view.starts[within === OUTSIDE || within === QUOTED ? start : startOfEscape(view, start)] as number
    this.solids[to] = within === OUTSIDE ? 0 : solidOf(view, start, end)
    this.zoned[to] = kind === ADDRESS && end < view.length && view.bytes[end] === PERCENT ? 1 : 0
  }

  #add(): number {
    if (this.count === this.starts.length) this.#grow()
    return this.count++
  }

  #grow(): void {
    const room = this.starts.length * 2
    this.starts = grown(this.starts, new Uint32Array(room))
    this.ends = grown(this.ends, new Uint32Array(room))
    this.literals = grown(this.literals, new Uint32Array(room))
    this.solids = grown(this.solids, new Uint32Array(room))
    this.kinds = grown(this.kinds, new Uint8Array(room))
    this.within = grown(this.within, new Uint8Array(room))
    this.zoned = grown(this.zoned, new Uint8Array(room))
    this.#blocks = grown(this.#blocks, new Uint8Array(room * ADDRESS_BYTES))
  }
}

function grown<T extends Uint8Array | Uint32Array>(old: T, room: T): T {
  room.set(old)
  return room
}

function startOfEscape(view: View, within: number): number {
  let at = within
  while (view.within[at] !== OUTSIDE) at--
  return at
}

function solidOf(view: View, within: number, end: number): number {
  let at = within
  while (at < end && view.within[at] !== OUTSIDE) at++
  while (at < end && (view.bytes[at] === DOT || view.bytes[at] === COLON)) at++
  return at < end ? (view.starts[at] as number) : (view.ends[end - 1] as number)
}
