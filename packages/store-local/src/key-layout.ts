/** Under which bytes the key store keeps its records, and the entries that list them. All of it fits LMDB's byte order. */

import { invalidArgument, type KeyStoreKey, type KeyStoreQuery, type KeyStoreRecord } from '@strongroom/core'

const MAX_REGION = 256

// The first byte of a key says what it is of. A stored number never changes its meaning.
const Table = { node: 0x01, wrappingKey: 0x02, region: 0x03, vault: 0x04 } as const
const List = { byTenant: 0x11, byParent: 0x12, byTenantAndParent: 0x13, wrappingKeysByTenant: 0x21 } as const

/** Where a record is. @throws StrongroomError `invalid_argument` if its reference, id or region is not one. */
export function placeOf(key: KeyStoreKey | KeyStoreRecord): Uint8Array {
  switch (key.type) {
    case 'node':
      return join(Table.node, reference(key.ref, 'ref'))
    case 'wrapping-key':
      return join(Table.wrappingKey, reference(key.id, 'id'))
    case 'region':
      return join(Table.region, regionName(key.region))
    case 'vault':
      return join(Table.vault)
  }
}

/**
 * The entries that list a record. Each kind of query has its own, so that all are answered in the order of primary keys
 * without reading a record that is not in the answer.
 */
export function listEntriesOf(record: KeyStoreRecord): readonly Uint8Array[] {
  switch (record.type) {
    case 'node': {
      const tenantRef = reference(record.tenantRef, 'tenantRef')
      const parentRef = parent(record.parentRef)
      return [
        join(List.byTenant, tenantRef, record.ref),
        join(List.byParent, parentRef, record.ref),
        join(List.byTenantAndParent, tenantRef, parentRef, record.ref),
      ]
    }
    case 'wrapping-key':
      return [join(List.wrappingKeysByTenant, reference(record.tenantRef, 'tenantRef'), record.id)]
    case 'region':
    case 'vault':
      return []
  }
}

/** The bytes with which begins every key that answers a query; a primary key follows them. */
export function listOf(query: KeyStoreQuery): Uint8Array {
  const tenantRef = query.tenantRef && reference(query.tenantRef, 'tenantRef')
  if (query.type === 'wrapping-key') {
    if (query.parentRef !== undefined) throw invalidArgument('parentRef', 'is for nodes only')
    return tenantRef === undefined ? join(Table.wrappingKey) : join(List.wrappingKeysByTenant, tenantRef)
  }
  if (query.parentRef === undefined) return tenantRef === undefined ? join(Table.node) : join(List.byTenant, tenantRef)
  const parentRef = parent(query.parentRef)
  return tenantRef === undefined ? join(List.byParent, parentRef) : join(List.byTenantAndParent, tenantRef, parentRef)
}

/** Sixteen bytes, or an error that names the argument. */
export function reference(bytes: Uint8Array, argument: string): Uint8Array {
  if (!(bytes instanceof Uint8Array) || bytes.length !== 16) throw invalidArgument(argument, 'must be 16 bytes')
  return bytes
}

// With its length before it, as the only part whose length varies.
function parent(parentRef: Uint8Array): Uint8Array {
  if (parentRef instanceof Uint8Array && parentRef.length === 0) return join(0)
  return join(16, reference(parentRef, 'parentRef'))
}

function regionName(region: string): Uint8Array {
  const bytes = typeof region === 'string' && region.isWellFormed() ? Buffer.from(region) : Buffer.alloc(0)
  if (bytes.length === 0 || bytes.length > MAX_REGION) {
    throw invalidArgument('region', `must be a name of 1 to ${MAX_REGION} UTF-8 bytes`)
  }
  return bytes
}

function join(first: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(first), ...parts])
}
