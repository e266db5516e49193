/**
 * Reads a log in the combined format from stdin into the rows: that of a CDN, which keeps raw addresses for as long as nobody fetches it.
 * Prints how many lines became what: each is a row, has no address, was not read, or is not of the format.
 */

import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'

import { pseudonymiseLines } from '@strongroom/pseudonyms'

import { readConfiguration } from './configuration.ts'
import { countryOf } from './countries.ts'
import { openStore, type Row } from './store.ts'

const ROWS_AT_ONCE = 1000
// What the pipeline has written: pseudonyms where addresses stood, values taken out, the country behind.
const LINE = /^(\S+) \S+ \S+ \[([^\]]+)\] "\S+ (\S+)[^"]*" (\d+) .* "([A-Z-]+)"$/

const store = await openStore(readConfiguration())
const lines = pseudonymiseLines(store.pseudonyms, { format: 'combined', redactQuery: 'all', enrich: countryOf, malformed: () => undefined })
// What becomes of each line that is of the format.
const became = { rows: 0, withoutAddress: 0, unread: 0 }
let rows: Row[] = []
const flush = async (): Promise<void> => {
  if (rows.length > 0) await store.requests.insertMany(rows)
  became.rows += rows.length
  rows = []
}
for await (const line of createInterface({ input: Readable.from(process.stdin).pipe(lines), crlfDelay: Infinity })) {
  const row = rowOf(line)
  if (typeof row === 'string') became[row]++
  else if (rows.push(row) === ROWS_AT_ONCE) await flush()
}
await flush()
const { addresses, malformed, refused } = lines.counts
console.log(JSON.stringify({ lines: lines.counts.lines, ...became, malformed, addresses, refused }))
await store.vault.close()

// No row where nobody knows what the address was; nor of a request that was none, such as `"-" 408`.
function rowOf(line: string): Row | Exclude<keyof typeof became, 'rows'> {
  const [, ip, time = '', target, status, country] = LINE.exec(line) ?? []
  if (ip === undefined || target === undefined || country === undefined) return 'unread'
  if (ip === '[redacted]') return 'withoutAddress'
  const at = new Date(time.replace(/^(\d+)\/(\w+)\/(\d+):/, '$1 $2 $3 ').replace(/ \+0000$/, ' UTC'))
  return { at, ip, country, target, status: Number(status) }
}
