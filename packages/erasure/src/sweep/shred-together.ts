/** People of one tenant lose their keys together: one page of the ledger, and one look at it, for all of them. */

import { isAway, StrongroomError } from '@strongroom/core'

import type { ErasureParts } from '../parts.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import { isInUse } from './destroy-keys.ts'

/** So many fill a page of the ledger. */
export const SHRED_AT_ONCE = 256

/** What became of those that were shredded together, by the ids of their erasures: gives the receipt, or throws what kept all of them. */
export type Together = ReadonlyMap<string, () => string>

/**
 * Whoever is missing in the answer is to be shredded by himself: what is no person's, whoever is in use, and all among whom one is refused.
 *
 * @param noted - their intents are
 */
export async function shredTogether(parts: ErasureParts, noted: readonly OpenErasure[]): Promise<Together> {
  const together = new Map<string, () => string>()
  for (const group of grouped(noted)) {
    const free = []
    for (const erasure of group) if (!(await isInUse(parts, erasure))) free.push(erasure)
    if (free.length > 1) for (const [id, receipt] of await shredGroup(parts, free)) together.set(id, receipt)
  }
  return together
}

async function shredGroup({ vault }: ErasureParts, group: readonly OpenErasure[]): Promise<Together> {
  const [{ record }] = group as readonly [OpenErasure]
  const bySubject = new Map(group.map(({ id, record: { names } }) => [names.subject ?? '', id]))
  const receipts = new Map<string, () => string>()
  try {
    const shredded = vault.tenant(record.names.tenant).shredMany([...bySubject.keys()], { reason: record.reason })
    for await (const { subject, receipt } of shredded) receipts.set(bySubject.get(subject) ?? '', () => receipt)
    return receipts
  } catch (error) {
    if (!isOfAll(error)) return receipts
    const thrown = (): never => {
      throw error
    }
    return new Map(group.map(({ id }) => [id, thrown]))
  }
}

// What would keep each of them just as well, so that none is tried again by itself.
function isOfAll(error: unknown): boolean {
  return (
    isAway(error) ||
    (error instanceof StrongroomError && ['key_store_unavailable', 'state_store_unavailable', 'vault_closed'].includes(error.code))
  )
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
