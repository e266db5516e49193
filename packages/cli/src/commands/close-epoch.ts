/** `strongroom close-epoch`. */

import { resolve } from 'node:path'

import { readEpochMarker, type RegionStatus, StrongroomError } from '@strongroom/core'
import { type Command, Option } from 'commander'

import { CliError } from '../cli-error.ts'
import { instant, type SharedFlags, withConcurrency, withDryRun, withRegion, withVaultFlags, withYes } from '../flags.ts'
import { optionalPackage } from '../optional-package.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { regionStatus } from '../status/region-status.ts'
import { minute } from '../terminal/time.ts'
import { isVaultError } from '../vault-error.ts'

interface Flags extends SharedFlags {
  readonly region?: string
  readonly concurrency: number
  readonly dryRun?: boolean
  readonly backup?: string
  readonly marker?: string
  readonly startedAt?: number
  readonly rootBackup?: boolean
  readonly dangerouslyWithoutBackup?: boolean
}

/** A copy of the key store, as core wants to hear of it. */
interface Backup {
  readonly marker: string
  readonly startedAt: number
}

/** What the owner says, as core wants it. */
type Words = { readonly backup: Backup; readonly rootBackup: true } | { readonly dangerouslyWithoutBackup: true }

const MARKER_UNSEEN = 'whether the marker of the backup is that of the rotation only the close will say'

export function addCloseEpoch(program: Command, runner: Runner): void {
  const command = program
    .command('close-epoch')
    .summary('destroy the root versions before the last rotation that ended')
    .description(
      'destroy the root versions before the last rotation of a region that ended: older backups of the key store then open nothing, for anyone, and what was shredded before the rotation is dead in all of them. Waits one cacheBound (60 s unless the vault was made with another). Needs --root-backup with --backup, or with --marker and --started-at; or --dangerously-without-backup',
    )
    .option(
      '--backup <folder>',
      'the copy of the key store, made by backupLocalStore after the rotation: its marker, and when it was begun, are read from it',
    )
    .addOption(
      new Option('--marker <text>', 'with --started-at: the marker that was read from the copy, where that is elsewhere').conflicts(
        'backup',
      ),
    )
    .addOption(
      new Option('--started-at <time>', 'when that copy was begun: UTC milliseconds, or a time such as 2030-01-01T03:00:00Z')
        .argParser(instant)
        .conflicts('backup'),
    )
    .option('--root-backup', 'your word that a copy of the root key exists that holds the new version')
    .addOption(
      new Option('--dangerously-without-backup', 'there is no backup: what happens to the live stores is then final').conflicts([
        'backup',
        'marker',
        'startedAt',
        'rootBackup',
      ]),
    )
  withVaultFlags(withYes(withDryRun(withConcurrency(withRegion(command, 'the region to close'))))).action((flags: Flags) =>
    runner.run('close-epoch', flags, (session) => closeEpoch(session, flags)),
  )
}

async function closeEpoch(session: Session, flags: Flags): Promise<Outcome> {
  requireWords(flags)
  const vault = await session.openVault()
  const region = flags.region ?? vault.defaultRegion
  const words = await wordsOf(session, flags, region)
  const before = await regionStatus(session, vault, region)
  const ending = endingVersions(before)
  const refusal = whyNothingCloses(before, ending)
  if (flags.dryRun === true) {
    // What closeEpoch itself would answer.
    if (refusal !== undefined) throw new StrongroomError('epoch_blocked', refusal)
    requireNewer(before, words)
    return {
      lines: [whatWouldGo(before, ending, words), ...('backup' in words ? [MARKER_UNSEEN] : []), 'nothing was done'],
      summary: { dryRun: true, region, rootVersions: ending },
    }
  }
  if (refusal === undefined && ending.length > 0) await session.confirm(whatWouldGo(before, ending, words), `destroy ${ending.join(' ')}`)
  const { concurrency } = flags
  const { signal } = session
  // What is destroyed already may be entered once more, and is no loss. Anything else that nobody was asked about is refused.
  const rootVersions = [...ending, ...destroyedVersions(before)]
  await session.follow(vault.closeEpoch({ ...words, region, rootVersions, concurrency, signal }))
  const gone = newlyDestroyed(before, await regionStatus(session, vault, region), ending)
  return {
    lines: [
      gone.length === 0 ? `the epoch of region ${region} was closed already` : `region ${region}: ${named(gone)} destroyed`,
      'next: copy the root key again, delete the older copies of it, and see strongroom status for what is final when',
    ],
    summary: { region, rootVersions: gone },
  }
}

