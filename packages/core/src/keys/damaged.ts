/** What does not open any more, looked at before it is ended: nothing that opens may go with it. */

import { equalBytes, wipe } from '../crypto/hash.ts'
import { hasCode, invalidArgument, StrongroomError } from '../errors.ts'
import { type LiveVersion, NodeKind, type NodeRecord } from '../format/records.ts'
import { instant } from './key-cache.ts'
import type { KeyContext } from './key-context.ts'
import type { OpenNode } from './open-node.ts'
import { openTenant, type OpenTenant } from './open-tenant.ts'
import { type KeyOperations, liveKeys, type NodePlaceRef, readNode, shredOf } from './shred.ts'
import { isLive, unwrapNodeRecord } from './unwrap-node-record.ts'
import { listWrappingKeys, unwrapWrappingKey } from './wrapping-keys.ts'

/** Why a key does not open for good, as far as the key store and its provider say. */
const DAMAGED = ['decrypt_failed', 'wrong_root_key', 'root_version_destroyed'] as const

/**
 * Looks twice, as others may be writing, at a node of a tenant of which nothing may open: to shred it is to shred its whole place.
 *
 * @returns its place, as its record has it; one that is shredded already has a place too
 * @throws StrongroomError `not_found` where there is no such record; `invalid_argument` naming `ref` where a version of it opens, or it died
 *   with what is above it, or what it hangs beneath does not open; what opening the tenant throws, and what stores and provider throw
 */
export async function findDamaged(keys: KeyOperations, tenantRef: Uint8Array, ref: Uint8Array): Promise<NodePlaceRef> {
  await lookAt(keys, tenantRef, ref)
  return lookAt(keys, tenantRef, ref)
}

async function lookAt(keys: KeyOperations, tenantRef: Uint8Array, ref: Uint8Array): Promise<NodePlaceRef> {
  const { context } = keys.tree
  const tenant = await openTenant(context, tenantRef, instant(context.clock))
  try {
    const record = await readNode(keys, ref)
    if (record === undefined)
      throw new StrongroomError('not_found', 'there is no key of that reference: verifyKeys lists those that do not open')
    const { kind, parentRef } = record
    if (kind === NodeKind.tenant || kind === NodeKind.vault || !equalBytes(record.tenantRef, tenantRef)) throw notBeneath()
    if (liveKeys(record).length > 0) await requireDead(context, tenant, record)
    // Nothing of it lives: by the ledger's word, not by that of the record.
    else if ((await shredOf(keys, record)) === undefined) throw notDamaged()
    return { kind, ref, parentRef, tenantRef, region: tenant.node.record.region }
  } finally {
    tenant.destroy()
  }
}

async function requireDead(context: KeyContext, tenant: OpenTenant, record: NodeRecord): Promise<void> {
  const parent = await openParent(context, tenant, record)
  // What died with its parent is gone already.
  const living = record.versions.filter((version) => isLive(version, parent))
  if (living.length === 0) throw notDamaged()
  if (parent === undefined) return
  for (const version of living) if (await doesOpen(context, tenant, record, version, parent)) throw notDamaged()
}

/** `undefined` where it is not in the key store: then nothing opens what hangs beneath it. The tenant closes it. */
async function openParent(context: KeyContext, tenant: OpenTenant, { parentRef }: NodeRecord): Promise<OpenNode | undefined> {
  const { record: top } = tenant.node
  if (equalBytes(parentRef, top.ref)) return tenant.node
  if (parentRef.length === 0) return undefined
  const [record] = await context.keyStore.get([{ type: 'node', ref: parentRef }])
  if (record?.type !== 'node' || !equalBytes(record.parentRef, top.ref)) return undefined
  try {
    return await openBeneath(context, tenant, record, tenant.node)
  } catch (error) {
    if (!hasCode(error, ...DAMAGED)) throw error
    throw invalidArgument(
      'ref',
      'hangs beneath a key that does not open either: put that right, or shred it, and what is beneath it goes with it',
    )
  }
}

async function doesOpen(
  context: KeyContext,
  tenant: OpenTenant,
  record: NodeRecord,
  version: LiveVersion,
  parent: OpenNode,
): Promise<boolean> {
  try {
    const node = await openBeneath(context, tenant, { ...record, versions: [version] }, parent)
    node.destroy()
    return true
  } catch (error) {
    if (hasCode(error, ...DAMAGED)) return false
    throw error
  }
}

function openBeneath(context: KeyContext, tenant: OpenTenant, record: NodeRecord, parent: OpenNode): Promise<OpenNode> {
  return unwrapNodeRecord(context, record, parent, { open: (id) => tenant.wrappingKey(id) }, instant(context.clock))
}

/**
 * Holds what is said of the region of a damaged tenant against what still proves one: a wrapping key opens only with the region that it was
 * made for.
 *
 * @throws StrongroomError `invalid_argument` naming `region` where it was another; what stores and provider throw
 */
export async function requireRegionOf(
  { tree: { context } }: Pick<KeyOperations, 'tree'>,
  tenantRef: Uint8Array,
  region: string,
): Promise<void> {
  for (const record of await listWrappingKeys(context, tenantRef)) {
    if (record.region === region) continue
    try {
      wipe(await unwrapWrappingKey(context, record))
    } catch (error) {
      // It proves nothing: it is damaged as well, or its region is none of this process.
      if (hasCode(error, ...DAMAGED, 'region_refused')) continue
      throw error
    }
    throw notItsRegion()
  }
}

/** For a region that is named, and is another than the tenant's. */
export function notItsRegion(): StrongroomError {
  return invalidArgument('region', 'must be the one that the tenant was made in: its keys are of another')
}

function notDamaged(): StrongroomError {
  return invalidArgument(
    'ref',
    'must be of a key that does not open: this one does, in a version at least, or it is gone; put its record back from a backup, or shred it by its name',
  )
}

function notBeneath(): StrongroomError {
  return invalidArgument('ref', 'must be of a subject, an item or a service key of this tenant; a tenant is shredded by its name')
}
