/**
 * Makes of chunks, cut anywhere, pieces that end where lines end. A line that is longer than what may be kept is handed on in parts, each of
 * which ends where a token does: nothing that is searched for, however it is written, goes on behind that. A token that is itself longer than
 * what may be kept is dropped. Where parts end depends on the line alone, and not on the chunks.
 */

import { BACKSLASH, CONTROLS, LINE_FEED, QUOTE, tableOf } from './bytes.ts'

/** Bytes that are looked at together. */
export interface Piece {
  readonly bytes: Buffer
  /**
   * `lines`: whole lines, the last of which may lack its end. `begin` and `within`: parts of one that is too long. `gone`, without bytes: a
   * token of it was dropped.
   */
  readonly kind: 'lines' | 'begin' | 'within' | 'gone'
}

const NO_BYTES = Buffer.alloc(0)
// So much is looked at at once, whatever the chunks.
const MOST_CHUNK = 256 * 1024
// Before these no token goes on; NULs are what UTF-16 is full of. Of quotes it is those that no backslash stands before.
const ENDS_TOKEN = tableOf(`"${CONTROLS.replace('\0', '')}`)

export class LineBuffer {
  readonly #mostLine: number
  #kept: Buffer[] = []
  #length = 0
  #isWithinLong = false
  #isDropping = false
  // The last of what was dropped.
  #dropped = 0

  /** @param mostLine - bytes of a line, with its end, that is still read as one */
  constructor(mostLine: number) {
    this.#mostLine = mostLine
  }

  /** Takes a chunk, and hands on what is complete by it. */
  *push(chunk: Buffer): Generator<Piece> {
    for (let at = 0; at < chunk.length; at += MOST_CHUNK) yield* this.#push(chunk.subarray(at, at + MOST_CHUNK))
  }

  /** Forgets what is left. */
  clear(): void {
    this.#take()
  }

  /** Hands on what is left. */
  *end(): Generator<Piece> {
    const bytes = this.#take()
    if (bytes.length > 0) yield { bytes, kind: this.#isWithinLong ? 'within' : 'lines' }
  }

  *#push(chunk: Buffer): Generator<Piece> {
    let rest = chunk
    if (this.#isWithinLong) {
      const end = rest.indexOf(LINE_FEED) + 1
      yield* this.#long(end === 0 ? rest : rest.subarray(0, end), end > 0)
      if (end === 0) return
      rest = rest.subarray(end)
    }
    const end = rest.lastIndexOf(LINE_FEED) + 1
    if (end > 0) {
      this.#keep(rest.subarray(0, end))
      yield* this.#whole(this.#take())
    }
    this.#keep(rest.subarray(end))
    if (this.#length > this.#mostLine) yield* this.#beginLong(this.#take(), false)
  }

  // Lines with their ends.
  *#whole(bytes: Buffer): Generator<Piece> {
    let from = 0
    // Else none of them is too long.
    if (bytes.length > this.#mostLine)
      for (let start = 0; start < bytes.length;) {
        const end = bytes.indexOf(LINE_FEED, start) + 1
        if (end - start > this.#mostLine) {
          if (start > from) yield { bytes: bytes.subarray(from, start), kind: 'lines' }
          yield* this.#beginLong(bytes.subarray(start, end), true)
          from = end
        }
        start = end
      }
    if (from < bytes.length) yield { bytes: bytes.subarray(from), kind: 'lines' }
  }

  *#beginLong(bytes: Buffer, isEnded: boolean): Generator<Piece> {
    this.#isWithinLong = true
    yield { bytes: NO_BYTES, kind: 'begin' }
    yield* this.#long(bytes, isEnded)
  }

  *#long(bytes: Buffer, isEnded: boolean): Generator<Piece> {
    this.#keepWanted(bytes)
    while (this.#length > this.#mostLine) {
      const all = this.#take()
      const cut = lastCut(all.subarray(0, this.#mostLine))
      if (cut > 0) yield { bytes: all.subarray(0, cut), kind: 'within' }
      else {
        if (isCut(all, 0)) yield { bytes: all.subarray(0, 1), kind: 'within' }
        yield { bytes: NO_BYTES, kind: 'gone' }
        this.#isDropping = true
        this.#dropped = all[0] as number
      }
      this.#keepWanted(all.subarray(Math.max(1, cut)))
    }
    if (!isEnded) return
    const rest = this.#take()
    if (rest.length > 0) yield { bytes: rest, kind: 'within' }
    this.#isWithinLong = false
    this.#isDropping = false
  }

  #keepWanted(bytes: Buffer): void {
    let from = 0
    if (this.#isDropping) {
      while (from < bytes.length && !isCut(bytes, from, this.#dropped)) from++
      this.#isDropping = from === bytes.length
      this.#dropped = bytes.at(-1) ?? this.#dropped
    }
    this.#keep(bytes.subarray(from))
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#length += bytes.length
    let last = bytes
    // Chunks of single bytes would take hundreds of times what is in them; joined like this, each byte is copied a few times.
    for (let before = this.#kept.at(-1); before !== undefined && before.length <= last.length; before = this.#kept.at(-1)) {
      this.#kept.pop()
      last = Buffer.concat([before, last])
    }
    this.#kept.push(last)
  }

  #take(): Buffer {
    const [first = NO_BYTES] = this.#kept
    const bytes = this.#kept.length > 1 ? Buffer.concat(this.#kept) : first
    this.#kept = []
    this.#length = 0
    return bytes
  }
}

/** The last place at which bytes may be divided; 0 where there is none. */
function lastCut(bytes: Buffer): number {
  let at = bytes.length - 1
  while (at > 0 && !isCut(bytes, at)) at--
  return Math.max(0, at)
}

/** @param before - the byte before the first */
function isCut(bytes: Buffer, at: number, before?: number): boolean {
  const byte = bytes[at] as number
  return ENDS_TOKEN[byte] === 1 && (byte !== QUOTE || (at === 0 ? before : bytes[at - 1]) !== BACKSLASH)
}
