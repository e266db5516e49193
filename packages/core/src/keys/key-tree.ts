/** Opening paths in the key tree: cached, coalesced, and minted where a write needs a key that does not exist yet. */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, StrongroomError, vaultClosed } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import type { NodeKind, NodeRecord } from '../format/records.ts'
import { VAULT_REF } from '../format/reference.ts'
import { type Aging, type Instant, instant, isFresh, KeyCache } from './key-cache.ts'
import type { KeyContext } from './key-context.ts'
import { mintNode } from './mint-node.ts'
import type { OpenNode } from './open-node.ts'
import { openTenant, type OpenTenant } from './open-tenant.ts'
import { RecordBatch } from './record-batch.ts'
import { SingleFlight } from './single-flight.ts'
import { unwrapNodeRecord } from './unwrap-node-record.ts'

/** One step below a tenant. */
export interface Step {
  readonly kind: NodeKind
  readonly name: Uint8Array
}

/** A node with all that is above it, open. */
export interface OpenPath {
  readonly tenant: OpenTenant
  /** From the tenant's child to the node itself; empty for the tenant's own node. */
  readonly nodes: readonly OpenNode[]
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
    for (let tries = 1; ; tries++) {
      try {
        return await this.#tenant(ref, share)
      } catch (error) {
        if (!hasCode(error, 'handle_expired') || tries === MOST_TRIES) throw error
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
    for (let tries = 1; ; tries++) {
      try {
        const path = await this.#open(tenantRef, steps, mint, share)
        if (path === undefined || this.usable(path)) return path
        path.release()
      } catch (error) {
        if (!hasCode(error, 'handle_expired', 'conflict')) throw error
      }
      if (tries === MOST_TRIES) {
        throw new StrongroomError(
          'key_store_unavailable',
          'reading the keys takes longer than the cache bound, or the cache is too small for what is used at once: raise cacheBound or maxCachedKeys',
        )
      }
    }
  }

  /** Whether every key of a path may be used at this instant. */
  usable(path: OpenPath): boolean {
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
  ): Promise<Pick<OpenPath, 'tenant' | 'nodes'> | undefined> {
    const tenant = hold(await this.tenant(tenantRef, share))
    // All loads begin in this turn, so that the records of a whole path are read with one query.
    const nodes: Promise<OpenNode | undefined>[] = []
    let parentRef = tenantRef
    for (const { kind, name } of steps) {
      const ref = tenant.refOf(kind, parentRef, name)
      const parent = nodes.at(-1) ?? Promise.resolve(tenant.node)
      nodes.push(this.#child({ tenant, parent, kind, ref }, mint, share, hold))
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
      return this.#unwrap(child.tenant, record, parent, loaded)
    }
    return this.#flights.once(`node ${key}`, load, (node) => this.#keep(this.#nodes, key, node))
  }

  #mint(child: Child, key: string, parent: OpenNode, before: NodeRecord | undefined): Promise<OpenNode | undefined> {
    const loaded = instant(this.context.clock)
    const mint = async (): Promise<OpenNode> => {
      const record = await mintNode(this.context, child.tenant, parent, child.kind, child.ref, before)
      await this.context.keyStore.put(record)
      return this.#unwrap(child.tenant, record, parent, loaded)
    }
    return this.#flights.once(`mint ${key}`, mint, (node) => this.#keep(this.#nodes, key, node))
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
