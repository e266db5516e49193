/** Filling a place that was shredded: on purpose, with a new key. What was encrypted under the old one stays dead. */

import { hasCode, StrongroomError } from '../errors.ts'
import { LedgerOp } from '../format/ledger-entry.ts'
import type { Reason } from '../format/records.ts'
import { instant } from './key-cache.ts'
import { mintVersion } from './mint-node.ts'
import { openFresh } from './open-fresh.ts'
import type { OpenNode } from './open-node.ts'
import { currentRootVersion } from './regions.ts'
import { retryConflicts } from './retry.ts'
import { isOutdated, rewrapNode } from './rewrap-node.ts'
import type { KeyOperations, NodePlaceRef } from './shred.ts'

/**
 * Ledger first: an older entry that occupied the place then knows that it does not speak of the new key.
 *
 * @throws StrongroomError `not_found` (nothing was shredded there), `already_exists`, `shredded` (what is above is gone), and what stores and
 *   provider throw
 */
export async function recreateNode(keys: KeyOperations, place: NodePlaceRef, reason: Reason): Promise<void> {
  const { tree, ledger, reconciler } = keys
  const { context } = tree
  await reconciler.run()
  await retryConflicts(async () => {
    const loaded = instant(context.clock)
    const path = await openFresh(tree, place)
    if (path?.parent === undefined) throw new StrongroomError('not_found', 'nothing was shredded there: just encrypt')
    const { tenant, parent, node: before } = path
    try {
      if (before.versions.length > 0) throw new StrongroomError('already_exists', 'there is a living key at that place')
      const { kind, ref } = place
      const node = await mintVersion(context, { tenant, parent, kind, ref, before: before.record }, loaded)
      try {
        await ledger.append(async () => ({
          op: LedgerOp.recreate,
          kind,
          ref,
          parentRef: place.parentRef,
          tenantRef: place.tenantRef,
          region: place.region,
          keys: node.versions.map(({ version, commitment }) => ({ version, commitment })),
          rootVersion: await currentRootVersion(context, place.region),
          instant: context.clock.now(),
          reason,
        }))
        await context.failpoint('recreate.entered')
        await context.keyStore.put(node.record)
        await settleStored(keys, place, node)
        await context.failpoint('recreate.stored')
      } finally {
        node.destroy()
      }
    } finally {
      path.close()
    }
  })
  tree.invalidate(place.ref)
  await reconciler.run()
}

// It may have been stored so late that its wrapping key was followed by another meanwhile, and only its maker still has the secret.
async function settleStored({ tree }: KeyOperations, { parentRef, tenantRef }: NodePlaceRef, node: OpenNode): Promise<void> {
  const above = await openFresh(tree, { ref: parentRef, parentRef: tenantRef, tenantRef })
  if (above === undefined) return
  try {
    const { tenant, node: parent } = above
    if (!isOutdated(node, parent, (id) => tenant.isOutdated(id))) return
    await tree.context.keyStore.put(rewrapNode(tree.context, node, parent, await tenant.forNewWraps()))
  } catch (error) {
    // Whoever was first has wrapped it anew.
    if (!hasCode(error, 'conflict')) throw error
  } finally {
    above.close()
  }
}
