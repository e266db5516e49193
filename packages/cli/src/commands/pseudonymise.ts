/** `strongroom pseudonymise`. */

import { pipeline } from 'node:stream/promises'

import type { LineCounts, LineOptions, ModeName, PseudonymisedLines, Pseudonyms } from '@strongroom/pseudonyms'
import { type Command, Option } from 'commander'

import { type FileBeside, openBeside, requireApart } from '../beside.ts'
import { CliError } from '../cli-error.ts'
import { ExitCode } from '../exit-code.ts'
import { duration, instant, placeName, type SharedFlags, withFilterFlags } from '../flags.ts'
import { inputs } from '../inputs.ts'
import { optionalPackage } from '../optional-package.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { count } from '../terminal/count.ts'
import { livingTenant } from './tenant-info.ts'

interface Flags extends SharedFlags {
  readonly purpose: string
  readonly mode: ModeName
  readonly period: number
  readonly retain?: number
  readonly format: LineOptions['format']
  readonly address?: readonly string[]
  readonly time?: string
  readonly redactQuery?: readonly string[]
  readonly aside?: string
  readonly at?: number
  readonly sweep?: boolean
}

const DAY = 86_400_000
const DEFAULT_RETAIN = 30 * DAY
const ASIDE = '--aside'
const ALL = '*'
// The package may not be here, so the list is; that it is the whole list the compiler sees to.
const MODES: Readonly<Record<ModeName, true>> = { deterministic: true, prefix: true, nd: true, ndx: true, token: true, truncate: true }
const FORMATS: readonly LineOptions['format'][] = ['combined', 'json', 'text']
const MEBIBYTE = 2 ** 20

export function addPseudonymise(program: Command, runner: Runner): void {
  const command = program
    .command('pseudonymise')
    .summary('put pseudonyms in place of the IP addresses in a log')
    .description(
      'reads lines of a log from files, gzipped or not, or from stdin, and prints the same lines with a pseudonym of their day in place of every IP address. ' +
        'What may be an address but is read in several ways becomes [redacted], and so do the addresses of lines whose key is no more',
    )
    .argument('<tenant>', 'whose pseudonyms they are', placeName)
    .argument('[file...]', 'logs, one after another; - is stdin, and so is none')
    .option('--purpose <name>', 'what the pseudonyms are for: those of two purposes cannot be linked', 'access-log')
    .addOption(new Option('--mode <mode>', 'how they are made').choices(Object.keys(MODES)).default('deterministic'))
    .addOption(new Option('--period <span>', 'how long one key is used: 60m, 12h, 1d').argParser(duration).default(DAY, '1d'))
    .addOption(
      new Option('--retain <span>', 'how long a key is kept, counted from the start of its period (default: 30d)').argParser(duration),
    )
    .addOption(new Option('--format <format>', 'of the lines').choices(FORMATS).default('combined'))
    .addOption(repeated('--address <member>', 'json: a member that is an address, such as remote_addr or client.ip; may be repeated'))
    .option('--time <member>', 'json: the member that is the time (default: the lines are of now)')
    .addOption(repeated('--redact-query <name>', `take out the values of this parameter of URLs; may be repeated; ${ALL} for all`))
    .option(
      `${ASIDE} <file>`,
      'append lines that are not of the format to this file, also with pseudonyms (default: they are printed in their place)',
    )
    .addOption(
      new Option('--at <instant>', 'the instant of lines that tell none, such as 2030-01-01T00:00:00Z (default: now)').argParser(instant),
    )
    .option('--sweep', 'afterwards destroy the keys whose time is over; needs --retain')
  withFilterFlags(command).action((tenant: string, files: readonly string[], flags: Flags) =>
    runner.run('pseudonymise', flags, (session) => pseudonymise(session, tenant, files, flags), 'filter'),
  )
}

function repeated(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    placeName(value),
  ])
}

