/** A token of 16 bytes in 22 characters, which says of which period it is. One way: nobody undoes it, whoever has the key can only try addresses. */

import { invalidArgument } from '@strongroom/core'

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { AesBlocks } from './aes.ts'
import { countOf, encoded } from './blocks.ts'
import type { KeyedMode } from './mode.ts'

const VERSION = 1
const HEAD = 5
const MOST_PERIOD = 2 ** 32 - 1

/**
 * `0x01 ‖ period u32 ‖ the first 11 bytes of AES-256 of the address`, as base64url. AES cut to 88 bits of 128 is a pseudorandom function (Hall,
 * Wagner, Kelsey and Schneier, "Building PRFs from PRPs", 1998): two addresses share a token once in about 2^44 of them.
 *
 * @param key - 32 bytes
 * @param period - its number, a u32
 * @throws StrongroomError `invalid_argument`
 */
export function token(key: Uint8Array, period: number): KeyedMode {
  if (!(key instanceof Uint8Array) || key.length !== 32) throw invalidArgument('key', 'must be 32 bytes')
  if (!Number.isSafeInteger(period) || period < 0 || period > MOST_PERIOD)
    throw invalidArgument('period', 'must be a whole number of 32 bits')
  const aes = new AesBlocks(key)
  const head = Buffer.alloc(HEAD)
  head[0] = VERSION
  head.writeUInt32BE(period, 1)
  const pseudonymiseBytes = (addresses: Uint8Array): Uint8Array => {
    countOf(addresses)
    const blocks = aes.encrypt(addresses)
    // The end of each block makes room for the head.
    for (let at = 0; at < blocks.length; at += ADDRESS_BYTES) {
      blocks.copyWithin(at + HEAD, at, at + ADDRESS_BYTES - HEAD)
      blocks.set(head, at)
    }
    return blocks
  }
  return {
    name: 'token',
    size: ADDRESS_BYTES,
    pseudonymiseBytes,
    pseudonymise: (addresses) => encoded(pseudonymiseBytes(addresses), ADDRESS_BYTES, 'base64url'),
    destroy: () => aes.destroy(),
  }
}
