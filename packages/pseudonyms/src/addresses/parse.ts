/** Addresses as text, read strictly: what two parsers might read differently is not an address here. */

/** Bytes of an address. IPv4 takes 16 as well: `::ffff:a.b.c.d`, the form of the IPCrypt draft. */
export const ADDRESS_BYTES = 16

// The longest text of an address: eight groups of four digits, the last two as dotted IPv4.
const MOST_CHARACTERS = 45
const GROUPS = 8
const MAPPED_AT = 10

const ZERO = 48
// A number of which no digit was read.
const NOTHING = -1
const DOT = 46
const COLON = 58
// By character code: the value of a hexadecimal digit.
const DIGITS = Int8Array.from({ length: 128 }, (_, code) => '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase()))

/**
 * The bytes of one address, and nothing around it: no port, bracket, zone or space.
 *
 * IPv4 is four decimal numbers without leading zeros (RFC 6943, section 3.1.1, tells how `010.0.0.1`, `0x7f.1` or `1.2.3` are read in more
 * than one way: they are refused). IPv6 is what RFC 4291, section 2.2, allows, in any case and with leading zeros. A mapped address,
 * `::ffff:192.0.2.1`, has the same bytes as the IPv4 address in it.
 *
 * @returns 16 bytes, or `undefined` where the text is not one address
 * @example
 * ```ts
 * import { parseAddress } from '@strongroom/pseudonyms'
 *
 * const isAddress = (text: string): boolean => parseAddress(text) !== undefined
 * ```
 */
export function parseAddress(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(ADDRESS_BYTES)
  return readAddress(text, bytes, 0) ? bytes : undefined
}

/** The same, into 16 bytes from `at` on, which are zero. @returns whether it is one address; where it is not, what they hold says nothing */
export function readAddress(text: string, bytes: Uint8Array, at: number): boolean {
  if (typeof text !== 'string' || text.length < 2 || text.length > MOST_CHARACTERS) return false
  if (readV4(text, 0, bytes, at + MAPPED_AT + 2)) {
    bytes[at + MAPPED_AT] = 0xff
    bytes[at + MAPPED_AT + 1] = 0xff
    return true
  }
  return text.includes(':') && readV6(text, bytes, at)
}

/** Whether the bytes of an address stand for an IPv4 address. */
export function isV4(bytes: Uint8Array, at = 0): boolean {
  for (let i = 0; i < MAPPED_AT; i++) if (bytes[at + i] !== 0) return false
  return bytes[at + MAPPED_AT] === 0xff && bytes[at + MAPPED_AT + 1] === 0xff
}

// From `from` to the end of the text.
function readV4(text: string, from: number, bytes: Uint8Array, to: number): boolean {
  let [part, value] = [0, NOTHING]
  for (let at = from; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (digit >= 0 && digit <= 9) {
      // `00` and `01` are octal to some.
      if (value === 0) return false
      value = value === NOTHING ? digit : value * 10 + digit
      if (value > 255) return false
    } else {
      if (digit !== DOT - ZERO || value === NOTHING || part === 3) return false
      bytes[to + part++] = value
      value = NOTHING
    }
  }
  bytes[to + 3] = value
  return part === 3 && value !== NOTHING
}

function readV6(text: string, bytes: Uint8Array, to: number): boolean {
  let group = 0
  let gap = -1
  let at = 0
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false
    gap = 0
    at = 2
  }
  while (at < text.length) {
    if (group === GROUPS) return false
    const start = at
    let value = 0
    // Behind the text, and for what is no digit: below zero.
    for (let digit = digitAt(text, at); digit >= 0 && at - start < 4; digit = digitAt(text, at)) {
      value = (value << 4) | digit
      at++
    }
    if (at === start) return false
    if (text.charCodeAt(at) === DOT) {
      if (group > GROUPS - 2 || !readV4(text, start, bytes, to + group * 2)) return false
      group += 2
      at = text.length
      break
    }
    bytes[to + group * 2] = value >> 8
    bytes[to + group * 2 + 1] = value & 0xff
    group++
    if (at === text.length) break
    if (text.charCodeAt(at++) !== COLON) return false
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false
      gap = group
      at++
    } else if (at === text.length) return false
  }
  if (gap < 0) return group === GROUPS
  if (group === GROUPS) return false
  // What follows `::` goes to the end.
  const end = to + ADDRESS_BYTES - (group - gap) * 2
  bytes.copyWithin(end, to + gap * 2, to + group * 2)
  bytes.fill(0, to + gap * 2, end)
  return true
}

function digitAt(text: string, at: number): number {
  return at < text.length ? (DIGITS[text.charCodeAt(at)] ?? -1) : -1
}
