/** Key store records for contract cases: every type, every field. */

import type { KeyStoreKey } from '../keys/key-store.ts'
import type {
  KeyStoreRecord,
  LiveVersion,
  NodeRecord,
  RegionRecord,
  ShreddedVersion,
  VaultRecord,
  WrappingKeyRecord,
} from '../format/records.ts'

const LARGEST = Number.MAX_SAFE_INTEGER
const LARGEST_U32 = 2 ** 32 - 1

/** `length` bytes that depend on `seed`, and go through every value in time. */
export function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 7) % 256)
}

/** A 16-byte reference that begins with the given bytes. */
export function reference(...start: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16)
  bytes.set(start)
  return bytes
}

export const liveVersion: LiveVersion = {
  version: LARGEST_U32,
  state: 1,
  commitment: pattern(32, 1),
  parentVersion: 1,
  parentCommitment: pattern(32, 2),
  wrappingKeyId: pattern(16, 3),
  wrap: pattern(73, 4),
  created: LARGEST,
}

export const shreddedVersion: ShreddedVersion = {
  version: 1,
  state: 4,
  commitment: pattern(32, 5),
  rootVersion: { number: LARGEST_U32, id: pattern(16, 6) },
  instant: LARGEST,
  reason: 1,
  ledger: { n: LARGEST, hash: pattern(32, 7) },
}

/** A node without `label`; `changes` replace fields. */
export function nodeRecord(changes: Partial<NodeRecord> = {}): NodeRecord {
  return {
    type: 'node',
    ref: reference(1),
    kind: 2,
    parentRef: reference(2),
    tenantRef: reference(3),
    region: 'eu',
    revision: 1,
    versions: [shreddedVersion, liveVersion],
    ...changes,
  }
}

export function wrappingKeyRecord(changes: Partial<WrappingKeyRecord> = {}): WrappingKeyRecord {
  return {
    type: 'wrapping-key',
    id: reference(1),
    tenantRef: reference(3),
    region: 'eu',
    revision: 1,
    marked: false,
    state: 'current',
    wraps: [
      { rootVersion: { number: 1, id: pattern(16, 8) }, wrap: pattern(92, 9) },
      { rootVersion: { number: 2, id: pattern(100, 10) }, wrap: pattern(300, 11) },
    ],
    created: 0,
    ...changes,
  }
}

export function regionRecord(changes: Partial<RegionRecord> = {}): RegionRecord {
  return {
    type: 'region',
    region: 'eu-Größe-\u{1f512}',
    revision: 1,
    versions: [
      {
        number: 1,
        id: pattern(16, 12),
        state: 'destroyed',
        announced: { n: 1, hash: pattern(32, 15), instant: 1 },
        destroyed: { n: 3, hash: pattern(32, 17), instant: LARGEST },
        destruction: { level: 'operator-asserted', effectiveAt: 3, copiesUntil: LARGEST },
      },
      { number: 2, id: pattern(16, 13), state: 'live', announced: { n: 2, hash: pattern(32, 16), instant: 2 } },
    ],
    epoch: { rootVersion: 2, marker: pattern(16, 18), instant: 4 },
    current: 2,
    closing: 0,
    ...changes,
  }
}

/** The vault's record without `bootstrap`; `changes` replace fields. */
export function vaultRecord(changes: Partial<VaultRecord> = {}): VaultRecord {
  return {
    type: 'vault',
    revision: 1,
    vaultId: pattern(16, 14),
    homeRegion: 'eu',
    cacheBound: 300_000,
    created: LARGEST,
    head: { n: 0, hash: new Uint8Array(32) },
    check: pattern(32, 9),
    applied: 0,
    ...changes,
  }
}

/** One record of each type, and each optional field once with and once without a value. No two have the same key, but for the vault's. */
export function everyRecord(): readonly KeyStoreRecord[] {
  const tenant = nodeRecord({ ref: reference(9), tenantRef: reference(9), parentRef: new Uint8Array(0), kind: 1, label: pattern(80) })
  const bootstrap = [nodeRecord(), tenant, wrappingKeyRecord(), regionRecord()]
  return [
    nodeRecord(),
    tenant,
    nodeRecord({ ref: reference(10), versions: [] }),
    wrappingKeyRecord(),
    wrappingKeyRecord({ id: reference(2), marked: true, state: 'retired', wraps: [] }),
    regionRecord(),
    vaultRecord(),
    vaultRecord({ bootstrap }),
    vaultRecord({ bootstrap: [] }),
  ]
}

/** The primary key of a record. */
export function keyOf(record: KeyStoreRecord): KeyStoreKey {
  switch (record.type) {
    case 'node':
      return { type: 'node', ref: record.ref }
    case 'wrapping-key':
      return { type: 'wrapping-key', id: record.id }
    case 'region':
      return { type: 'region', region: record.region }
    case 'vault':
      return { type: 'vault' }
  }
}
