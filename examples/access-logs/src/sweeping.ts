/** What is done once an hour: what is kept of days that are over, then keys and rows whose time is over. */

import type { SweepFailure } from '@strongroom/core'

import { countDay, isoDay } from './report.ts'
import type { Store } from './store.ts'

const DAY = 86_400_000

/** @returns how many keys were destroyed and how many rows removed, and what stood in the way */
export async function sweep(
  store: Store,
): Promise<{ readonly keys: number; readonly rows: number; readonly failures: readonly SweepFailure[] }> {
  const yesterday = isoDay(store.now() - DAY)
  if ((await store.counts.findOne({ _id: yesterday })) === null) await countDay(store, yesterday)
  const keys = await store.pseudonyms.sweep()
  const rows = await store.rows.sweep()
  return { keys: keys.done, rows: rows.done, failures: keys.failures }
}
