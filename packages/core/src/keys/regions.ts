/** What the key store knows of a region's root versions. */

import { equalBytes } from '../crypto/hash.ts'
import { StrongroomError } from '../errors.ts'
import { LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import { type KnownRootVersion, type LedgerNote, NodeKind, Reason, type RegionRecord, type RootVersion } from '../format/records.ts'
import { NO_REF, VAULT_REF } from '../format/reference.ts'
import type { LedgerDraft } from './ledger.ts'
import type { KeyContext } from './key-context.ts'
import { retryConflicts } from './retry.ts'

/** The region's record, if any wrap was ever made there. */
export async function findRegion(context: Pick<KeyContext, 'keyStore'>, region: string): Promise<RegionRecord | undefined> {
  const [record] = await context.keyStore.get([{ type: 'region', region }])
  return record?.type === 'region' ? record : undefined
}

/** The record of a region in which something was wrapped. @throws StrongroomError `wrong_root_key` */
export async function requireRegion(context: Pick<KeyContext, 'keyStore'>, region: string): Promise<RegionRecord> {
  const record = await findRegion(context, region)
  if (record === undefined) throw new StrongroomError('wrong_root_key', 'the key store knows no root key of that region')
  return record
}

/** Changes the region's record by compare-and-set; `undefined` from `change` leaves it. @returns the record as it then is */
export async function updateRegion(
  context: Pick<KeyContext, 'keyStore'>,
  region: string,
  change: (record: RegionRecord) => Omit<RegionRecord, 'revision'> | undefined,
): Promise<RegionRecord> {
  return retryConflicts(async () => {
    const record = await requireRegion(context, region)
    const changed = change(record)
    if (changed === undefined) return record
    const next = { ...changed, revision: record.revision + 1 }
    await context.keyStore.put(next)
    return next
  })
}

/** Whether the key store knows this very version. */
export function knowsRootVersion(record: RegionRecord | undefined, version: RootVersion): boolean {
  return record?.versions.some((known) => known.number === version.number && equalBytes(known.id, version.id)) ?? false
}

/** The record of a region with one version more; newer versions become current. */
export function withRootVersion(
  record: RegionRecord | undefined,
  region: string,
  version: RootVersion,
  announced: LedgerNote,
): RegionRecord {
  const added: KnownRootVersion = { number: version.number, id: version.id, state: 'live', announced }
  if (record === undefined) return { type: 'region', region, revision: 1, versions: [added], current: version.number, closing: 0 }
  const versions = [...record.versions, added].toSorted((a, b) => a.number - b.number)
  return { ...record, revision: record.revision + 1, versions, current: Math.max(record.current, version.number) }
}

/**
 * Makes the key store know a root version. Repeating it changes nothing. Of two root keys that claim one number, the ledger's first
 * is the vault's: the other is never learnt.
 */
export async function learnRootVersion(context: Pick<KeyContext, 'keyStore'>, entry: SealedLedgerEntry): Promise<void> {
  await retryConflicts(async () => {
    const record = await findRegion(context, entry.region)
    if (knowsNumber(record, entry.rootVersion.number)) return
    await context.keyStore.put(withRootVersion(record, entry.region, entry.rootVersion, noteOf(entry)))
  })
}

/** Makes the key store know that a root version is gone. Repeating it changes nothing. */
export async function learnDestruction(context: Pick<KeyContext, 'keyStore'>, entry: SealedLedgerEntry): Promise<void> {
  const { number } = entry.rootVersion
  await updateRegion(context, entry.region, (record) => {
    const gone = record.versions.find((version) => version.number === number)
    if (gone === undefined || gone.state === 'destroyed') return undefined
    const versions = record.versions.map((version) =>
      version === gone ? { ...gone, state: 'destroyed' as const, destroyed: noteOf(entry) } : version,
    )
    return { ...record, versions, closing: Math.max(record.closing, number) }
  })
}

/** What a record says of an entry of the ledger. */
export function noteOf({ n, hash, instant }: SealedLedgerEntry): LedgerNote {
  return { n, hash, instant }
}

/** @throws StrongroomError `wrong_root_key` if the number is known, and belongs to another root key */
export function requireOwnRoot(record: RegionRecord | undefined, version: RootVersion): void {
  if (knowsNumber(record, version.number) && !knowsRootVersion(record, version)) throw foreignRoot()
}

function knowsNumber(record: RegionRecord | undefined, number: number): boolean {
  return record?.versions.some((known) => known.number === number) ?? false
}

/** For a root key that is not the vault's own in that region. */
export function foreignRoot(): StrongroomError {
  return new StrongroomError(
    'wrong_root_key',
    'the key provider of that region holds another root key than the vault was made with there, or an older copy of it: put the newest root key back; nothing was changed',
  )
}

/** The ledger entry that says that a root version exists, or that its destruction was asked for. */
export function rootEntry(op: 'rootCreated' | 'rootDestroyed', region: string, rootVersion: RootVersion, instant: number): LedgerDraft {
  return {
    op: LedgerOp[op],
    kind: NodeKind.vault,
    ref: VAULT_REF,
    parentRef: NO_REF,
    tenantRef: VAULT_REF,
    region,
    keys: [],
    rootVersion: { number: rootVersion.number, id: rootVersion.id },
    instant,
    reason: Reason.unspecified,
  }
}

/**
 * The newest root version in existence in a region, by all that know: key store (which has what the ledger has, once
 * reconciled) and the provider's own list. A shredded key is dead in every backup when all up to this one are destroyed.
 * One that the provider made and destroyed before anyone here heard of it does not count: nothing that it wrapped was ever stored,
 * as it is announced before that.
 *
 * @throws StrongroomError `wrong_root_key` where the provider does not know a version that the key store knows
 */
export async function newestRootVersion(context: KeyContext, region: string): Promise<RootVersion> {
  // In this order: a version is made before the key store hears of it, so a list that was asked for later has all that are known.
  const known = (await findRegion(context, region))?.versions ?? []
  const listed = await context.providers.versions(region)
  // A provider lists every version there ever was: one that does not know ours is not ours.
  if (!known.every((version) => listed.some((other) => other.number === version.number && equalBytes(other.id, version.id))))
    throw foreignRoot()
  const knows = new Set(known.map(({ number }) => number))
  const newest = listed.filter(({ number, state }) => state === 'live' || knows.has(number)).toSorted((a, b) => b.number - a.number)[0]
  if (newest === undefined) throw new StrongroomError('wrong_root_key', 'the key provider of that region holds no root key at all')
  return { number: newest.number, id: newest.id }
}

/** The root version that new wraps of a region use, as the key store knows it. @throws StrongroomError `wrong_root_key` */
export async function currentRootVersion(context: Pick<KeyContext, 'keyStore'>, region: string): Promise<RootVersion> {
  const record = await requireRegion(context, region)
  const current = record.versions.find((version) => version.number === record.current)
  if (current === undefined) throw new StrongroomError('wrong_root_key', 'the key store knows no root key of that region')
  return { number: current.number, id: current.id }
}
