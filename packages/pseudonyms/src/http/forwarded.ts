/** The header `Forwarded` (RFC 7239, section 4): `for=192.0.2.60;proto=http, for="[2001:db8:cafe::17]:4711"`. */

/** One element: the parameters that a proxy has added. Names in lower case, values without quotes. */
export type ForwardedElement = readonly (readonly [name: string, value: string])[]

const NAME = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
// Pairs may be empty.
const PAIR = new RegExp(`[ \\t]*(?:(${NAME})=(?:(${NAME})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*)?(?:;|$)`, 'y')
const TOKEN = new RegExp(`^${NAME}$`)

/** The elements from the client on, without empty ones; `undefined` for what is none. */
export function parseForwarded(value: string): readonly (ForwardedElement | undefined)[] {
  return splitFromEnd(value)
    .map(parseElement)
    .filter((element) => element?.length !== 0)
}

/**
 * Divides it at commas outside of quotes, from the end on: what the nearest proxy has written is last, and a quote that a client has opened
 * and not closed hides nothing behind it.
 */
function splitFromEnd(value: string): readonly string[] {
  const parts: string[] = []
  let end = value.length
  let isQuoted = false
  for (let at = value.length - 1; at >= 0; at--) {
    if (value[at] === '"' && !isEscaped(value, at)) isQuoted = !isQuoted
    else if (value[at] === ',' && !isQuoted) {
      parts.push(value.slice(at + 1, end))
      end = at
    }
  }
  return [...parts, value.slice(0, end)].toReversed()
}

function isEscaped(value: string, quote: number): boolean {
  let at = quote
  while (value[at - 1] === '\\') at--
  return (quote - at) % 2 === 1
}

function parseElement(text: string): ForwardedElement | undefined {
  const pairs: [string, string][] = []
  for (PAIR.lastIndex = 0; PAIR.lastIndex < text.length;) {
    const pair = PAIR.exec(text)
    if (pair === null) return undefined
    const [, name, token, quotedText = ''] = pair
    if (name !== undefined) pairs.push([name.toLowerCase(), token ?? quotedText.replaceAll(/\\(.)/g, '$1')])
  }
  return pairs
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
