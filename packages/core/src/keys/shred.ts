/** Crypto-shredding: destroying the key of a node, and with it all that was encrypted beneath it. */

import { equalBytes } from '../crypto/hash.ts'
import { StrongroomError } from '../errors.ts'
import { type LedgerKey, LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import { hex } from '../format/bytes.ts'
import {
  KeyState,
  type KeyVersion,
  type NodeKind,
  type NodeRecord,
  Reason,
  type RootVersion,
  type ShreddedVersion,
} from '../format/records.ts'
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

const MOST_ROUNDS = 20

/** A reason that a caller may give. */
export type PublicReason = Exclude<Reason, typeof Reason.retired>

export interface KeyOperations {
  readonly tree: KeyTree
  readonly ledger: Ledger
  readonly reconciler: Reconciler
}

/** Asked last, right before the ledger is written: what it throws keeps the keys. */
export type LastWord = () => Promise<void>

const NO_OBJECTION: LastWord = () => Promise.resolve()

/**
 * Destroys every version of a node's key: marks, ledger, versions, marks again. When it resolves, no process opens the key
 * later than one cache bound from now. Repeating it does all steps again and answers the same.
 *
 * @param lastWord - not asked once anything is destroyed
 * @returns the ledger's entry that had the effect
 * @throws StrongroomError what stores and provider throw. Repeat it then: it goes on where it stopped
 */
export async function shredNode(
  keys: KeyOperations,
  place: NodePlaceRef,
  reason: PublicReason,
  lastWord: LastWord = NO_OBJECTION,
): Promise<SealedLedgerEntry> {
  let objection = lastWord
  return untilGone(async () => {
    const record = await readNode(keys, place.ref)
    const live = liveKeys(record)
    const before = live.length === 0 ? await shredOf(keys, record) : undefined
    await markWrappingKeys(keys.tree.context, place.tenantRef)
    if (before !== undefined) return before
    const entry = await enter(keys, place, live, reason, objection)
    objection = NO_OBJECTION
    const after = await readNode(keys, place.ref)
    // Of two that shred at once, one entry has had the effect: both answer with that.
    return after !== undefined && liveKeys(after).length === 0 ? ((await shredOf(keys, after)) ?? entry) : undefined
  }, keys)
}

/** The ledger's entry of a shred that has been: its steps are done again, and nothing else is destroyed. */
export async function findShred(keys: KeyOperations, { ref, tenantRef }: NodePlaceRef): Promise<SealedLedgerEntry | undefined> {
  await keys.reconciler.run()
  const entry = await shredOf(keys, await readNode(keys, ref))
  if (entry !== undefined) await markWrappingKeys(keys.tree.context, tenantRef)
  return entry
}

/** Destroys the versions of a node's key that a rotation has left behind, and no other. */
export async function shredRetired(keys: KeyOperations, place: NodePlaceRef, isRetired: (key: LedgerKey) => boolean): Promise<void> {
  await untilGone(async () => {
    const live = liveKeys(await readNode(keys, place.ref)).filter(isRetired)
    await markWrappingKeys(keys.tree.context, place.tenantRef)
    // An entry that names no key would be of the whole place.
    if (live.length === 0) return true
    await enter(keys, place, live, Reason.retired, NO_OBJECTION)
    return undefined
  }, keys)
}

// Each round that is not the last was beaten by a writer that made a new version in between.
async function untilGone<T>(round: () => Promise<T | undefined>, { reconciler }: KeyOperations): Promise<T> {
  await reconciler.run()
  for (let i = 0; i < MOST_ROUNDS; i++) {
    const done = await round()
    if (done !== undefined) return done
  }
  throw new StrongroomError('conflict', 'other writers keep making this key anew; stop them and repeat')
}

async function enter(
  keys: KeyOperations,
  place: NodePlaceRef,
  live: readonly LedgerKey[],
  reason: Reason,
  lastWord: LastWord,
): Promise<SealedLedgerEntry> {
  const { context } = keys.tree
  await context.failpoint('shred.marked')
  const entry = await keys.ledger.append(async () => {
    const rootVersion = await rootVersionToOutlive(keys, place.region)
    await lastWord()
    return shredDraft(place, live, reason, rootVersion, context.clock.now())
  })
  await context.failpoint('shred.entered')
  await keys.reconciler.run()
  await context.failpoint('shred.done')
  return entry
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
 * The ledger's own entry for the shred that a record without a living version shows. Whoever can write the key store can make a record
 * say that it is shredded: only the ledger's word counts, else the shred is entered now. So it is where the place has been filled
 * again since: the record is then from before that, and what has filled it may still lie in a newer copy.
 */
export async function shredOf(keys: Pick<KeyOperations, 'ledger'>, record: NodeRecord | undefined): Promise<SealedLedgerEntry | undefined> {
  const [found] = await shredsOf(keys, [record])
  return found
}

/** The same for many, with one look at the ledger. */
export async function shredsOf(
  { ledger }: Pick<KeyOperations, 'ledger'>,
  records: readonly (NodeRecord | undefined)[],
): Promise<readonly (SealedLedgerEntry | undefined)[]> {
  const entries = await Promise.all(
    records.map(async (record) => {
      const last = record?.versions.findLast(isShredded)
      if (record === undefined || last === undefined || liveKeys(record).length > 0) return undefined
      const entry = await ledger.find(last.ledger.n)
      return entry !== undefined && isEntryOf(entry, record, last) ? entry : undefined
    }),
  )
  const [oldest] = entries.filter((entry) => entry !== undefined).toSorted((a, b) => a.n - b.n)
  if (oldest === undefined) return entries
  const refilled = new Map<string, number>()
  for await (const { op, ref, n } of ledger.after(oldest)) if (op === LedgerOp.recreate) refilled.set(hex(ref), n)
  return entries.map((entry) => (entry !== undefined && (refilled.get(hex(entry.ref)) ?? 0) < entry.n ? entry : undefined))
}

/** Whether an entry is the one that a shredded version names, and is of its whole place. */
export function isEntryOf(entry: SealedLedgerEntry, record: Pick<NodeRecord, 'ref'>, version: ShreddedVersion): boolean {
  const whole = entry.op === LedgerOp.shred && entry.reason !== Reason.retired
  return whole && equalBytes(entry.ref, record.ref) && equalBytes(entry.hash, version.ledger.hash)
}

/** Whether a version was shredded with its whole place. */
function isShredded(version: KeyVersion): version is ShreddedVersion {
  return version.state === KeyState.shredded && version.reason !== Reason.retired
}

/** Whether a place was shredded, and not filled since by what a rotation has ended: only `recreate` makes another key there. */
export function isOccupied(versions: readonly KeyVersion[]): boolean {
  const last = versions.findLast(({ state }) => state === KeyState.shredded)
  return last !== undefined && isShredded(last)
}
