/** Character references of HTML and XML: `&#46;`, `&#x2e;`, `&#46`, `&period;` (https://html.spec.whatwg.org, "Named character references"). */

import { HASH, hexValue, IS_DIGIT, IS_LETTER, LETTER_X, SEMICOLON, ZERO } from './bytes.ts'
import { type Escape, take, takeCodePoint } from './escape.ts'

// Those of what addresses, hosts and escapes are made of. Names of digits there are none.
const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['AMP', '&'],
  ['period', '.'],
  ['colon', ':'],
  ['percnt', '%'],
  ['num', '#'],
  ['sol', '/'],
  ['bsol', '\\'],
  ['commat', '@'],
  ['equals', '='],
  ['lsqb', '['],
  ['lbrack', '['],
  ['rsqb', ']'],
  ['rbrack', ']'],
])
const LONGEST_NAME = 6
const TOO_MUCH = 0x110000

/** @param found - where the answer is put */
export function readReference(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  if (bytes[at + 1] === HASH && at + 1 < to) readNumeric(bytes, at, to, found)
  else readNamed(bytes, at, to, found)
}

// With as many digits as there are, and without a semicolon too, as browsers do.
function readNumeric(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const isHex = at + 2 < to && ((bytes[at + 2] as number) | 0x20) === LETTER_X
  const digits = isHex ? at + 3 : at + 2
  let end = digits
  let code = 0
  for (; end < to; end++) {
    const byte = bytes[end] as number
    const value = isHex ? hexValue(byte) : IS_DIGIT[byte] === 1 ? byte - ZERO : -1
    if (value < 0) break
    code = Math.min(TOO_MUCH, code * (isHex ? 16 : 10) + value)
  }
  if (end === digits) return
  takeCodePoint(found, code, (end < to && bytes[end] === SEMICOLON ? end + 1 : end) - at)
}

function readNamed(bytes: Uint8Array, at: number, to: number, found: Escape): void {
  const start = at + 1
  let end = start
  while (end < to && end <= start + LONGEST_NAME && IS_LETTER[bytes[end] as number] === 1) end++
  if (end === to || bytes[end] !== SEMICOLON) return
  const text = NAMED.get(String.fromCharCode(...bytes.subarray(start, end)))
  if (text === undefined) return
  take(found, text, end + 1 - at)
}
