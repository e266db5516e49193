/** `strongroom close-epoch`. */

import { resolve } from 'node:path'

import { readEpochMarker, type RegionStatus } from '@strongroom/core'
import { type Command, Option } from 'commander'

import { CliError } from '../cli-error.ts'
import { instant, type SharedFlags, withConcurrency, withDryRun, withRegion, withVaultFlags, withYes } from '../flags.ts'
import { optionalPackage } from '../optional-package.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { regionStatus } from '../status/region-status.ts'
import { minute } from '../terminal/time.ts'

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

/** What the owner says, as core wants it. */
type Words =
  | { readonly backup: { readonly marker: string; readonly startedAt: number }; readonly rootBackup: true }
  | { readonly dangerouslyWithoutBackup: true }

export function addCloseEpoch(program: Command, runner: Runner): void {
  const command = program
    .command('close-epoch')
    .summary('destroy the root versions before the last rotation')
    .description(
      'destroy the root versions before the last rotation of a region: older backups of the key store then open nothing, for anyone, and what was shredded before the rotation is dead in all of them. Waits one cacheBound (60 s unless the vault was made with another)',
    )
    .option('--backup <folder>', 'the copy of the key store, made by backupLocalStore after the rotation: its marker is read from it')
    .addOption(new Option('--marker <text>', 'the marker that was read from the copy, where that is elsewhere').conflicts('backup'))
    .addOption(
      new Option('--started-at <time>', 'when that copy was begun: UTC milliseconds, or a time such as 2030-01-01T03:00:00Z').argParser(
        instant,
      ),
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
  const status = await regionStatus(session, vault, region)
  const ending = endingVersions(status)
  const whatGoes = whatWouldGo(status, ending)
  if (flags.dryRun === true)
    return {
      lines: [whatGoes, 'the backup was not checked, and nothing was done'],
      summary: { dryRun: true, region, rootVersions: ending },
    }
  if (ending.length > 0) await session.confirm(whatGoes)
  const { concurrency } = flags
  const { signal } = session
  await session.follow(vault.closeEpoch({ ...words, region, concurrency, signal }))
  return {
    lines: [
      ending.length === 0 ? `the epoch of region ${region} was closed already` : `region ${region}: ${named(ending)} destroyed`,
      'next: copy the root key again, delete the older copies of it, and see strongroom status for what is final when',
    ],
    summary: { region, rootVersions: ending },
  }
}

function requireWords({ backup, marker, startedAt, rootBackup, dangerouslyWithoutBackup }: Flags): void {
  if (dangerouslyWithoutBackup === true) return
  if ((backup ?? marker) !== undefined && startedAt !== undefined && rootBackup === true) return
  throw new CliError(
    'usage',
    'give --backup FOLDER (or --marker TEXT), --started-at TIME and --root-backup, all three; or --dangerously-without-backup alone',
  )
}

async function wordsOf({ directory }: Session, { backup, marker, startedAt = 0 }: Flags, region: string): Promise<Words> {
  if (marker !== undefined) return { backup: { marker, startedAt }, rootBackup: true }
  if (backup === undefined) return { dangerouslyWithoutBackup: true }
  return { backup: { marker: await markerOf(resolve(directory, backup), region), startedAt }, rootBackup: true }
}

async function markerOf(directory: string, region: string): Promise<string> {
  const { localKeyStoreCopy } = await optionalPackage('@strongroom/store-local', () => import('@strongroom/store-local'))
  const copy = localKeyStoreCopy({ directory })
  try {
    const marker = await readEpochMarker({ keyStore: copy.keyStore, region })
    if (marker === undefined)
      throw new CliError('file_unusable', 'the copy that --backup names is from before any rotation of this region ended; take a new one')
    return marker
  } finally {
    await copy.close()
  }
}

// What was destroyed and is live again came back with an older root key: it goes once more.
function endingVersions({ rootVersions, rotation, provider }: RegionStatus): readonly number[] {
  const to = rotation.state === 'finished' ? (rotation.rootVersion ?? 0) : Math.max(0, ...rootVersions.map(({ number }) => number))
  return rootVersions
    .filter(({ number, state }) => number < to && (state !== 'destroyed' || provider.undestroyed.includes(number)))
    .map(({ number }) => number)
}

function whatWouldGo({ region, rotation: { state, endedAt } }: RegionStatus, ending: readonly number[]): string {
  if (state === 'none')
    return `no rotation of region ${region} has ended, so nothing can be closed; next: strongroom rotate root --region ${region}`
  if (ending.length === 0) return `region ${region} has no older root version left to destroy`
  const since = endedAt === undefined ? 'its last rotation' : minute(endedAt)
  return `Gone for good: ${named(ending)} of region ${region}, and with it every backup of the key store from before ${since}, for anyone.`
}

function named(versions: readonly number[]): string {
  return `root version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}`
}
