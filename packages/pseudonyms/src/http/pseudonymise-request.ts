/** The address of a client in an HTTP request, and what stands for it. Free of any framework. */

import { invalidArgument, readOptions } from '@strongroom/core'

import { parseEndpoint } from '../addresses/endpoint.ts'
import { formatAddress } from '../addresses/format.ts'
import { type Enrich, Enricher } from '../lines/enrich.ts'
import type { Pseudonyms } from '../pseudonyms.ts'
import { ADDRESS_HEADERS, addressesIn, FORWARDED, type HeaderList, joined, listOf, replaceHeaders } from './headers.ts'
import { TrustedProxies } from './trusted-proxies.ts'

/** How requests are read. */
export interface RequestOptions {
  /** The operator's own proxies, `10.0.0.0/8` or `2001:db8::1`: what they say of the client is believed. None unless given: then the peer is the client. */
  readonly trustedProxies?: readonly string[]
  /** The header that those proxies write, and that they let through from nobody else unchanged. Needed with `trustedProxies`. */
  readonly header?: 'x-forwarded-for' | 'forwarded'
  /** Names of other headers that hold one address, or several with commas between them; the usual ones are known. */
  readonly addressHeaders?: readonly string[]
  /** Sees the address of the client before it is dropped, such as for its country. Not called where the client objects. */
  readonly enrich?: Enrich
}

/** The names of those options. */
export const REQUEST_OPTIONS = ['trustedProxies', 'header', 'addressHeaders', 'enrich'] as const

/** What is known of a request. */
export interface RequestAddress {
  /** The address of the peer of the connection. */
  readonly remoteAddress: string | undefined
  readonly headers: HeaderList
}

/** What stands where the addresses were. */
export interface PseudonymousRequest {
  /** The pseudonym of the client; `-` where it objects, or is unknown. */
  readonly client: string
  /** Which signal of the client made it be dropped. */
  readonly dropped: 'dnt' | 'gpc' | undefined
  /** What `enrich` returned. */
  readonly enriched: string | undefined
  /** All headers; those that hold addresses with pseudonyms, or without them where the client objects. */
  readonly headers: HeaderList
}

/** Stands where there is no pseudonym: as in logs. Not empty, since some fall back to the raw address then. */
export const NO_CLIENT = '-'

/** Reads requests by options that were checked once. */
export interface RequestReader {
  read(request: RequestAddress): Promise<PseudonymousRequest>
  /** Whether a header of that name is one of those that hold addresses. */
  holdsAddresses(name: string): boolean
  /** The headers without any address. */
  withoutAddresses(headers: HeaderList): HeaderList
}

/** @throws StrongroomError `invalid_argument` naming the option */
export function requestReader(pseudonyms: Pseudonyms, options: RequestOptions = {}): RequestReader {
  const { trustedProxies = [], header, addressHeaders = [], enrich } = readOptions(options, REQUEST_OPTIONS)
  const trusted = new TrustedProxies(trustedProxies)
  if (header !== undefined && header !== 'x-forwarded-for' && header !== FORWARDED)
    throw invalidArgument('header', 'must be "x-forwarded-for" or "forwarded"')
  if (trusted.isEmpty === (header !== undefined)) throw invalidArgument('header', 'must be given with trustedProxies, and only with them')
  if (!Array.isArray(addressHeaders) || !addressHeaders.every((name) => typeof name === 'string' && name !== ''))
    throw invalidArgument('addressHeaders', 'must be names of headers')
  if (enrich !== undefined && typeof enrich !== 'function') throw invalidArgument('enrich', 'must be a function')
  const enricher = enrich && new Enricher(enrich)
  const names = new Set([...ADDRESS_HEADERS, ...addressHeaders.map((name) => name.toLowerCase())])

  const clientOf = ({ remoteAddress, headers }: RequestAddress): Uint8Array | undefined => {
    let client = parseEndpoint(remoteAddress ?? '')?.address
    if (client === undefined || header === undefined || !trusted.has(client)) return client
    const said = joined(headers, header)
    // From the nearest proxy on: whatever the client has sent itself is behind the first address that is not ours.
    for (const address of said === undefined ? [] : listOf(header, said).toReversed()) {
      client = address
      if (client === undefined || !trusted.has(client)) return client
    }
    return client
  }
  const holdsAddresses = (name: string): boolean => name.toLowerCase() === FORWARDED || names.has(name.toLowerCase())
  const withoutAddresses = (headers: HeaderList): HeaderList => headers.filter(([name]) => !holdsAddresses(name))

  return {
    holdsAddresses,
    withoutAddresses,
    async read(request) {
      const { headers } = request
      const dropped = objection(headers)
      if (dropped !== undefined) return { client: NO_CLIENT, dropped, enriched: undefined, headers: withoutAddresses(headers) }
      const bytes = clientOf(request)
      const client = bytes && formatAddress(bytes)
      const all = [...new Set([...(client === undefined ? [] : [client]), ...addressesIn(headers, names)])]
      const texts = await Promise.all(all.map((address) => pseudonyms.pseudonymise(address)))
      const stand = new Map(all.map((address, i) => [address, texts[i] as string]))
      const replace = (address: string): string => stand.get(address) ?? NO_CLIENT
      return {
        client: client === undefined ? NO_CLIENT : replace(client),
        dropped,
        enriched: client === undefined ? undefined : enricher?.of(client),
        headers: replaceHeaders(headers, names, replace),
      }
    },
  }
}

/**
 * What stands for the addresses of a request: a pseudonym of now for the client, and the headers with pseudonyms in them.
 *
 * `DNT: 1` (Tracking Preference Expression, section 5) and `Sec-GPC: 1` (Global Privacy Control, section 3) drop the address: the client
 * is `-` then. The wrappers for Express, Fastify and Hono put the answer where the raw address was.
 *
 * @param request - `remoteAddress`: the peer of the connection
 * @throws StrongroomError `invalid_argument` naming the option, and as `pseudonymise`
 * @example
 * ```ts
 * import { type Pseudonyms, pseudonymiseRequest } from '@strongroom/pseudonyms'
 * import { createServer } from 'node:http'
 *
 * export function serve(pseudonyms: Pseudonyms): void {
 *   createServer((request, response) => {
 *     const { remoteAddress } = request.socket
 *     const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)] as const)
 *     void pseudonymiseRequest(pseudonyms, { remoteAddress, headers }).then(({ client }) => response.end(client))
 *   }).listen(8080)
 * }
 * ```
 */
export async function pseudonymiseRequest(
  pseudonyms: Pseudonyms,
  request: RequestAddress,
  options: RequestOptions = {},
): Promise<PseudonymousRequest> {
  return requestReader(pseudonyms, options).read(request)
}

// A list where somebody has put the header twice, or put two headers into one. Behind the `1` of DNT there may be extensions.
const OBJECTIONS = [
  ['sec-gpc', 'gpc', /(?:^|,)\s*1\s*(?:,|$)/],
  ['dnt', 'dnt', /(?:^|,)\s*1/],
] as const

function objection(headers: HeaderList): 'dnt' | 'gpc' | undefined {
  return OBJECTIONS.find(([name, , isGiven]) => isGiven.test(joined(headers, name) ?? ''))?.[1]
}
