/** From the note that somebody has asked to the moment when nothing decrypts any more. */

import { StrongroomError } from '@strongroom/core'

import { codeOf, type ErasureParts, placeOf } from '../parts.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import { failureAfter, pauseAfter } from '../sweep/pauses.ts'
import { finishCancel } from './cancel.ts'

/**
 * Suspends the place of one that is noted. Where there is no key one is made, so that nobody writes there meanwhile.
 *
 * @returns the erasure as it is stored then; `undefined` where it has ended meanwhile
 * @throws what the suspension throws, once it is noted
 */
export async function suspend(parts: ErasureParts, erasure: OpenErasure, confirmed: number): Promise<OpenErasure | undefined> {
  const { open, options, vault } = parts
  try {
    await placeOf(parts, erasure).handle.suspend()
  } catch (error) {
    // It has gone already, with its keys: what is left of it is still to be erased.
    if (!(error instanceof StrongroomError && error.code === 'shredded')) {
      const failure = failureAfter(erasure.record.failure, { code: codeOf(error), at: vault.clock.now() })
      await open.change(erasure, ({ state }) =>
        state === 'requested' ? { changes: { failure }, due: confirmed + pauseAfter(failure.failures) } : undefined,
      )
      throw error
    }
  }
  await options.failpoint('request.suspended')
  const suspended = await open.change(erasure, ({ state, due }) =>
    state === 'requested' ? { changes: { state: 'suspended', suspended: vault.clock.now(), failure: undefined }, due } : undefined,
  )
  await options.failpoint('request.entered')
  if (suspended?.record.state === 'suspended') parts.tell({ type: 'suspended', id: erasure.id })
  if (suspended?.record.state === 'cancelling') await finishCancel(parts, suspended)
  else if (suspended !== undefined) return suspended
  await undo(parts, erasure)
  return undefined
}

// Taken back before it was suspended, by somebody who found nothing to be undone.
async function undo(parts: ErasureParts, { references, record }: OpenErasure): Promise<void> {
  const place = placeOf(parts, { record })
  if (record.suspendedBefore || (await place.state()) !== 'suspended') return
  if ((await parts.open.find(references)) === undefined) await place.handle.resume()
}
