/** `closeEpoch`: the root versions before the last rotation are destroyed, and with them every key that only they open, wherever copies lie. */

import { invalidArgument, StrongroomError } from '../errors.ts'
import { equalBytes } from '../crypto/hash.ts'
import { randomBytes } from '../crypto/random.ts'
import { LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import type { EpochMarker, KnownRootVersion } from '../format/records.ts'
import { enterRootDestroyed, requireRootsOfRegion } from '../keys/announce-root-version.ts'
import type { KeyContext } from '../keys/key-context.ts'
import { newestRootVersion, noteOf, requireRegion, updateRegion } from '../keys/regions.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { coverWrappingKey, isCovered, listWrappingKeys, newestWrappingKey } from '../keys/wrapping-keys.ts'
import { announceLive } from './announce-live.ts'
import { inLanes } from './lanes.ts'
import { lostKeys, moveOnce, orBlocked } from './move-tenant.ts'
import type { CheckedRun, Progress } from './progress.ts'
import { waitOutCacheBound } from './wait-bound.ts'
import { countTenants, isLivingTenant, walkTenants, walkWrappingKeys } from './walk-tenants.ts'

/** Where `closeEpoch` is. */
export type CloseEpochPhase = 'preparing' | 'waiting' | 'checking' | 'destroying'

/** What the owner says of backups: the new epoch's are there. */
export interface EpochBackup {
  /** 16 bytes, as read from the copy of the key store. */
  readonly marker: Uint8Array
  /** UTC milliseconds at which the copying began. */
  readonly startedAt: number
}

/** What the owner has said. */
export interface CloseEpochWords {
  /** `undefined`: loudly, that there is none. */
  readonly backup: EpochBackup | undefined
  /** What may be destroyed; `undefined`: whatever the last rotation has left behind. */
  readonly rootVersions: readonly number[] | undefined
}

/**
 * Destroys every root version older than the one of the last rotation. Killed anywhere, it is run again.
 *
 * @param words - the marker of the backup must be the region's until the last destruction
 * @throws StrongroomError `epoch_blocked`, `invalid_argument` (a backup that is not of this epoch), `wrong_root_key`, and what stores and provider throw
 */
export async function* closeEpoch(
  keys: KeyOperations,
  region: string,
  { backup, rootVersions }: CloseEpochWords,
  run: CheckedRun,
): AsyncGenerator<Progress<CloseEpochPhase>> {
  const { context } = keys.tree
  yield { phase: 'preparing', done: 0, total: 1 }
  await keys.reconciler.run()
  const { epoch, versions: known } = await requireRegion(context, region)
  if (epoch === undefined) throw notEnded()
  if (backup !== undefined) requireBackupOf(epoch, backup, context.clock.now())
  const live = await requireHeld(context, region, epoch.rootVersion)
  // What the provider had before the vault began has wrapped nothing of it.
  await announceLive(context, region, Math.min(...known.map(({ number }) => number)), epoch.rootVersion)
  const { versions } = await requireRegion(context, region)
  const ending: KnownRootVersion[] = []
  for (const version of versions)
    if (version.number < epoch.rootVersion && !(await isEnded(keys, region, version, live))) ending.push(version)
  await requireRootsOfRegion(keys, region, ending)
  await askAgain(
    context,
    region,
    versions.filter((version) => !ending.includes(version)),
  )
  // Whoever closes after a rotation that did not end must not take silence for a close.
  if (ending.length === 0 && Math.max(...live) > epoch.rootVersion) throw notEnded()
  if (rootVersions !== undefined && !ending.every(({ number }) => rootVersions.includes(number))) throw notSaid()
  run.signal?.throwIfAborted()
  const closing = epoch.rootVersion - 1
  // Majority-written before the wait: from here on no wrapping key is used that only a closing version opens.
  await updateRegion(context, region, (record) => (record.closing >= closing ? undefined : { ...record, closing }))
  await context.failpoint('close.announced')
  yield { phase: 'preparing', done: 1, total: 1 }
  if (ending.length === 0) return

  yield { phase: 'waiting', done: 0, total: 1 }
  await waitOutCacheBound(context, run.signal)
  await context.failpoint('close.waited')
  yield { phase: 'waiting', done: 1, total: 1 }

  // Every shred again: a shredded key that was put back by hand must not outlive the epoch.
  await keys.reconciler.run({ again: 'shreds' })
  let renewed: Promise<unknown> | undefined
  // Before the first wrap that no backup can hold yet: neither a run that was given one, and stands before its destruction, nor a later
  // one accepts it then, whoever it is that wraps.
  const outdate = async (): Promise<void> => {
    renewed ??= updateRegion(context, region, (record) =>
      record.epoch === undefined
        ? undefined
        : { ...record, epoch: { ...record.epoch, marker: randomBytes(epoch.marker.length), instant: context.clock.now() } },
    )
    await renewed
  }
  yield* checkTenants(context, region, epoch.rootVersion, run, outdate)
  if (renewed !== undefined && backup !== undefined) throw backupLacks()
  await checkWrappingKeys(context, region, epoch.rootVersion)
  await context.failpoint('close.rescanned')

  await keys.reconciler.run()
  let done = 0
  for (const version of ending) {
    yield { phase: 'destroying', done, total: ending.length }
    // Whoever was told may have called a halt.
    run.signal?.throwIfAborted()
    await destroy(keys, region, version, backup)
    done++
  }
  yield { phase: 'destroying', done, total: ending.length }
}

function requireBackupOf(epoch: EpochMarker, { marker, startedAt }: EpochBackup, now: number): void {
  if (!equalBytes(marker, epoch.marker))
    throw invalidArgument(
      'backup.marker',
      'is not the marker of the last rotation: back the key store up after it, and read the marker from that copy',
    )
  if (startedAt < epoch.instant)
    throw invalidArgument(
      'backup.startedAt',
      'is before the end of the last rotation: take a newer backup of the key store; if the clock of the machine that rotated was ahead, run rotateRootKey again with the right time, and take it after that',
    )
  if (startedAt > now) throw invalidArgument('backup.startedAt', 'must not lie in the future')
}

// Another run may have met what the backup lacks. Whatever this run has found whole after that was wrapped behind the new marker.
async function requireStillOf(context: KeyContext, region: string, { marker }: EpochBackup): Promise<void> {
  const { epoch } = await requireRegion(context, region)
  if (epoch === undefined || !equalBytes(marker, epoch.marker)) throw markerChanged()
}

// Nothing is destroyed by a process whose provider does not have what everything now hangs on. @returns the numbers that it has
async function requireHeld(context: KeyContext, region: string, number: number): Promise<ReadonlySet<number>> {
  await newestRootVersion(context, region)
  const listed = await context.providers.versions(region)
  const live = new Set(listed.filter(({ state }) => state === 'live').map((version) => version.number))
  if (live.has(number)) return live
  throw new StrongroomError(
    'wrong_root_key',
    'the key provider does not hold the root version of the last rotation: restore the newest root key first',
  )
}

/**
 * What was stored too late for the rotation to see it: wrapping keys get a wrap that outlives the closing, nodes that still name a
 * wrapping key that goes are wrapped anew.
 */
async function* checkTenants(
  context: KeyContext,
  region: string,
  least: number,
  run: CheckedRun,
  outdate: () => Promise<void>,
): AsyncGenerator<Progress<CloseEpochPhase>> {
  const total = await countTenants(context, region)
  let done = 0
  yield { phase: 'checking', done, total }
  for await (const page of walkTenants(context, region)) {
    await inLanes(page, run.concurrency, async ({ ref }) => {
      run.signal?.throwIfAborted()
      const newest = newestWrappingKey(await listWrappingKeys(context, ref))
      if (newest === undefined) throw unfinished()
      if (!isCovered(newest, least)) await outdate()
      if ((await orBlocked(() => coverWrappingKey(context, newest, least))) === undefined) throw unfinished()
      for (let left = true; left;) {
        left = false
        const lost = await lostKeys(context, ref, least)
        if (lost.size === 0) return
        for await (const moved of moveOnce(context, ref, run, { lost, before: outdate })) left ||= moved >= 0
      }
    })
    done += page.length
    yield { phase: 'checking', done, total: Math.max(done, total) }
  }
}

async function checkWrappingKeys(context: KeyContext, region: string, least: number): Promise<void> {
  for await (const page of walkWrappingKeys(context, region)) {
    const lost = page.filter((record) => record.state !== 'retired' && !isCovered(record, least))
    if (lost.length === 0) continue
    const tenants = await context.keyStore.get(lost.map(({ tenantRef }) => ({ type: 'node', ref: tenantRef })))
    for (const [i, record] of lost.entries()) {
      const tenant = tenants[i]
      if (tenant === undefined) await orBlocked(() => coverWrappingKey(context, record, least))
      else if (tenant.type === 'node' && isLivingTenant(tenant)) throw unfinished()
    }
  }
}

// Whoever said how long copies live may know better by now.
async function askAgain(context: KeyContext, region: string, versions: readonly KnownRootVersion[]): Promise<void> {
  for (const { number, destruction: before } of versions) {
    if (before?.level !== 'operator-asserted' || before.copiesUntil <= context.clock.now()) continue
    const destruction = await context.providers.destroyVersion(region, number)
    if (destruction.copiesUntil === before.copiesUntil) continue
    await updateRegion(context, region, (record) => ({
      ...record,
      versions: record.versions.map((version) => (version.number === number ? { ...version, destruction } : version)),
    }))
  }
}

// Whether nothing is left to do for a root version. One that is to be destroyed later may be listed as live until then; any other that
// was destroyed and is live again came back with an older root key.
async function isEnded(keys: KeyOperations, region: string, version: KnownRootVersion, live: ReadonlySet<number>): Promise<boolean> {
  const { number, destruction } = version
  if (destruction === undefined) return false
  const scheduled = destruction.level === 'scheduled' && destruction.effectiveAt > keys.tree.context.clock.now()
  if (live.has(number) && !scheduled) return false
  return (await entryOfDestruction(keys, region, version)) !== undefined
}

// The ledger's own word that a root version was destroyed. The record of a region only says where that is: it is a column like any other,
// and of an entry that a restored state store has lost it still speaks.
async function entryOfDestruction(
  { ledger }: KeyOperations,
  region: string,
  { number, id, destroyed }: KnownRootVersion,
): Promise<SealedLedgerEntry | undefined> {
  const entry = destroyed === undefined ? undefined : await ledger.find(destroyed.n)
  if (entry?.op !== LedgerOp.rootDestroyed || entry.region !== region) return undefined
  return entry.rootVersion.number === number && equalBytes(entry.rootVersion.id, id) ? entry : undefined
}

// Each step may be repeated: a provider answers the same again, the ledger is asked first.
async function destroy(
  keys: KeyOperations,
  region: string,
  { number, id }: KnownRootVersion,
  backup: EpochBackup | undefined,
): Promise<void> {
  const { context } = keys.tree
  if (backup !== undefined) await requireStillOf(context, region, backup)
  const destruction = await context.providers.destroyVersion(region, number)
  await context.failpoint('close.destroyed')
  const known = (await requireRegion(context, region)).versions.find((version) => version.number === number)
  const entered = known === undefined ? undefined : await entryOfDestruction(keys, region, known)
  const entry = entered ?? (await enterRootDestroyed(keys, region, { number, id }))
  await context.failpoint('close.entered')
  const destroyed = noteOf(entry)
  await updateRegion(context, region, (now) => ({
    ...now,
    versions: now.versions.map((version) => (version.number === number ? { ...version, destroyed, destruction } : version)),
  }))
  await context.failpoint('close.noted')
}

function notEnded(): StrongroomError {
  return new StrongroomError(
    'epoch_blocked',
    'no rotation of this region has ended since the last close: run rotateRootKey to its end, then back the key store up, and close with the marker of that copy',
  )
}

function notSaid(): StrongroomError {
  return new StrongroomError(
    'epoch_blocked',
    'the last rotation has left behind other root versions than those in rootVersions, as another has ended meanwhile: nothing was destroyed; look at status, and say which',
  )
}

function backupLacks(): StrongroomError {
  return new StrongroomError(
    'epoch_blocked',
    'keys were found that the backup could not have opened after the close, and were wrapped anew: nothing was destroyed; take another backup of the key store, read its marker, and close the epoch with that',
  )
}

function markerChanged(): StrongroomError {
  return new StrongroomError(
    'epoch_blocked',
    'the epoch marker has changed since this close began, as another run has found keys that the backup lacks, or ended a rotation: take another backup of the key store, read its marker, and close the epoch with that',
  )
}

function unfinished(): StrongroomError {
  return new StrongroomError(
    'epoch_blocked',
    'a tenant still has keys that only a closing root version opens: run rotateRootKey to its end, back the key store up, and close the epoch then',
  )
}
