/** `ipcrypt-deterministic` (draft-denis-ipcrypt, section 5.1): AES-128 of the 16 bytes, written as the address that comes out. */

import { formatAddresses } from '../addresses/format.ts'
import { ADDRESS_BYTES, parseAddress } from '../addresses/parse.ts'
import { AesBlocks } from './aes.ts'
import { countOf } from './blocks.ts'
import { requireHalf } from './key-halves.ts'
import type { ReversibleMode } from './mode.ts'

/**
 * Equal addresses get equal pseudonyms, and nothing else shows: networks do not.
 *
 * @param key - 16 bytes
 * @throws StrongroomError `invalid_argument`
 */
export function deterministic(key: Uint8Array): ReversibleMode {
  const aes = new AesBlocks(requireHalf(key))
  const pseudonymiseBytes = (addresses: Uint8Array): Uint8Array => {
    countOf(addresses)
    return aes.encrypt(addresses)
  }
  return {
    name: 'deterministic',
    size: ADDRESS_BYTES,
    pseudonymiseBytes,
    pseudonymise: (addresses) => formatAddresses(pseudonymiseBytes(addresses)),
    reverse(text) {
      const block = parseAddress(text)
      return block === undefined ? undefined : aes.decrypt(block)
    },
    destroy: () => aes.destroy(),
  }
}
