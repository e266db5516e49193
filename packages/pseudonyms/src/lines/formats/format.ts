/** What a format of lines is: it knows where the time is, and where an address is expected. */

import type { Enricher } from '../enrich.ts'
import type { FieldReader } from '../field.ts'
import type { Findings } from '../findings.ts'
import type { Scanner } from '../scanner.ts'

/** What reads the parts of a line. */
export interface Readers {
  readonly scanner: Scanner
  readonly field: FieldReader
  readonly enricher: Enricher | undefined
}

/** The line is not of the format. */
export const MALFORMED = 'malformed'

/** A format of lines. What it keeps from one line to the next is room, and nothing that was in one. */
export interface LineFormat {
  /**
   * Reads one line without its end, and adds in order what is to be taken out, wherever it stands.
   *
   * @returns the instant of what the line tells, in UTC milliseconds; `undefined` where lines of the format have none; `MALFORMED` where the
   *   line is not of the format: it was searched like any text
   */
  read(bytes: Buffer, from: number, to: number, into: Findings): number | undefined | typeof MALFORMED
}
