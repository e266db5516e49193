/** How lines are read, and what is kept of them. */

import { invalidArgument, readOptions } from '@strongroom/core'

import { type Enrich, Enricher } from './enrich.ts'
import { FieldReader } from './field.ts'
import { combinedFormat } from './formats/combined.ts'
import type { LineFormat, Readers } from './formats/format.ts'
import { type JsonMembers, jsonLinesFormat } from './formats/json-lines.ts'
import { textFormat } from './formats/text.ts'
import { type QueryNames, QueryRules } from './queries.ts'
import { Scanner } from './scanner.ts'

/** Which lines they are, and where the time and the address are in them. */
export type LineFormatOptions =
  /** Lines of any kind: addresses anywhere, no time. */
  | { readonly format: 'text' }
  /** The common and the combined log format of Apache and nginx, with whatever is appended. */
  | { readonly format: 'combined' }
  /** One object of JSON in each line. */
  | ({ readonly format: 'json' } & JsonMembers)

/** What may be said of lines of every format. */
export interface SharedLineOptions {
  /** Parameters of URLs whose values are taken out; names in ASCII, upper and lower case alike. None unless given. */
  readonly redactQuery?: QueryNames
  /** Sees each address that stands where one is expected, before it is dropped; `combined` and `json` only. What it returns is appended. */
  readonly enrich?: Enrich
  /**
   * What becomes of lines that are not of the format: `pass`, the default, lets them out in their place; a function gets them instead, whole,
   * with their ends. Either way their addresses are replaced. What it returns is awaited.
   */
  readonly malformed?: 'pass' | ((lines: Uint8Array) => void | Promise<void>)
  /** The instant of lines that tell none, in UTC milliseconds; that of the vault's clock unless given. */
  readonly at?: () => number
  /**
   * Bytes of a line that is still read as one, 1 KiB to 64 MiB; 1 MiB unless given. A longer one is malformed, and searched in parts; a run of
   * so many bytes without blanks and quotes in it is taken out.
   */
  readonly mostLine?: number
}

export type LineOptions = LineFormatOptions & SharedLineOptions

/** Options, read. */
export interface LineReading {
  readonly format: LineFormat
  /** For what is of no format. */
  readonly text: LineFormat
  readonly aside: ((lines: Uint8Array) => void | Promise<void>) | undefined
  readonly at: (() => number) | undefined
  readonly mostLine: number
}

const [LEAST_LINE, MOST_LINE, DEFAULT_LINE] = [1024, 64 * 1024 * 1024, 1024 * 1024]

/** Every option that there is, whatever the format. */
interface Given extends SharedLineOptions, Partial<JsonMembers> {
  readonly format?: LineOptions['format']
}

const OF_JSON = ['addresses', 'time', 'enrichAs'] as const
const OPTIONS = ['format', 'redactQuery', 'enrich', 'malformed', 'at', 'mostLine', ...OF_JSON] as const

/** @throws StrongroomError `invalid_argument` */
export function readLineOptions(options: LineOptions): LineReading {
  const given = readOptions<Given, keyof Given>(options, OPTIONS)
  const { redactQuery, enrich, malformed = 'pass', at, mostLine = DEFAULT_LINE } = given
  if (!Number.isSafeInteger(mostLine) || mostLine < LEAST_LINE || mostLine > MOST_LINE)
    throw invalidArgument('mostLine', `must be a whole number of bytes, ${LEAST_LINE} to ${MOST_LINE}`)
  if (malformed !== 'pass' && typeof malformed !== 'function') throw invalidArgument('malformed', 'must be "pass" or a function')
  if (at !== undefined && typeof at !== 'function') throw invalidArgument('at', 'must be a function that returns UTC milliseconds')
  if (enrich !== undefined && typeof enrich !== 'function') throw invalidArgument('enrich', 'must be a function')
  const scanner = new Scanner(redactQuery === undefined ? undefined : new QueryRules(redactQuery))
  const readers = { scanner, field: new FieldReader(), enricher: enrich && new Enricher(enrich) }
  return {
    format: formatOf(given, readers),
    text: textFormat(readers),
    aside: malformed === 'pass' ? undefined : malformed,
    at,
    mostLine,
  }
}

function formatOf(given: Given, readers: Readers): LineFormat {
  const { format, addresses, time, enrichAs } = given
  const hasEnrich = readers.enricher !== undefined
  if (format !== 'text' && format !== 'combined' && format !== 'json') throw invalidArgument('format', 'must be text, combined or json')
  if (format !== 'json') {
    const other = OF_JSON.find((name) => given[name] !== undefined)
    if (other !== undefined) throw invalidArgument(other, 'is of the format json')
    if (format === 'combined') return combinedFormat(readers)
    if (hasEnrich) throw invalidArgument('enrich', 'needs the format combined or json: text has no place where an address is expected')
    return textFormat(readers)
  }
  if (!Array.isArray(addresses) || addresses.length === 0 || !addresses.every(isName))
    throw invalidArgument('addresses', 'must be names of members of the JSON, at least one')
  if (time !== undefined && !isName(time)) throw invalidArgument('time', 'must be the name of a member of the JSON')
  if (hasEnrich !== (enrichAs !== undefined) || (enrichAs !== undefined && !isName(enrichAs)))
    throw invalidArgument('enrichAs', 'must be the name of a member, with enrich and only with it')
  return jsonLinesFormat(readers, { addresses, ...(time && { time }), ...(enrichAs && { enrichAs }) })
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== ''
}
