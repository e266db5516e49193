/** Options that commands share, and how their values are read. */

import { type Command, InvalidArgumentError, Option } from 'commander'

import type { PassphraseFlags } from './passphrase/passphrases.ts'

/** What every command understands. */
export interface SharedFlags extends PassphraseFlags {
  readonly config?: string
  readonly json?: boolean
  readonly verbose?: boolean
  readonly quiet?: boolean
  readonly yes?: boolean
}

const MOST_DESCRIPTOR = 2 ** 31 - 1
const MOST_CONCURRENCY = 1000
const DEFAULT_CONCURRENCY = 64
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const ERASURE = /^[0-9a-f]{32}(?:\.[0-9a-f]{32}){1,3}$/
const REFERENCES = /^[0-9a-f]{32}(?:\.[0-9a-f]{32}){0,2}$/
const REGION = /^[A-Za-z0-9_-]{1,64}$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/

/** `--json`, `--quiet` and `--verbose`. */
export function withOutputFlags(command: Command): Command {
  return withNoteFlags(command.option('--json', 'print one JSON object on stdout'))
}

/** What it takes to open the vault. */
export function withVaultFlags(command: Command): Command {
  return withOpeningFlags(withOutputFlags(command))
}

/** The same for a command whose output is data of someone else's. */
export function withFilterFlags(command: Command): Command {
  return withOpeningFlags(withNoteFlags(command))
}

function withNoteFlags(command: Command): Command {
  return command
    .option('--quiet', 'print no progress on stderr: only errors, notes, and what will be gone for good')
    .option(
      '--verbose',
      'after an error, print where it comes from; may show paths; passphrases are taken out as far as they are recognised',
    )
}

function withOpeningFlags(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration (default: strongroom.config.ts, .js or .mjs in this folder)')
    .addOption(
      new Option('--passphrase-fd <number>', 'read passphrases from this open file descriptor').argParser(
        wholeNumber(`0 to ${MOST_DESCRIPTOR}`, 0, MOST_DESCRIPTOR),
      ),
    )
    .addOption(
      new Option(
        '--passphrase-file <file>',
        'read passphrases from this file, which only its owner may use (default without either: the environment variable that the configuration names, else a question without echo)',
      ).conflicts('passphraseFd'),
    )
}

export function withRegion(command: Command, what: string): Command {
  return command.option('--region <name>', `${what} (default: the vault's defaultRegion)`, regionName)
}

export function withDryRun(command: Command): Command {
  return command.option('--dry-run', 'say what would be done, and do nothing but open the vault, which puts the key store right')
}

export function withYes(command: Command): Command {
  return command.option('--yes', 'do not ask before destroying')
}

export function withConcurrency(command: Command): Command {
  return command.addOption(
    new Option('--concurrency <number>', `writes to the key store under way at once, 1 to ${MOST_CONCURRENCY}`)
      .default(DEFAULT_CONCURRENCY)
      .argParser(wholeNumber(`1 to ${MOST_CONCURRENCY}`, 1, MOST_CONCURRENCY)),
  )
}

/** A parser of whole numbers. @param range - as the message says it */
export function wholeNumber(range: string, least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`It must be a whole number, ${range}.`)
  }
}

/** The name of a tenant, a subject or an item. An empty one is a variable that was not set. */
export function placeName(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

/** The id of an erasure: references and a random number. */
export function erasureId(text: string): string {
  if (!ERASURE.test(text))
    throw new InvalidArgumentError('It must be the id of an erasure: 2 to 4 times 32 hexadecimal digits, joined by dots.')
  return text
}

/** The id of what is about a place: its references. */
export function referencesId(text: string): string {
  if (!REFERENCES.test(text)) throw new InvalidArgumentError('It must be an id of 1 to 3 times 32 hexadecimal digits, joined by dots.')
  return text
}

/** The name of a region. An empty one is a variable that was not set. */
export function regionName(text: string): string {
  if (!REGION.test(text)) throw new InvalidArgumentError('It must be a name of 1 to 64 letters, digits, - and _.')
  return text
}

/** A span of time, in milliseconds. */
export function duration(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const value = Number(count) * (UNITS[unit] ?? 0)
  if (value === 0) throw new InvalidArgumentError('It must be a whole number of minutes, hours or days, such as 90m, 12h or 30d.')
  return value
}

/** An instant as UTC milliseconds. Without a zone a time is not an instant, and is refused; so is a day that no month has. */
export function instant(text: string): number {
  const value = /^\d{13}$/.test(text) ? Number(text) : INSTANT.test(text) && isInCalendar(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(value)) throw new InvalidArgumentError('It must be UTC milliseconds, or a time such as 2030-01-01T03:00:00Z.')
  return value
}

// Date.parse carries what is too much over to the next day or month.
function isInCalendar(text: string): boolean {
  const wall = `${text.slice(0, 16)}:00Z`
  const time = Date.parse(wall)
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 16) === wall.slice(0, 16)
}
