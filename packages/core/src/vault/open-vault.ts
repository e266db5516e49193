/** Opening a vault. */

import { decryptFailed, invalidArgument } from '../errors.ts'
import { equalBytes } from '../crypto/hash.ts'
import { vaultRecordCheck } from '../format/vault-record-check.ts'
import { VAULT_REF } from '../format/reference.ts'
import { KeyTree, required } from '../keys/key-tree.ts'
import { Ledger } from '../keys/ledger.ts'
import { Reconciler } from '../keys/reconcile.ts'
import { readVaultRecord, settleBootstrap } from '../keys/vault-record.ts'
import { Gate } from './authorize.ts'
import { LEDGER_STEP } from './init-vault.ts'
import { checkOptions, type VaultOptions } from './options.ts'
import { tenantHandle, type Tenant, type Tenants, tenants } from './tenants.ts'

/** An open vault: one for each process, for as long as that runs. */
export interface Vault {
  readonly tenants: Tenants
  /** A tenant by name. Reads nothing yet. @throws StrongroomError `invalid_argument`, `vault_closed` */
  tenant(name: string): Tenant
  /**
   * Makes the key store agree with the whole ledger again. `openVault` does it for all that the key store has not acknowledged;
   * call this where single records were put back into the key store by hand.
   *
   * @returns how many ledger entries were looked at
   * @throws StrongroomError `ledger_invalid`, and for the stores their `…_unavailable`
   */
  reconcile(): Promise<{ readonly entries: number }>
  /** Wipes the keys, refuses further calls, and closes the stores that came with a `close`. */
  close(): Promise<void>
}

/**
 * Opens a vault, and puts a key store right that was restored from before a shred.
 *
 * @throws StrongroomError `vault_not_initialised`, `invalid_argument`, `wrong_root_key`, `region_refused` (no provider for the
 *   vault's home region), `ledger_invalid`, `decrypt_failed` (the key store was altered), and for stores and provider their `…_unavailable`
 * @example
 * ```ts
 * import { field, openVault, type VaultOptions } from '@strongroom/core'
 * import { z } from 'zod'
 *
 * const email = field('users', 'email', z.email())
 *
 * async function example(options: VaultOptions) {
 *   const vault = await openVault(options)
 *   await vault.tenants.create('acme')
 *   const alice = vault.tenant('acme').subject('alice')
 *   const stored = await alice.encrypt(email, 'ada@example.com')
 *   console.log(await alice.decrypt(email, stored))
 *   await vault.close()
 * }
 * ```
 */
export async function openVault(options: VaultOptions): Promise<Vault> {
  const checked = checkOptions(options)
  const { keyStore, stateStore, clock, providers } = checked
  const record = await readVaultRecord(keyStore)
  if (checked.cacheBound !== undefined && checked.cacheBound > record.cacheBound) {
    throw invalidArgument('cacheBound', 'must not be above the one that the vault was made with: others rely on it')
  }
  providers.require(record.homeRegion)
  await settleBootstrap(keyStore, record)

  const context = { vaultId: record.vaultId, clock, keyStore, stateStore, providers }
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
  const reconciler = new Reconciler(tree, ledger)
  await reconciler.run()

  const stopWatching = keyStore.watch?.((keys) => {
    if (keys === undefined) tree.clear()
    else for (const key of keys) if (key.type === 'node') tree.invalidate(key.ref)
  })
  const gate = new Gate({ clock, providers, onAccess: checked.onAccess })
  const keys = { tree, ledger, reconciler }
  return {
    tenants: tenants(keys, gate, checked.defaultRegion),
    tenant(name) {
      gate.requireOpen()
      return tenantHandle(keys, gate, name)
    },
    async reconcile() {
      gate.requireOpen()
      const { entries } = await reconciler.run({ all: true })
      return { entries }
    },
    async close() {
      gate.close()
      stopWatching?.()
      tree.close()
      await checked.close?.()
    },
  }
}
