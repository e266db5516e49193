/** Opening paths in the key tree: cached, coalesced, and minted where a write needs a key that does not exist yet. */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, StrongroomError, vaultClosed } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState, type NodeKind, type NodeRecord } from '../format/records.ts'
import { VAULT_REF } from '../format/reference.ts'
import { type Aging, type Instant, instant, isFresh, KeyCache } from './key-cache.ts'
import type { KeyContext } from './key-context.ts'
import { mintNode } from './mint-node.ts'
import { droppedFromMemory, type OpenNode } from './open-node.ts'
import { openTenant, type OpenTenant } from './open-tenant.ts'
import { RecordBatch } from './record-batch.ts'
import { isOutdated, rewrapNode } from './rewrap-node.ts'
import { SingleFlight } from './single-flight.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'

/** One step below a tenant. */
export interface Step {
  readonly kind: NodeKind
  readonly name: Uint8Array
}

/** A node with all that is above it, open, for use in one turn. */
export interface KeyPath {
  readonly tenant: OpenTenant
  /** From the tenant's child to the node itself; empty for the tenant's own node. */
  readonly nodes: readonly OpenNode[]
}

/** The same, held. */
export interface OpenPath extends KeyPath {
  /** Lets go of the keys. Until then they stay in memory, if nothing invalidates them and they do not age out. */
  release(): void
}

export interface KeyTreeOptions {
  /** Milliseconds that a loaded key may be used. */
  readonly maxAge: number
  readonly maxNodes: number
  readonly maxTenants: number
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
}

/** The keys of a vault, as one process sees them. */
export class KeyTree {
  readonly context: KeyContext
  readonly #tenants: KeyCache<OpenTenant>
  readonly #nodes: KeyCache<OpenNode>
  readonly #batch: RecordBatch
  readonly #maxAge: number
  #closed = false
  readonly #flights = new SingleFlight()
  // Nodes that were found up to date beneath these readings of their tenant and parent.
  readonly #settled = new WeakMap<OpenNode, { readonly tenant: OpenTenant; readonly parent: OpenNode }>()

