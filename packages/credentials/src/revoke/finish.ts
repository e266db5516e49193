/** Ending a connection that is on its way out, or whose owner is gone, by its entry alone. */

import type { Vault } from '@strongroom/core'

import { isNotConnected } from '../errors.ts'
import type { StoredConnection } from '../records/connection-store.ts'
import { disconnect, type DisconnectOptions } from './disconnect.ts'
import { leavingByReference } from './leaving.ts'

/** @throws StrongroomError what stores and keys throw; repeated, it goes on where it stopped */
export async function finish(connection: StoredConnection, vault: Vault, options: DisconnectOptions): Promise<void> {
  if (await tidyDead(connection, vault, options)) return
  try {
    await disconnect(leavingByReference(vault, connection), options)
  } catch (error) {
    // Somebody else has just done it.
    if (!isNotConnected(error)) throw error
  }
}

/** Removes the entry of a connection whose key is gone, with whose it was or by itself: what could be done first was done. */
export async function tidyDead(connection: StoredConnection, vault: Vault, { store, tell }: DisconnectOptions): Promise<boolean> {
  const { about, itemOf } = leavingByReference(vault, connection)
  if (!isDead(await itemOf(connection.record).state())) return false
  await store.removeItem(connection.key, connection.record.item)
  tell({ type: 'disconnected', ...about })
  return true
}

export function isDead(state: string): boolean {
  return state === 'gone' || state === 'shredded'
}
