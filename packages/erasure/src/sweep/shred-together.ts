/** People of one tenant lose their keys together: one page of the ledger, and one look at it, for all of them. */

import { isAway, isOver } from '@strongroom/core'

import type { ErasureParts } from '../parts.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import { isInUse } from './destroy-keys.ts'

/** So many fill a page of the ledger. */
export const SHRED_AT_ONCE = 256

/** What became of those that were shredded together, by the ids of their erasures: gives the receipt, or throws what kept all of them. */
export type Together = ReadonlyMap<string, () => string>

/**
 * Whoever is missing in the answer is to be shredded by himself: what is no person's, whoever is in use, whom somebody else has claimed or of whom it
 * cannot be said, and all among whom one is refused.
 *
 * @param noted - their intents are
 */
export async function shredTogether(parts: ErasureParts, noted: readonly OpenErasure[]): Promise<Together> {
  const together = new Map<string, () => string>()
  for (const group of grouped(noted))
    if (group.length > 1) for (const [id, receipt] of await shredGroup(parts, group)) together.set(id, receipt)
  return together
}

async function shredGroup(parts: ErasureParts, group: readonly OpenErasure[]): Promise<Together> {
  const [{ record }] = group as readonly [OpenErasure]
  const [bySubject, receipts] = [new Map<string, string>(), new Map<string, () => string>()]
  try {
    for (const erasure of group) if (await isFree(parts, erasure)) bySubject.set(erasure.record.names.subject ?? '', erasure.id)
    if (bySubject.size < 2) return receipts
    const shredded = parts.vault.tenant(record.names.tenant).shredMany([...bySubject.keys()], { reason: record.reason })
    for await (const { subject, receipt } of shredded) receipts.set(bySubject.get(subject) ?? '', () => receipt)
    return receipts
  } catch (error) {
    // What a store has may be about one of them alone: that comes out when each is tried. A provider keeps each just as well.
    if (!isAway(error)) return receipts
    const thrown = (): never => {
      throw error
    }
    return new Map(group.map(({ id }) => [id, thrown]))
  }
}

async function isFree(parts: ErasureParts, erasure: OpenErasure): Promise<boolean> {
  try {
    await parts.open.requireClaimed(erasure)
    return !(await isInUse(parts, erasure))
  } catch (error) {
    // A store that does not answer is not asked for all the others as well.
    if (isAway(error) || isOver(error)) throw error
    return false
  }
}

function grouped(noted: readonly OpenErasure[]): readonly (readonly OpenErasure[])[] {
  const groups = new Map<string, OpenErasure[]>()
  for (const erasure of noted) {
    const { names, reason } = erasure.record
    if (names.subject === undefined || names.item !== undefined) continue
    const of = JSON.stringify([names.tenant, reason])
    const group = groups.get(of)
    if (group === undefined) groups.set(of, [erasure])
    else group.push(erasure)
  }
  return [...groups.values()]
}
