/** A token of 16 bytes in 22 characters, which says of which period it is. One way: nobody undoes it, whoever has the key can only try addresses. */

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { AesBlocks } from './aes.ts'
import { countOf } from './blocks.ts'
import type { KeyedMode } from './mode.ts'
import { invalidArgument } from '@strongroom/core'

const VERSION = 1
const PERIOD_AT = 1
const BODY_AT = 5
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
  if (!Number.isSafeInteger(period) || period < 0 || period > MOST_PERIOD) throw invalidArgument('period', 'must be a whole number of 32 bits')
  const aes = new AesBlocks(key)
  const bytes = Buffer.alloc(ADDRESS_BYTES)
  bytes[0] = VERSION
  bytes.writeUInt32BE(period, PERIOD_AT)
  return {
    name: 'token',
    pseudonymise(addresses) {
      const count = countOf(addresses)
      const blocks = aes.encrypt(addresses)
      return Array.from({ length: count }, (_, i) => {
        blocks.copy(bytes, BODY_AT, i * ADDRESS_BYTES, (i + 1) * ADDRESS_BYTES - BODY_AT)
        return bytes.toString('base64url')
      })
    },
    destroy: () => aes.destroy(),
  }
}
