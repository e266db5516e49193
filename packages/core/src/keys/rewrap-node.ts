/** Wrapping a node's living versions anew: under the tenant's current wrapping key, beneath the parent's newest version, or in another state. */

import { samePublic } from '../format/bytes.ts'
import { childWrapKey } from '../format/derivations.ts'
import { nodePlace, wrapNode } from '../format/node-wrap.ts'
import { KeyState, type KeyVersion, type LiveVersion, type NodeRecord } from '../format/records.ts'
import type { KeyContext } from './key-context.ts'
import type { OpenNode, OpenVersion } from './open-node.ts'
import type { OpenWrappingKey } from './open-tenant.ts'
import { stateError } from './seal-value.ts'

/** Whether a living version of a node hangs beneath an older version of its parent than the newest, or is wrapped by a key that was followed. */
export function isOutdated(node: OpenNode, parent: OpenNode | undefined, outdatedKey: (id: Uint8Array) => boolean): boolean {
  const above = parent?.versions.at(-1)
  return node.record.versions.some(
    (version) =>
      version.state !== KeyState.shredded &&
      isOpen(node, version) &&
      (outdatedKey(version.wrappingKeyId) || (above !== undefined && !samePublic(version.parentCommitment, above.commitment))),
  )
}

/**
 * The node's record with every living version wrapped by this key beneath the parent's newest version; to be stored by
 * compare-and-set. Versions that died, or died with their parent, stay as they are.
 *
 * @param parent - `undefined` for the vault and for tenants
 * @throws StrongroomError `shredded` where no version of the parent is left
 */
export function rewrapNode(
  context: Pick<KeyContext, 'vaultId'>,
  node: OpenNode,
  parent: OpenNode | undefined,
  wrappingKey: OpenWrappingKey,
): NodeRecord {
  const above = parent?.versions.at(-1)
  // What is above was shredded since the node was opened, or made.
  if (parent !== undefined && above === undefined) throw stateError(KeyState.shredded)
  return changeVersions(node, (version, open) => rewrapVersion(context, node.record, version, open, { above, wrappingKey }))
}

/** The node's record with some living versions changed. */
export function changeVersions(node: OpenNode, change: (version: LiveVersion, open: OpenVersion) => LiveVersion): NodeRecord {
  const { record } = node
  const versions = record.versions.map((version): KeyVersion => {
    const open = node.versions.find((candidate) => candidate.version === version.version)
    return version.state === KeyState.shredded || open === undefined ? version : change(version, open)
  })
  return { ...record, revision: record.revision + 1, versions }
}

/** One version, wrapped anew. `above`: the version of the parent beneath which it then hangs; `undefined` at the top. */
export function rewrapVersion(
  { vaultId }: Pick<KeyContext, 'vaultId'>,
  record: NodeRecord,
  version: LiveVersion,
  open: OpenVersion,
  under: { readonly above: OpenVersion | undefined; readonly wrappingKey: OpenWrappingKey },
): LiveVersion {
  const { above, wrappingKey } = under
  const moved = {
    version: version.version,
    state: version.state,
    commitment: version.commitment,
    parentVersion: above?.version ?? version.parentVersion,
    parentCommitment: above?.commitment ?? version.parentCommitment,
    wrappingKeyId: wrappingKey.id,
    wrap: version.wrap,
    created: version.created,
  }
  const key = above === undefined ? childWrapKey(wrappingKey.key, undefined) : above.wrapKey(wrappingKey.id, wrappingKey.key)
  moved.wrap = wrapNode(key, vaultId, nodePlace(record, moved), open.secretForWrapping())
  return moved
}

function isOpen(node: OpenNode, version: LiveVersion): boolean {
  return node.versions.some((open) => open.version === version.version)
}
