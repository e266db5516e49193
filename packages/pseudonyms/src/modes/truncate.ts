/** Addresses cut off: the network alone is left. No key, so nothing that could be destroyed: for comparison with the others. */

import { ADDRESS_BYTES, isV4 } from '../addresses/parse.ts'
import { asAddresses, countOf } from './blocks.ts'
import type { AddressMode } from './mode.ts'

// /24 of IPv4, counted within the 16 bytes, and /48 of IPv6.
const KEPT_V4 = 15
const KEPT_V6 = 6

export const truncate: AddressMode = {
  name: 'truncate',
  pseudonymise(addresses) {
    countOf(addresses)
    const cut = Uint8Array.from(addresses)
    for (let at = 0; at < cut.length; at += ADDRESS_BYTES) cut.fill(0, at + (isV4(cut, at) ? KEPT_V4 : KEPT_V6), at + ADDRESS_BYTES)
    return asAddresses(cut)
  },
}
