/** The end of an erasure: nothing is left, one cache bound later nothing has come back, and its record holds no name any more. */

import { verifyReceipt } from '@strongroom/core'

import { codeOf, type ErasureParts } from '../parts.ts'
import { kindOf } from '../places/place.ts'
import type { ErasedRecord } from '../records/ended.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import { isClean, verifyResources } from './erase-resources.ts'
import { askSurvivors, type ResourceSurvivors } from '../survivors.ts'
import { failureAfter, pauseAfter } from './pauses.ts'

/**
 * Killed anywhere, it is repeated to the same end.
 *
 * @param given - one of which nothing was left a cache bound ago
 * @returns `erased`, or the erasure as it is stored, of which something is left
 */
export async function finish(parts: ErasureParts, given: OpenErasure, confirmed: number): Promise<'erased' | OpenErasure> {
  const { ended, open, options } = parts
  const { failpoint } = options
  const verified = await verifyResources(parts, given, confirmed)
  if (!isClean(verified)) return verified
  const survivors = await survivorsOf(parts, verified).catch(async (error: unknown): Promise<OpenErasure> => {
    const failure = failureAfter(verified.record.failure, { code: codeOf(error), at: parts.vault.clock.now() })
    return open.save(verified, { failure }, confirmed + pauseAfter(failure.failures))
  })
  if (!Array.isArray(survivors)) return survivors as OpenErasure
  await failpoint('erased.verified')
  const { references, record } = verified
  const key = { references, nonce: record.nonce }
  const erased = await erasedRecord(parts, verified, survivors)
  await ended.putErased(key, erased)
  await failpoint('erased.put')
  await ended.note(key, erased)
  await failpoint('erased.marked')
  await hasten(parts, verified, confirmed)
  const isLast = await open.remove(verified)
  await failpoint('erased.removed')
  if (isLast) parts.tell({ type: 'erased', id: verified.id })
  return 'erased'
}

// What is beneath has gone with it, and nothing of it can be taken back: its requests come to their end now, before anybody comes back.
async function hasten({ open, vault }: ErasureParts, { references, record }: OpenErasure, confirmed: number): Promise<void> {
  const { instant: shredded } = verifyReceipt(record.receipt ?? '', await vault.receiptKeys())
  for await (const unread of open.beneath(references)) {
    if (unread.references.length === references.length) continue
    // One that is damaged comes to no end anyhow, and keeps this one from none.
    const beneath = await unread.open().catch(() => undefined)
    if (beneath === undefined) continue
    await open.change(beneath, ({ state, grace, requested, due }) =>
      ['requested', 'suspended'].includes(state) && grace > 0
        ? { changes: { grace: 0, due: Math.min(due, Math.max(requested, shredded)) }, due: confirmed }
        : undefined,
    )
  }
}

function survivorsOf(parts: ErasureParts, { record, references }: OpenErasure): Promise<readonly ResourceSurvivors[]> {
  const place = { kind: kindOf(record.names), references }
  return askSurvivors(parts, place, { names: record.resources.map(({ name }) => name) })
}

async function erasedRecord(
  { vault }: ErasureParts,
  { record }: OpenErasure,
  survivors: readonly ResourceSurvivors[],
): Promise<ErasedRecord> {
  const { names, reason, policy, requested, suspended = requested, due, held, receipt = '' } = record
  const { region, rootVersion } = verifyReceipt(receipt, await vault.receiptKeys())
  return {
    kind: kindOf(names),
    reason,
    policy,
    region,
    rootVersion,
    requestedAt: requested,
    suspendedAt: suspended,
    dueAt: due,
    erasedAt: vault.clock.now(),
    held,
    receipt,
    resources: record.resources.map(({ name, found = 0, verifiedAt = 0 }) => ({ name, found, remaining: 0, verifiedAt })),
    survivors,
  }
}
