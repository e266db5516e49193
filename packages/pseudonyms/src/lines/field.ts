/** A place in which an address is expected, and nothing else: what is not understood there is taken out whole. */

import { parseEndpoint } from '../addresses/endpoint.ts'
import { COMMA, indexWithin, SPACE } from './bytes.ts'
import { type DottedRun, emptyRun, ONE_ADDRESS, readNumbers } from './dotted.ts'
import { AMBIGUOUS, type Findings } from './findings.ts'

// What stands for no address: nothing, and the words of RFC 7239, section 6, and of servers.
const NO_ADDRESS: ReadonlySet<string> = new Set(['', '-', 'unknown', 'unix:'])

/** Kept for many lines; it remembers nothing of them. */
export class FieldReader {
  readonly #run: DottedRun = emptyRun()

  /** Reads one address, or several with commas between them. */
  read(bytes: Buffer, from: number, to: number, into: Findings): void {
    let start = from
    while (start <= to) {
      const end = indexWithin(bytes, COMMA, start, to)
      this.#one(bytes, start, end, into)
      start = end + 1
    }
  }

  #one(bytes: Buffer, from: number, to: number, into: Findings): void {
    let [start, end] = [from, to]
    while (start < end && (bytes[start] as number) <= SPACE) start++
    while (end > start && (bytes[end - 1] as number) <= SPACE) end--
    const run = this.#run
    readNumbers(bytes, start, end, run)
    if (run.end === end && run.verdict === ONE_ADDRESS) {
      const [a, b, c, d] = run.numbers as unknown as [number, number, number, number]
      into.addV4(start, end, a, b, c, d)
      return
    }
    const text = bytes.toString('latin1', start, end)
    const endpoint = parseEndpoint(text)
    if (endpoint !== undefined) {
      const isBracketed = text.startsWith('[')
      // The zone goes, brackets and port stay.
      const length = isBracketed ? text.indexOf(']') : endpoint.port === undefined ? text.length : text.lastIndexOf(':')
      into.addAddress(start + (isBracketed ? 1 : 0), start + length, endpoint.address)
    } else if (!NO_ADDRESS.has(text)) into.add(start, end, AMBIGUOUS)
  }
}
