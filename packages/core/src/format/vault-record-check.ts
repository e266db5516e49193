/** What `initVault` fixes in the vault's record, bound by a key of the vault (docs/format.md, "The vault record"). */

import { hmacSha256 } from '../crypto/hash.ts'
import { ascii, concat, lp, u64 } from './bytes.ts'
import type { VaultRecord } from './records.ts'

const VAULT_RECORD = lp(ascii('strongroom/v1/vault-record'))

/** @param ledgerKey - the vault's ledger key; the label keeps this apart from the hashes of entries */
export function vaultRecordCheck(
  ledgerKey: Uint8Array,
  { vaultId, homeRegion, cacheBound, created }: Pick<VaultRecord, 'vaultId' | 'homeRegion' | 'cacheBound' | 'created'>,
): Uint8Array {
  return hmacSha256(ledgerKey, concat(VAULT_RECORD, lp(vaultId), lp(ascii(homeRegion)), lp(u64(cacheBound)), lp(u64(created))))
}
