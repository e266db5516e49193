/** Addresses as text, each in one way only (RFC 5952). */

import { ADDRESS_BYTES, isV4 } from './parse.ts'

const GROUPS = 8
const COLON = 58

// Two ASCII digits of a byte, and three with a dot behind them: as they lie in memory, to be written at once. What is not needed of four
// characters is cut off in front, and what is too much behind is written over by what follows.
const HEXADECIMAL = Uint16Array.from({ length: 256 }, (_, byte) => packed(byte.toString(16).padStart(2, '0')))
const DECIMAL = Uint32Array.from({ length: 256 }, (_, byte) => packed(`${byte}.`))
const DECIMAL_LENGTH = Uint8Array.from({ length: 256 }, (_, byte) => `${byte}.`.length)

// The longest text is of 39 characters; while it is written a colon stands behind it.
const ROOM = 40
// One call that makes a string for so many texts. Each may keep all of them in memory, so they are few.
const TOGETHER = 32
const characters = new Uint8Array(TOGETHER * ROOM + 4)
const written = new DataView(characters.buffer)
const ascii = Buffer.from(characters.buffer)
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
  return ascii.toString('latin1', 0, writeAddress(bytes, at, 0))
}

/** The texts of many addresses, 16 bytes each. */
export function formatAddresses(blocks: Uint8Array): string[] {
  const texts: string[] = []
  texts.length = blocks.length / ADDRESS_BYTES
  let next = 0
  for (let from = 0; from < blocks.length; from += TOGETHER * ADDRESS_BYTES) {
    const to = Math.min(blocks.length, from + TOGETHER * ADDRESS_BYTES)
    let end = 0
    let count = 0
    for (let at = from; at < to; at += ADDRESS_BYTES) ends[count++] = end = writeAddress(blocks, at, end)
    const all = ascii.toString('latin1', 0, end)
    let start = 0
    for (let i = 0; i < count; i++) texts[next++] = all.substring(start, (start = ends[i] as number))
  }
  return texts
}

// From a place on. Each answers with where the text ends.
function writeAddress(bytes: Uint8Array, at: number, to: number): number {
  return isV4(bytes, at) ? writeV4(bytes, at + 12, to) : writeV6(bytes, at, to)
}

function writeV4(bytes: Uint8Array, at: number, to: number): number {
  let end = to
  for (let i = at; i < at + 4; i++) {
    const value = bytes[i] as number
    written.setUint32(end, DECIMAL[value] as number, true)
    end += DECIMAL_LENGTH[value] as number
  }
  // Without the dot behind the last number.
  return end - 1
}

function writeV6(bytes: Uint8Array, at: number, to: number): number {
  let end = to
  let before = 1
  for (let i = at; i < at + 2 * GROUPS; i += 2) {
    const group = groupAt(bytes, i)
    // Two that are zero, one behind the other: of most addresses none are.
    if ((group | before) === 0) return writeShortened(bytes, at, to)
    before = group
    end = writeGroup(group, end)
  }
  // Without the colon behind the last group.
  return end - 1
}

function writeShortened(bytes: Uint8Array, at: number, to: number): number {
  const zeros = longestZeros(bytes, at)
  const [from, length] = [zeros >> 4, zeros & 15]
  let end = to
  for (let group = 0; group < from; group++) end = writeGroup(groupAt(bytes, at + 2 * group), end)
  if (from === 0) characters[end++] = COLON
  characters[end++] = COLON
  if (from + length === GROUPS) return end
  for (let group = from + length; group < GROUPS; group++) end = writeGroup(groupAt(bytes, at + 2 * group), end)
  return end - 1
}

function groupAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
}

// With a colon behind it.
function writeGroup(group: number, to: number): number {
  const leading = (Math.clz32(group | 1) - 16) >> 2
  const digits = (HEXADECIMAL[group >> 8] as number) | ((HEXADECIMAL[group & 0xff] as number) << 16)
  written.setUint32(to, digits >>> (8 * leading), true)
  characters[to + 4 - leading] = COLON
  return to + 5 - leading
}

function packed(text: string): number {
  return Buffer.from(text).readUIntLE(0, text.length)
}

// The longest run of groups that are zero, the first of several: where it begins, times 16, and its length.
function longestZeros(bytes: Uint8Array, at: number): number {
  let [found, length, run] = [0, 1, 0]
  for (let group = 0; group < GROUPS; group++) {
    if (groupAt(bytes, at + 2 * group) !== 0) run = 0
    else if (++run > length) {
      length = run
      found = (group - run + 1) * 16 + run
    }
  }
  return found
}
