/** A part of a line as it reads once its escapes are undone, and where in the line each byte of that comes from. */

import { BEGINS_ESCAPE, EQUALS, LAST_ASCII } from './bytes.ts'
import { type Escape, noEscape } from './escape.ts'
import { readEscape } from './escapes.ts'
import { type Folded, readFolded } from './folding.ts'

const FIRST_ROOM = 1024
// How a byte came here: as it stands, by an escape, or by one of a URL, whose text is data there.
const PLAIN = 0
const ESCAPED = 1
const OF_URL = 2
// Nothing joins what is on both sides of it.
const JOINS_DIGITS = /^$|[0-9a-fx]/i

/** A byte is none of an escape's, but for its first. */
export const OUTSIDE = 0
/** A byte within an escape that is one for sure. */
export const SURE = 1
/** A byte within what may stand as it is as well: `\f` of `\fe80::1`. */
export const UNSURE = 2
/** A byte within `=2E`: in most lines that is an equals sign, and what is behind it stands as it is. */
export const QUOTED = 3

export type Within = typeof OUTSIDE | typeof SURE | typeof UNSURE | typeof QUOTED

export class View {
  length = 0
  bytes: Buffer = Buffer.alloc(FIRST_ROOM)
  /** For each byte, where in the line what it comes from begins and ends. */
  starts: Uint32Array = new Uint32Array(FIRST_ROOM)
  ends: Uint32Array = new Uint32Array(FIRST_ROOM)
  /** For each byte, whether it is within an escape: known once another view was made by undoing this one. */
  within: Uint8Array = new Uint8Array(FIRST_ROOM)
  /** Whether digits in it are those of a number to some only: escapes that nothing ends, and characters that were folded. Known at the same time. */
  isDoubtful = false
  #origins: Uint8Array = new Uint8Array(FIRST_ROOM)
  // Bytes beyond ASCII.
  #hasCharacters = false
  readonly #found: Escape = noEscape()
  readonly #folded: Folded = { length: 0, text: undefined }

  /** Takes over a part of a line as it stands. */
  copy(line: Buffer, from: number, to: number): void {
    this.#clear()
    this.#makeRoom(to - from)
    for (let at = from; at < to; at++) this.#add(line[at] as number, at, at + 1, PLAIN)
  }

  /**
   * Undoes one level of escapes of another view.
   *
   * @param isSparing - those that nothing ends stay
   * @returns whether there was one that says something else than it shows
   */
  undo(other: View, isSparing: boolean): boolean {
    const { bytes, length, starts, ends } = other
    const found = this.#found
    let isChanged = false
    let at = 0
    this.#clear()
    this.#makeRoom(length)
    while (at < length) {
      const byte = bytes[at] as number
      if (BEGINS_ESCAPE[byte] === 1) readEscape(bytes, at, length, found)
      else found.length = 0
      if (found.length > 0 && found.isOpen) {
        other.isDoubtful = true
        if (isSparing) found.length = 0
      }
      if (found.length === 0) {
        this.#add(byte, starts[at] as number, ends[at] as number, other.#origins[at] as number)
        at++
        continue
      }
      const end = at + found.length
      const origin = found.isOfUrl || other.#origins[at] === OF_URL ? OF_URL : ESCAPED
      this.#addText(found.text, starts[at] as number, ends[end - 1] as number, origin)
      other.within.fill(byte === EQUALS ? QUOTED : found.isSure ? SURE : UNSURE, at + 1, end)
      isChanged = true
      at = end
    }
    return isChanged
  }

  /** Folds the characters of another view that parsers take for ASCII. @returns whether there was one */
  fold(other: View): boolean {
    const { bytes, length, starts, ends } = other
    const found = this.#folded
    let isChanged = false
    this.#clear()
    if (!other.#hasCharacters) return false
    this.#makeRoom(length)
    for (let at = 0; at < length; at++) {
      const byte = bytes[at] as number
      const [start, origin] = [starts[at] as number, other.#origins[at] as number]
      if (byte > LAST_ASCII) readFolded(bytes, at, length, found)
      if (byte <= LAST_ASCII || found.text === undefined) {
        this.#add(byte, start, ends[at] as number, origin)
        continue
      }
      at += found.length - 1
      this.#addText(found.text, start, ends[at] as number, origin)
      if (JOINS_DIGITS.test(found.text)) this.isDoubtful = true
      isChanged = true
    }
    return isChanged
  }

  /** Leaves out the NULs of another view, which text in UTF-16 is full of. @returns whether there was one */
  withoutNuls(other: View): boolean {
    if (!other.bytes.subarray(0, other.length).includes(0)) return false
    this.#clear()
    this.#makeRoom(other.length)
    for (let at = 0; at < other.length; at++)
      if (other.bytes[at] !== 0)
        this.#add(other.bytes[at] as number, other.starts[at] as number, other.ends[at] as number, other.#origins[at] as number)
    return true
  }

  /** Whether a byte is data of a URL, and so ends nothing in it. */
  isCovered(at: number): boolean {
    return this.#origins[at] === OF_URL
  }

  #clear(): void {
    this.length = 0
    this.isDoubtful = false
    this.#hasCharacters = false
  }

  #addText(text: string, start: number, end: number, origin: number): void {
    for (let i = 0; i < text.length; i++) this.#add(text.charCodeAt(i), start, end, origin)
  }

  #add(byte: number, start: number, end: number, origin: number): void {
    const at = this.length++
    if (at === this.starts.length) this.#makeRoom(at + 1)
    this.bytes[at] = byte
    this.starts[at] = start
    this.ends[at] = end
    this.within[at] = OUTSIDE
    this.#origins[at] = origin
    if (byte > LAST_ASCII) this.#hasCharacters = true
  }

  #makeRoom(needed: number): void {
    if (needed <= this.starts.length) return
    const room = Math.max(needed, this.starts.length * 2)
    const { bytes, starts, ends, within } = this
    const origins = this.#origins
    this.bytes = Buffer.alloc(room)
    this.starts = new Uint32Array(room)
    this.ends = new Uint32Array(room)
    this.within = new Uint8Array(room)
    this.#origins = new Uint8Array(room)
    bytes.copy(this.bytes)
    this.starts.set(starts)
    this.ends.set(ends)
    this.within.set(within)
    this.#origins.set(origins)
  }
}
