/** Primary keys of the key store as `_id`: the type, then the reference in hex, whose order is that of its bytes. */

import { invalidArgument, type KeyStoreKey, type KeyStoreQuery, type KeyStoreRecord } from '@strongroom/core'
import type { Binary } from 'mongodb'

import { binary } from './record-documents.ts'

const MAX_REGION = 256
const VAULT = 'vault'

/** Where a record is. @throws StrongroomError `invalid_argument` if its reference, id or region is not one. */
export function placeOf(key: KeyStoreKey | KeyStoreRecord): string {
  switch (key.type) {
    case 'node':
      return `node:${hex(reference(key.ref, 'ref'))}`
    case 'wrapping-key':
      return `wrapping-key:${hex(reference(key.id, 'id'))}`
    case 'region':
      return `region:${regionName(key.region)}`
    case 'vault':
      return VAULT
  }
}

/** The key that is at a place; `undefined` if it is none of ours. */
export function keyAt(place: unknown): KeyStoreKey | undefined {
  if (place === VAULT) return { type: 'vault' }
  if (typeof place !== 'string') return undefined
  const [, type, name = ''] = /^(node|wrapping-key|region):(.+)$/su.exec(place) ?? []
  if (type === 'region') return { type, region: name }
  if (!/^[0-9a-f]{32}$/.test(name)) return undefined
  const bytes = Uint8Array.from(Buffer.from(name, 'hex'))
  return type === 'node' ? { type, ref: bytes } : { type: 'wrapping-key', id: bytes }
}

/** What the documents that answer a query have in common. Sorted by `_id`, they are a page of it. */
export interface Listing {
  readonly _id: { readonly $gt: string; readonly $lt: string }
  readonly 'record.tenantRef'?: Binary
  readonly 'record.parentRef'?: Binary
}

/** @throws StrongroomError `invalid_argument` */
export function listingOf({ type, tenantRef, parentRef, after }: KeyStoreQuery): Listing {
  if (type !== 'node' && type !== 'wrapping-key') throw invalidArgument('type', "must be 'node' or 'wrapping-key'")
  const start = after === undefined ? '' : hex(reference(after, 'after'))
  const tenant = tenantRef === undefined ? {} : { 'record.tenantRef': binary(reference(tenantRef, 'tenantRef')) }
  if (parentRef !== undefined && type !== 'node') throw invalidArgument('parentRef', 'is for nodes only')
  const parent = parentRef === undefined ? {} : { 'record.parentRef': binary(parentReference(parentRef)) }
  // `;` follows `:`.
  return { _id: { $gt: `${type}:${start}`, $lt: `${type};` }, ...tenant, ...parent }
}

/** Checks the columns by which a record is listed. @throws StrongroomError `invalid_argument` */
export function checkColumns(record: KeyStoreRecord): void {
  if (record.type !== 'node' && record.type !== 'wrapping-key') return
  reference(record.tenantRef, 'tenantRef')
  if (record.type === 'node') parentReference(record.parentRef)
}

function parentReference(bytes: Uint8Array): Uint8Array {
  return bytes instanceof Uint8Array && bytes.length === 0 ? bytes : reference(bytes, 'parentRef')
}

function reference(bytes: Uint8Array, argument: string): Uint8Array {
  if (!(bytes instanceof Uint8Array) || bytes.length !== 16) throw invalidArgument(argument, 'must be 16 bytes')
  return bytes
}

function regionName(region: string): string {
  const length = typeof region === 'string' && region.isWellFormed() ? Buffer.byteLength(region) : 0
  if (length === 0 || length > MAX_REGION) throw invalidArgument('region', `must be a name of 1 to ${MAX_REGION} UTF-8 bytes`)
  return region
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
