/** Blocks of 16 bytes: counted, and written as text. */

import { invalidArgument } from '@strongroom/core'

import { formatAddress } from '../addresses/format.ts'
import { ADDRESS_BYTES } from '../addresses/parse.ts'

/** How many addresses these are. @throws StrongroomError `invalid_argument` */
export function countOf(addresses: Uint8Array): number {
  if (!(addresses instanceof Uint8Array) || addresses.length % ADDRESS_BYTES !== 0)
    throw invalidArgument('addresses', 'must be whole blocks of 16 bytes')
  return addresses.length / ADDRESS_BYTES
}

/** Each block as the address that it looks like. */
export function asAddresses(blocks: Uint8Array): string[] {
  const texts: string[] = []
  for (let at = 0; at < blocks.length; at += ADDRESS_BYTES) texts.push(formatAddress(blocks, at))
  return texts
}

/** The bytes of hexadecimal text of a length, or `undefined`. */
export function unhex(text: string, length: number): Buffer | undefined {
  return text.length === 2 * length && /^[0-9a-f]+$/u.test(text) ? Buffer.from(text, 'hex') : undefined
}
