/** A line as it reads once its escapes are undone, and where in the line each byte of that comes from. */

import { type Escape, OTHER, readEscape } from './escapes.ts'

const FIRST_ROOM = 1024
const PLAIN = 0
const ESCAPED = 1
const OF_URL = 2

export class View {
  length = 0
  bytes: Buffer = Buffer.alloc(FIRST_ROOM)
  /** For each byte, where in the line what it comes from begins and ends. */
  starts: Uint32Array = new Uint32Array(FIRST_ROOM)
  ends: Uint32Array = new Uint32Array(FIRST_ROOM)
  #origins: Uint8Array = new Uint8Array(FIRST_ROOM)
  readonly #found: Escape = { length: 0, text: '', isOfUrl: false }

  /** Takes over a part of a line as it stands. */
  copy(line: Buffer, from: number, to: number): void {
    this.#makeRoom(to - from)
    line.copy(this.bytes, 0, from, to)
    for (let i = 0; i < to - from; i++) {
      this.starts[i] = from + i
      this.ends[i] = from + i + 1
    }
    this.#origins.fill(PLAIN, 0, to - from)
    this.length = to - from
  }

  /** Undoes one level of escapes of another view. @returns whether there was one that says something else than it shows */
  undo(other: View): boolean {
    const { bytes, length, starts, ends } = other
    const found = this.#found
    let isChanged = false
    let at = 0
    this.length = 0
    this.#makeRoom(length)
    while (at < length) {
      readEscape(bytes, at, length, found)
      if (found.length === 0) {
        this.#add(bytes[at] as number, starts[at] as number, ends[at] as number, other.#origins[at] as number)
        at++
        continue
      }
      const [start, end] = [starts[at] as number, ends[at + found.length - 1] as number]
      const isPlain = found.length === 1
      const origin = found.isOfUrl || other.#origins[at] === OF_URL ? OF_URL : isPlain ? PLAIN : ESCAPED
      for (let i = 0; i < found.text.length; i++) this.#add(found.text.charCodeAt(i), start, end, origin)
      isChanged ||= !isPlain && found.text !== OTHER
      at += found.length
    }
    return isChanged
  }

  /** Leaves out the NULs of another view, which text in UTF-16 is full of. @returns whether there was one */
  withoutNuls(other: View): boolean {
    this.length = 0
    this.#makeRoom(other.length)
    for (let at = 0; at < other.length; at++)
      if (other.bytes[at] !== 0)
        this.#add(other.bytes[at] as number, other.starts[at] as number, other.ends[at] as number, other.#origins[at] as number)
    return this.length < other.length
  }

  /** Whether a byte is data of a URL, or of a text that is quoted, and so ends nothing in it. */
  isCovered(at: number): boolean {
    return this.#origins[at] === OF_URL
  }

  #add(byte: number, start: number, end: number, origin: number): void {
    if (this.length === this.starts.length) this.#makeRoom(this.length * 2)
    this.bytes[this.length] = byte
    this.starts[this.length] = start
    this.ends[this.length] = end
    this.#origins[this.length++] = origin
  }

  #makeRoom(needed: number): void {
    if (needed <= this.starts.length) return
    const room = Math.max(needed, this.starts.length * 2)
    const [bytes, starts, ends, origins] = [this.bytes, this.starts, this.ends, this.#origins]
    this.bytes = Buffer.alloc(room)
    this.starts = new Uint32Array(room)
    this.ends = new Uint32Array(room)
    this.#origins = new Uint8Array(room)
    bytes.copy(this.bytes)
    this.starts.set(starts)
    this.ends.set(ends)
    this.#origins.set(origins)
  }
}
