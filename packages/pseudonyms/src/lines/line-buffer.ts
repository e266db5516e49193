/**
 * Makes of chunks, cut anywhere, pieces that end where lines end. A line that is longer than what may be kept is handed on in parts, each of
 * which ends where nothing that is searched for can go on.
 */

import { BACKSLASH, LINE_FEED, QUOTE, tableOf } from './bytes.ts'

/** Bytes that are looked at together. */
export interface Piece {
  readonly bytes: Buffer
  /**
   * `lines`: whole lines, the last of which may lack its end. `begin` and `within`: parts of one that is too long. `gone`, without bytes: a
   * part of it was dropped, because there was no place in it at which it could be cut.
   */
  readonly kind: 'lines' | 'begin' | 'within' | 'gone'
}

// So much is looked at at once, whatever the chunks.
const MOST_CHUNK = 256 * 1024
// Before these, addresses end and so do values of parameters; but a quote that is escaped ends nothing.
const ENDS_ALL = tableOf(` &<>"${String.fromCharCode(...Array.from({ length: 31 }, (_, i) => i + 1))}`)
// Before these, addresses end: no number, no separator and no escape of either holds them.
const ENDS_ADDRESS = tableOf('ghijklmnopqrstvwyzGHIJKLMNOPQRSTVWYZ,()_-+*!~|')

export class LineBuffer {
  readonly #mostLine: number
  #kept: Buffer[] = []
  #length = 0
  #isWithinLine = false
  #isDropping = false

  /** @param mostLine - bytes of a line that is still read as one */
  constructor(mostLine: number) {
    this.#mostLine = mostLine
  }

  /** Takes a chunk, and hands on what is complete by it. */
  *push(chunk: Buffer): Generator<Piece> {
    for (let at = 0; at < chunk.length; at += MOST_CHUNK) yield* this.#push(chunk.subarray(at, at + MOST_CHUNK))
  }

  /** Of the line that is handed on in parts, nothing more is wanted until something else can begin. */
  drop(): void {
    if (this.#isWithinLine) this.#isDropping = true
    this.#take()
  }

  /** Hands on what is left. */
  *end(): Generator<Piece> {
    const bytes = this.#take()
    if (bytes.length > 0) yield { bytes, kind: this.#isWithinLine ? 'within' : 'lines' }
  }

  *#push(chunk: Buffer): Generator<Piece> {
    let rest = chunk
    if (this.#isWithinLine) {
      const feed = rest.indexOf(LINE_FEED)
      if (feed === -1) return yield* this.#within(rest)
      yield* this.#endOfLong(rest.subarray(0, feed + 1))
      rest = rest.subarray(feed + 1)
    }
    const last = rest.lastIndexOf(LINE_FEED)
    if (last !== -1) {
      this.#keep(rest.subarray(0, last + 1))
      yield { bytes: this.#take(), kind: 'lines' }
    }
    this.#keep(rest.subarray(last + 1))
    if (this.#length > this.#mostLine) yield* this.#cut('begin')
  }

  *#within(chunk: Buffer): Generator<Piece> {
    let rest = chunk
    if (this.#isDropping) {
      const cut = firstCut(rest)
      if (cut === -1) return
      this.#isDropping = false
      rest = rest.subarray(cut)
    }
    this.#keep(rest)
    if (this.#length > this.#mostLine) yield* this.#cut('within')
  }

  *#endOfLong(bytes: Buffer): Generator<Piece> {
    yield* this.#within(bytes)
    const left = this.#take()
    if (left.length > 0) yield { bytes: left, kind: 'within' }
    this.#isWithinLine = false
    this.#isDropping = false
  }

  *#cut(kind: 'begin' | 'within'): Generator<Piece> {
    const bytes = this.#take()
    const cut = lastCut(bytes)
    this.#isWithinLine = true
    this.#keep(bytes.subarray(cut))
    yield { bytes: bytes.subarray(0, cut), kind }
    if (cut > 0) return
    this.drop()
    yield { bytes: bytes.subarray(0, 0), kind: 'gone' }
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#kept.push(bytes)
    this.#length += bytes.length
  }

  #take(): Buffer {
    const [first] = this.#kept
    const bytes = this.#kept.length === 1 && first !== undefined ? first : Buffer.concat(this.#kept)
    this.#kept = []
    this.#length = 0
    return bytes
  }
}

/** The last place at which bytes may be divided; 0 where there is none. */
function lastCut(bytes: Buffer): number {
  for (const table of [ENDS_ALL, ENDS_ADDRESS])
    for (let at = bytes.length - 1; at > 0; at--) if (table[bytes[at] as number] === 1 && bytes[at - 1] !== BACKSLASH) return at
  return 0
}

/** Where something else begins; -1 if nothing does. */
function firstCut(bytes: Buffer): number {
  return bytes.findIndex((byte, at) => ENDS_ALL[byte] === 1 && !(byte === QUOTE && bytes[at - 1] === BACKSLASH))
}
