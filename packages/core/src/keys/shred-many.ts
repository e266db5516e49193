/** Shredding many nodes of one tenant with few writes. */

import type { SealedLedgerEntry } from '../format/ledger-entry.ts'
import { KeyState, type NodeRecord } from '../format/records.ts'
import {
  isEntryOf,
  type KeyOperations,
  type LastWord,
  liveKeys,
  type NodePlaceRef,
  type PublicReason,
  rootVersionToOutlive,
  shredDraft,
  shredNode,
  shredsOf,
} from './shred.ts'
import { markWrappingKeys } from './wrapping-keys.ts'

/** The most that one batch may hold. */
export const SHREDS_PER_BATCH = 256

/**
 * As `shredNode` for each, in one batch: the marks once, one page of the ledger, one look at the records.
 *
 * @param places - at most 256, of one tenant, each once
 * @param lastWord - about all of them
 * @returns the entries that had the effect, in the order of the places
 */
export async function shredNodes(
  keys: KeyOperations,
  places: readonly NodePlaceRef[],
  reason: PublicReason,
  lastWord: LastWord,
): Promise<readonly SealedLedgerEntry[]> {
  const { context } = keys.tree
  const [first] = places
  if (first === undefined) return []
  await keys.reconciler.run()
  const before = await readNodes(keys, places)
  const known = await shredsOf(keys, before)
  const left = places.flatMap((place, i) => (known[i] === undefined ? [{ place, live: liveKeys(before[i]) }] : []))
  await markWrappingKeys(context, first.tenantRef)
  await context.failpoint('shred.marked')
  const entries =
    left.length === 0
      ? []
      : await keys.ledger.appendAll(async () => {
          const rootVersion = await rootVersionToOutlive(keys, first.region)
          await lastWord()
          return left.map(({ place, live }) => shredDraft(place, live, reason, rootVersion, context.clock.now()))
        })
  await context.failpoint('shred.entered')
  await keys.reconciler.run()
  await context.failpoint('shred.done')
  const after = await readNodes(keys, places)
  const done: SealedLedgerEntry[] = []
  let next = 0
  for (const [i, place] of places.entries()) {
    const already = known[i]
    const entry = already ?? entries[next++]
    // Where a writer was faster, or another process shredded the same, the long way says which entry counts.
    const counts = already !== undefined || (entry !== undefined && hadEffect(entry, after[i]))
    done.push(counts && entry !== undefined ? entry : await shredNode(keys, place, reason))
  }
  return done
}

async function readNodes({ tree }: KeyOperations, places: readonly NodePlaceRef[]): Promise<readonly (NodeRecord | undefined)[]> {
  const records = await tree.context.keyStore.get(places.map(({ ref }) => ({ type: 'node', ref })))
  return records.map((record) => (record?.type === 'node' ? record : undefined))
}

function hadEffect(entry: SealedLedgerEntry, record: NodeRecord | undefined): boolean {
  const last = record?.versions.at(-1)
  return record !== undefined && last?.state === KeyState.shredded && liveKeys(record).length === 0 && isEntryOf(entry, record, last)
}
