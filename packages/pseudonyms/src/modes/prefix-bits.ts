/** The pseudorandom bits of whole addresses, gathered until they are worth a call: a block for each bit, under both keys. */

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import type { AesBlocks } from './aes.ts'

const BITS = 128
// As many as stay in a processor's nearest cache, twice over.
const MOST_BLOCKS = 1024

export class PrefixBits {
  readonly #first: AesBlocks
  readonly #second: AesBlocks
  readonly #blocks = new Uint8Array(MOST_BLOCKS * ADDRESS_BYTES)
  readonly #words = new DataView(this.#blocks.buffer)
  // Where the addresses are of which the blocks are, in their order.
  readonly #places: number[] = []

  constructor(first: AesBlocks, second: AesBlocks) {
    this.#first = first
    this.#second = second
  }

  /** Takes up the address at `at`. Its bits are turned in `out`, at the same place, once `apply` is called at the latest. */
  add(addresses: Uint8Array, at: number, out: Uint8Array): void {
    if ((this.#places.length + 1) * BITS > MOST_BLOCKS) this.apply(out)
    let offset = this.#places.length * BITS * ADDRESS_BYTES
    this.#places.push(at)
    // Zeros, a one, and the bits so far (section 6.2.1, step 1).
    let [w0, w1, w2, w3] = [0, 0, 0, 1]
    for (let word = 0; word < 4; word++) {
      const bits = wordAt(addresses, at + 4 * word)
      for (let bit = 31; bit >= 0; bit--) {
        this.#words.setInt32(offset, w0)
        this.#words.setInt32(offset + 4, w1)
        this.#words.setInt32(offset + 8, w2)
        this.#words.setInt32(offset + 12, w3)
        offset += ADDRESS_BYTES
        w0 = (w0 << 1) | (w1 >>> 31)
        w1 = (w1 << 1) | (w2 >>> 31)
        w2 = (w2 << 1) | (w3 >>> 31)
        w3 = (w3 << 1) | ((bits >>> bit) & 1)
      }
    }
  }

  /** Turns the bits of all that was added. */
  apply(out: Uint8Array): void {
    if (this.#places.length === 0) return
    const blocks = this.#blocks.subarray(0, this.#places.length * BITS * ADDRESS_BYTES)
    const [e1, e2] = [this.#first.encrypt(blocks), this.#second.encrypt(blocks)]
    let last = ADDRESS_BYTES - 1
    for (const at of this.#places) {
      for (let byte = at; byte < at + ADDRESS_BYTES; byte++) {
        let turns = 0
        for (let bit = 0; bit < 8; bit++) {
          turns = (turns << 1) | (((e1[last] as number) ^ (e2[last] as number)) & 1)
          last += ADDRESS_BYTES
        }
        out[byte] = (out[byte] as number) ^ turns
      }
    }
    this.#places.length = 0
  }

  destroy(): void {
    this.#blocks.fill(0)
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
}
