/**
 * Erasures that are under way (`@strongroom/erasure`). While somebody's name is being erased from collections and other resources, whoever
 * came back under that name would lose what is new as well.
 */

import { StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { scanEntries } from '../keys/state-pages.ts'
import type { StateStore } from '../keys/state-store.ts'
import { prefixOf } from './entries-beneath.ts'

/** The namespace of the state store that erasures are in. */
const ERASURES = 'strongroom/erasures'
const OPEN = 'open'

/**
 * The key under which the state store keeps the erasure of a place that is under way, in `strongroom/erasures`: vault id, references from the
 * tenant's down, and `open`, joined by `/`.
 */
export function openErasureKey(vaultId: string, references: readonly string[]): string {
  return [vaultId, ...references, OPEN].join('/')
}

/**
 * @param references - of the place, from the tenant's down
 * @throws StrongroomError `erasure_pending` where one of the place is under way, or of anything above or beneath it
 */
export async function requireNoOpenErasure(
  { stateStore, vaultId }: { readonly stateStore: StateStore; readonly vaultId: Uint8Array },
  references: readonly string[],
): Promise<void> {
  const above = references.slice(1).map((_, i) => openErasureKey(hex(vaultId), references.slice(0, i + 1)))
  const found = await Promise.all(above.map((key) => stateStore.get(ERASURES, key)))
  if (found.some((entry) => entry !== undefined) || (await hasOpen(stateStore, prefixOf(vaultId, references))))
    throw new StrongroomError(
      'erasure_pending',
      'an erasure of this, of what it is beneath or of what is beneath it, is under way, and what is new would go with it: wait until it has ended',
    )
}

// Among those that have ended, and wait for their epoch.
async function hasOpen(stateStore: StateStore, prefix: string): Promise<boolean> {
  for await (const { key } of scanEntries(stateStore, ERASURES, prefix)) if (key.endsWith(`/${OPEN}`)) return true
  return false
}
