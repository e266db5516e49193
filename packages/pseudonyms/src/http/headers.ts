/** Headers in which addresses stand, and what is put there. */

import { parseEndpoint } from '../addresses/endpoint.ts'
import { formatAddress } from '../addresses/format.ts'
import { formatForwarded, parseForwarded } from './forwarded.ts'

/** Headers as they came: names in any case, several of one name are several. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/** Stands for an address, by its canonical text. */
export type Replace = (address: string) => string

/** The header of CloudFront, whose value is one address with a port: behind IPv6 too, without brackets. */
const VIEWER_ADDRESS = 'cloudfront-viewer-address'

/** Headers whose value is one address, or several with commas between them. */
export const ADDRESS_HEADERS: readonly string[] = [
  'x-forwarded-for',
  'x-original-forwarded-for',
  'x-http-forwarded-for',
  'x-forwarded',
  'forwarded-for',
  'x-real-ip',
  'x-real-client-ip',
  'x-client-ip',
  'x-clientip',
  'x-cluster-client-ip',
  'x-originating-ip',
  'x-original-client-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-connecting-ip',
  'x-true-client-ip',
  'x-http-client-ip',
  'client-ip',
  'proxy-client-ip',
  'wl-proxy-client-ip',
  'remote-addr',
  'x-envoy-external-address',
  'x-appengine-user-ip',
  'x-appengine-remote-addr',
  'x-proxyuser-ip',
  'x-azure-clientip',
  'x-azure-socketip',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-pseudo-ipv4',
  VIEWER_ADDRESS,
  'fastly-client-ip',
  'fastly-temp-xff',
  'fly-client-ip',
  'do-connecting-ip',
  'x-vercel-forwarded-for',
  'x-vercel-proxied-for',
  'x-nf-client-connection-ip',
  'incap-client-ip',
  'x-sucuri-clientip',
  'ali-cdn-real-ip',
  'cdn-src-ip',
  'x-cdn-src-ip',
]
/** The header that has a form of its own. */
export const FORWARDED = 'forwarded'

const UNKNOWN = 'unknown'
// Of RFC 7239 only these are kept: others may hold anything.
const HARMLESS = ['host', 'proto']
const NODES = ['for', 'by']

/** The values of a header, in order, as one (RFC 9110, section 5.3). */
export function joined(headers: HeaderList, name: string): string | undefined {
  const values = headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** Every address in the headers, by its canonical text. */
export function addressesIn(headers: HeaderList, names: ReadonlySet<string>): readonly string[] {
  const found: string[] = []
  replaceHeaders(headers, names, (address) => {
    found.push(address)
    return address
  })
  return found
}

/**
 * The same headers with something else for each address. What is no address where one is expected becomes `unknown`: those who count proxies
 * from the end count on.
 */
export function replaceHeaders(headers: HeaderList, names: ReadonlySet<string>, replace: Replace): HeaderList {
  return headers.flatMap(([name, value]) => {
    const lower = name.toLowerCase()
    if (lower !== FORWARDED && !names.has(lower)) return [[name, value] as const]
    const replaced = lower === FORWARDED ? inForwarded(value, replace) : inList(lower, value, replace)
    return replaced === '' ? [] : [[name, replaced] as const]
  })
}

/** The addresses of a list from the client on, `undefined` for what is none. */
export function listOf(name: string, value: string): readonly (Uint8Array | undefined)[] {
  if (name !== FORWARDED) return elementsOf(value).map((text) => parseEndpoint(text)?.address)
  return parseForwarded(value).map((element) => parseEndpoint(element?.find(([each]) => each === 'for')?.[1] ?? '')?.address)
}

// Empty ones are of no account (RFC 9110, section 5.6.1.2).
function elementsOf(value: string): readonly string[] {
  return value
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
}

function inList(name: string, value: string, replace: Replace): string {
  return elementsOf(value)
    .map((text) => nodeOf(name === VIEWER_ADDRESS ? text.replace(/:\d{1,5}$/, '') : text, replace) ?? UNKNOWN)
    .join(', ')
}

function inForwarded(value: string, replace: Replace): string {
  const elements = parseForwarded(value).map((element) =>
    (element ?? [['for', UNKNOWN] as const]).flatMap(([name, text]): [string, string][] => {
      if (HARMLESS.includes(name)) return [[name, text]]
      return NODES.includes(name) ? [[name, forwardedNode(nodeOf(text, replace))]] : []
    }),
  )
  return formatForwarded(elements.filter((element) => element.length > 0))
}

function nodeOf(text: string, replace: Replace): string | undefined {
  const endpoint = parseEndpoint(text)
  return endpoint && replace(formatAddress(endpoint.address))
}

// RFC 7239, section 6: IPv6 is in brackets, and what is no address begins with an underscore.
function forwardedNode(text: string | undefined): string {
  if (text === undefined) return UNKNOWN
  if (text.includes(':')) return `[${text}]`
  return parseEndpoint(text) === undefined ? `_${text}` : text
}
