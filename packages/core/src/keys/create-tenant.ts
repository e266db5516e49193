/** Making a tenant: its wrapping key, its node, its `ref` key. May be killed anywhere and repeated. */

import { wipe } from '../crypto/hash.ts'
import { decryptFailed, StrongroomError } from '../errors.ts'
import { childSalt, childWrapKey } from '../format/derivations.ts'
import { KeyState, NodeKind, type NodeRecord, type WrappingKeyRecord } from '../format/records.ts'
import { firstWrappingKeyId, NO_REF, refKeyRef } from '../format/reference.ts'
import type { KeyContext } from './key-context.ts'
import { instant } from './key-cache.ts'
import { WrappingKeyRing } from './open-tenant.ts'
import { firstRecord, makeVersion, type NodePlace, type ParentVersion, type WrapWith } from './make-version.ts'
import { putUnlessThere } from './put-unless-there.ts'
import { requireRegion } from './regions.ts'
import { type KeyOperations, readNode } from './shred.ts'
import { stateError } from './seal-value.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'
import {
  findWrappingKey,
  listWrappingKeys,
  makeFirstWrappingKey,
  storeWrappingKey,
  unwrapWrappingKey,
  wrappingKeyForNewWraps,
} from './wrapping-keys.ts'

/** The two first nodes of a tenant (or of the vault): its own, and its `ref` key. The caller wipes the secrets. */
export function firstNodes(
  context: Pick<KeyContext, 'vaultId' | 'clock'>,
  place: NodePlace,
  wrappingKey: Uint8Array,
  wrappingKeyId: Uint8Array,
): { readonly node: NodeRecord; readonly refNode: NodeRecord; readonly secret: Uint8Array; readonly refSecret: Uint8Array } {
  const topKey = childWrapKey(wrappingKey, undefined)
  const own = makeVersion(context, place, 1, undefined, { key: topKey, wrappingKeyId })
  const key = childWrapKey(wrappingKey, childSalt(own.secret))
  const ref = makeRefNode(context, place, own.version, { key, wrappingKeyId })
  wipe(topKey, key)
  return { node: firstRecord(place, own.version), refNode: ref.record, secret: own.secret, refSecret: ref.secret }
}

/**
 * Makes a tenant. However many processes try at once, there is one; at least one of them succeeds, and to whom it is said that the
 * tenant exists, for them it works.
 *
 * @param label - the tenant's name, encrypted under the vault's node
 * @throws StrongroomError `already_exists`, `shredded`, `region_refused`, and what stores and provider throw
 */
export async function createTenantNodes(keys: KeyOperations, tenantRef: Uint8Array, region: string, label: Uint8Array): Promise<void> {
  const { context } = keys.tree
  context.providers.require(region)
  const existing = await readNode(keys, tenantRef)
  if (existing !== undefined) return completeTenant(context, existing)
  const { record, key } = await storedFirstWrappingKey(context, tenantRef, region)
  const place = { kind: NodeKind.tenant, ref: tenantRef, parentRef: NO_REF, tenantRef, region }
  const nodes = firstNodes(context, place, key, record.id)
  wipe(key, nodes.secret, nodes.refSecret)
  if (!(await putUnlessThere(context, { ...nodes.node, label }))) {
    // Whoever is told that the tenant exists can use it, however slow its maker is.
    const made = await readNode(keys, tenantRef)
    if (made !== undefined) await completeTenant(context, made)
    throw alreadyExists()
  }
  // If this process dies here, the next create completes the tenant.
  await putUnlessThere(context, nodes.refNode)
}

// The tenant's node is there. If its `ref` key is missing, its maker died before the last write and nothing can hang beneath it.
async function completeTenant(context: KeyContext, existing: NodeRecord): Promise<void> {
  if (existing.versions.every((version) => version.state === KeyState.shredded)) throw stateError(KeyState.shredded)
  const tenantRef = existing.ref
  const children = await context.keyStore.scan({ type: 'node', tenantRef, parentRef: tenantRef, limit: 1 })
  if (children.length > 0) throw alreadyExists()
  const keys = new WrappingKeyRing(context, tenantRef, await listWrappingKeys(context, tenantRef))
  const node = await unwrapNodeRecord(context, existing, undefined, keys, instant(context.clock))
  try {
    const version = node.active
    if (version === undefined) throw stateError(node.state)
    const { id: wrappingKeyId } = await keys.covered()
    const key = version.wrapKey(wrappingKeyId, await keys.open(wrappingKeyId))
    const made = makeRefNode(context, existing, version, { key, wrappingKeyId })
    wipe(made.secret)
    await putUnlessThere(context, made.record)
  } finally {
    node.destroy()
    keys.destroy()
  }
}

function makeRefNode(
  context: Pick<KeyContext, 'vaultId' | 'clock'>,
  owner: NodePlace,
  parent: ParentVersion,
  wrapWith: WrapWith,
): { readonly record: NodeRecord; readonly secret: Uint8Array } {
  const { tenantRef, region } = owner
  const place = { kind: NodeKind.service, ref: refKeyRef(context.vaultId, owner.ref), parentRef: owner.ref, tenantRef, region }
  const { version, secret } = makeVersion(context, place, 1, parent, wrapWith)
  return { record: firstRecord(place, version), secret }
}

// The wrapping key at the tenant's fixed first id: made by whoever came first.
async function storedFirstWrappingKey(
  context: KeyContext,
  tenantRef: Uint8Array,
  region: string,
): Promise<{ readonly record: WrappingKeyRecord; readonly key: Uint8Array }> {
  const id = firstWrappingKeyId(context.vaultId, tenantRef)
  if ((await findWrappingKey(context, id)) === undefined) {
    const made = await makeFirstWrappingKey(context, tenantRef, region)
    wipe(made.key)
    await storeWrappingKey(context, made.record)
  }
  const record = await findWrappingKey(context, id)
  if (record === undefined) throw decryptFailed()
  if (record.region !== region)
    throw new StrongroomError('conflict', 'the creation of this tenant was begun in another region; finish it there')
  // By the newest root version that is known now: the wrap may have been asked for long ago.
  const usable = await wrappingKeyForNewWraps(context, record, (await requireRegion(context, region)).current)
  return { record: usable, key: await unwrapWrappingKey(context, usable) }
}

function alreadyExists(): StrongroomError {
  return new StrongroomError('already_exists', 'there is a tenant of that name already; use it with vault.tenant')
}
