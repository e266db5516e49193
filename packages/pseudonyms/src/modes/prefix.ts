/**
 * `ipcrypt-pfx` (draft-denis-ipcrypt, section 6.2): each bit is turned, or not, by a pseudorandom function of all bits before it. Addresses that
 * share their first n bits get pseudonyms that share theirs.
 */

import { formatAddresses } from '../addresses/format.ts'
import { ADDRESS_BYTES, isV4, parseAddress } from '../addresses/parse.ts'
import { AesBlocks } from './aes.ts'
import { countOf } from './blocks.ts'
import { keyHalves } from './key-halves.ts'
import type { ReversibleMode } from './mode.ts'
import { PrefixBits } from './prefix-bits.ts'
import { PrefixV4 } from './prefix-v4.ts'

const BITS = 128
// IPv4 keeps the 96 bits that say so.
const V4_FROM = 96

/**
 * Networks stay networks, whatever their size, and equal addresses equal; which ones they are does not show.
 *
 * @param key - 32 bytes, of two halves that differ
 * @throws StrongroomError `invalid_argument`
 */
export function prefix(key: Uint8Array): ReversibleMode {
  const [first, second] = keyHalves(key).map((half) => new AesBlocks(half)) as [AesBlocks, AesBlocks]
  const bits = new PrefixBits(first, second)
  const v4 = new PrefixV4(first, second)
  const pseudonymiseBytes = (addresses: Uint8Array): Uint8Array => {
    countOf(addresses)
    const out = Uint8Array.from(addresses)
    for (let at = 0; at < out.length; at += ADDRESS_BYTES) {
      if (isV4(addresses, at)) v4.add(addresses, at, out)
      else bits.add(addresses, at, out)
    }
    v4.apply(out)
    bits.apply(out)
    return out
  }
  // Bit by bit: each needs those before it.
  const undo = (bytes: Uint8Array): Uint8Array => {
    const block = new Uint8Array(ADDRESS_BYTES)
    for (let bit = isV4(bytes) ? V4_FROM : 0; bit < BITS; bit++) {
      padded(bytes, bit, block)
      const turn = (last(first.encrypt(block)) ^ last(second.encrypt(block))) & 1
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (turn << (7 - (bit & 7)))
    }
    return bytes
  }
  return {
    name: 'prefix',
    size: ADDRESS_BYTES,
    pseudonymiseBytes,
    pseudonymise: (addresses) => formatAddresses(pseudonymiseBytes(addresses)),
    reverse(text) {
      const bytes = parseAddress(text)
      return bytes === undefined ? undefined : undo(bytes)
    },
    destroy() {
      for (const each of [first, second, bits, v4]) each.destroy()
    },
  }
}

function last(block: Uint8Array): number {
  return block[ADDRESS_BYTES - 1] as number
}

// Zeros, a one, and the first `count` bits (section 6.2.1, step 1).
function padded(bytes: Uint8Array, count: number, block: Uint8Array): void {
  block.fill(0)
  const set = (bit: number): void => void (block[bit >> 3] = (block[bit >> 3] as number) | (1 << (7 - (bit & 7))))
  set(BITS - 1 - count)
  for (let bit = 0; bit < count; bit++) if ((((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1) === 1) set(BITS - count + bit)
}
