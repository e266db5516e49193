/**
 * Runs of numbers and dots: `192.0.2.1`, and whatever else a parser may take for it.
 *
 * `inet_aton` reads `0300.0.2.1` as octal, others read the same as decimal, and `0xc0.0.2.1` is read by some and refused by others (RFC 6943,
 * section 3.1.1). Only four decimal numbers without leading zeros have one meaning.
 */

import { DOT, hexValue, IS_DIGIT, IS_HEX, IS_LETTER, LETTER_X, SLASH, ZERO } from './bytes.ts'

/** What a run is. */
export const NOTHING = 0
export const ONE_ADDRESS = 1
export const UNCLEAR = 2

/** The run that was read last. One object, read anew each time. */
export interface DottedRun {
  start: number
  end: number
  verdict: typeof NOTHING | typeof ONE_ADDRESS | typeof UNCLEAR
  /** How many numbers it has. */
  parts: number
  readonly numbers: Uint8Array
}

export function emptyRun(): DottedRun {
  return { start: 0, end: 0, verdict: NOTHING, parts: 0, numbers: new Uint8Array(4) }
}

const MOST = 255
// Numbers beyond it are not told apart.
const TOO_MUCH = 100_000

/**
 * Reads the whole run around a dot. Where there is none, `end` is just behind the dot.
 *
 * @param dot - where the dot is; what is before `from` belongs to something else
 */
export function readDotted(bytes: Uint8Array, dot: number, from: number, to: number, run: DottedRun): void {
  const start = startOfNumber(bytes, dot, from)
  if (start === dot) {
    run.start = dot
    run.end = dot + 1
    run.verdict = NOTHING
    run.parts = 0
    return
  }
  readNumbers(bytes, start, to, run)
  if (run.verdict === ONE_ADDRESS && isVersion(bytes, start, from, run.numbers)) run.verdict = NOTHING
}

/** Reads numbers with dots between them. @param start - where the first begins */
export function readNumbers(bytes: Uint8Array, start: number, to: number, run: DottedRun): void {
  let at = start
  let parts = 0
  let inARow = 0
  let isPlain = true
  let hasFour = false
  for (;;) {
    let begin = at
    let hex = TOO_MUCH
    const isHex = bytes[at] === ZERO && at + 1 < to && ((bytes[at + 1] as number) | 0x20) === LETTER_X
    if (isHex) {
      isPlain = false
      at += 2
      begin = at
      hex = 0
      for (let digit = hexAt(bytes, at, to); digit >= 0; digit = hexAt(bytes, ++at, to)) {
        if (hex < TOO_MUCH) hex = hex * 16 + digit
        // Who knows of no hexadecimal numbers reads `0xab192` as 192 behind a word.
        if (digit > 9) begin = at + 1
      }
      at = begin
    }
    let value = 0
    let octal = 0
    for (; at < to && IS_DIGIT[bytes[at] as number] === 1; at++) {
      const digit = (bytes[at] as number) - ZERO
      if (value < TOO_MUCH) value = value * 10 + digit
      if (octal < TOO_MUCH) octal = digit > 7 ? TOO_MUCH : octal * 8 + digit
    }
    // Without a leading zero nobody reads it as octal.
    if (bytes[begin] !== ZERO) octal = TOO_MUCH
    else if (at - begin > 1) isPlain = false
    // `0x` alone is zero to some.
    if (isHex && at === begin) value = hex
    if (value > MOST) isPlain = false
    inARow = value <= MOST || octal <= MOST || hex <= MOST ? inARow + 1 : 0
    if (inARow === 4) hasFour = true
    if (parts < 4) run.numbers[parts] = value
    parts++
    if (at + 1 < to && bytes[at] === DOT && IS_DIGIT[bytes[at + 1] as number] === 1) at++
    else break
  }
  run.start = start
  run.end = at
  run.parts = parts
  // Of five numbers, such as `192.0.2.1.443` for an address with its port, nobody knows which four are meant.
  run.verdict = isPlain && parts === 4 ? ONE_ADDRESS : hasFour ? UNCLEAR : NOTHING
}

// The digits before the dot, with `0x` where that belongs to them; other letters do not.
function startOfNumber(bytes: Uint8Array, dot: number, from: number): number {
  let start = dot
  while (start > from && IS_DIGIT[bytes[start - 1] as number] === 1) start--
  let hex = start
  while (hex > from && IS_HEX[bytes[hex - 1] as number] === 1) hex--
  if (hex - 2 < from || ((bytes[hex - 1] as number) | 0x20) !== LETTER_X || bytes[hex - 2] !== ZERO) return start
  // The zero of `640x192.0.2.1` is one of another number.
  return hex - 3 >= from && IS_DIGIT[bytes[hex - 3] as number] === 1 ? start : hex - 2
}

// `Chrome/126.0.0.0`: what browsers call their version (RFC 9110, section 10.1.5). As an address it would be the number of a network.
function isVersion(bytes: Uint8Array, start: number, from: number, numbers: Uint8Array): boolean {
  if (numbers[1] !== 0 || numbers[2] !== 0 || numbers[3] !== 0) return false
  return start - 2 >= from && bytes[start - 1] === SLASH && IS_LETTER[bytes[start - 2] as number] === 1
}

function hexAt(bytes: Uint8Array, at: number, to: number): number {
  return at < to ? hexValue(bytes[at]) : -1
}
