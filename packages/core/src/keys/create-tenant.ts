/** Making a tenant: its wrapping key, its node, its `ref` key. May be killed anywhere and repeated. */

import { wipe } from '../crypto/hash.ts'
import { decryptFailed, StrongroomError } from '../errors.ts'
import { childSalt, childWrapKey } from '../format/derivations.ts'
import { KeyState, NodeKind, type NodeRecord, type WrappingKeyRecord } from '../format/records.ts'
import { firstWrappingKeyId, NO_REF, refKeyRef } from '../format/reference.ts'
import type { KeyContext } from './key-context.ts'
import { instant } from './key-cache.ts'
import { firstRecord, makeVersion, type NodePlace, type ParentVersion, type WrapWith } from './make-version.ts'
import { putUnlessThere } from './put-unless-there.ts'
import { findRegion, knowsRootVersion, requireOwnRoot, rootCreated } from './regions.ts'
import { type KeyOperations, readNode } from './shred.ts'
import { stateError } from './seal-value.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'
import { makeFirstWrappingKey, unwrapWrappingKey } from './wrapping-keys.ts'

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
  if (existing !== undefined) return completeTenant(keys, existing)
  const { record, key } = await storedFirstWrappingKey(keys, tenantRef, region)
  const place = { kind: NodeKind.tenant, ref: tenantRef, parentRef: NO_REF, tenantRef, region }
  const nodes = firstNodes(context, place, key, record.id)
  wipe(key, nodes.secret, nodes.refSecret)
  if (!(await putUnlessThere(context, { ...nodes.node, label }))) {
    // Whoever is told that the tenant exists can use it, however slow its maker is.
    const made = await readNode(keys, tenantRef)
    if (made !== undefined) await completeTenant(keys, made)
    throw alreadyExists()
  }
  // If this process dies here, the next create completes the tenant.
  await putUnlessThere(context, nodes.refNode)
}

// The tenant's node is there. If its `ref` key is missing, its maker died before the last write and nothing can hang beneath it.
async function completeTenant(keys: KeyOperations, existing: NodeRecord): Promise<void> {
  const { context } = keys.tree
  if (existing.versions.every((version) => version.state === KeyState.shredded)) throw stateError(KeyState.shredded)
  const tenantRef = existing.ref
  const children = await context.keyStore.scan({ type: 'node', tenantRef, parentRef: tenantRef, limit: 1 })
  if (children.length > 0) throw alreadyExists()
  const wrappingKey = await findFirstWrappingKey(context, tenantRef)
  if (wrappingKey === undefined) throw decryptFailed()
  const key = await unwrapWrappingKey(context, wrappingKey)
  const node = await unwrapNodeRecord(context, existing, undefined, { open: () => Promise.resolve(key) }, instant(context.clock))
  const version = node.active
  if (version === undefined) throw stateError(node.state)
  const made = makeRefNode(context, existing, version, { key: version.wrapKey(wrappingKey.id, key), wrappingKeyId: wrappingKey.id })
  wipe(key, made.secret)
  node.destroy()
  await putUnlessThere(context, made.record)
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

async function findFirstWrappingKey(context: KeyContext, tenantRef: Uint8Array): Promise<WrappingKeyRecord | undefined> {
  const [found] = await context.keyStore.get([{ type: 'wrapping-key', id: firstWrappingKeyId(context.vaultId, tenantRef) }])
  return found?.type === 'wrapping-key' ? found : undefined
}

// The wrapping key at the tenant's fixed first id: made by whoever came first.
async function storedFirstWrappingKey(
  keys: KeyOperations,
  tenantRef: Uint8Array,
  region: string,
): Promise<{ readonly record: WrappingKeyRecord; readonly key: Uint8Array }> {
  const { context } = keys.tree
  let record = await findFirstWrappingKey(context, tenantRef)
  if (record === undefined) {
    const made = await makeFirstWrappingKey(context, tenantRef, region)
    const [wrap] = made.record.wraps
    if (wrap !== undefined) await announceRootVersion(keys, region, wrap.rootVersion)
    if (await putUnlessThere(context, made.record)) return made
    wipe(made.key)
    record = await findFirstWrappingKey(context, tenantRef)
  }
  if (record === undefined) throw decryptFailed()
  if (record.region !== region)
    throw new StrongroomError('conflict', 'the creation of this tenant was begun in another region; finish it there')
  return { record, key: await unwrapWrappingKey(context, record) }
}

/** Tells the ledger of a root version before anything that it wrapped is stored. */
async function announceRootVersion(
  keys: KeyOperations,
  region: string,
  rootVersion: { readonly number: number; readonly id: Uint8Array },
): Promise<void> {
  const { context } = keys.tree
  const known = await findRegion(context, region)
  requireOwnRoot(known, rootVersion)
  if (knowsRootVersion(known, rootVersion)) return
  await keys.ledger.append(rootCreated(region, rootVersion, context.clock.now()))
  await keys.reconciler.run()
  requireOwnRoot(await findRegion(context, region), rootVersion)
}

function alreadyExists(): StrongroomError {
  return new StrongroomError('already_exists', 'there is a tenant of that name already; use it with vault.tenant')
}
