/** What was found in a batch of lines, in the order in which it stands there: arrays of numbers, so that nothing is made for each. */

import { ADDRESS_BYTES } from '../addresses/parse.ts'

/** An address. Its bytes are among the blocks. */
export const ADDRESS = 0
/** What is, or may be, an address, in a spelling that is read in several ways or in none. */
export const AMBIGUOUS = 1
/** The value of a parameter that is taken out by its name. */
export const QUERY_VALUE = 2
/** A place in which something else is put: its text is one of the insertions. */
export const INSERTION = 3

/** A number of JSON where an address is expected: text in its place has quotes. */
export const AMBIGUOUS_NUMBER = 4

export type FindingKind = typeof ADDRESS | typeof AMBIGUOUS | typeof QUERY_VALUE | typeof INSERTION | typeof AMBIGUOUS_NUMBER

const FIRST_ROOM = 4096

export class Findings {
  count = 0
  addresses = 0
  starts: Uint32Array = new Uint32Array(FIRST_ROOM)
  ends: Uint32Array = new Uint32Array(FIRST_ROOM)
  kinds: Uint8Array = new Uint8Array(FIRST_ROOM)
  /** 16 bytes for each address. */
  blocks: Uint8Array = new Uint8Array(FIRST_ROOM * ADDRESS_BYTES)
  readonly insertions: string[] = []

  add(start: number, end: number, kind: FindingKind): void {
    if (this.count === this.starts.length) this.#grow()
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.kinds[this.count++] = kind
  }

  addV4(start: number, end: number, a: number, b: number, c: number, d: number): void {
    this.add(start, end, ADDRESS)
    const { blocks } = this
    const at = this.addresses++ * ADDRESS_BYTES
    blocks.fill(0, at, at + 10)
    blocks[at + 10] = 0xff
    blocks[at + 11] = 0xff
    blocks[at + 12] = a
    blocks[at + 13] = b
    blocks[at + 14] = c
    blocks[at + 15] = d
  }

  addAddress(start: number, end: number, address: Uint8Array): void {
    this.add(start, end, ADDRESS)
    this.blocks.set(address, this.addresses++ * ADDRESS_BYTES)
  }

  /** @param block - which of many addresses it is */
  addBlock(start: number, end: number, blocks: Uint8Array, block: number): void {
    this.add(start, end, ADDRESS)
    copyBlock(blocks, block, this.blocks, this.addresses++)
  }

  addInsertion(at: number, text: string): void {
    this.add(at, at, INSERTION)
    this.insertions.push(text)
  }

  /** Adds one of other findings, whose insertions are none. @param block - of its address, if it is one @returns that of the next address */
  addOf(other: Findings, i: number, block: number): number {
    const [start, end, kind] = [other.starts[i] as number, other.ends[i] as number, other.kinds[i] as FindingKind]
    if (kind !== ADDRESS) {
      this.add(start, end, kind)
      return block
    }
    this.addBlock(start, end, other.blocks, block)
    return block + 1
  }

  /** Takes over those of others from a number on. */
  takeFrom(other: Findings, count: number, addresses: number): void {
    let block = addresses
    for (let i = count; i < other.count; i++) block = this.addOf(other, i, block)
    other.cutTo(count, addresses)
  }

  /** Takes back what was added since there were so many. */
  cutTo(count: number, addresses: number): void {
    this.count = count
    this.addresses = addresses
  }

  clear(): void {
    this.cutTo(0, 0)
    this.insertions.length = 0
  }

  #grow(): void {
    const room = this.starts.length * 2
    const [starts, ends, kinds, blocks] = [this.starts, this.ends, this.kinds, this.blocks]
    this.starts = new Uint32Array(room)
    this.ends = new Uint32Array(room)
    this.kinds = new Uint8Array(room)
    this.blocks = new Uint8Array(room * ADDRESS_BYTES)
    this.starts.set(starts)
    this.ends.set(ends)
    this.kinds.set(kinds)
    this.blocks.set(blocks)
  }
}

/** Copies one of many addresses: 16 bytes take longer to copy by a view of them. */
export function copyBlock(from: Uint8Array, block: number, into: Uint8Array, to: number): void {
  const [start, target] = [block * ADDRESS_BYTES, to * ADDRESS_BYTES]
  for (let i = 0; i < ADDRESS_BYTES; i++) into[target + i] = from[start + i] as number
}