function requireWords({ backup, marker, startedAt, rootBackup, dangerouslyWithoutBackup }: Flags): void {
  if (dangerouslyWithoutBackup === true) return
  const isNamed = backup !== undefined || (marker !== undefined && startedAt !== undefined)
  if (isNamed && rootBackup === true) return
  throw new CliError(
    'usage',
    'give --root-backup and --backup FOLDER (or --marker TEXT with --started-at TIME); or --dangerously-without-backup alone',
  )
}

async function wordsOf({ directory }: Session, { backup, marker, startedAt = 0 }: Flags, region: string): Promise<Words> {
  if (marker !== undefined) return { backup: { marker, startedAt }, rootBackup: true }
  if (backup === undefined) return { dangerouslyWithoutBackup: true }
  return { backup: await readCopy(resolve(directory, backup), region), rootBackup: true }
}

async function readCopy(directory: string, region: string): Promise<Backup> {
  const { localKeyStoreCopy } = await optionalPackage('@strongroom/store-local', () => import('@strongroom/store-local'))
  const copy = openCopy(() => localKeyStoreCopy({ directory }), directory)
  try {
    const marker = await readEpochMarker({ keyStore: copy.keyStore, region })
    if (marker === undefined)
      throw new CliError(
        'file_unusable',
        `--backup: the copy in ${directory} is from before any rotation of this region ended; take a new one`,
      )
    return { marker, startedAt: copy.startedAt }
  } finally {
    await copy.close()
  }
}

function openCopy<T>(open: () => T, directory: string): T {
  try {
    return open()
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    // What cannot be opened may well be a copy: the message has the system's word for it.
    const why =
      cause.code === 'invalid_argument'
        ? `${directory} is no copy that backupLocalStore has made of the keys; name the folder that it was given as "to"`
        : `${cause.message}; put that right, or read the marker where the copy can be read and give --marker with --started-at`
    throw new CliError('file_unusable', `--backup: ${why}`, { cause })
  }
}

// The other half of what the close asks of a backup.
function requireNewer({ rotation: { endedAt } }: RegionStatus, words: Words): void {
  if ('backup' in words && endedAt !== undefined && words.backup.startedAt < endedAt)
    throw new CliError('file_unusable', 'the copy was begun before the end of the last rotation; take a new one')
}

// What `closeEpoch` would destroy: all that is live below what the last rotation that ended has reached. A rotation that was begun after it
// changes nothing. What was destroyed and is live again came back with an older root key; what only the provider has, the close enters first.
function endingVersions({ rootVersions, rotation: { reached = 0 }, provider }: RegionStatus): readonly number[] {
  const least = Math.min(...rootVersions.map(({ number }) => number))
  const known = rootVersions.filter(({ number, state }) => state !== 'destroyed' || provider.undestroyed.includes(number))
  const unknown = provider.unknown.filter((number) => number > least)
  return [...known.map(({ number }) => number), ...unknown].filter((number) => number < reached).sort((a, b) => a - b)
}

function destroyedVersions({ rootVersions }: RegionStatus): readonly number[] {
  return rootVersions.filter(({ state }) => state === 'destroyed').map(({ number }) => number)
}

/** As the vault says it after the close, not as it was expected to be. */
function newlyDestroyed(before: RegionStatus, after: RegionStatus, asked: readonly number[]): readonly number[] {
  const gone = new Set(destroyedVersions(before).filter((number) => !asked.includes(number)))
  return destroyedVersions(after).filter((number) => !gone.has(number) && !after.provider.undestroyed.includes(number))
}

/** Why a close would be refused; `undefined` where there is something to close, or all is closed. */
function whyNothingCloses({ region, rotation: { state, reached } }: RegionStatus, ending: readonly number[]): string | undefined {
  const next = `strongroom rotate root --region ${region}`
  if (reached === undefined) return `no rotation of region ${region} has ended, so nothing can be closed; first ${next}, to its end`
  if (state === 'unfinished' && ending.length === 0)
    return `the last rotation of region ${region} was begun and not ended, and before it nothing is left to close; first ${next}, to its end`
  return undefined
}

function whatWouldGo({ region, rotation: { state, endedAt } }: RegionStatus, ending: readonly number[], words: Words): string {
  if (ending.length === 0) return `region ${region} has no older root version left to destroy`
  const since = endedAt === undefined ? 'the last rotation that ended' : minute(endedAt)
  const more = state === 'unfinished' ? ' The rotation that was begun since is not part of it.' : ''
  const loud =
    'backup' in words ? '' : ' You say that there is no newer backup: whatever happens to the live stores and the root key is then final.'
  return `Gone for good: ${named(ending)} of region ${region}, and with it every backup of the key store from before ${since}, for anyone.${more}${loud}`
}

function named(versions: readonly number[]): string {
  return `root version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}`
}
