/** What was undone, and how sure it is that the day was the right one. */

import { formatAddress } from '../addresses/format.ts'
import { isV4 } from '../addresses/parse.ts'

/** The answer of `reverse`. */
export interface Reversed {
  /** The address, in its canonical text. Under the keys of another period it is some other one: see `period`. */
  readonly address: string
  /**
   * Whether the period was the right one. `certain`: by chance this comes out once in 2^96. `unlikely`: no machine has such an address, so that
   * either the instant is wrong, or somebody had sent it. `unknown`: it cannot be told; of mode `prefix` never.
   */
  readonly period: 'certain' | 'unlikely' | 'unknown'
}

/** @param tells - whether the mode makes something of every wrong key that mostly looks wrong */
export function judged(block: Uint8Array, tells: boolean): Reversed {
  const address = formatAddress(block)
  if (!tells) return { address, period: 'unknown' }
  if (isV4(block)) return { address, period: 'certain' }
  return { address, period: isAssigned(block) ? 'unknown' : 'unlikely' }
}

// The parts of the address space that are in use (IANA, "Internet Protocol Version 6 Address Space"): 14 % of it, and so of what a wrong key makes.
function isAssigned(block: Uint8Array): boolean {
  const first = block[0] as number
  const second = block[1] as number
  const global = first >> 5 === 1
  const unique = first >> 1 === 0xfc >> 1
  const link = first === 0xfe && second >> 6 === 2
  const multicast = first === 0xff
  const special = block.subarray(0, 12).every((byte) => byte === 0)
  const translated = first === 0 && second === 0x64
  return global || unique || link || multicast || special || translated
}
