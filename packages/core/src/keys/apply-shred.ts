/** The effect of a shred entry on the key store: all steps, in the order that makes them safe, each repeatable. */

import { equalBytes } from '../crypto/hash.ts'
import type { SealedLedgerEntry } from '../format/ledger-entry.ts'
import { KeyState, type KeyVersion, type NodeRecord, type ShreddedVersion } from '../format/records.ts'
import type { KeyTree } from './key-tree.ts'
import { retryConflicts } from './retry.ts'
import { markWrappingKeys } from './wrapping-keys.ts'

const NO_COMMITMENT = new Uint8Array(32)

/** Marks the tenant's wrapping keys, makes the versions that the entry names shredded, and marks again. */
export async function applyShred(tree: KeyTree, entry: SealedLedgerEntry): Promise<void> {
  const { context } = tree
  await retryConflicts(async () => {
    // Read before the marks: if the record moves meanwhile, the write below conflicts and all begins again.
    const [found] = await context.keyStore.get([{ type: 'node', ref: entry.ref }])
    const record = found?.type === 'node' ? found : undefined
    await markWrappingKeys(context, entry.tenantRef)
    const versions = shredded(record, entry)
    if (versions !== undefined) await context.keyStore.put(withVersions(record, entry, versions))
  })
  tree.invalidate(entry.ref)
  // One that was made while the marks were set could have wrapped this node.
  await markWrappingKeys(context, entry.tenantRef)
}

// `undefined` where nothing is left to do. Versions die whose commitment the entry names: never a later life of that place. An
// entry that names none occupied an empty place: a version found there was made at the same time, or hidden and put back.
function shredded(record: NodeRecord | undefined, entry: SealedLedgerEntry): readonly KeyVersion[] | undefined {
  if (record === undefined) {
    const keys = entry.keys.length > 0 ? entry.keys : [{ version: 1, commitment: NO_COMMITMENT }]
    return keys.map((key) => tombstone(key.version, key.commitment, entry))
  }
  const named = (version: KeyVersion): boolean =>
    entry.keys.length === 0 || entry.keys.some((key) => equalBytes(key.commitment, version.commitment))
  if (!record.versions.some((version) => version.state !== KeyState.shredded && named(version))) return undefined
  return record.versions.map((version) =>
    version.state !== KeyState.shredded && named(version) ? tombstone(version.version, version.commitment, entry) : version,
  )
}

function tombstone(version: number, commitment: Uint8Array, entry: SealedLedgerEntry): ShreddedVersion {
  return {
    version,
    state: KeyState.shredded,
    commitment,
    rootVersion: entry.rootVersion,
    instant: entry.instant,
    reason: entry.reason,
    ledger: { n: entry.n, hash: entry.hash },
  }
}

function withVersions(record: NodeRecord | undefined, entry: SealedLedgerEntry, versions: readonly KeyVersion[]): NodeRecord {
  const alive = versions.some((version) => version.state !== KeyState.shredded)
  // The entry is authentic; the columns of the record need not be.
  const { kind, ref, parentRef, tenantRef, region } = entry
  const place = { type: 'node' as const, kind, ref, parentRef, tenantRef, region, revision: (record?.revision ?? 0) + 1, versions }
  // A tenant's name goes with its last key.
  return alive && record?.label !== undefined ? { ...place, label: record.label } : place
}
