/** Options that commands share, and how their values are read. */

import { type Command, InvalidArgumentError, Option } from 'commander'

import type { PassphraseFlags } from './passphrase/passphrases.ts'

/** What every command understands. */
export interface SharedFlags extends PassphraseFlags {
  readonly config?: string
  readonly json?: boolean
  readonly verbose?: boolean
  readonly yes?: boolean
}

const MOST_CONCURRENCY = 1000
const DEFAULT_CONCURRENCY = 64
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/

/** `--json` and `--verbose`. */
export function withOutputFlags(command: Command): Command {
  return command
    .option('--json', 'print one JSON object on stdout')
    .option('--verbose', 'after an error, print where it comes from; may show paths, never passphrases')
}

/** What it takes to open the vault. */
export function withVaultFlags(command: Command): Command {
  return withOutputFlags(command)
    .option('--config <file>', 'the configuration (default: strongroom.config.ts, .js or .mjs in this folder)')
    .addOption(
      new Option('--passphrase-fd <number>', 'read passphrases from this open file descriptor').argParser(wholeNumber('0 or more', 0)),
    )
    .addOption(
      new Option('--passphrase-file <file>', 'read passphrases from this file, which only its owner may use').conflicts('passphraseFd'),
    )
}

export function withRegion(command: Command, what: string): Command {
  return command.option('--region <name>', `${what} (default: the vault's defaultRegion)`)
}

export function withDryRun(command: Command): Command {
  return command.option('--dry-run', 'say what would be done, and do nothing')
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

/** An instant as UTC milliseconds. Without a zone a time is not an instant, and is refused. */
export function instant(text: string): number {
  const value = /^\d{13}$/.test(text) ? Number(text) : INSTANT.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(value)) throw new InvalidArgumentError('It must be UTC milliseconds, or a time such as 2030-01-01T03:00:00Z.')
  return value
}
