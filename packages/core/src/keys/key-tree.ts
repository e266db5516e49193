/** Opening paths in the key tree: loads are coalesced, and keys minted where a write needs one that does not exist yet. */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, StrongroomError, vaultClosed } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState, type NodeKind, type NodeRecord } from '../format/records.ts'
import { VAULT_REF } from '../format/reference.ts'
import type { Aging, Instant } from './key-cache.ts'
import type { KeyContext } from './key-context.ts'
import { type Asked, hangsBeneath, type KeyCacheOptions, type KeyPath, KeysInMemory } from './keys-in-memory.ts'
import type { Step } from './known-refs.ts'
import { mintNode } from './mint-node.ts'
import { droppedFromMemory, type OpenNode } from './open-node.ts'
import { openTenant, type OpenTenant } from './open-tenant.ts'
import { RecordBatch } from './record-batch.ts'
import { isOutdated, rewrapNode } from './rewrap-node.ts'
import { SingleFlight } from './single-flight.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'

/** A path that is held. */
export interface OpenPath extends KeyPath {
  /** Lets go of the keys. Until then they stay in memory, if nothing invalidates them and they do not age out. */
  release(): void
}

// A key can be evicted while a path is being opened; more than a few times in a row means the cache is far too small.
const MOST_TRIES = 8

// What a reference may be being loaded as.
const FLIGHTS = ['tenant', 'node', 'mint'] as const

/** A node to be opened, beneath a parent that is being opened. */
interface Child {
  /** The way to the parent. */
  readonly above: readonly Step[]
  readonly tenant: OpenTenant
  readonly parent: Promise<OpenNode | undefined>
  readonly kind: NodeKind
  readonly ref: Uint8Array
  /** The reference, as caches have it. */
  readonly key: string
}

/** The keys of a vault, as one process sees them. */
export class KeyTree {
  readonly context: KeyContext
  readonly inMemory: KeysInMemory
  readonly #batch: RecordBatch
  readonly #mostRefs: number
  readonly #flights = new SingleFlight()

  constructor(context: KeyContext, options: KeyCacheOptions) {
    this.context = context
    this.inMemory = new KeysInMemory(context.clock, options)
    this.#batch = new RecordBatch(context.keyStore)
    // Of a tenant as many as keys are kept; of the vault as many as tenants are.
    this.#mostRefs = options.maxNodes + options.maxTenants
  }

  /** The vault's own node. */
  vault(): Promise<OpenTenant> {
    return this.tenant(VAULT_REF)
  }

  /**
   * @param share - how much of its life a cached entry may have used up
   * @throws StrongroomError `not_found`, `shredded`, `decrypt_failed`, `region_refused`, and what stores and provider throw
   */
  async tenant(ref: Uint8Array, share = 1): Promise<OpenTenant> {
    let mayBeOld = true
    for (let tries = 1; ; tries++) {
      try {
        return await this.#tenant(ref, share)
      } catch (error) {
        // What was read before an epoch closed, and opened after it, has been wrapped anew since.
        if (hasCode(error, 'root_version_destroyed') && mayBeOld) mayBeOld = false
        else if (!hasCode(error, 'handle_expired') || tries === MOST_TRIES) throw error
      }
    }
  }

