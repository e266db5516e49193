/** Records that a key store may hold. */

import type { KeyStoreKey, NodeRecord } from '@strongroom/core'

export function reference(...start: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set(start)
  return bytes
}

export function node(ref: Uint8Array, changes: Partial<NodeRecord> = {}): NodeRecord {
  const live = {
    version: 1,
    state: 1,
    commitment: new Uint8Array(32).fill(1),
    parentVersion: 1,
    parentCommitment: new Uint8Array(32).fill(2),
    wrappingKeyId: reference(4),
    wrap: new Uint8Array(73).fill(3),
    created: 1_900_000_000_000,
  } as const
  const fixed = { type: 'node', kind: 2, parentRef: reference(2), tenantRef: reference(3), region: 'eu' } as const
  return { ...fixed, ref, revision: 1, versions: [live], ...changes }
}

export function keyOf({ type, ref }: NodeRecord): KeyStoreKey {
  return { type, ref }
}
