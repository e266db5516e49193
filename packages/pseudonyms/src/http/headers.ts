/** Headers in which addresses stand, and what is put there. */

import { parseEndpoint } from '../addresses/endpoint.ts'
import { formatAddress } from '../addresses/format.ts'
import { formatForwarded, parseForwarded } from './forwarded.ts'

/** Headers as they came: names in any case, several of one name are several. */
export type HeaderList = readonly (readonly [name: string, value: string])[]

/** Stands for an address, by its canonical text. */
export type Replace = (address: string) => string

/** Headers whose value is one address, or several with commas between them. */
export const ADDRESS_HEADERS: readonly string[] = [
  'x-forwarded-for',
  'x-original-forwarded-for',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-envoy-external-address',
  'x-appengine-user-ip',
  'x-azure-clientip',
  'x-azure-socketip',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'cf-pseudo-ipv4',
  'fastly-client-ip',
  'fly-client-ip',
  'do-connecting-ip',
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

/** The same headers with something else for each address. What is no address where one is expected becomes `unknown`. */
export function replaceHeaders(headers: HeaderList, names: ReadonlySet<string>, replace: Replace): HeaderList {
  return headers.flatMap(([name, value]) => {
    const lower = name.toLowerCase()
    if (lower === FORWARDED) {
      const replaced = inForwarded(value, replace)
      return replaced === undefined ? [] : [[name, replaced] as const]
    }
    return [[name, names.has(lower) ? inList(value, replace) : value] as const]
  })
}

/** The addresses of a list from the client on, `undefined` for what is none. */
export function listOf(name: string, value: string): readonly (Uint8Array | undefined)[] {
  if (name !== FORWARDED) return value.split(',').map((text) => parseEndpoint(text.trim())?.address)
  const elements = parseForwarded(value) ?? [[]]
  return elements.map((element) => parseEndpoint(element.find(([each]) => each === 'for')?.[1] ?? '')?.address)
}

function inList(value: string, replace: Replace): string {
  return value
    .split(',')
    .map((text) => nodeOf(text.trim(), replace) ?? UNKNOWN)
    .join(', ')
}

function inForwarded(value: string, replace: Replace): string | undefined {
  const elements = parseForwarded(value)?.map((element) =>
    element.flatMap(([name, text]): [string, string][] => {
      if (HARMLESS.includes(name)) return [[name, text]]
      return NODES.includes(name) ? [[name, forwardedNode(nodeOf(text, replace))]] : []
    }),
  )
  return elements && formatForwarded(elements.filter((element) => element.length > 0))
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
