/** Pseudonyms of identifiers: each under a key of its person's own, and gone with it. */

import { createHmac } from 'node:crypto'

import { invalidArgument, readOptions, type Tenant } from '@strongroom/core'

/** Options of `id`. */
export interface IdOptions {
  /** The subject whose identifier it is; the value itself unless given. */
  readonly subject?: string
}

const VERSION = 1
const MAC_BYTES = 15
const MOST_BYTES = 1024

/**
 * `0x01 ‖ the first 15 bytes of HMAC-SHA-256(key, LP(kind) ‖ LP(value))` (RFC 2104), as base64url.
 *
 * @throws StrongroomError `invalid_argument`, and as `encrypt` of the subject
 */
export async function identifier(tenant: Tenant, purpose: string, kind: string, value: string, options?: IdOptions): Promise<string> {
  const { subject = value } = readOptions(options, ['subject'])
  const [kindBytes, valueBytes] = [lp(kind, 'kind'), lp(value, 'value')]
  return tenant.subject(subject).rawKey({ use: 'pseudonym-id', name: purpose }, (key) => {
    const mac = createHmac('sha256', key).update(kindBytes).update(valueBytes).digest()
    return Buffer.concat([Uint8Array.of(VERSION), mac.subarray(0, MAC_BYTES)]).toString('base64url')
  })
}

function lp(text: string, argument: string): Buffer {
  if (typeof text !== 'string' || text === '' || text.length > MOST_BYTES || !text.isWellFormed())
    throw invalidArgument(argument, `must be a string of 1 to ${MOST_BYTES} characters, without lone surrogates`)
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
