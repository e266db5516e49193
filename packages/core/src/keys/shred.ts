/** Crypto-shredding: destroying the key of a node, and with it all that was encrypted beneath it. */

import { equalBytes } from '../crypto/hash.ts'
import { StrongroomError } from '../errors.ts'
import { LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import { KeyState, type NodeKind, type NodeRecord, type Reason } from '../format/records.ts'
import type { KeyTree } from './key-tree.ts'
import type { Ledger } from './ledger.ts'
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

/** What is known of a shred once it is done. */
export interface Shredded {
  /** UTC milliseconds of the ledger entry. */
  readonly instant: number
  /** The ledger reaches at least this far, in every store that knows of this shred. */
  readonly ledger: { readonly n: number; readonly hash: Uint8Array }
  /** The key is dead in every backup when all root versions of its region up to this number are destroyed. */
  readonly rootVersion: number
  /** Key versions destroyed; 0: there was no key, and the place is now occupied. */
  readonly versions: number
}

// Each round that is not the last was beaten by a writer that made a new version in between.
const MOST_ROUNDS = 20

export interface KeyOperations {
  readonly tree: KeyTree
  readonly ledger: Ledger
  readonly reconciler: Reconciler
}

/**
 * Destroys every version of a node's key: marks, ledger, versions, marks again. When it resolves, no process opens the key
 * later than one cache bound from now. Repeating it does all steps again and answers the same.
 *
 * @throws StrongroomError what stores and provider throw. Repeat it then: it goes on where it stopped
 */
export async function shredNode(keys: KeyOperations, place: NodePlaceRef, reason: Reason): Promise<Shredded> {
  const { context } = keys.tree
  await keys.reconciler.run()
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const record = await readNode(keys, place.ref)
    const live = record?.versions.filter((version) => version.state !== KeyState.shredded) ?? []
    const before = live.length === 0 ? await entryOf(keys, record) : undefined
    if (before !== undefined) {
      await markWrappingKeys(context, place.tenantRef)
      return outcome(before)
    }
    // The number is read after the marks: a version made in between wraps no marked key, and a higher number claims less.
    await markWrappingKeys(context, place.tenantRef)
    const rootVersion = await newestRootVersion(context, place.region)
    const entry = await keys.ledger.append({
      op: LedgerOp.shred,
      ...place,
      keys: live.map(({ version, commitment }) => ({ version, commitment })),
      rootVersion,
      instant: context.clock.now(),
      reason,
    })
    await keys.reconciler.run()
    const after = await readNode(keys, place.ref)
    // Of two that shred at once, one entry has had the effect: both answer with that.
    if (after?.versions.every((version) => version.state === KeyState.shredded) === true)
      return outcome((await entryOf(keys, after)) ?? entry)
  }
  throw new StrongroomError('conflict', 'other writers keep making this key anew; stop them and repeat')
}

export async function readNode(keys: Pick<KeyOperations, 'tree'>, ref: Uint8Array): Promise<NodeRecord | undefined> {
  const [record] = await keys.tree.context.keyStore.get([{ type: 'node', ref }])
  return record?.type === 'node' ? record : undefined
}

// The ledger's own entry for a record that says it is shredded. Whoever can write the key store can make a record say so: only
// the ledger's word counts, else the shred is entered now.
async function entryOf(keys: KeyOperations, record: NodeRecord | undefined): Promise<SealedLedgerEntry | undefined> {
  const last = record?.versions.findLast((version) => version.state === KeyState.shredded)
  if (record === undefined || last?.state !== KeyState.shredded) return undefined
  const entry = await keys.ledger.find(last.ledger.n)
  const right = entry?.op === LedgerOp.shred && equalBytes(entry.ref, record.ref) && equalBytes(entry.hash, last.ledger.hash)
  return right ? entry : undefined
}

function outcome({ instant, n, hash, rootVersion, keys }: SealedLedgerEntry): Shredded {
  return { instant, ledger: { n, hash }, rootVersion: rootVersion.number, versions: keys.length }
}
