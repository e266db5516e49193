/** What became of lines, in numbers. */

export interface LineCounts {
  /** Lines that came in, and went out. */
  readonly lines: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Addresses in whose place a pseudonym stands. */
  readonly addresses: number
  /** What was, or may have been, an address in an unclear spelling, or was no address where one was expected: taken out. */
  readonly unclear: number
  /** Values of parameters that were taken out. */
  readonly queryValues: number
  /** Lines that were not of the format, or longer than the most: searched like any text, with the time of now. */
  readonly malformed: number
  /** Lines with addresses for which there are no keys any more, or not yet: the addresses were taken out. */
  readonly refused: number
}

export type MutableCounts = { -readonly [K in keyof LineCounts]: LineCounts[K] }

export function noCounts(): MutableCounts {
  return { lines: 0, bytesIn: 0, bytesOut: 0, addresses: 0, unclear: 0, queryValues: 0, malformed: 0, refused: 0 }
}
