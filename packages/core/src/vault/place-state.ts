/** What the key store's records say of a place, without a key. */

import { KeyState, type NodeRecord } from '../format/records.ts'
import type { GoneVersion } from '../keys/open-node.ts'
import { isOccupied } from '../keys/shred.ts'
import { goneVersions, isLive } from '../keys/unwrap-node-record.ts'

/**
 * What is known of the key of a place. `absent`: there is none, and the next that encrypts makes one; also where this copy of the key store has
 * only versions that a rotation has ended. `gone`: it went, or would have, with what is above it.
 */
export type PlaceState = 'absent' | 'active' | 'suspended' | 'shredded' | 'gone'

/**
 * @param records - from the tenant's down to the node's own
 * @param suspendedBy - whose suspension counts: of any of them, or only the node's own
 */
export function stateOfPath(records: readonly (NodeRecord | undefined)[], suspendedBy: 'any' | 'own'): PlaceState {
  let above: { readonly gone: readonly GoneVersion[] } | undefined
  let isSuspended = false
  const own = records.at(-1)
  if (own !== undefined && isOccupied(own.versions) && own.versions.every(({ state }) => state === KeyState.shredded)) return 'shredded'
  for (const record of records) {
    if (record === undefined) return 'absent'
    const newest = record.versions.findLast((version) => isLive(version, above))
    const gone = goneVersions(record, above)
    if (newest === undefined) return gone.at(-1)?.isRetired === true ? 'absent' : 'gone'
    isSuspended = newest.state === KeyState.suspended || (isSuspended && suspendedBy === 'any')
    above = { gone }
  }
  return isSuspended ? 'suspended' : 'active'
}
