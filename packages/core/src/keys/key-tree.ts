/** Opening paths in the key tree: cached, coalesced, and minted where a write needs a key that does not exist yet. */

import { equalBytes, wipe } from '../crypto/hash.ts'
import { hasCode, StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState, type NodeKind, type NodeRecord } from '../format/records.ts'
import { VAULT_REF } from '../format/reference.ts'
import { type Aging, type Instant, instant, KeyCache } from './key-cache.ts'
import type { KeyContext } from './key-context.ts'
import { firstRecord, makeVersion } from './make-version.ts'
import type { OpenNode } from './open-node.ts'
import { openTenant, type OpenTenant } from './open-tenant.ts'
import { RecordBatch } from './record-batch.ts'
import { stateError } from './seal-value.ts'
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
}

export interface KeyTreeOptions {
  /** Milliseconds that a loaded key may be used. */
  readonly maxAge: number
  readonly maxNodes: number
  readonly maxTenants: number
}

// A key can be evicted while a path is being opened; more than a few times in a row means the cache is far too small.
const MOST_TRIES = 8

/** The keys of a vault, as one process sees them. */
export class KeyTree {
  readonly context: KeyContext
  readonly #tenants: KeyCache<OpenTenant>
  readonly #nodes: KeyCache<OpenNode>
  readonly #batch: RecordBatch
  readonly #loading = new Map<string, Promise<Aging | undefined>>()
  // What was being loaded when something was invalidated may be what was invalidated: it is used once and not kept.
  #generation = 0

  constructor(context: KeyContext, options: KeyTreeOptions) {
    this.context = context
    const { maxAge } = options
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
    const key = hex(ref)
    const cached = this.#tenants.get(key, share)
    if (cached !== undefined) return cached
    const opened = await this.#once(`tenant ${key}`, this.#tenants, key, (loaded) => openTenant(this.context, ref, loaded))
    return opened as OpenTenant
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
        if (path === undefined || this.usable(path) || tries === MOST_TRIES) return path
      } catch (error) {
        const again = hasCode(error, 'handle_expired', 'conflict') && tries < MOST_TRIES
        if (!again) throw error
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

  /** Drops what is known of a node, and of a tenant all that is beneath it with it: each use checks the whole path. */
  invalidate(ref: Uint8Array): void {
    this.#forgetLoads()
    this.#tenants.invalidate(hex(ref))
    this.#nodes.invalidate(hex(ref))
  }

  /** Drops everything. */
  clear(): void {
    this.#forgetLoads()
    this.#tenants.clear()
    this.#nodes.clear()
  }

  // Whoever asks from now on starts a read of their own.
  #forgetLoads(): void {
    this.#generation++
    this.#loading.clear()
  }

  async #open(tenantRef: Uint8Array, steps: readonly Step[], mint: boolean, share: number): Promise<OpenPath | undefined> {
    const tenant = await this.tenant(tenantRef, share)
    // All references first, so that the records of a whole path are read with one query.
    const refs: Uint8Array[] = []
    for (const step of steps) refs.push(tenant.refOf(step.kind, refs.at(-1) ?? tenantRef, step.name))
    const loaded = instant(this.context.clock)
    const records = refs.map((ref) => this.#record(ref, share))
    const nodes: OpenNode[] = []
    for (const [i, step] of steps.entries()) {
      const parent = nodes.at(-1) ?? tenant.node
      const ref = refs[i] as Uint8Array
      const node = await this.#child(tenant, parent, { kind: step.kind, ref, record: records[i], loaded }, mint, share)
      if (node === undefined) return undefined
      nodes.push(node)
    }
    return { tenant, nodes }
  }

  // Asked for now, awaited later; not asked for at all where the node is cached.
  #record(ref: Uint8Array, share: number): Promise<NodeRecord | undefined> | undefined {
    const key = hex(ref)
    if (this.#nodes.get(key, share) !== undefined || this.#loading.has(`node ${key}`)) return undefined
    const record = this.#batch.load(ref)
    // Its failure is reported by whoever awaits it; a path that ends above must not leave it unhandled.
    record.catch(() => undefined)
    return record
  }

