/** Blind index values: equal for equal scalars of one domain, normaliser and key; 21 bytes (docs/format.md). */

import { hmacSha256 } from '../crypto/hash.ts'
import { ascii, concat, lp, u32 } from './bytes.ts'

const INDEX = lp(ascii('strongroom/v1/index'))
const INDEX_VERSION = 0x01
const MAC_BYTES = 16

/** How a scalar was normalised before it was indexed, with the version of the rules. */
export type Normaliser = 'email/1' | 'phone/1' | 'text/1' | 'none/1'

/** What is the same for all values of an index: LP('strongroom/v1/index') ‖ LP(domain) ‖ LP(normaliser). */
export function indexData(domain: Uint8Array, normaliser: Normaliser): Uint8Array {
  return concat(INDEX, lp(domain), lp(ascii(normaliser)))
}

/**
 * 0x01 ‖ index tag 4 ‖ MAC 16.
 *
 * @param tag - the index key's 4-byte tag
 * @param key - the service key of use `index`
 * @param ofIndex - as {@link indexData} makes it
 * @param scalar - canonical, already normalised
 */
export function indexValue(tag: Uint8Array, key: Uint8Array, ofIndex: Uint8Array, scalar: Uint8Array): Uint8Array {
  const mac = hmacSha256(key, concat(ofIndex, u32(scalar.length), scalar))
  const out = new Uint8Array(1 + tag.length + MAC_BYTES)
  out[0] = INDEX_VERSION
  out.set(tag, 1)
  out.set(mac.subarray(0, MAC_BYTES), 1 + tag.length)
  return out
}
