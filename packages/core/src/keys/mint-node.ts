/** Making a node that does not exist yet, or no more. */

import { KeyState, type NodeKind, type NodeRecord } from '../format/records.ts'
import type { KeyContext } from './key-context.ts'
import type { Instant } from './key-cache.ts'
import { makeVersion } from './make-version.ts'
import { OpenNode, OpenVersion } from './open-node.ts'
import type { OpenTenant } from './open-tenant.ts'
import { isOccupied } from './shred.ts'
import { stateError } from './seal-value.ts'
import { goneVersions } from './unwrap-node-record.ts'

/** Where a node is to be made. */
export interface MintAt {
  readonly tenant: OpenTenant
  readonly parent: OpenNode
  readonly kind: NodeKind
  readonly ref: Uint8Array
  /** The record that is there. */
  readonly before: NodeRecord | undefined
}

/**
 * A node with a fresh active version, open, its record to be stored by compare-and-set. Every version that is there already is gone.
 *
 * @throws StrongroomError `shredded` where the place was shredded itself; the state of a parent that cannot have children
 */
export async function mintNode(context: KeyContext, at: MintAt, loaded: Instant): Promise<OpenNode> {
  if (at.before !== undefined && isOccupied(at.before.versions)) throw stateError(KeyState.shredded)
  return mintVersion(context, at, loaded)
}

/** As {@link mintNode}, over shredded versions too: what `recreate` does on purpose. */
export async function mintVersion(context: KeyContext, { tenant, parent, kind, ref, before }: MintAt, loaded: Instant): Promise<OpenNode> {
  const above = parent.active
  if (above === undefined) throw stateError(parent.state)
  const { id, key } = await tenant.forNewWraps()
  const { ref: tenantRef, region } = tenant.node.record
  const place = { kind, ref, parentRef: parent.record.ref, tenantRef, region }
  const gone = before?.versions ?? []
  const number = (gone.at(-1)?.version ?? 0) + 1
  const { version, secret } = makeVersion(context, place, number, above, { key: above.wrapKey(id, key), wrappingKeyId: id })
  const record: NodeRecord = { type: 'node', ...place, revision: (before?.revision ?? 0) + 1, versions: [...gone, version] }
  return new OpenNode(record, loaded, [new OpenVersion(version, secret)], before === undefined ? [] : goneVersions(before, parent))
}
