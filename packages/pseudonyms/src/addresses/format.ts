/** Addresses as text, each in one way only (RFC 5952). */

import { isV4 } from './parse.ts'

const GROUPS = 8
/** The longest text that `writeAddress` writes. */
export const MOST_TEXT = 39

const DOT = 46
const COLON = 58
const ZERO = 48
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

const scratch = Buffer.alloc(MOST_TEXT)

/**
 * The canonical text of an address: IPv4, mapped or not, as four decimal numbers; IPv6 as RFC 5952, section 4, has it.
 *
 * @param bytes - 16 bytes from `at` on
 * @example
 * ```ts
 * import { formatAddress, parseAddress } from '@strongroom/pseudonyms'
 *
 * const bytes = parseAddress('2001:DB8:0:0::1')
 * const text = bytes === undefined ? undefined : formatAddress(bytes)   // '2001:db8::1'
 * ```
 */
export function formatAddress(bytes: Uint8Array, at = 0): string {
  return scratch.toString('latin1', 0, writeAddress(bytes, at, scratch, 0))
}

/**
 * Writes the same text as ASCII.
 *
 * @param bytes - 16 bytes from `at` on
 * @param out - room for 39 bytes from `to` on
 * @returns where the text ends
 */
export function writeAddress(bytes: Uint8Array, at: number, out: Uint8Array, to: number): number {
  return isV4(bytes, at) ? writeV4(bytes, at + 12, out, to) : writeV6(bytes, at, out, to)
}

function writeV4(bytes: Uint8Array, at: number, out: Uint8Array, to: number): number {
  let end = to
  for (let part = 0; part < 4; part++) {
    const value = bytes[at + part] as number
    if (part > 0) out[end++] = DOT
    if (value > 99) out[end++] = ZERO + Math.trunc(value / 100)
    if (value > 9) out[end++] = ZERO + (Math.trunc(value / 10) % 10)
    out[end++] = ZERO + (value % 10)
  }
  return end
}

function writeV6(bytes: Uint8Array, at: number, out: Uint8Array, to: number): number {
  const { from, length } = longestZeros(bytes, at)
  let end = to
  for (let group = 0; group < GROUPS; group++) {
    if (group === from) {
      out[end++] = COLON
      out[end++] = COLON
      group += length - 1
      continue
    }
    if (group > 0 && group !== from + length) out[end++] = COLON
    const high = bytes[at + 2 * group] as number
    const low = bytes[at + 2 * group + 1] as number
    if (high > 15) out[end++] = DIGITS[high >> 4] as number
    if (high > 0) out[end++] = DIGITS[high & 15] as number
    if (high > 0 || low > 15) out[end++] = DIGITS[low >> 4] as number
    out[end++] = DIGITS[low & 15] as number
  }
  return end
}

// The longest run of zeros, the first of several; none of one group alone.
function longestZeros(bytes: Uint8Array, at: number): { readonly from: number; readonly length: number } {
  let [from, length] = [GROUPS, 1]
  for (let start = 0; start < GROUPS;) {
    let end = start
    while (end < GROUPS && bytes[at + 2 * end] === 0 && bytes[at + 2 * end + 1] === 0) end++
    if (end - start > length) [from, length] = [start, end - start]
    start = end + 1
  }
  return { from, length }
}
