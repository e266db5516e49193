/**
 * Claims when the erasures' time goes on. It goes in steps longer than a claim: what was claimed a moment ago would be anybody's at once, and
 * whoever still works on it could meet a new life, once others had ended the old one.
 */

import type { ErasureParts } from '../parts.ts'
import { unlessConflict, unlessDamaged } from '../records/sealed-entries.ts'
import { LEASE } from './pauses.ts'

/**
 * Moves claims along with the time, each once: whoever lives takes his up again within a minute, and it is moved again then; of whoever does
 * not, it is anybody's when the time has gone on once more, since a claim that was moved does not look like one.
 *
 * @param before - the time that claims were made by
 */
export async function keepClaims({ open }: ErasureParts, before: number, confirmed: number): Promise<void> {
  for await (const unread of open.due(before + LEASE, before + LEASE)) {
    const claimed = await unread.open().catch(unlessDamaged)
    if (claimed?.record.state !== 'shredding') continue
    await open.save(claimed, {}, confirmed + LEASE + 1).catch(unlessConflict)
  }
}
