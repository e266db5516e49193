/** Whether there is a key at a place, without making one. */

import type { Item, Vault } from '@strongroom/core'

import { isVaultError } from '../vault-error.ts'

/** `present` also where it cannot be told. */
export type KeyPresence = 'present' | 'shredded' | 'absent'

// No backup began then, so `retireVersion` refuses before it counts anything: with it the library says whether there is a key, and writes nothing.
const NEVER = 1

/** @throws whatever else stores and provider throw */
export async function keyPresence(vault: Vault, place: Item): Promise<KeyPresence> {
  const holders = [{ countValues: async () => Promise.reject(new TypeError('nothing is to be counted')) }]
  try {
    for await (const _ of vault.retireVersion(place, { holders, dataBackup: { startedAt: NEVER } }));
  } catch (error) {
    if (!isVaultError(error)) throw error
    if (error.code === 'not_found') return 'absent'
    if (error.code === 'shredded') return 'shredded'
  }
  return 'present'
}
