/**
 * Legal holds (`@strongroom/erasure`): while one stands on a place, above it or beneath it, no shred destroys a key of it. Decided from the state
 * store alone, so that every process heeds them, whatever else it has.
 */

import { StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import type { StateStore } from '../keys/state-store.ts'

/** The namespace of the state store that holds are in. */
const HOLDS = 'strongroom/holds'
const HOLD = 'hold'

/**
 * The key under which the state store keeps the hold on a place, in `strongroom/holds`: vault id, references from the tenant's down, and
 * `hold`, joined by `/`.
 */
export function holdKey(vaultId: string, references: readonly string[]): string {
  return [vaultId, ...references, HOLD].join('/')
}

/**
 * Whether a place may not be destroyed. A hold that does not open stands like any other: nobody can say what it was.
 *
 * @param references - of the place, from the tenant's down
 * @returns the references of a hold on it, above it or beneath it
 * @throws StrongroomError `state_store_unavailable`
 * @example
 * ```ts
 * import { findHold, type Subject, type Vault } from '@strongroom/core'
 *
 * async function isHeld({ stateStore, id }: Vault, subject: Subject): Promise<boolean> {
 *   return (await findHold(stateStore, id, await subject.references())) !== undefined
 * }
 * ```
 */
export async function findHold(
  stateStore: StateStore,
  vaultId: string,
  references: readonly string[],
): Promise<readonly string[] | undefined> {
  // Most tenants have none: one look says so.
  return (await mayBeHeld(stateStore, vaultId, references)) ? holdOf(stateStore, vaultId, references) : undefined
}

/**
 * @param places - of one tenant, by their references
 * @throws StrongroomError `held`
 */
export async function requireNoHold(
  { stateStore, vaultId }: { readonly stateStore: StateStore; readonly vaultId: Uint8Array },
  places: readonly (readonly string[])[],
): Promise<void> {
  const id = hex(vaultId)
  const [first] = places
  if (first === undefined || !(await mayBeHeld(stateStore, id, first))) return
  for (const references of places) {
    const hold = await holdOf(stateStore, id, references)
    if (hold !== undefined) throw held(references, hold)
  }
}

async function mayBeHeld(stateStore: StateStore, vaultId: string, [tenantRef = '']: readonly string[]): Promise<boolean> {
  return (await beneath(stateStore, vaultId, [tenantRef])) !== undefined
}

async function holdOf(stateStore: StateStore, vaultId: string, references: readonly string[]): Promise<readonly string[] | undefined> {
  for (const above of references.slice(1).map((_, i) => references.slice(0, i + 1)))
    if ((await stateStore.get(HOLDS, holdKey(vaultId, above))) !== undefined) return above
  return beneath(stateStore, vaultId, references)
}

async function beneath(stateStore: StateStore, vaultId: string, references: readonly string[]): Promise<readonly string[] | undefined> {
  const [first] = await stateStore.scan(HOLDS, `${[vaultId, ...references].join('/')}/`, { limit: 1 })
  return first?.key.split('/').slice(1, -1)
}

function held(references: readonly string[], hold: readonly string[]): StrongroomError {
  const where = hold.length < references.length ? 'what this is beneath' : hold.length > references.length ? 'what is beneath this' : 'this'
  return new StrongroomError(
    'held',
    `a legal hold stands on ${where}, and nothing was destroyed: release it first (its id: ${hold.join('.')}), or, if it must go all the same, give dangerouslyDespiteHold`,
  )
}
