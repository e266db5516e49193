/** `repairLedger`: the state store was lost, the key store was not. */

import { wipe } from '../crypto/hash.ts'
import { rebuildLedger } from '../keys/repair-ledger.ts'
import { Gate } from './authorize.ts'
import { openKeys } from './open-keys.ts'
import { checkOptions, type VaultOptions } from './options.ts'

/**
 * Rebuilds the end of the ledger where the state store was lost, or restored from before, and `openVault` therefore says `ledger_invalid`.
 * The key store must be whole: the entries are rebuilt from what they left there, bit by bit as they were, or nothing is written at all.
 * Suspending, resuming and recreating leave too little, and so does a key that was entered as shredded twice (by two processes at once,
 * or again because its record was put back): where one of these is among the lost entries, only the newest copy of the state store will
 * do. Nothing else that was in the state store comes back.
 *
 * An operator's act, then open the vault. It may be killed anywhere, run again, and run by several processes at once. Memory grows with
 * the number of lost entries. Leaves the stores open.
 *
 * @param options - the vault's own. `ledgerAtLeast` is for the `openVault` that follows; a region that no key is in is found as `defaultRegion`
 * @returns `rebuilt`: how many entries were missing; 0: the ledger reaches as far as the key store knows
 * @throws StrongroomError `ledger_invalid` (not every lost entry can be rebuilt, or what is there contradicts the key store: restore the
 *   newest state store), `vault_not_initialised`, `invalid_argument`, `wrong_root_key`, `region_refused` (no provider for the vault's home
 *   region), `decrypt_failed` (the key store was altered), `denied` (by `onAccess`), and for stores and provider their
 *   `…_unavailable`
 * @example
 * ```ts
 * import { openVault, repairLedger, type VaultOptions } from '@strongroom/core'
 *
 * async function afterLosingTheStateStore(options: VaultOptions) {
 *   const { rebuilt } = await repairLedger(options)
 *   console.log(`${rebuilt} entries rebuilt`)
 *   return openVault(options)
 * }
 * ```
 */
export async function repairLedger(options: VaultOptions): Promise<{ readonly rebuilt: number }> {
  const checked = checkOptions(options)
  const { clock, providers, onAccess } = checked
  new Gate({ clock, providers, onAccess }).authorize('repairLedger', {}, undefined)
  await checked.stateStore.prepare?.()
  const { keys, ledgerKey } = await openKeys(checked)
  const key = await ledgerKey()
  try {
    return { rebuilt: await rebuildLedger(keys, key, [checked.defaultRegion]) }
  } finally {
    wipe(key)
    keys.tree.close()
  }
}