  constructor(context: KeyContext, options: KeyTreeOptions) {
    this.context = context
    const { maxAge } = options
    this.#maxAge = maxAge
    this.#tenants = new KeyCache({ maxAge, maxEntries: options.maxTenants, clock: context.clock })
    this.#nodes = new KeyCache({ maxAge, maxEntries: options.maxNodes, clock: context.clock })
    this.#batch = new RecordBatch(context.keyStore)
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
    if (this.#closed) throw vaultClosed()
    const key = hex(ref)
    const cached = this.#tenants.get(key, share)
    if (cached !== undefined) return cached
    const loaded = instant(this.context.clock)
    const load = (): Promise<OpenTenant> => openTenant(this.context, ref, loaded)
    return required(await this.#flights.once(`tenant ${key}`, load, (tenant) => this.#keep(this.#tenants, key, tenant)))
  }

  // What was being read when the vault was closed is not kept.
  #keep<T extends Aging>(cache: KeyCache<T>, key: string, opened: T): void {
    if (this.#closed) opened.destroy()
    else cache.set(key, opened)
  }

  /**
   * Opens a path. Where `mint` is true, nodes that do not exist are made; where it is false, the answer is then `undefined`.
   *
   * @throws StrongroomError `shredded` if a node to be minted was shredded, and what {@link KeyTree.tenant} throws
   */
  async open(tenantRef: Uint8Array, steps: readonly Step[], mint: boolean, share = 1): Promise<OpenPath | undefined> {
    let mayBeOld = true
    for (let tries = 1; ; tries++) {
      try {
        const path = await this.#open(tenantRef, steps, mint, share)
        if (path === undefined || (this.usable(path) && (!mint || this.#isSettled(path)))) return path
        if (this.usable(path)) await this.#settle(path)
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

  /** A tenant, if it is in memory and may be used as it is. */
  tenantInMemory(ref: Uint8Array): OpenTenant | undefined {
    return this.#tenants.get(hex(ref))
  }

  /**
   * A path, for use in this turn, if all of it is in memory and may be used as it is: else `undefined`, and {@link KeyTree.open} reads what
   * is missing, makes it, or settles it.
   */
  openInMemory(tenantRef: Uint8Array, steps: readonly Step[], mint: boolean, share = 1): KeyPath | undefined {
    const tenant = this.#tenants.get(hex(tenantRef), share)
    if (tenant === undefined) return undefined
    const nodes: OpenNode[] = []
    let parent = tenant.node
    for (const { kind, name } of steps) {
      const node = this.#nodes.get(hex(tenant.refOf(kind, parent.record.ref, name)), share)
      if (node === undefined || !hangsBeneath(node, parent) || (mint && node.versions.length === 0)) return undefined
      nodes.push(node)
      parent = node
    }
    return mint && !this.#isSettled({ tenant, nodes }) ? undefined : { tenant, nodes }
  }

  /** Whether every key of a path may be used at this instant. */
  usable(path: KeyPath): boolean {
    const now = instant(this.context.clock)
    if (!this.#tenants.usable(path.tenant, now)) return false
    for (const node of path.nodes) if (!this.#nodes.usable(node, now)) return false
    return true
  }

  /** Whether something that was read at an instant, an absence too, may still be relied on. */
  fresh(read: Instant): boolean {
    return isFresh(read, instant(this.context.clock), this.#maxAge)
  }

  /** Drops what is known of a node, and of a tenant all that is beneath it with it: each use checks the whole path. */
  invalidate(ref: Uint8Array): void {
    const key = hex(ref)
    // What is being read may be what has just changed: it is read again.
    for (const what of FLIGHTS) this.#flights.forget(`${what} ${key}`)
    this.#tenants.invalidate(key)
    this.#nodes.invalidate(key)
  }

  /** Drops everything, for good. */
  close(): void {
    this.#closed = true
    this.clear()
  }

  /** Drops everything. */
  clear(): void {
    this.#flights.forgetAll()
    this.#tenants.clear()
    this.#nodes.clear()
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
    let parentRef = tenantRef
    for (const [i, { kind, name }] of steps.entries()) {
      const ref = tenant.refOf(kind, parentRef, name)
      const parent = nodes.at(-1) ?? Promise.resolve(tenant.node)
      nodes.push(this.#child({ above: steps.slice(0, i), tenant, parent, kind, ref }, mint, share, hold))
      parentRef = ref
    }
    const open: OpenNode[] = []
    for (const node of await Promise.all(nodes)) {
      if (node === undefined) return undefined
      open.push(node)
    }
    return { tenant, nodes: open }
  }

  async #child(child: Child, mint: boolean, share: number, hold: <T extends Aging>(key: T) => T): Promise<OpenNode | undefined> {
    const key = hex(child.ref)
    const known = this.#nodes.get(key, share)
    const loading = known === undefined ? this.#load(child, key) : undefined
    if (known !== undefined) hold(known)
    const parent = await child.parent
    if (parent === undefined) return undefined
    // A parent that was read anew may have lost the version beneath which the known node was opened.
    const cached = known !== undefined && hangsBeneath(known, parent) ? known : undefined
    const node = cached ?? (await (loading ?? this.#load(child, key)))
    if (!mint || (node !== undefined && node.versions.length > 0)) return node === undefined ? undefined : hold(node)
    const minted = await this.#mint(child, key, parent, node?.record)
    return minted === undefined ? undefined : hold(minted)
  }

  #load(child: Child, key: string): Promise<OpenNode | undefined> {
    const loaded = instant(this.context.clock)
    const load = async (): Promise<OpenNode | undefined> => {
      const [record, parent] = await Promise.all([this.#batch.load(child.ref), child.parent])
      if (record === undefined || parent === undefined) return undefined
      await this.#requireKnownParent(record, parent)
      return this.#unwrap(child.tenant, record, parent, loaded)
    }
    return this.#flights.once(`node ${key}`, load, (node) => this.#keep(this.#nodes, key, node))
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

  #mint(child: Child, key: string, parent: OpenNode, before: NodeRecord | undefined): Promise<OpenNode | undefined> {
    const loaded = instant(this.context.clock)
    const mint = async (): Promise<OpenNode> => {
      const { context } = this
      const node = await mintNode(context, { ...child, parent, before }, loaded)
      try {
        await context.failpoint('node.made')
        await context.keyStore.put(node.record)
        await context.failpoint('node.stored')
        if (!this.#tenants.usable(child.tenant, instant(context.clock))) await this.#settleLate(child, node)
        return node
      } catch (error) {
        node.destroy()
        throw error
      }
    }
    return this.#flights.once(`mint ${key}`, mint, (node) => this.#keep(this.#nodes, key, node))
  }

  #isSettled({ tenant, nodes }: KeyPath): boolean {
    let parent = tenant.node
    for (const node of nodes) {
      const seen = this.#settled.get(node)
      if (seen?.tenant !== tenant || seen.parent !== parent) {
        if (isOutdated(node, parent, (id) => tenant.isOutdated(id))) return false
        this.#settled.set(node, { tenant, parent })
      }
      parent = node
    }
    return true
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

function hangsBeneath(node: OpenNode, parent: OpenNode): boolean {
  return node.versions.every((version) => parent.versions.some((above) => equalBytes(above.commitment, version.parentCommitment)))
}

/** What must be there. @throws StrongroomError `not_found` */
export function required<T extends object>(found: T | undefined): T {
  if (found === undefined) throw new StrongroomError('not_found', 'there is no key at that place')
  return found
}