  async #child(
    tenant: OpenTenant,
    parent: OpenNode,
    child: { readonly kind: NodeKind; readonly ref: Uint8Array; readonly record: Promise<NodeRecord | undefined> | undefined; readonly loaded: Instant },
    mint: boolean,
    share: number,
  ): Promise<OpenNode | undefined> {
    const { ref, kind } = child
    const key = hex(ref)
    const known = this.#nodes.get(key, share)
    // A parent that was read anew may have lost the version beneath which this node was opened.
    const cached = known !== undefined && hangsBeneath(known, parent) ? known : undefined
    const node =
      cached ??
      ((await this.#once(`node ${key}`, this.#nodes, key, async (now) => {
        const record = await (child.record ?? this.#batch.load(ref))
        if (record === undefined) return undefined
        return unwrapNodeRecord(this.context, record, parent, { open: (id) => tenant.wrappingKey(id) }, child.record === undefined ? now : child.loaded)
      })) as OpenNode | undefined)
    if (!mint || (node !== undefined && node.versions.length > 0)) return node
    return this.#mint(tenant, parent, kind, ref, node?.record)
  }

  // Makes the first version of a node, or the next one where all before it died with their parent.
  async #mint(tenant: OpenTenant, parent: OpenNode, kind: NodeKind, ref: Uint8Array, before: NodeRecord | undefined): Promise<OpenNode> {
    if (before?.versions.some((version) => version.state === KeyState.shredded) === true) throw stateError(KeyState.shredded)
    const key = hex(ref)
    const minted = await this.#once(`mint ${key}`, this.#nodes, key, async (loaded) => {
      const record = await this.#newNode(tenant, parent, kind, ref, before)
      await this.context.keyStore.put(record)
      return unwrapNodeRecord(this.context, record, parent, { open: (id) => tenant.wrappingKey(id) }, loaded)
    })
    return minted as OpenNode
  }

  async #newNode(
    tenant: OpenTenant,
    parent: OpenNode,
    kind: NodeKind,
    ref: Uint8Array,
    before: NodeRecord | undefined,
  ): Promise<NodeRecord> {
    const above = parent.active
    if (above === undefined) throw stateError(parent.state)
    const { id } = tenant.current
    const wrappingKey = await tenant.wrappingKey(id)
    const { ref: tenantRef, region } = tenant.node.record
    const place = { kind, ref, parentRef: parent.record.ref, tenantRef, region }
    const number = (before?.versions.at(-1)?.version ?? 0) + 1
    const { version, secret } = makeVersion(this.context, place, number, above, { key: above.wrapKey(id, wrappingKey), wrappingKeyId: id })
    wipe(secret)
    return { ...firstRecord(place, version), revision: (before?.revision ?? 0) + 1, versions: [...(before?.versions ?? []), version] }
  }

  // One load for any number of callers. Failures and absences are not kept.
  async #once<T extends Aging>(
    name: string,
    cache: KeyCache<T>,
    key: string,
    load: (loaded: Instant) => Promise<T | undefined>,
  ): Promise<Aging | undefined> {
    const underWay = this.#loading.get(name)
    if (underWay !== undefined) return underWay
    const generation = this.#generation
    const loading = load(instant(this.context.clock)).then((opened) => {
      if (opened !== undefined && generation === this.#generation) cache.set(key, opened)
      return opened
    })
    this.#loading.set(name, loading)
    try {
      return await loading
    } finally {
      if (this.#loading.get(name) === loading) this.#loading.delete(name)
    }
  }
}

function hangsBeneath(node: OpenNode, parent: OpenNode): boolean {
  return node.versions.every((version) => parent.versions.some((above) => equalBytes(above.commitment, version.parentCommitment)))
}

/** A path that must exist. @throws StrongroomError `not_found` */
export function required(path: OpenPath | undefined): OpenPath {
  if (path === undefined) throw new StrongroomError('not_found', 'there is no key at that place')
  return path
}
