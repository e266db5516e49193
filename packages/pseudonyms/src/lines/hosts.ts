/**
 * Where a URL has its host, a number alone is an address: `http://2130706433/`, `//0x7f.1`. Everywhere else it is a number.
 *
 * The URL standard takes any count of slashes, of either kind, after the schemes that it knows (https://url.spec.whatwg.org, "special
 * authority ignore slashes state"), and whatever but a slash, `?` and `#` before the last `@` of a host.
 */

import { BACKSLASH, COLON, CONTROLS, DOT, IS_DIGIT, SLASH, tableOf } from './bytes.ts'
import { type DottedRun, readNumbers } from './dotted.ts'

const SCHEMES = ['http', 'https', 'ws', 'wss', 'ftp', 'file']
const LONGEST_SCHEME = 5
const ENDS_SCHEME = tableOf('psePSE')
const ENDS_USER = tableOf(`/\\?#${CONTROLS}`)
// What makes of a number a part of a name, or of a user part.
const GOES_ON = tableOf('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@%').fill(1, 0x80)

/** What may be a host: behind the slashes, and behind each `@` up to the end of the authority. */
export class Authority {
  #isOpen = false
  // Up to here nothing has ended it.
  #checked = 0

  begin(at: number): void {
    this.#isOpen = true
    this.#checked = at
  }

  end(): void {
    this.#isOpen = false
  }

  /** Whether the authority that has begun goes on up to an `@`. Each byte is looked at once. */
  reaches(bytes: Uint8Array, at: number): boolean {
    while (this.#isOpen && this.#checked < at) if (ENDS_USER[bytes[this.#checked++] as number] === 1) this.#isOpen = false
    return this.#isOpen
  }
}

/**
 * Reads a host that is made of one to three numbers.
 *
 * @param start - where it would begin
 * @returns whether there is one: then it is `run`
 */
export function readNumericHost(bytes: Uint8Array, start: number, to: number, run: DottedRun): boolean {
  if (start >= to || IS_DIGIT[bytes[start] as number] === 0) return false
  readNumbers(bytes, start, to, run)
  if (run.parts > 3) return false
  let next = run.end
  if (next < to && bytes[next] === DOT) next++
  if (next < to && bytes[next] === COLON) {
    next++
    while (next < to && IS_DIGIT[bytes[next] as number] === 1) next++
    // Groups of IPv6, without its brackets.
    if (next < to && bytes[next] === COLON) return false
  }
  return next >= to || GOES_ON[bytes[next] as number] === 0
}

/**
 * Where the host begins after the colon of a scheme that needs no slashes.
 *
 * @param colon - not the first byte of what is looked at
 * @returns `undefined` if the colon is not that of one
 */
export function hostAfterScheme(bytes: Buffer, colon: number, from: number, to: number): number | undefined {
  if (ENDS_SCHEME[bytes[colon - 1] as number] === 0) return undefined
  const before = bytes.toString('latin1', Math.max(from, colon - LONGEST_SCHEME), colon).toLowerCase()
  if (!SCHEMES.some((scheme) => before.endsWith(scheme))) return undefined
  let start = colon + 1
  while (start < to && (bytes[start] === SLASH || bytes[start] === BACKSLASH)) start++
  return start
}
