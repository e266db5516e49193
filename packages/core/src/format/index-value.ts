/** Blind index values: equal for equal scalars of one domain, normaliser and key; 21 bytes (docs/format.md). */

import { hmacSha256 } from '../crypto/hash.ts'
import { ascii, concat, lp, u8 } from './bytes.ts'

const INDEX = lp(ascii('strongroom/v1/index'))
const INDEX_VERSION = 0x01

/** How a scalar was normalised before it was indexed, with the version of the rules. */
export type Normaliser = 'email/1' | 'phone/1' | 'text/1' | 'none/1'

/**
 * 0x01 ‖ index tag 4 ‖ MAC 16.
 *
 * @param tag - the index key's 4-byte tag
 * @param key - the service key of use `index`
 * @param scalar - canonical, already normalised
 */
export function indexValue(tag: Uint8Array, key: Uint8Array, domain: Uint8Array, normaliser: Normaliser, scalar: Uint8Array): Uint8Array {
  const mac = hmacSha256(key, concat(INDEX, lp(domain), lp(ascii(normaliser)), lp(scalar)))
  return concat(u8(INDEX_VERSION), tag, mac.subarray(0, 16))
}
