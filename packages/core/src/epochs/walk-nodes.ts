/** The nodes of a tenant, opened page by page: memory does not grow with their number. */

import { decryptFailed } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState, type NodeRecord } from '../format/records.ts'
import { equalBytes } from '../crypto/hash.ts'
import { instant } from '../keys/key-cache.ts'
import type { KeyContext } from '../keys/key-context.ts'
import type { OpenNode } from '../keys/open-node.ts'
import type { OpenTenant } from '../keys/open-tenant.ts'
import { unwrapNodeRecordSync } from '../keys/unwrap-node-record.ts'

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
  readonly skip?: (record: NodeRecord, tenant: OpenTenant) => boolean
}

/** One page: what was opened, by which reading of the tenant, and how many records were looked at. */
export interface WalkedPage {
  readonly nodes: readonly WalkedNode[]
  readonly tenant: OpenTenant
  readonly seen: number
}

/**
 * Every node of a tenant, in the order of references, each page opened with two queries: its records, and their parents.
 *
 * @param reading - asked after the records of each page were read; its answer opens them. `undefined` ends the walk
 */
export async function* walkNodes(
  context: KeyContext,
  tenantRef: Uint8Array,
  reading: () => Promise<OpenTenant | undefined>,
  options: WalkOptions = {},
): AsyncGenerator<WalkedPage> {
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
    const tenant = await reading()
    if (tenant === undefined) return
    const wanted = skip === undefined ? records : records.filter((record) => !skip(record, tenant))
    const opened = await openAll(context, tenant, wanted)
    try {
      yield { nodes: opened.nodes, tenant, seen: records.length }
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
  const { ref: tenantRef } = tenant.node.record
  const above = await readParents(context, tenantRef, records)
  // Awaited once a page: what then opens its keys is synchronous.
  const wrappingKeys = await openWrappingKeys(tenant, [...records, ...above])
  const loaded = instant(context.clock)
  const toClose: OpenNode[] = []
  const open = (record: NodeRecord, parent: OpenNode | undefined): Opened => {
    try {
      const node = unwrapNodeRecordSync(context, record, parent, wrappingKeys, loaded)
      toClose.push(node)
      return node
    } catch (failure) {
      return { failure }
    }
  }

  // Depth is fixed: a parent is the tenant itself, or hangs right beneath it.
  const parents = new Map<string, Opened>([[hex(tenantRef), tenant.node]])
  for (const record of above) {
    const right = equalBytes(record.parentRef, tenantRef)
    parents.set(hex(record.ref), right ? open(record, tenant.node) : { failure: decryptFailed() })
  }
  const nodes = records.map((record): WalkedNode => {
    const own = equalBytes(record.ref, tenantRef)
    const parent = own ? undefined : (parents.get(hex(record.parentRef)) ?? { failure: decryptFailed() })
    if (parent !== undefined && !isOpen(parent)) return { record, parent: undefined, node: undefined, failure: parent.failure }
    const node = open(record, parent)
    return isOpen(node) ? { record, parent, node, failure: undefined } : { record, parent, node: undefined, failure: node.failure }
  })
  return { nodes, close: () => toClose.forEach((node) => node.destroy()) }
}

type Opened = OpenNode | { readonly failure: unknown }

function isOpen(opened: Opened): opened is OpenNode {
  return 'versions' in opened
}

async function readParents(context: KeyContext, tenantRef: Uint8Array, records: readonly NodeRecord[]): Promise<readonly NodeRecord[]> {
  const tenant = hex(tenantRef)
  const refs = new Map<string, Uint8Array>()
  for (const { parentRef } of records) {
    const name = hex(parentRef)
    if (name !== '' && name !== tenant) refs.set(name, parentRef)
  }
  if (refs.size === 0) return []
  const found = await context.keyStore.get([...refs.values()].map((ref) => ({ type: 'node', ref })))
  return found.filter((record): record is NodeRecord => record?.type === 'node')
}

/** Every wrapping key that records name: as it opens, or as it fails. */
async function openWrappingKeys(tenant: OpenTenant, records: readonly NodeRecord[]): Promise<(id: Uint8Array) => Uint8Array> {
  const found = new Map<string, { readonly key: Uint8Array } | { readonly failure: unknown }>()
  for (const { versions } of records) {
    for (const version of versions) {
      if (version.state === KeyState.shredded || found.has(hex(version.wrappingKeyId))) continue
      const id = version.wrappingKeyId
      found.set(hex(id), await tenant.wrappingKey(id).then(keyFound, keyFailed))
    }
  }
  return (id) => {
    const wrappingKey = found.get(hex(id))
    if (wrappingKey === undefined) throw decryptFailed()
    if ('failure' in wrappingKey) throw wrappingKey.failure
    return wrappingKey.key
  }
}

const keyFound = (key: Uint8Array): { readonly key: Uint8Array } => ({ key })
const keyFailed = (failure: unknown): { readonly failure: unknown } => ({ failure })
