/**
 * `ipcrypt-pfx` (draft-denis-ipcrypt, section 6.2): each bit is turned, or not, by a pseudorandom function of all bits before it. Addresses that
 * share their first n bits get pseudonyms that share theirs.
 */

import { ADDRESS_BYTES, isV4, parseAddress } from '../addresses/parse.ts'
import { AesBlocks } from './aes.ts'
import { asAddresses, countOf } from './blocks.ts'
import { keyHalves } from './key-halves.ts'
import type { ReversibleMode } from './mode.ts'

const BITS = 128
// IPv4 keeps the 96 bits that say so.
const V4_FROM = 96
// A bit takes a block: as many as stay in a processor's nearest cache, twice over.
const MOST_BLOCKS = 1024

/**
 * @param key - 32 bytes, of two halves that differ
 * @throws StrongroomError `invalid_argument`
 */
export function prefix(key: Uint8Array): ReversibleMode {
  const [first, second] = keyHalves(key)
  const turns = new Turns(new AesBlocks(first), new AesBlocks(second))
  return {
    name: 'prefix',
    pseudonymise(addresses) {
      countOf(addresses)
      const out = Uint8Array.from(addresses)
      for (let at = 0; at < out.length; at += ADDRESS_BYTES) turns.add(addresses, at, out)
      turns.apply(out)
      return asAddresses(out)
    },
    reverse(text) {
      const bytes = parseAddress(text)
      if (bytes !== undefined) turns.undo(bytes)
      return bytes
    },
    destroy: () => turns.destroy(),
  }
}

/** The pseudorandom bits of addresses, gathered until they are worth a call. */
class Turns {
  readonly #first: AesBlocks
  readonly #second: AesBlocks
  readonly #blocks = new Uint8Array(MOST_BLOCKS * ADDRESS_BYTES)
  readonly #words = new DataView(this.#blocks.buffer)
  // Of each block: the bit of the output that it turns.
  readonly #turned = new Uint32Array(MOST_BLOCKS)
  #used = 0

  constructor(first: AesBlocks, second: AesBlocks) {
    this.#first = first
    this.#second = second
  }

  /** Takes up the address at `at`; its bits are turned in `out`, at the same place, by now or once `apply` is called. */
  add(addresses: Uint8Array, at: number, out: Uint8Array): void {
    const from = isV4(addresses, at) ? V4_FROM : 0
    if (this.#used + BITS - from > MOST_BLOCKS) this.apply(out)
    const [a, b, c, d] = [wordAt(addresses, at), wordAt(addresses, at + 4), wordAt(addresses, at + 8), wordAt(addresses, at + 12)]
    // Zeros, a one, and the bits so far (section 6.2.1, step 1). Before the first bit of IPv4 these are the 96 in front of it.
    let [w0, w1, w2, w3] = from === 0 ? [0, 0, 0, 1] : [1, a, b, c]
    for (let bit = from; bit < BITS; bit++) {
      const offset = this.#used * ADDRESS_BYTES
      this.#words.setInt32(offset, w0)
      this.#words.setInt32(offset + 4, w1)
      this.#words.setInt32(offset + 8, w2)
      this.#words.setInt32(offset + 12, w3)
      this.#turned[this.#used++] = at * 8 + bit
      const word = bit < 32 ? a : bit < 64 ? b : bit < 96 ? c : d
      w0 = (w0 << 1) | (w1 >>> 31)
      w1 = (w1 << 1) | (w2 >>> 31)
      w2 = (w2 << 1) | (w3 >>> 31)
      w3 = (w3 << 1) | ((word >>> (31 - (bit & 31))) & 1)
    }
  }

  /** Turns the bits of all that was added. */
  apply(out: Uint8Array): void {
    const blocks = this.#blocks.subarray(0, this.#used * ADDRESS_BYTES)
    const [e1, e2] = [this.#first.encrypt(blocks), this.#second.encrypt(blocks)]
    for (let i = 0; i < this.#used; i++) {
      const last = i * ADDRESS_BYTES + ADDRESS_BYTES - 1
      const turn = ((e1[last] as number) ^ (e2[last] as number)) & 1
      const bit = this.#turned[i] as number
      out[bit >> 3] = (out[bit >> 3] as number) ^ (turn << (7 - (bit & 7)))
    }
    blocks.fill(0)
    this.#used = 0
  }

  /** Makes of a pseudonym the address: bit by bit, since each needs those before it. */
  undo(bytes: Uint8Array): void {
    const from = isV4(bytes) ? V4_FROM : 0
    const block = new Uint8Array(ADDRESS_BYTES)
    for (let bit = from; bit < BITS; bit++) {
      padded(bytes, bit, block)
      const e = (this.#first.encrypt(block)[ADDRESS_BYTES - 1] as number) ^ (this.#second.encrypt(block)[ADDRESS_BYTES - 1] as number)
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ ((e & 1) << (7 - (bit & 7)))
    }
  }

  destroy(): void {
    this.#first.destroy()
    this.#second.destroy()
    this.#blocks.fill(0)
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
}

// Zeros, a one, and the first `count` bits.
function padded(bytes: Uint8Array, count: number, block: Uint8Array): void {
  block.fill(0)
  const set = (bit: number): void => void (block[bit >> 3] = (block[bit >> 3] as number) | (1 << (7 - (bit & 7))))
  set(BITS - 1 - count)
  for (let bit = 0; bit < count; bit++) if ((((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1) === 1) set(BITS - count + bit)
}
