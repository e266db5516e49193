/** How handles reach the key tree: open with retries, and never past an entry of the ledger that has not had its effect. */

import { hasCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { NodeKind } from '../format/records.ts'
import { NO_REF, VAULT_REF } from '../format/reference.ts'
import type { Instant } from '../keys/key-cache.ts'
import { required } from '../keys/key-tree.ts'
import type { Asked, KeyPath } from '../keys/keys-in-memory.ts'
import { KnownRef, type Step } from '../keys/known-refs.ts'
import { notApplied } from '../keys/reconcile.ts'
import { recreateNode } from '../keys/recreate.ts'
import { type NodePlaceRef, readNode } from '../keys/shred.ts'
import { changeSuspension } from '../keys/suspend.ts'
import type { Gate, Labelled, OperationName, Whose } from './authorize.ts'
import { readOptions } from '../read-options.ts'
import { namedStep } from './names.ts'
import { requireNoOpenErasure } from './open-erasures.ts'
import { type PlaceState, stateOfPath } from './place-state.ts'
import { reasonCode, type ReasonName } from './reason.ts'
import type { VaultKeys } from './shred-guards.ts'

/** Options of recreate. */
export interface RecreateOptions {
  readonly reason: ReasonName
}

/** How the keys of a place are to be used. */
export interface Use extends Asked {
  readonly operation: OperationName
  readonly about?: Labelled
}

/** A tenant whose keys may be used: nothing that the ledger says of it is left to be done. */
export interface ReadyTenant extends Pick<KnownRef, 'key' | 'ref'> {
  readonly region: string
}

// Between opening and using a key another task may drop it; each retry opens it anew.
const MOST_TRIES = 5
const { key: VAULT_KEY } = new KnownRef(VAULT_REF)

/** A place in the tree, with what it takes to work there. */
export class Place {
  readonly keys: VaultKeys
  readonly gate: Gate
  readonly whose: Whose
  readonly steps: readonly Step[]
  // How it is found, or where it was: a name never has another reference, so it is computed once.
  #tenant: Step | KnownRef

  constructor(keys: VaultKeys, gate: Gate, tenant: Step | KnownRef, whose: Whose, steps: readonly Step[]) {
    this.keys = keys
    this.gate = gate
    this.whose = whose
    this.steps = steps
    this.#tenant = tenant
  }

  /** A place one step below. @param whose - by name, where it is another's */
  below(step: Step, whose: Whose = this.whose): Place {
    return new Place(this.keys, this.gate, this.#tenant, whose, [...this.steps, step])
  }

  /** A subject's place, from that of its tenant. */
  subject(name: string, argument: string): Place {
    return this.below(namedStep(NodeKind.subject, name, argument), { tenant: this.whose.tenant, subject: name })
  }

  /** The tenant's reference. */
  async tenantRef(): Promise<Uint8Array> {
    return (await this.#knownTenant()).ref
  }

  /**
   * Passes the gate, opens the keys of this place, and uses them in the same turn.
   *
   * @param work - gets `undefined` where there is no key and none is to be made
   */
  async use<T>(how: Use, work: (path: KeyPath | undefined) => T): Promise<T> {
    const tenant = this.#readyInMemory() ?? (await this.#ready())
    const path = this.pathInMemory(tenant, how)
    return path === undefined ? this.load(tenant, how, work) : work(path)
  }

  /** What each use begins with. @throws StrongroomError `vault_closed`, and what opening the tenant throws */
  async readyTenant(): Promise<ReadyTenant> {
    return this.#readyInMemory() ?? this.#ready()
  }

  /**
   * Passes the gate; then the keys of this place if they are in memory, for use in this turn.
   *
   * @param now - of this turn
   */
  pathInMemory({ key, region }: ReadyTenant, how: Use, now?: Instant): KeyPath | undefined {
    this.gate.authorize(how.operation, this.whose, region, how.about)
    const path = this.keys.tree.inMemory.path(key, this.steps, how, now)
    if (path !== undefined) this.gate.requireState(how.operation, path)
    return path
  }

  /** As `use`, for keys that are not in memory, behind the gate. */
  async load<T>({ ref }: ReadyTenant, how: Use, work: (path: KeyPath | undefined) => T): Promise<T> {
    for (let tries = 1; ; tries++) {
      const path = await this.keys.tree.open(ref, this.steps, how.mint, how.share)
      try {
        if (path !== undefined) this.gate.requireState(how.operation, path)
        return work(path)
      } catch (error) {
        if (!hasCode(error, 'handle_expired') || tries === MOST_TRIES) throw error
      } finally {
        path?.release()
      }
    }
  }

  async #knownTenant(): Promise<KnownRef> {
    this.gate.requireOpen()
    if (!(this.#tenant instanceof KnownRef)) {
      const vault = await this.keys.tree.vault()
      // Another call may have been first.
      if (!(this.#tenant instanceof KnownRef)) this.#tenant = vault.refTo(vault.tenants, this.#tenant)
    }
    return this.#tenant
  }

  async #ready(): Promise<ReadyTenant> {
    const { tree, reconciler } = this.keys
    const known = await this.#knownTenant()
    if (reconciler.isPending(known.ref)) await this.#settled(known.ref)
    const { node } = await tree.tenant(known.ref)
    return { key: known.key, ref: known.ref, region: node.record.region }
  }

  // Most calls come to a vault whose own keys are in memory: they need not wait a turn.
  #readyInMemory(): ReadyTenant | undefined {
    this.gate.requireOpen()
    const { tree, reconciler } = this.keys
    if (!(this.#tenant instanceof KnownRef)) {
      const vault = tree.inMemory.tenant(VAULT_KEY)
      if (vault === undefined) return undefined
      this.#tenant = vault.refTo(vault.tenants, this.#tenant)
    }
    const { key, ref } = this.#tenant
    const open = reconciler.isPending(ref) ? undefined : tree.inMemory.tenant(key)
    return open === undefined ? undefined : { key, ref, region: open.node.record.region }
  }

  async recreate(options: RecreateOptions): Promise<void> {
    const { reason } = readOptions(options, ['reason'])
    const why = reasonCode(reason)
    const place = await this.references()
    this.gate.authorize('recreate', this.whose, place.region)
    await requireNoOpenErasure(this.keys.tree.context, (await this.#refs()).path.map(hex))
    await recreateNode(this.keys, place, why)
  }

  async changeSuspension(operation: 'suspend' | 'resume'): Promise<void> {
    const place = await this.references()
    this.gate.authorize(operation, this.whose, place.region)
    // There must be a key whose state can say so: else the next write would simply make one.
    if (operation === 'suspend' && this.steps.length > 0) required(await this.keys.tree.open(place.tenantRef, this.steps, true)).release()
    await changeSuspension(this.keys, place, operation)
  }

  /** From the records alone: nothing is opened but the tenant, whose key gives the references. @param suspendedBy - as `stateOfPath` has it */
  async state(suspendedBy: 'any' | 'own'): Promise<PlaceState> {
    const refs = await this.#refs().catch((error: unknown) => {
      if (hasCode(error, 'shredded')) return undefined
      throw error
    })
    this.gate.authorize('state', this.whose, refs?.region)
    if (refs === undefined) return this.steps.length === 0 ? 'shredded' : 'gone'
    const records = await this.keys.tree.context.keyStore.get(refs.path.map((ref) => ({ type: 'node', ref })))
    return stateOfPath(
      records.map((record) => (record?.type === 'node' ? record : undefined)),
      suspendedBy,
    )
  }

  /** The place by its references. @throws StrongroomError `not_found`, `shredded` for the tenant */
  async references(): Promise<NodePlaceRef> {
    const tenantRef = await this.tenantRef()
    if (this.steps.length === 0) return this.#tenantPlace(tenantRef)
    const { path, region } = await this.#refs()
    const last = this.steps.at(-1) as Step
    return { kind: last.kind, ref: path.at(-1) as Uint8Array, parentRef: path.at(-2) as Uint8Array, tenantRef, region }
  }

  /** From the tenant down to this place, in hexadecimal. @throws StrongroomError `not_found`, `shredded` for the tenant */
  async referencesInText(): Promise<readonly string[]> {
    const { path, region } = await this.#refs()
    this.gate.authorize('state', this.whose, region)
    return path.map(hex)
  }

  // From the tenant down to this place. @throws StrongroomError `not_found`, `shredded` for the tenant
  async #refs(): Promise<{ readonly path: readonly Uint8Array[]; readonly region: string }> {
    const tenantRef = await this.tenantRef()
    const tenant = await this.keys.tree.tenant(tenantRef)
    const path = [tenantRef]
    let at = tenant.top
    for (const step of this.steps) {
      at = tenant.refTo(at, step)
      path.push(at.ref)
    }
    return { path, region: tenant.node.record.region }
  }

  // The region is taken from the record as it opened: it decides which root versions a shred has to outlive.
  async #tenantPlace(tenantRef: Uint8Array): Promise<NodePlaceRef> {
    const place = { kind: NodeKind.tenant, ref: tenantRef, parentRef: NO_REF, tenantRef }
    try {
      const { node } = await this.keys.tree.tenant(tenantRef)
      return { ...place, region: node.record.region }
    } catch (error) {
      // What is shredded opens no more: the ledger's entry about it has the rest.
      const record = hasCode(error, 'shredded', 'root_version_destroyed') ? await readNode(this.keys, tenantRef) : undefined
      if (record === undefined) throw error
      return { ...place, region: record.region }
    }
  }

  // A suspension that the ledger has and the key store has not, because a provider was away, or a key does not open: it comes first.
  async #settled(tenantRef: Uint8Array): Promise<void> {
    const { reconciler } = this.keys
    await reconciler.run()
    const failure = reconciler.failureOf(tenantRef)
    if (failure !== undefined) throw notApplied('a change of state waits, and nothing of the tenant opens before it', failure)
  }
}
