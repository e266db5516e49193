/** The end of an erasure: nothing is left, one cache bound later nothing has come back, and its record holds no name any more. */

import { verifyReceipt } from '@strongroom/core'

import { codeOf, type ErasureParts } from '../parts.ts'
import { kindOf } from '../places/place.ts'
import type { ErasedRecord } from '../records/ended.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import type { Failure, OpenRecord, ResourceProgress } from '../records/record.ts'
import { askSurvivors, type ResourceSurvivors } from '../survivors.ts'
import { isClean, leave, paused, verifyResources } from './erase-resources.ts'
import { failureAfter, LEASE, pauseAfter } from './pauses.ts'
import { type Renewed, whileRenewed } from './renewed.ts'

/**
 * Killed anywhere, it is repeated to the same end.
 *
 * @param given - one of which nothing was left a cache bound ago
 * @returns `erased`, or the erasure as it is stored, of which something is left
 */
export async function finish(
  parts: ErasureParts,
  given: OpenErasure,
  confirmed: number,
  signal: AbortSignal | undefined,
): Promise<'erased' | OpenErasure> {
  const { ended, open, options } = parts
  const { failpoint } = options
  const renewed = await whileRenewed(parts, { erasure: given, confirmed }, signal, (until) => lookAgain(parts, given, until))
  const { resources, survivors } = renewed.done
  if (survivors === undefined) return saveLeft(parts, renewed)
  await failpoint('erased.verified')
  const { references, record } = renewed.erasure
  const key = { references, nonce: record.nonce }
  const erased = await erasedRecord(parts, { ...record, resources }, survivors)
  // First, while nothing but its own record is found beneath it.
  await hasten(parts, renewed.erasure, renewed.confirmed)
  // Whoever was stopped since he looked may have lost it to somebody who has found more.
  const claimed = await open.saveClaimed(renewed.erasure, {}, (await parts.time.confirmed()) + LEASE)
  await ended.putErased(key, erased)
  await failpoint('erased.put')
  await ended.note(key, erased)
  await failpoint('erased.marked')
  const isLast = await open.removeClaimed(claimed)
  await failpoint('erased.removed')
  if (isLast) parts.tell({ type: 'erased', id: given.id })
  return 'erased'
}

/** What a last look has found: what outlives it, or `undefined` where it cannot end. */
interface LastLook {
  readonly resources: readonly ResourceProgress[]
  readonly survivors: readonly ResourceSurvivors[] | undefined
  /** Of what is not a resource's. */
  readonly failure?: Failure | undefined
}

async function lookAgain(parts: ErasureParts, erasure: OpenErasure, signal: AbortSignal): Promise<LastLook> {
  const resources = await verifyResources(parts, erasure, signal)
  if (!isClean(resources)) return { resources, survivors: undefined }
  try {
    return { resources, survivors: await survivorsOf(parts, erasure, signal) }
  } catch (error) {
    signal.throwIfAborted()
    const failure = failureAfter(erasure.record.failure, { code: codeOf(error), at: parts.vault.clock.now() })
    return { resources, survivors: undefined, failure }
  }
}

function saveLeft(parts: ErasureParts, { done, erasure, confirmed }: Renewed<LastLook>): Promise<OpenErasure> {
  const { resources, failure } = done
  if (failure !== undefined) return parts.open.saveClaimed(erasure, { failure }, confirmed + pauseAfter(failure.failures))
  const left = resources.map((each, i) => paused(erasure.record.resources[i] ?? each, each, confirmed))
  return leave(parts, erasure, left, confirmed)
}

// What is beneath has gone with it, and nothing of it can be taken back: its requests come to their end now, before anybody comes back.
async function hasten({ open, vault }: ErasureParts, { references, record }: OpenErasure, confirmed: number): Promise<void> {
  // Nothing is beneath an item.
  if (record.names.item !== undefined) return
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

function survivorsOf(parts: ErasureParts, { record, references }: OpenErasure, signal: AbortSignal): Promise<readonly ResourceSurvivors[]> {
  const place = { kind: kindOf(record.names), references }
  const names = record.resources.map(({ name }) => name)
  return askSurvivors(parts, place, { names, signal })
}

async function erasedRecord({ vault }: ErasureParts, record: OpenRecord, survivors: readonly ResourceSurvivors[]): Promise<ErasedRecord> {
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