  async #tenant(ref: Uint8Array, share: number): Promise<OpenTenant> {
    const { inMemory } = this
    if (inMemory.closed) throw vaultClosed()
    const key = hex(ref)
    const cached = inMemory.tenant(key, share)
    if (cached !== undefined) return cached
    const loaded = inMemory.now()
    const load = (): Promise<OpenTenant> => openTenant(this.context, ref, loaded, this.#mostRefs)
    return required(await this.#flights.once(`tenant ${key}`, load, (tenant) => inMemory.keepTenant(key, tenant)))
  }

  /**
   * Opens a path. Where `mint` is true, nodes that do not exist are made; where it is false, the answer is then `undefined`.
   *
   * @throws StrongroomError `shredded` if a node to be minted was shredded, and what {@link KeyTree.tenant} throws
   */
  async open(tenantRef: Uint8Array, steps: readonly Step[], mint: boolean, share = 1): Promise<OpenPath | undefined> {
    const { inMemory } = this
    let mayBeOld = true
    for (let tries = 1; ; tries++) {
      try {
        const path = await this.#open(tenantRef, steps, mint, share)
        if (path === undefined || (inMemory.usable(path) && (!mint || inMemory.isSettled(path)))) return path
        if (inMemory.usable(path)) await this.#settle(path)
        path.release()
      } catch (error) {
        // As for a tenant; and a cached one may hold its wrapping keys as they were.
        if (hasCode(error, 'root_version_destroyed') && mayBeOld) {
          mayBeOld = false
          this.invalidate(tenantRef)
        } else if (!hasCode(error, 'handle_expired', 'conflict')) throw error
      }
      if (tries === MOST_TRIES) {
        throw new StrongroomError(
          'key_store_unavailable',
          'reading the keys takes longer than the cache bound, or the cache is too small for what is used at once: raise cacheBound or maxCachedKeys',
        )
      }
    }
  }

  /** Drops what is known of a node, and of a tenant all that is beneath it with it: each use checks the whole path. */
  invalidate(ref: Uint8Array): void {
    const key = hex(ref)
    // What is being read may be what has just changed: it is read again.
    for (const what of FLIGHTS) this.#flights.forget(`${what} ${key}`)
    this.inMemory.invalidate(key)
  }

  /** Drops everything, for good. */
  close(): void {
    this.#flights.forgetAll()
    this.inMemory.close()
  }

  /** Drops everything. */
  clear(): void {
    this.#flights.forgetAll()
    this.inMemory.clear()
  }

  async #open(tenantRef: Uint8Array, steps: readonly Step[], mint: boolean, share: number): Promise<OpenPath | undefined> {
    const held: Aging[] = []
    const hold = <T extends Aging>(key: T): T => {
      key.pin()
      held.push(key)
      return key
    }
    const release = (): void => {
      for (const key of held.splice(0)) key.unpin()
    }
    try {
      const path = await this.#openHeld(tenantRef, steps, mint, share, hold)
      if (path === undefined) release()
      return path === undefined ? undefined : { ...path, release }
    } catch (error) {
      release()
      throw error
    }
  }

