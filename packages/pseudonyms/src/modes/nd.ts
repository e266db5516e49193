/** `ipcrypt-nd` (draft-denis-ipcrypt, section 7.4.1): KIASU-BC under a random tweak of 8 bytes, which stands before it. */

import { randomBytes } from '@strongroom/core'

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { destroyed } from './aes.ts'
import { countOf, encoded, interleave, unhex } from './blocks.ts'
import { requireHalf } from './key-halves.ts'
import { Kiasu, KIASU_BLOCKS, KIASU_TWEAK } from './kiasu.ts'
import type { ReversibleMode } from './mode.ts'

const OUTPUT = KIASU_TWEAK + ADDRESS_BYTES

/**
 * The same address gets the same pseudonym about once in 2^64 times: 48 hexadecimal digits.
 *
 * @param key - 16 bytes
 * @param random - where tweaks come from; core's `randomBytes` unless given
 * @throws StrongroomError `invalid_argument`
 */
export function nd(key: Uint8Array, random: (length: number) => Uint8Array = randomBytes): ReversibleMode {
  let kiasu: Kiasu | undefined = new Kiasu(requireHalf(key))
  const required = (): Kiasu => {
    if (kiasu === undefined) throw destroyed()
    return kiasu
  }
  const pseudonymiseBytes = (addresses: Uint8Array): Uint8Array => {
    const cipher = required()
    const count = countOf(addresses)
    const tweaks = random(count * KIASU_TWEAK)
    const blocks = Uint8Array.from(addresses)
    for (let from = 0; from < count; from += KIASU_BLOCKS) {
      const to = from + KIASU_BLOCKS
      cipher.encrypt(blocks.subarray(from * ADDRESS_BYTES, to * ADDRESS_BYTES), tweaks.subarray(from * KIASU_TWEAK, to * KIASU_TWEAK))
    }
    return interleave(tweaks, KIASU_TWEAK, blocks, ADDRESS_BYTES)
  }
  return {
    name: 'nd',
    size: OUTPUT,
    pseudonymiseBytes,
    pseudonymise: (addresses) => encoded(pseudonymiseBytes(addresses), OUTPUT, 'hex'),
    reverse(text) {
      const output = unhex(text, OUTPUT)
      if (output === undefined) return undefined
      const block = Uint8Array.from(output.subarray(KIASU_TWEAK))
      required().decrypt(block, output.subarray(0, KIASU_TWEAK))
      return block
    },
    destroy() {
      kiasu?.destroy()
      kiasu = undefined
    },
  }
}
