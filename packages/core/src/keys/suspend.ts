/** Suspending a key (neither encrypts nor decrypts) and resuming it. */

import { StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { LedgerOp } from '../format/ledger-entry.ts'
import { KeyState, type LiveVersion, Reason } from '../format/records.ts'
import { notApplied } from './reconcile.ts'
import { type KeyOperations, type NodePlaceRef, readNode } from './shred.ts'
import { currentRootVersion } from './regions.ts'
import { stateError } from './seal-value.ts'

const MOST_ROUNDS = 20

/**
 * Suspends or resumes a node's key. When it resolves, the new state holds everywhere within one cache bound.
 *
 * @throws StrongroomError `not_found`, `shredded`, and what stores and provider throw
 */
export async function changeSuspension(
  keys: KeyOperations,
  place: NodePlaceRef,
  op: 'suspend' | 'resume',
  reason: Reason = Reason.unspecified,
): Promise<void> {
  const { context } = keys.tree
  const suspending = op === 'suspend'
  await keys.reconciler.run()
  const named = new Set<string>()
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const record = await readNode(keys, place.ref)
    if (record === undefined) throw new StrongroomError('not_found', 'there is no key at that place')
    const live = record.versions.filter((version): version is LiveVersion => version.state !== KeyState.shredded)
    if (live.length === 0) throw stateError(KeyState.shredded)
    // An entry that waits has spoken, though the record does not show it: only a later one is the last word.
    const waits = keys.reconciler.isPending(place.tenantRef)
    // Where a later entry has spoken since about a version that ours named, that is the last word: it is not contradicted.
    const left = live.filter(
      (version) => (waits || (version.state === KeyState.suspended) !== suspending) && !named.has(hex(version.commitment)),
    )
    if (left.length === 0) return
    const rootVersion = await currentRootVersion(context, place.region)
    for (const { commitment } of live) named.add(hex(commitment))
    await keys.ledger.append(() =>
      Promise.resolve({
        op: LedgerOp[op],
        ...place,
        keys: live.map(({ version, commitment }) => ({ version, commitment })),
        rootVersion,
        instant: context.clock.now(),
        reason,
      }),
    )
    await keys.reconciler.run()
    const failure = keys.reconciler.failureOf(place.tenantRef)
    if (failure !== undefined) throw notApplied('noted in the ledger, but not yet in effect', failure)
  }
  throw new StrongroomError('conflict', 'other operators keep changing the state of this key; repeat it when they have stopped')
}
