/** Bytes and the text that stands for them. */

import { backend } from '#backend'

/** One byte, then the UTF-8 of a well-formed text. The caller wipes it. */
export function byteAndText(byte: number, text: string): Uint8Array {
  return backend.byteAndText(byte, text)
}

/** base64url (RFC 4648, section 5), without padding. */
export function base64url(bytes: Uint8Array): string {
  return backend.base64url(bytes)
}

/** The bytes of base64url without padding, at least one, or `undefined` if it is not the one text of those bytes. */
export function fromBase64url(text: string): Uint8Array | undefined {
  return text === '' ? undefined : backend.fromBase64url(text)
}
