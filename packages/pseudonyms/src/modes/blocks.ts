/** Blocks of bytes: counted, and written as text. */

import { invalidArgument } from '@strongroom/core'

import { ADDRESS_BYTES } from '../addresses/parse.ts'

/** How many addresses these are. @throws StrongroomError `invalid_argument` */
export function countOf(addresses: Uint8Array): number {
  if (!(addresses instanceof Uint8Array) || addresses.length % ADDRESS_BYTES !== 0)
    throw invalidArgument('addresses', 'must be whole blocks of 16 bytes')
  return addresses.length / ADDRESS_BYTES
}

/** Each so many bytes in an encoding. */
export function encoded(bytes: Uint8Array, size: number, encoding: 'hex' | 'base64url'): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const texts: string[] = []
  for (let at = 0; at < bytes.length; at += size) texts.push(buffer.toString(encoding, at, at + size))
  return texts
}

/** Two parts of each pseudonym, one behind the other. */
export function interleave(first: Uint8Array, firstSize: number, second: Uint8Array, secondSize: number): Uint8Array {
  const out = new Uint8Array(first.length + second.length)
  const size = firstSize + secondSize
  for (let i = 0; i * size < out.length; i++) {
    out.set(first.subarray(i * firstSize, (i + 1) * firstSize), i * size)
    out.set(second.subarray(i * secondSize, (i + 1) * secondSize), i * size + firstSize)
  }
  return out
}

/** The bytes of hexadecimal text of a length, or `undefined`. */
export function unhex(text: string, length: number): Buffer | undefined {
  return text.length === 2 * length && /^[0-9a-f]+$/u.test(text) ? Buffer.from(text, 'hex') : undefined
}
