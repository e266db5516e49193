/** `ipcrypt-ndx` (draft-denis-ipcrypt, section 7.4.2): AES-XTS of the one block, under a random tweak of 16 bytes that stands before it. */

import { randomBytes } from '@strongroom/core'

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { AesBlocks } from './aes.ts'
import { countOf, encoded, interleave, unhex } from './blocks.ts'
import { keyHalves } from './key-halves.ts'
import type { ReversibleMode } from './mode.ts'

const TWEAK = 16
const OUTPUT = TWEAK + ADDRESS_BYTES

/**
 * The same address never gets the same pseudonym twice: 64 hexadecimal digits.
 *
 * @param key - 32 bytes, of two halves that differ
 * @param random - where tweaks come from; core's `randomBytes` unless given
 * @throws StrongroomError `invalid_argument`
 */
export function ndx(key: Uint8Array, random: (length: number) => Uint8Array = randomBytes): ReversibleMode {
  const [first, second] = keyHalves(key)
  const [data, tweaking] = [new AesBlocks(first), new AesBlocks(second)]
  const pseudonymiseBytes = (addresses: Uint8Array): Uint8Array => {
    const tweaks = random(countOf(addresses) * TWEAK)
    const masks = tweaking.encrypt(tweaks)
    return interleave(tweaks, TWEAK, xor(data.encrypt(xor(addresses, masks)), masks), ADDRESS_BYTES)
  }
  return {
    name: 'ndx',
    size: OUTPUT,
    pseudonymiseBytes,
    pseudonymise: (addresses) => encoded(pseudonymiseBytes(addresses), OUTPUT, 'hex'),
    reverse(text) {
      const output = unhex(text, OUTPUT)
      if (output === undefined) return undefined
      const mask = tweaking.encrypt(output.subarray(0, TWEAK))
      return xor(data.decrypt(xor(output.subarray(TWEAK), mask)), mask)
    },
    destroy() {
      data.destroy()
      tweaking.destroy()
    },
  }
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length)
  for (let i = 0; i < a.length; i++) out[i] = (a[i] as number) ^ (b[i] as number)
  return out
}
