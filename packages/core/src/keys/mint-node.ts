/** The record of a node that a write needs and that does not exist yet, or whose versions all died with their parent. */

import { wipe } from '../crypto/hash.ts'
import { KeyState, type NodeKind, type NodeRecord } from '../format/records.ts'
import type { KeyContext } from './key-context.ts'
import { firstRecord, makeVersion } from './make-version.ts'
import type { OpenNode } from './open-node.ts'
import type { OpenTenant } from './open-tenant.ts'
import { stateError } from './seal-value.ts'

/**
 * A record with a fresh active version, to be stored by compare-and-set.
 *
 * @param before - the record that is there
 * @throws StrongroomError `shredded` where the place was shredded itself; the state of a parent that cannot have children
 */
export async function mintNode(
  context: KeyContext,
  tenant: OpenTenant,
  parent: OpenNode,
  kind: NodeKind,
  ref: Uint8Array,
  before: NodeRecord | undefined,
): Promise<NodeRecord> {
  if (before?.versions.some((version) => version.state === KeyState.shredded) === true) throw stateError(KeyState.shredded)
  const above = parent.active
  if (above === undefined) throw stateError(parent.state)
  const { id } = tenant.current
  const wrappingKey = await tenant.wrappingKey(id)
  const { ref: tenantRef, region } = tenant.node.record
  const place = { kind, ref, parentRef: parent.record.ref, tenantRef, region }
  const number = (before?.versions.at(-1)?.version ?? 0) + 1
  const { version, secret } = makeVersion(context, place, number, above, { key: above.wrapKey(id, wrappingKey), wrappingKeyId: id })
  wipe(secret)
  return { ...firstRecord(place, version), revision: (before?.revision ?? 0) + 1, versions: [...(before?.versions ?? []), version] }
}
