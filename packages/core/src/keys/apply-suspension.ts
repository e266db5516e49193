/** The effect of a suspend or resume entry: the state is part of a wrap's associated data, so every version is wrapped anew. */

import { equalBytes } from '../crypto/hash.ts'
import { decryptFailed, hasCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { childWrapKey } from '../format/derivations.ts'
import { LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import { wrapNode } from '../format/node-wrap.ts'
import { KeyState, type KeyVersion, type LiveVersion, NodeKind, type NodeRecord } from '../format/records.ts'
import { instant } from './key-cache.ts'
import type { KeyTree } from './key-tree.ts'
import type { OpenNode } from './open-node.ts'
import { openTenant, type OpenTenant } from './open-tenant.ts'
import { retryConflicts } from './retry.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'

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
    const path = await openFresh(tree, entry)
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

interface FreshPath {
  readonly tenant: OpenTenant
  readonly parent: OpenNode | undefined
  readonly node: OpenNode
  close(): void
}

// Read from the store, not the cache: what is written must continue what is stored now.
async function openFresh(tree: KeyTree, entry: SealedLedgerEntry): Promise<FreshPath | undefined> {
  const { context } = tree
  const loaded = instant(context.clock)
  let tenant: OpenTenant
  try {
    tenant = await openTenant(context, entry.tenantRef, loaded)
  } catch (error) {
    // Nothing beneath a tenant that is gone, or not yet made in a restored store, can be suspended.
    if (hasCode(error, 'shredded', 'not_found')) return undefined
    throw error
  }
  if (entry.kind === NodeKind.tenant) return { tenant, parent: undefined, node: tenant.node, close: () => tenant.destroy() }
  const opened: OpenNode[] = []
  for (const ref of entry.kind === NodeKind.item ? [entry.parentRef, entry.ref] : [entry.ref]) {
    const [record] = await context.keyStore.get([{ type: 'node', ref }])
    if (record?.type !== 'node') return undefined
    opened.push(await unwrapNodeRecord(context, record, opened.at(-1) ?? tenant.node, { open: (id) => tenant.wrappingKey(id) }, loaded))
  }
  const node = opened.at(-1) as OpenNode
  const close = (): void => {
    for (const one of opened) one.destroy()
    tenant.destroy()
  }
  return { tenant, parent: opened.at(-2) ?? tenant.node, node, close }
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
  const { record } = path.node
  const versions: KeyVersion[] = []
  for (const version of record.versions) {
    const state = version.state === KeyState.shredded ? undefined : states.get(version.version)
    versions.push(version.state === KeyState.shredded || state === undefined ? version : await rewrap(tree, path, version, state))
  }
  return { ...record, revision: record.revision + 1, versions }
}

async function rewrap(tree: KeyTree, path: FreshPath, version: LiveVersion, state: LiveVersion['state']): Promise<LiveVersion> {
  const { tenant, parent, node } = path
  const open = node.versions.find((candidate) => candidate.version === version.version)
  const wrappingKey = await tenant.wrappingKey(version.wrappingKeyId)
  const above = parent?.versions.find((candidate) => equalBytes(candidate.commitment, version.parentCommitment))
  if (open === undefined || (parent !== undefined && above === undefined)) throw decryptFailed()
  const place = { ...node.record, ...version, state }
  const key = above === undefined ? childWrapKey(wrappingKey, undefined) : above.wrapKey(version.wrappingKeyId, wrappingKey)
  return { ...version, state, wrap: wrapNode(key, tree.context.vaultId, place, open.secretForWrapping()) }
}
