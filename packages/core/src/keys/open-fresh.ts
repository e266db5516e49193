/** Opening one node from the store, not the cache: what is written must continue what is stored now. */

import { equalBytes } from '../crypto/hash.ts'
import type { NodeRecord } from '../format/records.ts'
import { instant } from './key-cache.ts'
import type { KeyTree } from './key-tree.ts'
import type { OpenNode } from './open-node.ts'
import { openTenant, type OpenTenant } from './open-tenant.ts'
import type { NodePlaceRef } from './shred.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'

/** A node with what is above it, open, and nobody else's: the caller closes it. */
export interface FreshPath {
  readonly tenant: OpenTenant
  /** `undefined` for the tenant's own node. */
  readonly parent: OpenNode | undefined
  readonly node: OpenNode
  close(): void
}

/**
 * @returns `undefined` where there is no such record
 * @throws StrongroomError `not_found`, `shredded` for the tenant; `decrypt_failed`, `root_version_destroyed`, and what stores and provider throw
 */
export async function openFresh(
  { context }: Pick<KeyTree, 'context'>,
  place: Pick<NodePlaceRef, 'ref' | 'parentRef' | 'tenantRef'>,
): Promise<FreshPath | undefined> {
  const loaded = instant(context.clock)
  const tenant = await openTenant(context, place.tenantRef, loaded)
  const opened: OpenNode[] = []
  const close = (): void => {
    for (const one of opened) one.destroy()
    tenant.destroy()
  }
  if (equalBytes(place.ref, place.tenantRef)) return { tenant, parent: undefined, node: tenant.node, close }
  try {
    // Depth is fixed: a parent is the tenant itself, or hangs right beneath it. The node is read before its parent, which then knows every
    // version that the node can hang beneath.
    const refs = equalBytes(place.parentRef, place.tenantRef) ? [place.ref] : [place.ref, place.parentRef]
    const records: NodeRecord[] = []
    for (const ref of refs) {
      const [record] = await context.keyStore.get([{ type: 'node', ref }])
      if (record?.type !== 'node') {
        close()
        return undefined
      }
      records.unshift(record)
    }
    for (const record of records) {
      opened.push(await unwrapNodeRecord(context, record, opened.at(-1) ?? tenant.node, { open: (id) => tenant.wrappingKey(id) }, loaded))
    }
    return { tenant, parent: opened.at(-2) ?? tenant.node, node: opened.at(-1) as OpenNode, close }
  } catch (error) {
    close()
    throw error
  }
}
