/** Addresses cut off: the network alone is left. No key, so nothing that could be destroyed: for comparison with the others. */

import { formatAddresses } from '../addresses/format.ts'
import { ADDRESS_BYTES, isV4 } from '../addresses/parse.ts'
import { countOf } from './blocks.ts'
import type { AddressMode } from './mode.ts'

// /24 of IPv4, counted within the 16 bytes, and /48 of IPv6.
const KEPT_V4 = 15
const KEPT_V6 = 6

/** `192.0.2.0` of `192.0.2.1`, `2001:db8:1::` of `2001:db8:1:2::3`. Whoever reads it knows the network, and in it there may be one person. */
export const truncate: AddressMode = {
  name: 'truncate',
  size: ADDRESS_BYTES,
  pseudonymiseBytes: cut,
  pseudonymise: (addresses) => formatAddresses(cut(addresses)),
}

function cut(addresses: Uint8Array): Uint8Array {
  countOf(addresses)
  const out = Uint8Array.from(addresses)
  for (let at = 0; at < out.length; at += ADDRESS_BYTES) out.fill(0, at + (isV4(out, at) ? KEPT_V4 : KEPT_V6), at + ADDRESS_BYTES)
  return out
}
