/** Text on its way into a cipher. */

import { backend } from '#backend'

/** One byte, then the UTF-8 of a well-formed text. The caller wipes it. */
export function byteAndText(byte: number, text: string): Uint8Array {
  return backend.byteAndText(byte, text)
}
