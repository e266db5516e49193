/** The header `Forwarded` (RFC 7239, section 4): `for=192.0.2.60;proto=http, for="[2001:db8:cafe::17]:4711"`. */

/** One element: the parameters that a proxy has added. Names in lower case, values without quotes. */
export type ForwardedElement = readonly (readonly [name: string, value: string])[]

const PAIR = /\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)")\s*([;,]|$)/y
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** @returns `undefined` where it is none */
export function parseForwarded(value: string): readonly ForwardedElement[] | undefined {
  const elements: [string, string][][] = [[]]
  PAIR.lastIndex = 0
  for (;;) {
    const pair = PAIR.exec(value)
    if (pair === null) return undefined
    const [, name = '', token, text = '', end] = pair
    elements.at(-1)?.push([name.toLowerCase(), token ?? text.replaceAll(/\\(.)/g, '$1')])
    if (end === '') return elements
    if (end === ',') elements.push([])
  }
}

/** Writes it anew. */
export function formatForwarded(elements: readonly ForwardedElement[]): string {
  return elements
    .map((element) => element.map(([name, value]) => `${name}=${TOKEN.test(value) ? value : quoted(value)}`).join(';'))
    .join(', ')
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}
