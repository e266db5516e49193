/** Wrapping under one root version (README.md, "What a wrap is"). */

import { hkdfSha256, wipe, xaesOpen, xaesSeal } from '@strongroom/core'

import { concat, lpAll, u32, u8, utf8 } from './bytes.ts'

const LABEL = utf8('strongroom/v1/local-root/wrap')
const FORMAT = 0x01

/** What a wrap is bound to, besides the root key. */
export interface WrapPlace {
  readonly fileId: Uint8Array
  readonly number: number
  readonly id: Uint8Array
  /** The caller's associated data. */
  readonly aad: Uint8Array
}

/** 0x01 ‖ nonce 24 ‖ ciphertext ‖ tag 16. */
export function wrapUnder(rootKey: Uint8Array, place: WrapPlace, plaintext: Uint8Array): Uint8Array {
  const key = hkdfSha256(rootKey, LABEL)
  try {
    return concat(u8(FORMAT), xaesSeal(key, wrapData(place), plaintext))
  } finally {
    wipe(key)
  }
}

/** The plaintext, or `undefined` if this is not what {@link wrapUnder} made of it in this place. */
export function unwrapUnder(rootKey: Uint8Array, place: WrapPlace, wrap: Uint8Array): Uint8Array | undefined {
  if (wrap[0] !== FORMAT) return undefined
  const key = hkdfSha256(rootKey, LABEL)
  try {
    return xaesOpen(key, wrapData(place), wrap.subarray(1))
  } finally {
    wipe(key)
  }
}

function wrapData({ fileId, number, id, aad }: WrapPlace): Uint8Array {
  return lpAll(LABEL, fileId, u32(number), id, aad)
}
