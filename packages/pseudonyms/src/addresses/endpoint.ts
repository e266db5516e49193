/** Addresses as servers write them: with a port, in brackets, with the zone of the interface they came by. */

import { parseAddress } from './parse.ts'

/** An address with what stood around it. */
export interface Endpoint {
  /** 16 bytes, as `parseAddress` gives them. */
  readonly address: Uint8Array
  readonly port: number | undefined
  /** The zone of an IPv6 address (RFC 4007): a name that means something on one machine only. */
  readonly zone: string | undefined
}

const MOST_CHARACTERS = 128
const MOST_PORT = 65_535
// `192.0.2.1:80`; `[2001:db8::1]`, `[fe80::1%25eth0]:80` (RFC 6874 has `%25` for the `%` in a URL); `fe80::1%eth0`.
const BRACKETED = /^\[(?<v6>[0-9a-f:.]+)(?:%(?:25)?(?<zone>[\w.~-]{1,64}))?\](?::(?<port>\d{1,5}))?$/iu
const BARE = /^(?:(?<v4>[0-9.]+)(?::(?<port>\d{1,5}))?|(?<v6>[0-9a-f:.]+)(?:%(?<zone>[\w.~-]{1,64}))?)$/iu

/**
 * Reads one address and what stands around it: a port behind IPv4 or brackets, brackets, a zone behind IPv6.
 *
 * @returns `undefined` where it is anything else; a port behind IPv6 without brackets cannot be told from its last group, and is read as that
 * @example
 * ```ts
 * import { formatAddress, parseEndpoint } from '@strongroom/pseudonyms'
 *
 * const endpoint = parseEndpoint('[2001:db8::1]:443')
 * if (endpoint !== undefined) console.log(formatAddress(endpoint.address), endpoint.port)
 * ```
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  if (text.length > MOST_CHARACTERS) return undefined
  const { v4, v6, zone, port } = (BRACKETED.exec(text) ?? BARE.exec(text))?.groups ?? {}
  if (v6 !== undefined && !v6.includes(':')) return undefined
  const address = parseAddress(v4 ?? v6 ?? '')
  const number = port === undefined ? undefined : Number(port)
  if (address === undefined || (number !== undefined && number > MOST_PORT)) return undefined
  return { address, port: number, zone }
}
