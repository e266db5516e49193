/**
 * The same for IPv4, where speed counts most: the first 16 bits of a pseudonym are kept for each /16 that was seen (draft-denis-ipcrypt, section
 * 6.2.4, advises it), and of a block only the last four bytes change.
 */

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import type { AesBlocks } from './aes.ts'

const HALF = 16
const MOST_ADDRESSES = 128
const UNKNOWN = -1
const MAPPED = 0xffff
const V4_AT = 12

export class PrefixV4 {
  readonly #upper: Half
  readonly #lower: Half
  // Of each /16 the turns of its own bits.
  readonly #known = new Int32Array(2 ** HALF).fill(UNKNOWN)
  readonly #places: number[] = []
  readonly #turns = new Int32Array(MOST_ADDRESSES)

  constructor(first: AesBlocks, second: AesBlocks) {
    this.#upper = new Half(first, second, 0)
    this.#lower = new Half(first, second, HALF)
  }

  /** As that of `PrefixBits`. */
  add(addresses: Uint8Array, at: number, out: Uint8Array): void {
    if (this.#places.length === MOST_ADDRESSES) this.apply(out)
    const [a, b, c, d] = [addresses[at + V4_AT], addresses[at + V4_AT + 1], addresses[at + V4_AT + 2], addresses[at + V4_AT + 3]]
    const bits = ((a as number) << 24) | ((b as number) << 16) | ((c as number) << 8) | (d as number)
    this.#places.push(at)
    this.#lower.add(bits)
    if (this.#known[bits >>> HALF] === UNKNOWN) this.#learn(bits)
  }

  /** As that of `PrefixBits`. */
  apply(out: Uint8Array): void {
    if (this.#places.length === 0) return
    this.#lower.turns(this.#turns)
    for (const [i, at] of this.#places.entries()) {
      const upper = this.#known[((out[at + V4_AT] as number) << 8) | (out[at + V4_AT + 1] as number)] as number
      const lower = this.#turns[i] as number
      out[at + V4_AT] = (out[at + V4_AT] as number) ^ (upper >> 8)
      out[at + V4_AT + 1] = (out[at + V4_AT + 1] as number) ^ (upper & 0xff)
      out[at + V4_AT + 2] = (out[at + V4_AT + 2] as number) ^ (lower >> 8)
      out[at + V4_AT + 3] = (out[at + V4_AT + 3] as number) ^ (lower & 0xff)
    }
    this.#places.length = 0
  }

  destroy(): void {
    this.#known.fill(UNKNOWN)
    this.#turns.fill(0)
    this.#upper.destroy()
    this.#lower.destroy()
  }

  #learn(bits: number): void {
    const turns = new Int32Array(1)
    this.#upper.add(bits)
    this.#upper.turns(turns)
    this.#known[bits >>> HALF] = turns[0] as number
  }
}

/** Sixteen bits of each of some addresses. */
class Half {
  readonly #first: AesBlocks
  readonly #second: AesBlocks
  readonly #from: number
  readonly #blocks = new Uint8Array(MOST_ADDRESSES * HALF * ADDRESS_BYTES)
  readonly #words = new DataView(this.#blocks.buffer)
  #count = 0

  // A one stands before the prefix, 80 zeros and 16 ones before the bits of IPv4: but for those all is the same for each address.
  constructor(first: AesBlocks, second: AesBlocks, from: number) {
    this.#first = first
    this.#second = second
    this.#from = from
    for (let block = 0; block < MOST_ADDRESSES * HALF; block++) {
      const bit = from + (block % HALF)
      this.#words.setInt32(block * ADDRESS_BYTES, 1 << bit)
      if (bit > 0) this.#words.setInt32(block * ADDRESS_BYTES + 8, MAPPED >>> (32 - bit))
    }
  }

  add(bits: number): void {
    let at = this.#count++ * HALF * ADDRESS_BYTES + 12
    for (let bit = this.#from; bit < this.#from + HALF; bit++) {
      this.#words.setInt32(at, bit === 0 ? MAPPED : (MAPPED << bit) | (bits >>> (32 - bit)))
      at += ADDRESS_BYTES
    }
  }

  /** Writes those of all that were added, and forgets them. */
  turns(out: Int32Array): void {
    const blocks = this.#blocks.subarray(0, this.#count * HALF * ADDRESS_BYTES)
    const [e1, e2] = [this.#first.encrypt(blocks), this.#second.encrypt(blocks)]
    let last = ADDRESS_BYTES - 1
    for (let i = 0; i < this.#count; i++) {
      let turns = 0
      for (let bit = 0; bit < HALF; bit++) {
        turns = (turns << 1) | (((e1[last] as number) ^ (e2[last] as number)) & 1)
        last += ADDRESS_BYTES
      }
      out[i] = turns
    }
    this.#count = 0
  }

  destroy(): void {
    this.#blocks.fill(0)
  }
}