  async #openHeld(
    tenantRef: Uint8Array,
    steps: readonly Step[],
    mint: boolean,
    share: number,
    hold: <T extends Aging>(key: T) => T,
  ): Promise<KeyPath | undefined> {
    const tenant = hold(await this.tenant(tenantRef, share))
    // All loads begin in this turn, so that the records of a whole path are read with one query.
    const nodes: Promise<OpenNode | undefined>[] = []
    let at = tenant.top
    for (const [i, step] of steps.entries()) {
      at = tenant.refTo(at, step)
      const parent = nodes.at(-1) ?? Promise.resolve(tenant.node)
      nodes.push(
        this.#child({ above: steps.slice(0, i), tenant, parent, kind: step.kind, ref: at.ref, key: at.key }, { mint, share }, hold),
      )
    }
    const open: OpenNode[] = []
    for (const node of await Promise.all(nodes)) {
      if (node === undefined) return undefined
      open.push(node)
    }
    return { tenant, nodes: open }
  }

  async #child(child: Child, { mint, share }: Asked, hold: <T extends Aging>(key: T) => T): Promise<OpenNode | undefined> {
    const known = this.inMemory.node(child.key, share)
    const loading = known === undefined ? this.#load(child) : undefined
    if (known !== undefined) hold(known)
    const parent = await child.parent
    if (parent === undefined) return undefined
    // A parent that was read anew may have lost the version beneath which the known node was opened.
    const cached = known !== undefined && hangsBeneath(known, parent) ? known : undefined
    const node = cached ?? (await (loading ?? this.#load(child)))
    if (!mint || (node !== undefined && node.versions.length > 0)) return node === undefined ? undefined : hold(node)
    const minted = await this.#mint(child, parent, node?.record)
    return minted === undefined ? undefined : hold(minted)
  }

  #load(child: Child): Promise<OpenNode | undefined> {
    const loaded = this.inMemory.now()
    const load = async (): Promise<OpenNode | undefined> => {
      const [record, parent] = await Promise.all([this.#batch.load(child.ref), child.parent])
      if (record === undefined || parent === undefined) return undefined
      await this.#requireKnownParent(record, parent)
      return this.#unwrap(child.tenant, record, parent, loaded)
    }
    return this.#flights.once(`node ${child.key}`, load, (node) => this.inMemory.keepNode(child.key, node))
  }

  // A node may hang beneath a version of its parent that was made after the parent was read: the parent is then read anew.
  async #requireKnownParent(record: NodeRecord, parent: OpenNode): Promise<void> {
    const known = [...parent.versions, ...parent.gone]
    const strange = record.versions.filter(
      (version) => version.state !== KeyState.shredded && !known.some(({ commitment }) => equalBytes(commitment, version.parentCommitment)),
    )
    if (strange.length === 0) return
    const [now] = await this.context.keyStore.get([{ type: 'node', ref: parent.record.ref }])
    const commitments = now?.type === 'node' ? now.versions.map(({ commitment }) => commitment) : []
    if (!strange.some((version) => version.state !== KeyState.shredded && commitments.some((c) => equalBytes(c, version.parentCommitment))))
      return
    this.invalidate(parent.record.ref)
    throw droppedFromMemory()
  }

  #mint(child: Child, parent: OpenNode, before: NodeRecord | undefined): Promise<OpenNode | undefined> {
    const loaded = this.inMemory.now()
    const mint = async (): Promise<OpenNode> => {
      const { context } = this
      const node = await mintNode(context, { ...child, parent, before }, loaded)
      try {
        await context.failpoint('node.made')
        await context.keyStore.put(node.record)
        await context.failpoint('node.stored')
        if (!this.inMemory.usableTenant(child.tenant)) await this.#settleLate(child, node)
        return node
      } catch (error) {
        node.destroy()
        throw error
      }
    }
    return this.#flights.once(`mint ${child.key}`, mint, (node) => this.inMemory.keepNode(child.key, node))
  }

  // Whoever finds a node wrapped by a key that was followed by another wraps it anew before anything is encrypted with it: it may
  // have been stored too late for whoever moves the tenant to see it. Never backwards: an older reading than the record changes nothing.
  async #settle({ tenant, nodes }: OpenPath): Promise<void> {
    let parent = tenant.node
    for (const node of nodes) {
      if (isOutdated(node, parent, (id) => tenant.isOutdated(id))) {
        const record = rewrapNode(this.context, node, parent, await tenant.forNewWraps())
        this.invalidate(record.ref)
        // Another writer that was first has moved it, or destroyed it: it is read again in any case.
        return this.context.keyStore.put(record)
      }
      parent = node
    }
  }

  // The node was stored so late that its wrapping key may be gone by now, and only its maker still has the secret.
  async #settleLate(child: Child, node: OpenNode): Promise<void> {
    const { ref } = child.tenant.node.record
    const path = await this.open(ref, child.above, false)
    if (path === undefined) return
    try {
      const parent = path.nodes.at(-1) ?? path.tenant.node
      if (!isOutdated(node, parent, (id) => path.tenant.isOutdated(id))) return
      await this.context.keyStore.put(rewrapNode(this.context, node, parent, await path.tenant.forNewWraps()))
      throw droppedFromMemory()
    } finally {
      path.release()
    }
  }

  #unwrap(tenant: OpenTenant, record: NodeRecord, parent: OpenNode, loaded: Instant): Promise<OpenNode> {
    return unwrapNodeRecord(this.context, record, parent, { open: (id) => tenant.wrappingKey(id) }, loaded)
  }
}

/** What must be there. @throws StrongroomError `not_found` */
export function required<T extends object>(found: T | undefined): T {
  if (found === undefined) throw new StrongroomError('not_found', 'there is no key at that place')
  return found
}
