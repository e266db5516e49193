/**
 * Erasures that are under way (`@strongroom/erasure`). While somebody's name is being erased from collections and other resources, whoever
 * came back under that name would lose what is new as well.
 */

import { StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import type { StateStore } from '../keys/state-store.ts'

/** The namespace of the state store that erasures are in. */
const ERASURES = 'strongroom/erasures'

/**
 * The key under which the state store keeps the erasure of a place that is under way, in `strongroom/erasures`: vault id, references from the
 * tenant's down, and `open`, joined by `/`.
 */
export function openErasureKey(vaultId: string, references: readonly string[]): string {
  return [vaultId, ...references, 'open'].join('/')
}

/**
 * @param references - of the place, from the tenant's down
 * @throws StrongroomError `erasure_pending` where one of the place is under way, or of anything above it
 */
export async function requireNoOpenErasure(
  { stateStore, vaultId }: { readonly stateStore: StateStore; readonly vaultId: Uint8Array },
  references: readonly string[],
): Promise<void> {
  const found = await Promise.all(
    references.map((_, i) => stateStore.get(ERASURES, openErasureKey(hex(vaultId), references.slice(0, i + 1)))),
  )
  if (found.some((entry) => entry !== undefined))
    throw new StrongroomError(
      'erasure_pending',
      'an erasure of this, or of what it is beneath, is under way, and what is new would go with it: wait until it has ended',
    )
}
