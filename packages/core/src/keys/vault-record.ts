/** The vault's one record in the key store: read, and moved forward by compare-and-set. */

import { StrongroomError } from '../errors.ts'
import type { VaultRecord } from '../format/records.ts'
import type { KeyStore } from './key-store.ts'
import { putUnlessThere } from './put-unless-there.ts'
import { retryConflicts } from './retry.ts'

/** @throws StrongroomError `vault_not_initialised` */
export async function readVaultRecord(store: KeyStore): Promise<VaultRecord> {
  const record = await findVaultRecord(store)
  if (record === undefined) {
    throw new StrongroomError(
      'vault_not_initialised',
      'there is no vault in this key store; make one with initVault, or restore its backup',
    )
  }
  return record
}

export async function findVaultRecord(store: KeyStore): Promise<VaultRecord | undefined> {
  const [record] = await store.get([{ type: 'vault' }])
  return record?.type === 'vault' ? record : undefined
}

/**
 * Copies the vault's first records to their places, where `initVault` was killed after its one write. Any process that opens
 * the vault does it; records that are there already are newer, and stay.
 */
export async function settleBootstrap(store: KeyStore, record: VaultRecord): Promise<void> {
  if (record.bootstrap === undefined) return
  for (const first of record.bootstrap) await putUnlessThere({ keyStore: store }, first)
  await retryConflicts(async () => {
    const { bootstrap, ...settled } = await readVaultRecord(store)
    if (bootstrap !== undefined) await store.put({ ...settled, revision: settled.revision + 1 })
  })
}
