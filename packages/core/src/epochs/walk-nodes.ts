/** The nodes of a tenant, opened page by page: memory does not grow with their number. */

import { decryptFailed } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import type { NodeRecord } from '../format/records.ts'
import { equalBytes } from '../crypto/hash.ts'
import { instant } from '../keys/key-cache.ts'
import type { KeyContext } from '../keys/key-context.ts'
import type { OpenNode } from '../keys/open-node.ts'
import type { OpenTenant } from '../keys/open-tenant.ts'
import { unwrapNodeRecord } from '../keys/unwrap-node-record.ts'

export const NODES_PER_PAGE = 1000

/** A node as it was found. Open until the next page is asked for. */
export interface WalkedNode {
  readonly record: NodeRecord
  /** `undefined` for the tenant's own node. */
  readonly parent: OpenNode | undefined
  /** `undefined` where it does not open; `failure` then says why. */
  readonly node: OpenNode | undefined
  readonly failure: unknown
}

export interface WalkOptions {
  /** Nodes beneath this one only; without it all of the tenant, its own node included. */
  readonly parentRef?: Uint8Array
  /** Records that are not worth opening. */
  readonly skip?: (record: NodeRecord) => boolean
}

/** One page: what was opened, and how many records were looked at. */
export interface WalkedPage {
  readonly nodes: readonly WalkedNode[]
  readonly seen: number
}

/**
 * Every node of a tenant, in the order of references, each page opened with two queries: its records, and their parents.
 *
 * @param tenant - freshly opened, and not for the cache
 */
export async function* walkNodes(context: KeyContext, tenant: OpenTenant, options: WalkOptions = {}): AsyncGenerator<WalkedPage> {
  const { ref: tenantRef } = tenant.node.record
  const { parentRef, skip } = options
  let after: Uint8Array | undefined
  for (;;) {
    const page = await context.keyStore.scan({
      type: 'node',
      tenantRef,
      limit: NODES_PER_PAGE,
      ...(parentRef === undefined ? {} : { parentRef }),
      ...(after === undefined ? {} : { after }),
    })
    const records = page.filter((record): record is NodeRecord => record.type === 'node')
    const wanted = skip === undefined ? records : records.filter((record) => !skip(record))
    const opened = await openAll(context, tenant, wanted)
    try {
      yield { nodes: opened.nodes, seen: records.length }
    } finally {
      opened.close()
    }
    const last = records.at(-1)
    if (page.length < NODES_PER_PAGE || last === undefined) return
    after = last.ref
  }
}

/** How many nodes a tenant has. */
export async function countNodes(context: KeyContext, tenantRef: Uint8Array): Promise<number> {
  let count = 0
  let after: Uint8Array | undefined
  for (;;) {
    const page = await context.keyStore.scan({ type: 'node', tenantRef, limit: NODES_PER_PAGE, ...(after === undefined ? {} : { after }) })
    count += page.length
    const last = page.at(-1)
    if (page.length < NODES_PER_PAGE || last?.type !== 'node') return count
    after = last.ref
  }
}

interface OpenedPage {
  readonly nodes: readonly WalkedNode[]
  close(): void
}

async function openAll(context: KeyContext, tenant: OpenTenant, records: readonly NodeRecord[]): Promise<OpenedPage> {
  const parents = await openParents(context, tenant, records)
  const toClose: OpenNode[] = [...parents.values()].filter((parent): parent is OpenNode => 'versions' in parent && parent !== tenant.node)
  const nodes: WalkedNode[] = []
  for (const record of records) {
    const own = equalBytes(record.ref, tenant.node.record.ref)
    const parent = own ? undefined : parents.get(hex(record.parentRef))
    if (!own && (parent === undefined || !('versions' in parent))) {
      nodes.push({ record, parent: undefined, node: undefined, failure: parent === undefined ? decryptFailed() : parent.failure })
      continue
    }
    const above = parent as OpenNode | undefined
    const found = await open(context, tenant, record, above)
    if ('versions' in found) {
      toClose.push(found)
      nodes.push({ record, parent: above, node: found, failure: undefined })
    } else nodes.push({ record, parent: above, node: undefined, failure: found.failure })
  }
  return { nodes, close: () => toClose.forEach((node) => node.destroy()) }
}

type Opened = OpenNode | { readonly failure: unknown }

// Depth is fixed: a parent is the tenant itself, or hangs right beneath it.
async function openParents(context: KeyContext, tenant: OpenTenant, records: readonly NodeRecord[]): Promise<ReadonlyMap<string, Opened>> {
  const { ref: tenantRef } = tenant.node.record
  const parents = new Map<string, Opened>([[hex(tenantRef), tenant.node]])
  const refs = new Map<string, Uint8Array>()
  for (const { parentRef } of records) if (parentRef.length > 0 && !parents.has(hex(parentRef))) refs.set(hex(parentRef), parentRef)
  if (refs.size === 0) return parents
  const found = await context.keyStore.get([...refs.values()].map((ref) => ({ type: 'node', ref })))
  for (const record of found) {
    if (record?.type !== 'node') continue
    const right = equalBytes(record.parentRef, tenantRef)
    parents.set(hex(record.ref), right ? await open(context, tenant, record, tenant.node) : { failure: decryptFailed() })
  }
  return parents
}

async function open(context: KeyContext, tenant: OpenTenant, record: NodeRecord, parent: OpenNode | undefined): Promise<Opened> {
  try {
    return await unwrapNodeRecord(context, record, parent, { open: (id) => tenant.wrappingKey(id) }, instant(context.clock))
  } catch (failure) {
    return { failure }
  }
}
