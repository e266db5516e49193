/**
 * The common and the combined log format of Apache and nginx:
 * `host ident user [10/Oct/2000:13:55:36 -0700] "request" status bytes "referer" "user agent"`, and whatever is appended to it.
 */

import { BRACKET, END_BRACKET, indexWithin, QUOTE, SPACE } from '../bytes.ts'
import { CLF_TIME_BYTES, ClfTimes } from './clf-time.ts'
import { type LineFormat, MALFORMED, type Readers } from './format.ts'

/** The host is where an address is expected; all of the rest is searched. */
export function combinedFormat({ scanner, field, enricher }: Readers): LineFormat {
  const times = new ClfTimes()

  // What stands before it comes from whoever logs in: it may look like a time, but both servers escape quotes in it.
  const instantOf = (bytes: Buffer, from: number, to: number): number | undefined => {
    for (let at = indexWithin(bytes, BRACKET, from, to); at < to; at = indexWithin(bytes, BRACKET, at + 1, to)) {
      const end = at + 1 + CLF_TIME_BYTES
      if (bytes[at - 1] !== SPACE || end + 2 >= to || bytes[end] !== END_BRACKET) continue
      if (bytes[end + 1] !== SPACE || bytes[end + 2] !== QUOTE) continue
      const instant = times.read(bytes, at + 1, end)
      if (instant !== undefined) return instant
    }
    return undefined
  }

  return {
    read(bytes, from, to, into) {
      const space = indexWithin(bytes, SPACE, from, to)
      const instant = space === from || space === to ? undefined : instantOf(bytes, space, to)
      if (instant === undefined) {
        scanner.text(bytes, from, to, into)
        return MALFORMED
      }
      const { addresses } = into
      field.read(bytes, from, space, into)
      const kept = enricher?.first(into, addresses)
      scanner.text(bytes, space, to, into)
      if (enricher !== undefined) into.addInsertion(to, ` ${JSON.stringify(kept ?? '-')}`)
      return instant
    },
  }
}
