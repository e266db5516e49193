/** The effect of a shred entry on the key store: all steps, in the order that makes them safe, each repeatable. */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import type { LedgerKey, SealedLedgerEntry } from '../format/ledger-entry.ts'
import { KeyState, type KeyVersion, type NodeRecord, Reason, type ShreddedVersion } from '../format/records.ts'
import type { KeyTree } from './key-tree.ts'
import { retryConflicts } from './retry.ts'
import { isOccupied } from './shred.ts'
import { markWrappingKeys } from './wrapping-keys.ts'

const NO_COMMITMENT = new Uint8Array(32)

/** Keys that `recreate` made, by commitment: an older entry does not speak of them. */
export type Recreated = ReadonlyMap<string, number>

/**
 * Marks the tenant's wrapping keys, makes the versions that the entries name shredded, and marks again.
 *
 * @param entries - of one tenant, at most 256
 * @param recreated - asked after the records were read: what was made since makes the write conflict
 */
export async function applyShreds(
  tree: KeyTree,
  tenantRef: Uint8Array,
  entries: readonly SealedLedgerEntry[],
  recreated: () => Promise<Recreated>,
): Promise<void> {
  const { context } = tree
  let left = entries
  await retryConflicts(async () => {
    // Read before the marks: if a record moves meanwhile, its write below conflicts and all begins again for it.
    const records = await context.keyStore.get(left.map(({ ref }) => ({ type: 'node', ref })))
    await markWrappingKeys(context, tenantRef)
    // Once for all of them, after they were read.
    const spared = left.some(({ reason }) => reason !== Reason.retired) ? await recreated() : new Map<string, number>()
    const writes: { readonly entry: SealedLedgerEntry; readonly record: NodeRecord }[] = []
    for (const [i, entry] of left.entries()) {
      const found = records[i]
      const record = found?.type === 'node' ? found : undefined
      const versions = shredded(record, entry, spared)
      if (versions !== undefined) writes.push({ entry, record: withVersions(record, entry, versions) })
    }
    const done = await Promise.allSettled(writes.map(({ record }) => context.keyStore.put(record)))
    await context.failpoint('shred.applied')
    const failures = done.map((result) => (result.status === 'rejected' ? (result.reason as unknown) : undefined))
    const fatal = failures.find((failure) => failure !== undefined && !hasCode(failure, 'conflict'))
    if (fatal !== undefined) throw fatal
    left = writes.filter((_, at) => failures[at] !== undefined).map(({ entry }) => entry)
    if (left.length > 0) throw failures.find((failure) => failure !== undefined)
  })
  for (const { ref } of entries) tree.invalidate(ref)
  // One that was made while the marks were set could have wrapped these nodes.
  await markWrappingKeys(context, tenantRef)
  await context.failpoint('shred.marked-again')
}

/** Versions that an entry has shredded, and that are back: someone has put their record into the key store again. */
export interface KeysBack {
  readonly entry: SealedLedgerEntry
  readonly keys: readonly LedgerKey[]
}

/** What became of entries that had their effect. */
export interface LookedAgain {
  readonly back: readonly KeysBack[]
  /** Their places do not say any more that they were shredded. */
  readonly missing: readonly SealedLedgerEntry[]
}

/** Looks for what entries that had their effect have shredded. @param entries - at most 256 */
export async function lookAgain(
  { context }: KeyTree,
  entries: readonly SealedLedgerEntry[],
  recreated: () => Promise<Recreated>,
): Promise<LookedAgain> {
  if (entries.length === 0) return { back: [], missing: [] }
  const records = await context.keyStore.get(entries.map(({ ref }) => ({ type: 'node', ref })))
  const back: KeysBack[] = []
  const missing: SealedLedgerEntry[] = []
  let known: Recreated | undefined
  for (const [i, entry] of entries.entries()) {
    const record = records[i]
    if (record?.type !== 'node' || occupies(entry, record) || record.versions.some((version) => belies(entry, version))) {
      missing.push(entry)
      continue
    }
    const spared = entry.reason === Reason.retired ? new Map<string, number>() : (known ??= await recreated())
    const keys = record.versions
      .filter((version) => dies(record, version, entry, spared))
      .map(({ version, commitment }) => ({ version, commitment }))
    if (keys.length > 0) back.push({ entry, keys })
  }
  return { back, missing }
}

// `undefined` where nothing is left to do.
function shredded(record: NodeRecord | undefined, entry: SealedLedgerEntry, recreated: Recreated): readonly KeyVersion[] | undefined {
  if (record === undefined) {
    const keys = entry.keys.length > 0 ? entry.keys : [{ version: 1, commitment: NO_COMMITMENT }]
    return keys.map((key) => tombstone(key.version, key.commitment, entry))
  }
  const ends = (version: KeyVersion): boolean => dies(record, version, entry, recreated) || belies(entry, version)
  if (!record.versions.some(ends)) {
    return occupies(entry, record) ? [...record.versions, tombstone(lastNumber(record) + 1, NO_COMMITMENT, entry)] : undefined
  }
  return record.versions.map((version) => (ends(version) ? tombstone(version.version, version.commitment, entry) : version))
}

// It says that a rotation has ended what this entry has shredded: a column that whoever writes the key store can change.
function belies({ n, reason }: SealedLedgerEntry, version: KeyVersion): boolean {
  return version.state === KeyState.shredded && version.ledger.n === n && version.reason === Reason.retired && reason !== Reason.retired
}

// A shred is of the whole place, whichever versions the key store knew at that time: one that a newer copy brings back, or that was made
// at the same moment, dies of it too. Spared is what was recreated after the entry, and what a rotation has made of it since: its wrap
// binds the later number. Only what is retired dies by its commitment alone.
function dies({ versions }: NodeRecord, version: KeyVersion, entry: SealedLedgerEntry, recreated: Recreated): boolean {
  if (version.state === KeyState.shredded) return false
  if (entry.reason === Reason.retired) return entry.keys.some((key) => equalBytes(key.commitment, version.commitment))
  return !versions.some((older) => older.version <= version.version && (recreated.get(hex(older.commitment)) ?? 0) > entry.n)
}

// Where a shred met no living version, and an older one does not stand for it: what has filled the place since was retired, or the record is
// from before it was filled again.
function occupies(entry: SealedLedgerEntry, { versions }: NodeRecord): boolean {
  if (entry.reason === Reason.retired) return false
  const gone = versions.filter((version) => version.state === KeyState.shredded)
  if (gone.length < versions.length || gone.some(({ ledger }) => ledger.n >= entry.n)) return false
  return entry.keys.length === 0 || !isOccupied(gone)
}

function lastNumber({ versions }: NodeRecord): number {
  return versions.at(-1)?.version ?? 0
}

function tombstone(version: number, commitment: Uint8Array, entry: SealedLedgerEntry): ShreddedVersion {
  return {
    version,
    state: KeyState.shredded,
    commitment,
    rootVersion: entry.rootVersion,
    instant: entry.instant,
    reason: entry.reason,
    ledger: { n: entry.n, hash: entry.hash },
  }
}

function withVersions(record: NodeRecord | undefined, entry: SealedLedgerEntry, versions: readonly KeyVersion[]): NodeRecord {
  const alive = versions.some((version) => version.state !== KeyState.shredded)
  // The entry is authentic; the columns of the record need not be.
  const { kind, ref, parentRef, tenantRef, region } = entry
  const place = { type: 'node' as const, kind, ref, parentRef, tenantRef, region, revision: (record?.revision ?? 0) + 1, versions }
  // A tenant's name goes with its last key.
  return alive && record?.label !== undefined ? { ...place, label: record.label } : place
}
