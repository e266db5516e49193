/** Crypto-shredding: destroying the key of a node, and with it all that was encrypted beneath it. */

import { equalBytes } from '../crypto/hash.ts'
import { StrongroomError } from '../errors.ts'
import { type LedgerKey, LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import { KeyState, type NodeKind, type NodeRecord, type Reason, type RootVersion, type ShreddedVersion } from '../format/records.ts'
import type { KeyTree } from './key-tree.ts'
import type { Ledger, LedgerDraft } from './ledger.ts'
import type { Reconciler } from './reconcile.ts'
import { newestRootVersion } from './regions.ts'
import { markWrappingKeys } from './wrapping-keys.ts'

/** A node by its references. */
export interface NodePlaceRef {
  readonly kind: NodeKind
  readonly ref: Uint8Array
  readonly parentRef: Uint8Array
  readonly tenantRef: Uint8Array
  readonly region: string
}

// Each round that is not the last was beaten by a writer that made a new version in between.
const MOST_ROUNDS = 20
const NO_COMMITMENT = new Uint8Array(32)

export interface KeyOperations {
  readonly tree: KeyTree
  readonly ledger: Ledger
  readonly reconciler: Reconciler
}

/**
 * Destroys every version of a node's key: marks, ledger, versions, marks again. When it resolves, no process opens the key
 * later than one cache bound from now. Repeating it does all steps again and answers the same.
 *
 * @param only - the versions to destroy; without it all
 * @returns the ledger's entry that had the effect
 * @throws StrongroomError what stores and provider throw. Repeat it then: it goes on where it stopped
 */
export async function shredNode(
  keys: KeyOperations,
  place: NodePlaceRef,
  reason: Reason,
  only: (key: LedgerKey) => boolean = () => true,
): Promise<SealedLedgerEntry> {
  const { context } = keys.tree
  await keys.reconciler.run()
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const record = await readNode(keys, place.ref)
    const live = liveKeys(record).filter(only)
    const before = live.length === 0 ? await entryOf(keys, record, only) : undefined
    if (before !== undefined) {
      await markWrappingKeys(context, place.tenantRef)
      return before
    }
    await markWrappingKeys(context, place.tenantRef)
    await context.failpoint('shred.marked')
    const entry = await keys.ledger.append(async () =>
      shredDraft(place, live, reason, await rootVersionToOutlive(keys, place.region), context.clock.now()),
    )
    await context.failpoint('shred.entered')
    await keys.reconciler.run()
    await context.failpoint('shred.done')
    const after = await readNode(keys, place.ref)
    // Of two that shred at once, one entry has had the effect: both answer with that.
    if (after !== undefined && liveKeys(after).filter(only).length === 0) return (await entryOf(keys, after, only)) ?? entry
  }
  throw new StrongroomError('conflict', 'other writers keep making this key anew; stop them and repeat')
}

/**
 * The newest root version that could have wrapped what is about to be shredded. Read after the marks (a version made in between
 * wraps no marked key, and a higher number claims less) and behind the ledger's tail: of a root version that stands in the ledger
 * before the shred, the shred must know.
 */
export async function rootVersionToOutlive({ tree, reconciler }: KeyOperations, region: string): Promise<RootVersion> {
  await reconciler.run()
  const newest = await newestRootVersion(tree.context, region)
  // One that only the provider knows: once a shred names it, its number must never be given to another.
  await tree.context.announce(region, newest)
  return newest
}

export function shredDraft(
  place: NodePlaceRef,
  keys: readonly LedgerKey[],
  reason: Reason,
  rootVersion: RootVersion,
  instant: number,
): LedgerDraft {
  const { kind, ref, parentRef, tenantRef, region } = place
  return { op: LedgerOp.shred, kind, ref, parentRef, tenantRef, region, keys, rootVersion, instant, reason }
}

export async function readNode(keys: Pick<KeyOperations, 'tree'>, ref: Uint8Array): Promise<NodeRecord | undefined> {
  const [record] = await keys.tree.context.keyStore.get([{ type: 'node', ref }])
  return record?.type === 'node' ? record : undefined
}

/** The versions of a record that are not shredded. */
export function liveKeys(record: NodeRecord | undefined): readonly LedgerKey[] {
  return (record?.versions ?? [])
    .filter((version) => version.state !== KeyState.shredded)
    .map(({ version, commitment }) => ({ version, commitment }))
}

/**
 * The ledger's own entry for the newest shredded version of a record. Whoever can write the key store can make a record say that
 * it is shredded: only the ledger's word counts, else the shred is entered now.
 */
export async function entryOf(
  keys: Pick<KeyOperations, 'ledger'>,
  record: NodeRecord | undefined,
  only: (key: LedgerKey) => boolean = () => true,
): Promise<SealedLedgerEntry | undefined> {
  const last = record?.versions.findLast((version): version is ShreddedVersion => version.state === KeyState.shredded && only(version))
  if (record === undefined || last === undefined) return undefined
  const entry = await keys.ledger.find(last.ledger.n)
  return entry !== undefined && isEntryOf(entry, record, last) ? entry : undefined
}

/** Whether an entry is the one that a shredded version names, and speaks of that version. */
export function isEntryOf(entry: SealedLedgerEntry, record: Pick<NodeRecord, 'ref'>, version: ShreddedVersion): boolean {
  const names = entry.keys.length === 0 || entry.keys.some(({ commitment }) => equalBytes(commitment, version.commitment))
  return entry.op === LedgerOp.shred && equalBytes(entry.ref, record.ref) && equalBytes(entry.hash, version.ledger.hash) && names
}

/** Whether nothing was there when a place was shredded: it is occupied. */
export function isOccupation(version: ShreddedVersion): boolean {
  return equalBytes(version.commitment, NO_COMMITMENT)
}
