/** `finality`: whether what was shredded is dead in every backup. Never writes. */

import type { KeyOperations } from '../keys/shred.ts'
import { findRegion } from '../keys/regions.ts'
import { readVaultRecord } from '../keys/vault-record.ts'
import { askProvider } from './provider-status.ts'
import { type Finality, finalityOf } from './shred-status.ts'
import { NO_ENTRIES, surveyLedger } from './survey-ledger.ts'

/**
 * @param rootVersion - as the entry of the shred names it
 * @param goOn - called from time to time; throws where the reading is to end
 * @throws StrongroomError `ledger_invalid`, and what the stores throw, and the provider that the ledger's key needs
 */
export async function readFinality(keys: KeyOperations, region: string, rootVersion: number, goOn: () => Promise<void>): Promise<Finality> {
  const { context } = keys.tree
  await goOn()
  const at = context.clock.now()
  const { head } = await readVaultRecord(context.keyStore)
  await keys.ledger.requireHead(head)
  const { regions } = await surveyLedger(keys.ledger, goOn)
  const record = await findRegion(context, region)
  const provider = await askProvider(context, region, record, at)
  return finalityOf(regions.get(region) ?? NO_ENTRIES, record, provider, at, rootVersion)
}

/**
 * Whether it is worth asking: where the record of the region shows a root version up to this one as live, or a copy of it as left, the answer is no.
 * Reads that record alone.
 */
export async function mayBeFinal({ tree }: Pick<KeyOperations, 'tree'>, region: string, rootVersion: number): Promise<boolean> {
  const now = tree.context.clock.now()
  const record = await findRegion(tree.context, region)
  return (
    record?.versions
      .filter(({ number }) => number <= rootVersion)
      .every(
        (version) =>
          version.state !== 'live' &&
          version.destruction !== undefined &&
          Math.max(version.destruction.effectiveAt, version.destruction.copiesUntil) <= now,
      ) ?? false
  )
}
