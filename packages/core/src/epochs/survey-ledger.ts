/** What the ledger says of each region. */

import { LedgerOp } from '../format/ledger-entry.ts'
import { type Ledger, LEDGER_START } from '../keys/ledger.ts'
import type { RegionEntries } from './shred-status.ts'

const ENTRIES_PER_TURN = 1000

/** Of a region that the ledger does not speak of. */
export const NO_ENTRIES: RegionEntries = { created: new Set(), destroyed: new Set(), shreds: new Map() }

/**
 * Reads the whole ledger, once.
 *
 * @param goOn - called from time to time; throws where the reading is to end
 * @throws StrongroomError `ledger_invalid`, and what the stores throw
 */
export async function surveyLedger(
  ledger: Ledger,
  goOn: () => Promise<void>,
): Promise<{ readonly n: number; readonly regions: ReadonlyMap<string, RegionEntries> }> {
  const regions = new Map<string, RegionEntries>()
  let last = 0
  for await (const { n, op, region, rootVersion, instant } of ledger.after(LEDGER_START)) {
    if (n % ENTRIES_PER_TURN === 0) await goOn()
    last = n
    const entries = regions.get(region) ?? { created: new Set(), destroyed: new Set(), shreds: new Map() }
    regions.set(region, entries)
    if (op === LedgerOp.rootCreated) entries.created.add(rootVersion.number)
    if (op === LedgerOp.rootDestroyed) entries.destroyed.add(rootVersion.number)
    if (op !== LedgerOp.shred) continue
    const { count, since } = entries.shreds.get(rootVersion.number) ?? { count: 0, since: instant }
    entries.shreds.set(rootVersion.number, { count: count + 1, since: Math.min(since, instant) })
  }
  return { n: last, regions }
}
