/**
 * Where a URL has its host, a number alone is an address: `http://2130706433/`, `//0x7f.1`. Everywhere else it is a number.
 *
 * The URL standard takes any count of slashes, of either kind, after the schemes that it knows (https://url.spec.whatwg.org, "special
 * authority ignore slashes state").
 */

import { AT, BACKSLASH, COLON, DOT, ENDS_AUTHORITY, IS_DIGIT, SLASH, tableOf } from './bytes.ts'
import { type DottedRun, readNumbers } from './dotted.ts'

// A user part may be long, but who reads each of many from its beginning to its end takes too long.
const MOST_AUTHORITY = 1024
const SCHEMES = ['http', 'https', 'ws', 'wss', 'ftp', 'file']
const LONGEST_SCHEME = 5
const ENDS_SCHEME = tableOf('psePSE')

/**
 * Reads a host that is made of one to three numbers.
 *
 * @param start - behind the slashes
 * @returns whether there is one: then it is `run`
 */
export function readNumericHost(bytes: Uint8Array, start: number, to: number, run: DottedRun): boolean {
  let host = start
  let end = start
  const most = Math.min(to, start + MOST_AUTHORITY)
  for (; end < most && ENDS_AUTHORITY[bytes[end] as number] === 0; end++) if (bytes[end] === AT) host = end + 1
  if (host >= end || IS_DIGIT[bytes[host] as number] === 0) return false
  readNumbers(bytes, host, end, run)
  const next = bytes[run.end] === DOT ? run.end + 1 : run.end
  return run.parts < 4 && (next >= end || bytes[next] === COLON)
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
