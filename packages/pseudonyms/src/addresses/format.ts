/** Addresses as text, each in one way only (RFC 5952). */

import { ADDRESS_BYTES, isV4 } from './parse.ts'

const GROUPS = 8
/** The longest text that `writeAddress` writes. */
const MOST_TEXT = 39

const DOT = 46
const COLON = 58
const ZERO = 48
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

const scratch = Buffer.alloc(MOST_TEXT)
// One call that makes a string for so many texts. Each may keep all of them in memory, so they are few.
const TOGETHER = 32
const many = Buffer.alloc(TOGETHER * MOST_TEXT)
const ends = new Uint16Array(TOGETHER)

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

/** The texts of many addresses, 16 bytes each. */
export function formatAddresses(blocks: Uint8Array): string[] {
  const texts: string[] = []
  for (let from = 0; from < blocks.length; from += TOGETHER * ADDRESS_BYTES) {
    const to = Math.min(blocks.length, from + TOGETHER * ADDRESS_BYTES)
    let end = 0
    for (let at = from; at < to; at += ADDRESS_BYTES) ends[(at - from) / ADDRESS_BYTES] = end = writeAddress(blocks, at, many, end)
    const all = many.toString('latin1', 0, end)
    let start = 0
    for (let i = 0; i < (to - from) / ADDRESS_BYTES; i++) texts.push(all.substring(start, (start = ends[i] as number)))
  }
  return texts
}

/**
 * Writes the same text as ASCII.
 *
 * @param bytes - 16 bytes from `at` on
 * @param out - room for 39 bytes from `to` on
 * @returns where the text ends
 */
function writeAddress(bytes: Uint8Array, at: number, out: Uint8Array, to: number): number {
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
  const zeros = longestZeros(bytes, at)
  if (zeros === 0) return writeGroups(bytes, at, GROUPS, out, to)
  const [from, length] = [zeros >> 4, zeros & 15]
  let end = writeGroups(bytes, at, from, out, to)
  out[end++] = COLON
  out[end++] = COLON
  return writeGroups(bytes, at + 2 * (from + length), GROUPS - from - length, out, end)
}

function writeGroups(bytes: Uint8Array, at: number, count: number, out: Uint8Array, to: number): number {
  let end = to
  for (let i = at; i < at + 2 * count; i += 2) {
    const high = bytes[i] as number
    const low = bytes[i + 1] as number
    if (i > at) out[end++] = COLON
    if (high > 15) {
      out[end++] = DIGITS[high >> 4] as number
      out[end++] = DIGITS[high & 15] as number
      out[end++] = DIGITS[low >> 4] as number
    } else if (high > 0) {
      out[end++] = DIGITS[high] as number
      out[end++] = DIGITS[low >> 4] as number
    } else if (low > 15) out[end++] = DIGITS[low >> 4] as number
    out[end++] = DIGITS[low & 15] as number
  }
  return end
}

// The longest run of groups that are zero, the first of several: where it begins, times 16, and its length. 0: none of two or more.
function longestZeros(bytes: Uint8Array, at: number): number {
  let [found, length, run] = [0, 1, 0]
  for (let group = 0; group < GROUPS; group++) {
    if (bytes[at + 2 * group] !== 0 || bytes[at + 2 * group + 1] !== 0) run = 0
    else if (++run > length) {
      length = run
      found = (group - run + 1) * 16 + run
    }
  }
  return found
}
