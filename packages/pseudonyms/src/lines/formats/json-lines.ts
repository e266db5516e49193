/** Lines of JSON with named members. What is changed in them is the text of addresses: all other bytes stay as they are. */

import { END_BRACE } from '../bytes.ts'
import { AMBIGUOUS_NUMBER } from '../findings.ts'
import { type LineFormat, MALFORMED, type Readers } from './format.ts'
import { type JsonValue, walkObject } from './json-walk.ts'

/** Which members of a line say what. Names of members within others have dots between them: `client.ip`. */
export interface JsonMembers {
  /** Members that are an address, or several: with commas between them, or in an array. */
  readonly addresses: readonly string[]
  /** The member that is the time: RFC 3339 with a zone, or seconds or milliseconds since 1970. */
  readonly time?: string
  /** The name of the member that gets what `enrich` returns. */
  readonly enrichAs?: string
}

// RFC 3339, section 5.6, and a comma or no colon where ISO 8601 has them; no hour 24, and zones that there are.
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:[.,](\d{1,9}))?([Zz]|[+-](?:0\d|1[0-4]):?[0-5]\d)$/
// Seconds reach this in the year 5138; milliseconds have passed it in 1973.
const LEAST_MILLISECONDS = 1e11

export function jsonLinesFormat({ scanner, field, enricher }: Readers, { addresses, time, enrichAs }: JsonMembers): LineFormat {
  const names = new Set(addresses)
  const longestPath = Math.max(...[...addresses, time ?? ''].map((path) => path.length))
  const places: JsonValue[] = []
  let timeValue: JsonValue | undefined
  const onValue = (path: string, value: JsonValue): void => {
    if (names.has(path)) places.push(value)
    if (path === time) timeValue ??= value
  }

  return {
    read(bytes, from, to, into) {
      places.length = 0
      timeValue = undefined
      if (!walkObject(bytes, from, to, longestPath, onValue)) {
        scanner.text(bytes, from, to, into)
        return MALFORMED
      }
      let kept: string | undefined
      let at = from
      for (const { kind, start, end } of places) {
        scanner.text(bytes, at, start, into)
        const before = into.addresses
        if (kind === 'number') into.add(start, end, AMBIGUOUS_NUMBER)
        else field.read(bytes, start, end, into)
        kept ??= enricher?.first(into, before)
        at = end
      }
      // Behind all other members: of several with one name, readers take the last.
      const brace = bytes.lastIndexOf(END_BRACE, to - 1)
      scanner.text(bytes, at, brace, into)
      if (kept !== undefined && enrichAs !== undefined) into.addInsertion(brace, `,${JSON.stringify(enrichAs)}:${JSON.stringify(kept)}`)
      return timeValue === undefined ? (time === undefined ? undefined : MALFORMED) : (instantOf(bytes, timeValue) ?? MALFORMED)
    },
  }
}

/** UTC milliseconds. */
function instantOf(bytes: Buffer, { kind, start, end }: JsonValue): number | undefined {
  const text = bytes.toString('latin1', start, end)
  const instant = kind === 'number' ? ofNumber(Number(text)) : ofText(text)
  return Number.isSafeInteger(instant) && instant >= 0 ? instant : undefined
}

function ofNumber(time: number): number {
  return Math.floor(time < LEAST_MILLISECONDS ? time * 1000 : time)
}

function ofText(text: string): number {
  const [, date = '', minute = '', seconds = '', fraction = '', zone = ''] = RFC_3339.exec(text) ?? []
  // What no month has would be carried over to the next.
  const day = Date.parse(`${date}T00:00:00Z`)
  if (Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== date) return Number.NaN
  const offset = zone.toUpperCase().replace(/(\d\d):?(\d\d)$/, '$1:$2')
  // A leap second is the first of the next minute.
  return Date.parse(`${date}T${minute}:00${offset}`) + Number(seconds) * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3))
}
