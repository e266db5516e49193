/** Addresses as text, each in one way only (RFC 5952). */

import { isV4 } from './parse.ts'

const GROUPS = 8

/**
 * The canonical text of an address: IPv4, mapped or not, as four decimal numbers; IPv6 as RFC 5952, section 4, has it.
 *
 * @param bytes - 16 bytes from `at` on
 */
export function formatAddress(bytes: Uint8Array, at = 0): string {
  return isV4(bytes, at) ? `${bytes[at + 12]}.${bytes[at + 13]}.${bytes[at + 14]}.${bytes[at + 15]}` : formatV6(bytes, at)
}

function formatV6(bytes: Uint8Array, at: number): string {
  const group = (i: number): number => ((bytes[at + 2 * i] as number) << 8) | (bytes[at + 2 * i + 1] as number)
  // The longest run of zeros, the first of several, and none of one group alone.
  let from = GROUPS
  let length = 1
  for (let i = 0; i < GROUPS; ) {
    let end = i
    while (end < GROUPS && group(end) === 0) end++
    if (end - i > length) {
      from = i
      length = end - i
    }
    i = end + 1
  }
  let text = ''
  for (let i = 0; i < GROUPS; i++) {
    if (i === from) {
      text += '::'
      i += length - 1
    } else {
      text += i === 0 || (i === from + length && from < GROUPS) ? group(i).toString(16) : `:${group(i).toString(16)}`
    }
  }
  return text
}
