/** A tenant, or the vault itself, as it was read at one instant: its node, its `ref` key and its wrapping keys. */

import { decryptFailed, StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState, NodeKind, type NodeRecord, type WrappingKeyRecord } from '../format/records.ts'
import { NO_REF, nodeRef, refKeyRef } from '../format/reference.ts'
import { equalBytes, wipe } from '../crypto/hash.ts'
import { Aging, type Instant } from './key-cache.ts'
import type { KeyContext } from './key-context.ts'
import { KnownRef, type Step } from './known-refs.ts'
import { droppedFromMemory, type OpenNode } from './open-node.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'
import { stateError } from './seal-value.ts'
import { findWrappingKey, listWrappingKeys, newestWrappingKey, unwrapWrappingKey, wrappingKeyForNewWraps } from './wrapping-keys.ts'

/** A wrapping key, open. */
export interface OpenWrappingKey {
  readonly id: Uint8Array
  readonly key: Uint8Array
}

// Of whoever keeps a reading for itself, for one piece of work.
const FEW_REFS = 1000

/** A tenant with what opens everything beneath it. */
export class OpenTenant extends Aging {
  readonly node: OpenNode
  /** Its own reference, above those of its nodes. */
  readonly top: KnownRef
  /** Of the vault: where its tenants are, which hang beneath nothing. */
  readonly tenants: KnownRef = new KnownRef(NO_REF)
  readonly #refKey: Uint8Array
  readonly #keys: WrappingKeyRing
  readonly #mostRefs: number
  #refs = 0

  /** @param mostRefs - how many references are kept, of those that were asked for in the life of this reading */
  constructor(loaded: Instant, node: OpenNode, refKey: Uint8Array, keys: WrappingKeyRing, mostRefs: number) {
    super(loaded)
    this.node = node
    this.top = new KnownRef(node.record.ref)
    this.#refKey = refKey
    this.#keys = keys
    this.#mostRefs = mostRefs
  }

  /** Where a step leads to. @param from - of this tenant */
  refTo(from: KnownRef, step: Step): KnownRef {
    if (!this.alive) throw droppedFromMemory()
    const known = from.below(step)
    if (known !== undefined) return known
    if (this.#refs >= this.#mostRefs) this.#forgetRefs()
    this.#refs++
    return from.learn(step, step.ref ?? nodeRef(this.#refKey, step.kind, from.ref, step.name))
  }

  /** A wrapping key by its id, opened by the provider at the first call. */
  wrappingKey(id: Uint8Array): Promise<Uint8Array> {
    return this.#keys.open(id)
  }

  /** The wrapping key that new wraps use. */
  get current(): WrappingKeyRecord {
    return this.#keys.current
  }

  /** Whether a wrapping key was followed by another, as far as this reading of the tenant knows. */
  isOutdated(id: Uint8Array): boolean {
    return this.#keys.isOutdated(id)
  }

  /**
   * The wrapping key that new wraps use, once it is sure to outlive every epoch that is closing: asked once in the life of this
   * reading, as who closes an epoch waits that long.
   *
   * @throws StrongroomError `wrong_root_key`, and what stores and provider throw
   */
  async forNewWraps(): Promise<OpenWrappingKey> {
    const { id } = await this.#keys.covered()
    const key = await this.wrappingKey(id)
    // Dropped while it was being opened, its bytes are wiped before whoever asked goes on: a key would be wrapped under zeros.
    if (!this.alive) throw droppedFromMemory()
    return { id, key }
  }

  protected override wipe(): void {
    this.node.destroy()
    this.#keys.destroy()
    this.#forgetRefs()
    wipe(this.#refKey)
  }

  #forgetRefs(): void {
    this.top.clear()
    this.tenants.clear()
    this.#refs = 0
  }
}

/** The wrapping keys of a tenant, each opened at most once. */
export class WrappingKeyRing {
  readonly #context: KeyContext
  readonly #tenantRef: Uint8Array
  readonly #records: Map<string, WrappingKeyRecord>
  readonly #open = new Map<string, Promise<Uint8Array>>()
  #current: WrappingKeyRecord | undefined
  #covered: Promise<WrappingKeyRecord> | undefined
  #alive = true

  constructor(context: KeyContext, tenantRef: Uint8Array, records: readonly WrappingKeyRecord[]) {
    this.#context = context
    this.#tenantRef = tenantRef
    this.#records = new Map(records.map((record) => [hex(record.id), record]))
  }

  get current(): WrappingKeyRecord {
    this.#current ??= newestWrappingKey([...this.#records.values()])
    if (this.#current === undefined) throw decryptFailed()
    return this.#current
  }

  isOutdated(id: Uint8Array): boolean {
    const record = this.#records.get(hex(id))
    return record !== undefined && record.created < this.current.created
  }

  covered(): Promise<WrappingKeyRecord> {
    if (this.#covered === undefined) {
      const covering = wrappingKeyForNewWraps(this.#context, this.current)
      covering.catch(() => (this.#covered = undefined))
      this.#covered = covering
    }
    return this.#covered
  }

  open(id: Uint8Array): Promise<Uint8Array> {
    if (!this.#alive) return Promise.reject(droppedFromMemory())
    const name = hex(id)
    let key = this.#open.get(name)
    if (key === undefined) {
      key = this.#unwrap(name, id)
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

  async #unwrap(name: string, id: Uint8Array): Promise<Uint8Array> {
    const record = this.#records.get(name) ?? (await this.#learn(name, id))
    return unwrapWrappingKey(this.#context, record)
  }

  // A node was moved to a wrapping key that was made after this tenant was read.
  async #learn(name: string, id: Uint8Array): Promise<WrappingKeyRecord> {
    const record = await findWrappingKey(this.#context, id)
    if (record === undefined || !equalBytes(record.tenantRef, this.#tenantRef)) throw decryptFailed()
    this.#records.set(name, record)
    // It may be newer than the one that was the current one so far.
    this.#current = undefined
    this.#covered = undefined
    return record
  }
}

/**
 * Reads and opens a tenant: two store queries side by side, one provider call.
 *
 * @param mostRefs - how many references it keeps
 * @throws StrongroomError `not_found`, `shredded`, `decrypt_failed`, `region_refused`, and what stores and provider throw
 */
export async function openTenant(context: KeyContext, ref: Uint8Array, loaded: Instant, mostRefs: number = FEW_REFS): Promise<OpenTenant> {
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
  const keys = new WrappingKeyRing(context, ref, wrappingKeys)
  let node: OpenNode | undefined
  try {
    node = await unwrapNodeRecord(context, record, undefined, keys, loaded)
    if (refRecord?.type !== 'node') throw decryptFailed()
    return new OpenTenant(loaded, node, await openRefKey(context, node, refRecord, keys, loaded), keys, mostRefs)
  } catch (error) {
    node?.destroy()
    keys.destroy()
    throw error
  }
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
