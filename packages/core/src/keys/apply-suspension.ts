/** The effect of a suspend or resume entry: the state is part of a wrap's associated data, so every version is wrapped anew. */

import { equalBytes } from '../crypto/hash.ts'
import { decryptFailed, hasCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import { KeyState, type LiveVersion, type NodeRecord } from '../format/records.ts'
import type { KeyTree } from './key-tree.ts'
import type { OpenNode } from './open-node.ts'
import { type FreshPath, openFresh } from './open-fresh.ts'
import { retryConflicts } from './retry.ts'
import type { OpenWrappingKey } from './open-tenant.ts'
import { changeVersions, rewrapVersion } from './rewrap-node.ts'

/**
 * Wraps the versions that the entry names under their new state. What was shredded meanwhile stays so.
 *
 * @param spokenFor - commitments of keys on whose state a later entry has the word; asked after the record was read, so that a
 *   later effect either shows in the record, and its entry here, or makes the write conflict
 */
export async function applySuspension(
  tree: KeyTree,
  entry: SealedLedgerEntry,
  spokenFor: () => Promise<ReadonlySet<string>>,
): Promise<void> {
  await retryConflicts(async () => {
    const path = await openUnlessGone(tree, entry)
    if (path === undefined) return
    try {
      const later = await spokenFor()
      const keys = entry.keys.filter((key) => !later.has(hex(key.commitment)))
      const states = statesAfter(path.node, { ...entry, keys })
      if (states === undefined) return
      await tree.context.keyStore.put(await rewrapped(tree, path, states))
    } finally {
      path.close()
    }
  })
  tree.invalidate(entry.ref)
}

// Nothing beneath a tenant that is gone, or not yet made in a restored store, can be suspended.
async function openUnlessGone(tree: KeyTree, entry: SealedLedgerEntry): Promise<FreshPath | undefined> {
  try {
    return await openFresh(tree, entry)
  } catch (error) {
    if (hasCode(error, 'shredded', 'not_found')) return undefined
    throw error
  }
}

// The state of each open version after the entry, by version number; `undefined` where nothing changes. A version that died with
// its parent is not open: it counts as shredded.
function statesAfter(node: OpenNode, entry: SealedLedgerEntry): ReadonlyMap<number, LiveVersion['state']> | undefined {
  const named = node.versions.filter((version) => entry.keys.some((key) => equalBytes(key.commitment, version.commitment)))
  const newest = node.versions.at(-1)
  const states = new Map<number, LiveVersion['state']>()
  for (const version of named) {
    const resumed = version === newest ? KeyState.active : KeyState.deactivated
    const state = entry.op === LedgerOp.suspend ? KeyState.suspended : resumed
    const changes = entry.op === LedgerOp.suspend ? version.state !== state : version.state === KeyState.suspended
    if (changes) states.set(version.version, state)
  }
  return states.size === 0 ? undefined : states
}

async function rewrapped(tree: KeyTree, path: FreshPath, states: ReadonlyMap<number, LiveVersion['state']>): Promise<NodeRecord> {
  const { tenant, parent, node } = path
  const wrappingKeys = new Map<number, OpenWrappingKey>()
  for (const version of node.record.versions) {
    if (version.state === KeyState.shredded || !states.has(version.version)) continue
    wrappingKeys.set(version.version, { id: version.wrappingKeyId, key: await tenant.wrappingKey(version.wrappingKeyId) })
  }
  return changeVersions(node, (version, open) => {
    const state = states.get(version.version)
    const wrappingKey = wrappingKeys.get(version.version)
    if (state === undefined || wrappingKey === undefined) return version
    const above = parent?.versions.find((candidate) => equalBytes(candidate.commitment, version.parentCommitment))
    if (parent !== undefined && above === undefined) throw decryptFailed()
    return rewrapVersion(tree.context, node.record, { ...version, state }, open, { above, wrappingKey })
  })
}
