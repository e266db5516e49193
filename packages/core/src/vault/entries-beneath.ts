/** Entries that packages keep in the state store about places of the tree: by the vault's id and the references from the tenant's down. */

import { hex } from '../format/bytes.ts'
import type { StateStore } from '../keys/state-store.ts'

// From so many places of one tenant on, one look says first whether that has any.
const MANY = 3

/** What the keys of entries beneath a place begin with. @param references - of the place, from the tenant's down */
export function prefixOf(vaultId: Uint8Array, references: readonly string[]): string {
  return `${[hex(vaultId), ...references].join('/')}/`
}

export async function hasEntries(stateStore: StateStore, namespace: string, prefix: string): Promise<boolean> {
  return (await stateStore.scan(namespace, prefix, { limit: 1 })).length > 0
}

/** Whether it is worth looking at each of some places. @param tenantRef - of the tenant whose they all are */
export async function mayHaveEntries(
  stateStore: StateStore,
  namespace: string,
  { vaultId, tenantRef, places }: { readonly vaultId: Uint8Array; readonly tenantRef: string; readonly places: number },
): Promise<boolean> {
  return places < MANY || hasEntries(stateStore, namespace, prefixOf(vaultId, [tenantRef]))
}
