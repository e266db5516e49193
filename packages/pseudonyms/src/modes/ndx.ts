/** `ipcrypt-ndx` (draft-denis-ipcrypt, section 7.4.2): AES-XTS of the one block, under a random tweak of 16 bytes that stands before it. */

import { randomBytes } from '@strongroom/core'

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { AesBlocks } from './aes.ts'
import { countOf, unhex } from './blocks.ts'
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
  return {
    name: 'ndx',
    pseudonymise(addresses) {
      const count = countOf(addresses)
      const tweaks = random(count * TWEAK)
      const masks = tweaking.encrypt(tweaks)
      const blocks = xor(data.encrypt(xor(addresses, masks)), masks)
      return Array.from({ length: count }, (_, i) => hexOf(tweaks, i) + hexOf(blocks, i))
    },
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

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(a.length)
  for (let i = 0; i < a.length; i++) out[i] = (a[i] as number) ^ (b[i] as number)
  return out
}

function hexOf(blocks: Uint8Array, i: number): string {
  return Buffer.from(blocks.buffer, blocks.byteOffset + i * ADDRESS_BYTES, ADDRESS_BYTES).toString('hex')
}
