/** The keys that are in memory: found without waiting, and only while they may be used as they are. */

import type { Clock } from '../clock.ts'
import { samePublic } from '../format/bytes.ts'
import { type Instant, instant, isFresh, KeyCache } from './key-cache.ts'
import type { Step } from './known-refs.ts'
import type { OpenNode } from './open-node.ts'
import type { OpenTenant } from './open-tenant.ts'
import { isOutdated } from './rewrap-node.ts'

/** A node with all that is above it, open, for use in one turn. */
export interface KeyPath {
  readonly tenant: OpenTenant
  /** From the tenant's child to the node itself; empty for the tenant's own node. */
  readonly nodes: readonly OpenNode[]
}

/** How keys are asked for. */
export interface Asked {
  /** Make those that do not exist. */
  readonly mint: boolean
  /** How much of its life a cached one may have used up (1, without it: all of it). */
  readonly share?: number | undefined
}

export interface KeyCacheOptions {
  /** Milliseconds that a loaded key may be used. */
  readonly maxAge: number
  readonly maxNodes: number
  readonly maxTenants: number
}

export class KeysInMemory {
  readonly #tenants: KeyCache<OpenTenant>
  readonly #nodes: KeyCache<OpenNode>
  readonly #clock: Clock
  readonly #maxAge: number
  // Nodes that were found up to date beneath these readings of their tenant and parent.
  readonly #settled = new WeakMap<OpenNode, { readonly tenant: OpenTenant; readonly parent: OpenNode }>()
  #closed = false

  constructor(clock: Clock, { maxAge, maxNodes, maxTenants }: KeyCacheOptions) {
    this.#clock = clock
    this.#maxAge = maxAge
    this.#tenants = new KeyCache({ maxAge, maxEntries: maxTenants, clock })
    this.#nodes = new KeyCache({ maxAge, maxEntries: maxNodes, clock })
  }

  get closed(): boolean {
    return this.#closed
  }

  now(): Instant {
    return instant(this.#clock)
  }

  tenant(key: string, share?: number, now?: Instant): OpenTenant | undefined {
    return this.#tenants.get(key, share, now)
  }

  node(key: string, share?: number, now?: Instant): OpenNode | undefined {
    return this.#nodes.get(key, share, now)
  }

  /**
   * A path, for use in this turn, if all of it is in memory: else `undefined`, and `KeyTree.open` reads what is missing, makes it, or settles
   * it.
   *
   * @param now - of this turn
   */
  path(tenantKey: string, steps: readonly Step[], { mint, share }: Asked, now: Instant = this.now()): KeyPath | undefined {
    const tenant = this.tenant(tenantKey, share, now)
    if (tenant === undefined) return undefined
    const nodes: OpenNode[] = []
    let [at, parent] = [tenant.top, tenant.node]
    for (const step of steps) {
      at = tenant.refTo(at, step)
      const node = this.node(at.key, share, now)
      if (node === undefined || !hangsBeneath(node, parent) || (mint && node.versions.length === 0)) return undefined
      nodes.push(node)
      parent = node
    }
    const path = { tenant, nodes }
    return mint && !this.isSettled(path) ? undefined : path
  }

  /** Whether every key of a path may be used at this instant. */
  usable(path: KeyPath): boolean {
    const now = this.now()
    if (!this.usableTenant(path.tenant, now)) return false
    for (const node of path.nodes) if (!this.#nodes.usable(node, now)) return false
    return true
  }

  usableTenant(tenant: OpenTenant, now: Instant = this.now()): boolean {
    return this.#tenants.usable(tenant, now)
  }

  /** Whether something that was read at an instant, an absence too, may still be relied on. */
  fresh(read: Instant): boolean {
    return isFresh(read, this.now(), this.#maxAge)
  }

  /** Whether every node of a path is wrapped as whatever is made now would be: only then may anything be encrypted with it. */
  isSettled({ tenant, nodes }: KeyPath): boolean {
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

  // What was being read when the vault was closed is not kept.
  keepTenant(key: string, tenant: OpenTenant): void {
    if (this.#closed) tenant.destroy()
    else this.#tenants.set(key, tenant)
  }

  keepNode(key: string, node: OpenNode): void {
    if (this.#closed) node.destroy()
    else this.#nodes.set(key, node)
  }

  invalidate(key: string): void {
    this.#tenants.invalidate(key)
    this.#nodes.invalidate(key)
  }

  clear(): void {
    this.#tenants.clear()
    this.#nodes.clear()
  }

  /** Drops everything, for good. */
  close(): void {
    this.#closed = true
    this.clear()
  }
}

/** Whether every version of a node was opened beneath one that this reading of its parent has. */
export function hangsBeneath(node: OpenNode, parent: OpenNode): boolean {
  return node.versions.every((version) => parent.versions.some((above) => samePublic(above.commitment, version.parentCommitment)))
}
