/** What the key store's records say of a place, without a key. */

import { KeyState, type NodeRecord } from '../format/records.ts'
import type { GoneVersion } from '../keys/open-node.ts'
import { goneVersions, isLive } from '../keys/unwrap-node-record.ts'

/** What is known of the key of a place. `absent`: there never was one. `gone`: it went, or would have, with what is above it. */
export type PlaceState = 'absent' | 'active' | 'suspended' | 'shredded' | 'gone'

/** @param records - from the tenant's down to the node's own */
export function stateOfPath(records: readonly (NodeRecord | undefined)[]): PlaceState {
  let above: { readonly gone: readonly GoneVersion[] } | undefined
  let isSuspended = false
  const own = records.at(-1)
  if (own !== undefined && own.versions.every(({ state }) => state === KeyState.shredded)) return 'shredded'
  for (const record of records) {
    if (record === undefined) return 'absent'
    const newest = record.versions.findLast((version) => isLive(version, above))
    if (newest === undefined) return 'gone'
    isSuspended ||= newest.state === KeyState.suspended
    above = { gone: goneVersions(record, above) }
  }
  return isSuspended ? 'suspended' : 'active'
}
