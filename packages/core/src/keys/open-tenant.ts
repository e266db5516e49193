/** A tenant, or the vault itself, as it was read at one instant: its node, its `ref` key and its wrapping keys. */

import { decryptFailed, StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState, NodeKind, type NodeRecord, type WrappingKeyRecord } from '../format/records.ts'
import { nodeRef, refKeyRef } from '../format/reference.ts'
import { wipe } from '../crypto/hash.ts'
import { Aging, type Instant } from './key-cache.ts'
import type { KeyContext } from './key-context.ts'
import { droppedFromMemory, type OpenNode } from './open-node.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'
import { stateError } from './seal-value.ts'
import { listWrappingKeys, unwrapWrappingKey } from './wrapping-keys.ts'

/** A tenant with what opens everything beneath it. */
export class OpenTenant extends Aging {
  readonly node: OpenNode
  readonly #refKey: Uint8Array
  readonly #keys: WrappingKeyRing

  constructor(loaded: Instant, node: OpenNode, refKey: Uint8Array, keys: WrappingKeyRing) {
    super(loaded)
    this.node = node
    this.#refKey = refKey
    this.#keys = keys
  }

  /** The reference of a named node of this tenant. */
  refOf(kind: NodeKind, parentRef: Uint8Array, name: Uint8Array): Uint8Array {
    if (!this.alive) throw droppedFromMemory()
    return nodeRef(this.#refKey, kind, parentRef, name)
  }

  /** A wrapping key by its id, opened by the provider at the first call. */
  wrappingKey(id: Uint8Array): Promise<Uint8Array> {
    return this.#keys.open(id)
  }

  /** The wrapping key that new wraps use. */
  get current(): WrappingKeyRecord {
    return this.#keys.current
  }

  protected override wipe(): void {
    this.node.destroy()
    this.#keys.destroy()
    wipe(this.#refKey)
  }
}

/** The wrapping keys of a tenant, each opened at most once. */
export class WrappingKeyRing {
  readonly #context: KeyContext
  readonly #records: ReadonlyMap<string, WrappingKeyRecord>
  readonly #open = new Map<string, Promise<Uint8Array>>()
  #alive = true

  constructor(context: KeyContext, records: readonly WrappingKeyRecord[]) {
    this.#context = context
    this.#records = new Map(records.map((record) => [hex(record.id), record]))
  }

  get current(): WrappingKeyRecord {
    const current = [...this.#records.values()].filter((record) => record.state === 'current').toSorted((a, b) => b.created - a.created)[0]
    if (current === undefined) throw decryptFailed()
    return current
  }

  open(id: Uint8Array): Promise<Uint8Array> {
    if (!this.#alive) return Promise.reject(droppedFromMemory())
    const name = hex(id)
    const record = this.#records.get(name)
    if (record === undefined) return Promise.reject(decryptFailed())
    let key = this.#open.get(name)
    if (key === undefined) {
      key = unwrapWrappingKey(this.#context, record)
      // A failure is not kept: the next caller asks again.
      key.catch(() => this.#open.delete(name))
      this.#open.set(name, key)
    }
    return key
  }

  // Whoever asked before this line is served before the wipe: promise reactions run in the order of asking.
  destroy(): void {
    this.#alive = false
    for (const key of this.#open.values()) key.then(wipe, () => undefined)
    this.#open.clear()
  }
}

/**
 * Reads and opens a tenant: two store queries side by side, one provider call.
 *
 * @throws StrongroomError `not_found`, `shredded`, `decrypt_failed`, `region_refused`, and what stores and provider throw
 */
export async function openTenant(context: KeyContext, ref: Uint8Array, loaded: Instant): Promise<OpenTenant> {
  const [records, wrappingKeys] = await Promise.all([
    context.keyStore.get([
      { type: 'node', ref },
      { type: 'node', ref: refKeyRef(context.vaultId, ref) },
    ]),
    listWrappingKeys(context, ref),
  ])
  const [record, refRecord] = records
  if (record?.type !== 'node') throw new StrongroomError('not_found', 'no such tenant; create it with vault.tenants.create')
  if (record.kind !== NodeKind.tenant && record.kind !== NodeKind.vault) throw decryptFailed()
  if (record.versions.every((version) => version.state === KeyState.shredded)) throw stateError(KeyState.shredded)
  context.providers.require(record.region)
  const keys = new WrappingKeyRing(context, wrappingKeys)
  const node = await unwrapNodeRecord(context, record, undefined, keys, loaded)
  if (refRecord?.type !== 'node') throw decryptFailed()
  return new OpenTenant(loaded, node, await openRefKey(context, node, refRecord, keys, loaded), keys)
}

async function openRefKey(
  context: KeyContext,
  owner: OpenNode,
  record: NodeRecord,
  keys: WrappingKeyRing,
  loaded: Instant,
): Promise<Uint8Array> {
  if (record.kind !== NodeKind.service) throw decryptFailed()
  const node = await unwrapNodeRecord(context, record, owner, keys, loaded)
  const version = node.versions.at(-1)
  if (version === undefined) throw decryptFailed()
  const key = version.serviceKey('ref')
  node.destroy()
  return key
}
