/** Taking a request back, for as long as its grace lasts. */

import { StrongroomError } from '@strongroom/core'

import { type ErasureParts, placeOf } from '../parts.ts'
import type { OpenErasure } from '../records/open-erasures.ts'

/**
 * @throws StrongroomError `grace_over`, `shredded` (its keys are gone by another way), `not_found` (there is no such request any more)
 */
export async function cancel(parts: ErasureParts, erasure: OpenErasure): Promise<void> {
  const now = await parts.time.now()
  // Of what is in use there is nothing to be revived.
  const isInUse = (await placeOf(parts, erasure).state()) === 'active'
  const cancelling = await parts.open.change(erasure, ({ state, due }) => {
    if (state === 'cancelling') return undefined
    if (state === 'shredding' || (now >= due && !isInUse)) throw graceOver()
    // From the note on, whoever sweeps ends it.
    return { changes: { state: 'cancelling' }, due: 0 }
  })
  if (cancelling === undefined) throw new StrongroomError('not_found', 'this request was taken back already, or has ended')
  await parts.options.failpoint('cancel.noted')
  await finishCancel(parts, cancelling)
}

/** What is left to be done of one that is being taken back. Killed anywhere, it is repeated. */
export async function finishCancel(parts: ErasureParts, given: OpenErasure): Promise<void> {
  const place = placeOf(parts, given)
  const state = await place.state()
  // Asked for again meanwhile, after another process had ended this: what that has suspended stays so.
  const erasure = await parts.open.get({ references: given.references, nonce: given.record.nonce })
  if (erasure?.record.state !== 'cancelling') return
  if (state === 'shredded' || state === 'gone') {
    await parts.open.change(erasure, (record) =>
      record.state === 'cancelling' ? { changes: { state: 'suspended' }, due: record.due } : undefined,
    )
    throw new StrongroomError('shredded', 'its keys were destroyed meanwhile, by another way: what is left of it is erased')
  }
  if (state === 'suspended' && !erasure.record.suspendedBefore) await place.handle.resume()
  await parts.options.failpoint('cancel.resumed')
  const isLast = await parts.open.remove(erasure)
  await parts.options.failpoint('cancel.removed')
  if (isLast) parts.tell({ type: 'cancelled', id: erasure.id })
  else await suspendAgain(parts, erasure)
}

// Others were first, and somebody has asked again between the look and the resuming here: that request would wait for its end in vain.
async function suspendAgain(parts: ErasureParts, { references, record }: OpenErasure): Promise<void> {
  const other = await parts.open.find(references)
  if (other === undefined || other.record.nonce === record.nonce) return
  if (other.record.state === 'requested' || other.record.state === 'suspended') await placeOf(parts, other).handle.suspend()
}

export function graceOver(): StrongroomError {
  return new StrongroomError('grace_over', 'the grace is over: what was asked for is being carried out, and cannot be taken back')
}
