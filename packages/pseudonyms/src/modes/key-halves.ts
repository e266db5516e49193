/** Keys of two halves, which must not be the same. */

import { equalBytes, invalidArgument } from '@strongroom/core'

const HALF = 16

/**
 * Both halves of a 32-byte key.
 *
 * @throws StrongroomError `invalid_argument`, also where they are equal: `prefix` would then leave every address as it is (draft-denis-ipcrypt, section 6.2.2), and the two
 *   keys of `ndx` be one
 */
export function keyHalves(key: Uint8Array): readonly [Uint8Array, Uint8Array] {
  if (!(key instanceof Uint8Array) || key.length !== 2 * HALF) throw invalidArgument('key', 'must be 32 bytes')
  const halves = [key.subarray(0, HALF), key.subarray(HALF)] as const
  if (equalBytes(...halves)) throw invalidArgument('key', 'must not be of two equal halves')
  return halves
}

/** A key of 16 bytes. @throws StrongroomError `invalid_argument` */
export function requireHalf(key: Uint8Array): Uint8Array {
  if (!(key instanceof Uint8Array) || key.length !== HALF) throw invalidArgument('key', 'must be 16 bytes')
  return key
}