async function pseudonymise(session: Session, tenant: string, files: readonly string[], flags: Flags): Promise<Outcome> {
  const { createPseudonyms, pseudonymiseLines } = await optionalPackage('@strongroom/pseudonyms', () => import('@strongroom/pseudonyms'))
  const { purpose, mode, period, retain = DEFAULT_RETAIN } = flags
  if (flags.sweep === true && flags.retain === undefined)
    throw new CliError('usage', '--sweep needs --retain: keys that are older are destroyed, for good')
  if (retain < period) throw new CliError('usage', '--retain must be no shorter than --period')
  checkMembers(flags)
  const vault = await session.openVault()
  await livingTenant(vault, tenant)
  const pseudonyms = createPseudonyms(vault.tenant(tenant), { purpose, mode, period, retain })
  const aside = flags.aside === undefined ? undefined : await unlessStopped(session, openBeside(session, ASIDE, flags.aside))
  try {
    requireApart(session, files, ASIDE, aside?.descriptor)
    const lines = pseudonymiseLines(pseudonyms, lineOptions(flags, aside))
    const started = performance.now()
    await session.showWhile(
      () => soFar(lines.counts, performance.now() - started),
      () => run(session, files, lines),
    )
    await session.tell(toldOf(lines.counts))
  } finally {
    if (aside !== undefined) await unlessStopped(session, aside.close())
  }
  const exitCode = flags.sweep === true ? await sweep(session, pseudonyms) : ExitCode.done
  return { lines: [], summary: {}, exitCode }
}

async function run(session: Session, files: readonly string[], lines: PseudonymisedLines): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  // What came before it goes its way.
  const read = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* inputs(session, files)
    } catch (error) {
      failure = { error }
    }
  }
  await unlessStopped(
    session,
    pipeline(read(), lines, async (written: AsyncIterable<Buffer>) => {
      for await (const bytes of written) await session.write(bytes)
    }),
  )
  if (failure !== undefined) throw failure.error
}

/** What waits for input, for a reader or for a writer may wait for ever. */
async function unlessStopped<T>({ signal }: Session, working: Promise<T>): Promise<T> {
  working.catch(() => undefined)
  signal.throwIfAborted()
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  stopped.catch(() => undefined)
  const done = await Promise.race([working, stopped])
  signal.throwIfAborted()
  return done
}

function checkMembers({ format, address = [], time }: Flags): void {
  if (format !== 'json' && (address.length > 0 || time !== undefined))
    throw new CliError('usage', '--address and --time are of --format json')
  if (format === 'json' && address.length === 0) throw new CliError('usage', '--format json needs --address')
}

function lineOptions({ format, address = [], time, redactQuery, at }: Flags, aside: FileBeside | undefined): LineOptions {
  const shared = {
    ...(redactQuery === undefined ? {} : { redactQuery: redactQuery.includes(ALL) ? ('all' as const) : redactQuery }),
    ...(at === undefined ? {} : { at: () => at }),
    ...(aside === undefined ? {} : { malformed: (bytes: Uint8Array) => aside.append(bytes) }),
  }
  return format === 'json' ? { format, addresses: address, ...(time === undefined ? {} : { time }), ...shared } : { format, ...shared }
}

async function sweep(session: Session, pseudonyms: Pseudonyms): Promise<ExitCode> {
  const { done, waiting, damaged, failed, failures } = await pseudonyms.sweep({ signal: session.signal })
  const others = [
    waiting > 0 && `${waiting} could not be yet`,
    failed > 0 && `${failed} failed`,
    damaged > 0 && `${count(damaged, 'note')} of keys that are to end ${damaged === 1 ? 'is' : 'are'} damaged`,
  ].filter((each) => each !== false)
  await session.tell([`${count(done, 'key')} destroyed`, ...others].join('; '))
  for (const { place, reason } of failures) await session.tell(`${reason}: ${place}`)
  return damaged + failed === 0 ? ExitCode.done : ExitCode.failed
}

function soFar({ lines, bytesIn }: LineCounts, ms: number): string {
  return `${count(lines, 'line')}, ${Math.floor(bytesIn / MEBIBYTE)} MiB, ${Math.round(bytesIn / MEBIBYTE / Math.max(ms / 1000, 0.001))} MiB/s`
}

/** What became of the lines, with what is out of the ordinary. */
function toldOf({ lines, addresses, unclear, queryValues, malformed, refused }: LineCounts): string {
  const others = [
    unclear > 0 && `${count(unclear, 'unclear one')} taken out`,
    queryValues > 0 && `${count(queryValues, 'value')} of parameters taken out`,
    malformed > 0 && `${count(malformed, 'line')} not of the format`,
    refused > 0 && `${count(refused, 'line')} for which there is no key any more, or not yet: their addresses were taken out`,
  ].filter((each) => each !== false)
  return [`${count(lines, 'line')}, ${count(addresses, 'pseudonym')}`, ...others].join('; ')
}
