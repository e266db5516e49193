/** A certificate as one text: `scc1.` ‖ base64url(body) ‖ `.` ‖ base64url(public key 32) ‖ `.` ‖ base64url(signature 64). */

import type { CertificateSignature } from '@strongroom/core'

const PREFIX = 'scc1'
const PUBLIC_KEY = 32
const SIGNATURE = 64
/** More than a certificate has whose vault has closed 2,000 epochs. */
const MAX_TEXT = 512 * 1024

/** A certificate taken apart: nothing of it is checked but its form. */
export interface SignedBody extends CertificateSignature {
  readonly body: Uint8Array
}

export function toText({ body, publicKey, signature }: SignedBody): string {
  return [PREFIX, ...[body, publicKey, signature].map((part) => Buffer.from(part).toString('base64url'))].join('.')
}

/** The parts of a text, or `undefined` if it is not the one text of them. */
export function fromText(text: string): SignedBody | undefined {
  if (text.length > MAX_TEXT) return undefined
  const [body, publicKey, signature] = text
    .split('.')
    .slice(1)
    .map((part) => new Uint8Array(Buffer.from(part, 'base64url')))
  if (body === undefined || publicKey?.length !== PUBLIC_KEY || signature?.length !== SIGNATURE) return undefined
  const parts = { body, publicKey, signature }
  return toText(parts) === text ? parts : undefined
}
