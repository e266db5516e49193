/** Root keys in and out of the bytes of a file. */

import { StrongroomError, wipe, xaesOpen, xaesSeal } from '@strongroom/core'

import { concat } from './bytes.ts'
import { encodeFile, type RootKeyFile } from './file-format.ts'
import { type Header, headerData, KEY_BYTES } from './header.ts'
import { FILE_BYTES } from './limits.ts'

/** The root keys of the live versions, by number. */
export type RootKeys = ReadonlyMap<number, Uint8Array>

/**
 * The bytes of a file with these root keys, sealed under the file's key with the whole header as associated data.
 *
 * @throws StrongroomError `unsupported_operation` if the file would outgrow its bound
 */
export function sealFile(key: Uint8Array, header: Header, keys: RootKeys): Uint8Array {
  const plaintext = concat(...liveNumbers(header).map((number) => keys.get(number) as Uint8Array))
  try {
    const bytes = encodeFile({ header, sealed: xaesSeal(key, headerData(header), plaintext) })
    if (bytes.length > FILE_BYTES)
      throw new StrongroomError('unsupported_operation', 'the root key file is full: no file holds more versions')
    return bytes
  } finally {
    wipe(plaintext)
  }
}

/** The root keys of a file, or `undefined` if it does not open under this key: a wrong key, or any bit of it was altered. */
export function openFile(key: Uint8Array, { header, sealed }: RootKeyFile): RootKeys | undefined {
  const plaintext = xaesOpen(key, headerData(header), sealed)
  if (plaintext === undefined) return undefined
  // Copies, whatever kind of bytes was opened: the slice of a Buffer is a view, and would be wiped with it.
  const keys = new Map(
    liveNumbers(header).map((number, i) => [number, Uint8Array.from(plaintext.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES))]),
  )
  wipe(plaintext)
  return keys
}

function liveNumbers({ versions }: Header): readonly number[] {
  return versions.filter(({ state }) => state === 'live').map(({ number }) => number)
}
