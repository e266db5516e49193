/** What every work on a vault that was made begins with: its record, its key tree, its ledger. */

import { equalBytes } from '../crypto/hash.ts'
import { decryptFailed, invalidArgument } from '../errors.ts'
import { VAULT_REF } from '../format/reference.ts'
import { vaultRecordCheck } from '../format/vault-record-check.ts'
import { announceRootVersion } from '../keys/announce-root-version.ts'
import { settleFirstEntry } from '../keys/first-entry.ts'
import type { KeyContext } from '../keys/key-context.ts'
import { KeyTree, required } from '../keys/key-tree.ts'
import { Ledger } from '../keys/ledger.ts'
import { Reconciler } from '../keys/reconcile.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { readVaultRecord, settleBootstrap } from '../keys/vault-record.ts'
import { LEDGER_STEP } from './init-vault.ts'
import type { CheckedOptions } from './options.ts'

/** The keys of a vault. Nothing was read from its ledger yet. */
export interface OpenedKeys {
  readonly keys: KeyOperations
  /** 32 bytes, a copy of its own each time. */
  readonly ledgerKey: () => Promise<Uint8Array>
}

/**
 * @throws StrongroomError `vault_not_initialised`, `invalid_argument`, `wrong_root_key`, `region_refused` (no provider for the vault's
 *   home region), `decrypt_failed` (the key store was altered), and for key store and provider their `…_unavailable`
 */
export async function openKeys(checked: CheckedOptions): Promise<OpenedKeys> {
  const { keyStore, stateStore, clock, providers } = checked
  const record = await readVaultRecord(keyStore)
  if (checked.cacheBound !== undefined && checked.cacheBound > record.cacheBound) {
    throw invalidArgument('cacheBound', 'must not be above the one that the vault was made with: others rely on it')
  }
  providers.require(record.homeRegion)
  // What initVault had left to do when it was killed.
  if (record.bootstrap !== undefined) await settleFirstEntry({ stateStore, vaultId: record.vaultId })
  await settleBootstrap(keyStore, record)

  const context: KeyContext = {
    vaultId: record.vaultId,
    cacheBound: record.cacheBound,
    clock,
    keyStore,
    stateStore,
    providers,
    failpoint: checked.failpoint,
    announce: (region, rootVersion) => announceRootVersion(keys, region, rootVersion),
  }
  const tree = new KeyTree(context, {
    maxAge: checked.cacheBound ?? record.cacheBound,
    maxNodes: checked.maxCachedKeys,
    maxTenants: checked.maxCachedTenants,
  })
  const ledgerKey = async (): Promise<Uint8Array> => {
    const path = required(await tree.open(VAULT_REF, [LEDGER_STEP], false))
    try {
      const version = path.nodes[0]?.versions.at(-1)
      if (version === undefined) throw decryptFailed()
      return version.serviceKey('ledger')
    } finally {
      path.release()
    }
  }
  // Before anything relies on the bound.
  if (!equalBytes(vaultRecordCheck(await ledgerKey(), record), record.check)) throw decryptFailed()
  const ledger = new Ledger(context, ledgerKey)
  const keys: KeyOperations = { tree, ledger, reconciler: new Reconciler(tree, ledger) }
  return { keys, ledgerKey }
}
