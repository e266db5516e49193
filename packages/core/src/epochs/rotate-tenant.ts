/** `rotateTenantKey`: a new wrapping key now, whatever the history. */

import { StrongroomError } from '../errors.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { beginMove, finishMove, openLiving, orBlocked } from './move-tenant.ts'
import type { CheckedRun, Progress } from './progress.ts'
import { waitOutCacheBound } from './wait-bound.ts'
import { countNodes } from './walk-nodes.ts'

/** Where `rotateTenantKey` is. */
export type RotateTenantPhase = 'preparing' | 'waiting' | 'rewrapping'

/**
 * A move that was begun and not ended is ended; else a new one is made.
 *
 * @throws StrongroomError `not_found`, `epoch_blocked`, and what stores and provider throw
 */
export async function* rotateTenantKey(
  keys: KeyOperations,
  tenantRef: Uint8Array,
  run: CheckedRun,
): AsyncGenerator<Progress<RotateTenantPhase>> {
  const { context } = keys.tree
  yield { phase: 'preparing', done: 0, total: 1 }
  await keys.reconciler.run()
  const tenant = await orBlocked(() => openLiving(context, tenantRef))
  if (tenant === undefined) throw new StrongroomError('not_found', 'there is no such tenant, or it was shredded: it has no key to rotate')
  tenant.destroy()
  const to = await beginMove(context, tenantRef)
  // This process need not wait for itself.
  keys.tree.invalidate(tenantRef)
  yield { phase: 'preparing', done: 1, total: 1 }

  yield { phase: 'waiting', done: 0, total: 1 }
  await waitOutCacheBound(context, run.signal)
  await context.failpoint('move.waited')
  yield { phase: 'waiting', done: 1, total: 1 }

  // Every shred again: a shredded key that was put back by hand must not be carried along.
  await keys.reconciler.run({ again: 'shreds' })
  const total = await countNodes(context, tenantRef)
  let done = 0
  yield { phase: 'rewrapping', done, total }
  for await (const moved of finishMove(context, tenantRef, to, run)) {
    done += moved
    yield { phase: 'rewrapping', done, total: Math.max(done, total) }
  }
  yield { phase: 'rewrapping', done: total, total }
}
