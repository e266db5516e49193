/** Tenants: the customer organisations, isolated from each other by their keys. */

import { invalidArgument, type StrongroomError } from '../errors.ts'
import { field } from '../field.ts'
import { EMPTY, hex } from '../format/bytes.ts'
import { KeyState, NodeKind, type NodeRecord } from '../format/records.ts'
import { NO_REF } from '../format/reference.ts'
import { binaryScalar } from '../format/scalar.ts'
import { createTenantNodes } from '../keys/create-tenant.ts'
import { bytesStep } from '../keys/known-refs.ts'
import { openValue, sealFrame } from '../keys/seal-value.ts'
import { type KeyOperations, readNode } from '../keys/shred.ts'
import { z } from 'zod'
import type { Gate } from './authorize.ts'
import { type BlindIndex, type BlindIndexes, blindIndexes, type BlindIndexOptions } from './blind-index.ts'
import { readOptions } from '../read-options.ts'
import type { UnlockedKeys } from './lease.ts'
import { namedStep } from './names.ts'
import { Place } from './place.ts'
import { rawPeriodKeys, type RawPeriodKeys, type RawPeriodKeysOptions } from './raw-period-keys.ts'
import type { VaultKeys } from './shred-guards.ts'
import { shredMany, type ShredManyOptions } from './shred-many.ts'
import { pastShred, shredDamaged, type ShredOptions, shredPlace, type TenantShredOptions } from './shred-place.ts'
import type { Shredded } from './shredded.ts'
import { type Subject, SubjectHandle } from './subject.ts'
import { unlockMany, type UnlockOptions } from './unlock.ts'

/** One tenant, by name. Making the handle reads nothing; its tenant must exist when it is used. */
export interface Tenant extends BlindIndexes {
  /** A person of this tenant. @throws StrongroomError `invalid_argument` */
  subject(name: string): Subject
  /**
   * Unlocks many people at once: much cheaper than `unlock` of each where their keys are in memory, and one query for each 1,000 where they
   * are not. One who is refused keeps nobody else from their keys.
   *
   * @returns for each name in turn the keys, to be disposed of, or the error with which `unlock` of it is refused
   * @throws StrongroomError `invalid_argument` (no list, options that there are not), `vault_closed`, and what keeps the tenant itself from opening
   * @example
   * ```ts
   * import { field, StrongroomError, type Tenant } from '@strongroom/core'
   * import { z } from 'zod'
   *
   * const email = field('users', 'email', z.email())
   * async function decryptAll(tenant: Tenant, rows: readonly { readonly user: string; readonly email: Uint8Array }[]) {
   *   const unlocked = await tenant.unlockMany(
   *     rows.map(({ user }) => user),
   *     { readOnly: true },
   *   )
   *   return rows.map((row, i) => {
   *     const keys = unlocked[i]
   *     if (keys === undefined || keys instanceof StrongroomError) return keys?.code
   *     const address = keys.decrypt(email, row.email)
   *     keys.dispose()
   *     return address
   *   })
   * }
   * ```
   */
  unlockMany(subjects: readonly string[], options?: UnlockOptions): Promise<readonly (UnlockedKeys | StrongroomError)[]>
  /** What belongs to the tenant itself, such as its own connections. No subject's name reaches it. */
  self(): Subject
  /**
   * Destroys the tenant's key, and with it everything of the tenant's. One whose records are damaged needs `{ region }`: nothing else says
   * what the shred has to outlive.
   *
   * @throws StrongroomError as `shred` of a subject; `not_found`; `decrypt_failed`, `wrong_root_key` (it does not open, and no region was named);
   *   `invalid_argument` (it is of another region)
   */
  shred(options?: TenantShredOptions): Promise<Shredded>
  /** As `shred`, whatever connections there are: their tokens stay good at their providers, and nobody can revoke them any more. Holds are heeded. */
  shredWithoutRevocation(options?: TenantShredOptions): Promise<Shredded>
  /**
   * What is known of the tenant's shred, with its receipt, for what went with it. Destroys nothing.
   *
   * @returns `undefined` where the ledger has none, whatever the key store says of the tenant
   * @throws StrongroomError `not_found`, `ledger_invalid`, and for stores and provider their `…_unavailable`
   */
  pastShred(): Promise<Shredded | undefined>
  /**
   * Shreds one of this tenant's keys that does not open any more, by the reference that `verifyKeys` reports: a damaged record whose name
   * nobody knows keeps every epoch of its region from turning. Put the record back from a backup where there is one; this is final, and of
   * the whole place, as every shred is. A key of which any version opens is refused. Repeating it answers the same.
   *
   * What ledger and receipt say of its kind and its parent is what the damaged record says of itself: there is nothing else to ask.
   *
   * A legal hold anywhere in the tenant refuses it: where a key hangs that does not open, nobody can say for certain.
   *
   * @param ref - 32 hexadecimal digits
   * @throws StrongroomError `invalid_argument` (`ref`: a version of that key opens, or it is gone, or is not beneath this tenant, or hangs beneath
   *   one that does not open), `not_found`; what keeps the tenant itself from opening; and as `shred` of a subject
   * @example
   * ```ts
   * import { type Vault } from '@strongroom/core'
   *
   * async function endWhatIsLost(vault: Vault, tenantName: string) {
   *   const tenant = await vault.tenants.get(tenantName)
   *   for await (const { problem, ref, tenantRef } of vault.verifyKeys()) {
   *     if (problem !== 'version_does_not_open' || tenantRef !== tenant?.ref) continue
   *     const { receipt } = await vault.tenant(tenantName).shredDamaged(ref, { reason: 'operator' })
   *     console.log(receipt)
   *   }
   * }
   * ```
   */
  shredDamaged(ref: string, options?: ShredOptions): Promise<Shredded>
  /**
   * Shreds many subjects with few writes: the ledger takes them in batches. Yields each in the order given; nothing happens before it is
   * iterated. Repeating it after a failure goes on where it stopped; a batch with somebody in it who is held is refused as a whole.
   *
   * @throws StrongroomError as `shred` of a subject
   */
  shredMany(
    subjects: Iterable<string> | AsyncIterable<string>,
    options?: ShredManyOptions,
  ): AsyncGenerator<Shredded & { readonly subject: string }>
  /**
   * Keys of this tenant that live for a period each, for constructions that core does not have: **their bytes leave core.** For packages that
   * make pseudonyms; whoever wants values encrypted needs none of it. Reads nothing yet.
   *
   * @throws StrongroomError `invalid_argument`
   * @example
   * ```ts
   * import { createHmac } from 'node:crypto'
   * import { type Tenant, wipe } from '@strongroom/core'
   *
   * const options = { use: 'pseudonym-token', name: 'example', length: 86_400_000, retain: 30 * 86_400_000 } as const
   * const handling = { make: (key: Uint8Array) => Uint8Array.from(key), end: (copy: Uint8Array) => wipe(copy) }
   *
   * async function today(tenant: Tenant, value: string) {
   *   const lease = await tenant.rawPeriodKeys(options).open(Date.now(), handling)
   *   try {
   *     return createHmac('sha256', lease.use()).update(value).digest('hex')
   *   } finally {
   *     lease.dispose()
   *   }
   * }
   * ```
   */
  rawPeriodKeys(options: RawPeriodKeysOptions): RawPeriodKeys
  /** Nothing of the tenant's encrypts or decrypts from now on. @throws StrongroomError as `suspend` of a subject */
  suspend(): Promise<void>
  /** Undoes `suspend`. @throws StrongroomError as `resume` of a subject */
  resume(): Promise<void>
}

/** What is known of a tenant. */
export interface TenantInfo {
  /** `undefined` once the tenant is shredded: its name goes with its keys. */
  readonly name: string | undefined
  /** The vault's own reference, in hexadecimal: as in receipts, and in what `verifyKeys` finds. */
  readonly ref: string
  readonly region: string
  readonly state: 'active' | 'suspended' | 'shredded'
  /** UTC milliseconds; `undefined` once the tenant is shredded. */
  readonly created: number | undefined
}

/** All tenants of a vault. */
export interface Tenants {
  /**
   * Makes a tenant, in a region that is fixed for its life.
   *
   * @param options - `region`: one of `keyProviders`; without it `defaultRegion`
   * @throws StrongroomError `invalid_argument`, `already_exists`, `shredded`, `region_refused`, `conflict`, and for stores and
   *   provider their `…_unavailable`; repeat it then
   */
  create(name: string, options?: { readonly region?: string }): Promise<Tenant>
  /** What is known of a tenant, or `undefined`. */
  get(name: string): Promise<TenantInfo | undefined>
  /** Every tenant there ever was, in no order that means anything. Reads by pages. */
  list(): AsyncIterable<TenantInfo>
  /** As `vault.tenant(name).suspend()`. */
  suspend(name: string): Promise<void>
  /** As `vault.tenant(name).resume()`. */
  resume(name: string): Promise<void>
}

// A tenant's name is kept like any other value: encrypted, under the vault's node, bound to the tenant's reference.
const NAME = field('strongroom/tenants', 'name', z.string())
const PAGE = 500

const SELF_STEP = bytesStep(NodeKind.self, EMPTY)

/** A tenant's handle. */
export class TenantHandle implements Tenant {
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  /** The place of a handle that this class made; of anything else `undefined`. */
  static placeOf(handle: unknown): Place | undefined {
    return typeof handle === 'object' && handle !== null && #place in handle ? handle.#place : undefined
  }

  subject(name: string): Subject {
    return new SubjectHandle(this.#place.subject(name, 'subject'))
  }

  self(): Subject {
    return new SubjectHandle(this.#place.below(SELF_STEP))
  }

  unlockMany(subjects: readonly string[], options?: UnlockOptions): Promise<readonly (UnlockedKeys | StrongroomError)[]> {
    return unlockMany(this.#place, subjects, options)
  }

  async blindIndex(options: BlindIndexOptions): Promise<BlindIndex> {
    return blindIndexes(this.#place).blindIndex(options)
  }

  async findBlindIndex(options: BlindIndexOptions): Promise<BlindIndex | undefined> {
    return blindIndexes(this.#place).findBlindIndex(options)
  }

  shred(options?: TenantShredOptions): Promise<Shredded> {
    return shredPlace(this.#place, options)
  }

  shredWithoutRevocation(options?: TenantShredOptions): Promise<Shredded> {
    return shredPlace(this.#place, options, 'nobody')
  }

  pastShred(): Promise<Shredded | undefined> {
    return pastShred(this.#place)
  }

  shredDamaged(ref: string, options?: ShredOptions): Promise<Shredded> {
    return shredDamaged(this.#place, ref, options)
  }

  shredMany(
    subjects: Iterable<string> | AsyncIterable<string>,
    options?: ShredManyOptions,
  ): AsyncGenerator<Shredded & { readonly subject: string }> {
    return shredMany(this.#place, subjects, options)
  }

  rawPeriodKeys(options: RawPeriodKeysOptions): RawPeriodKeys {
    return rawPeriodKeys(this.#place, options)
  }

  suspend(): Promise<void> {
    return this.#place.changeSuspension('suspend')
  }

  resume(): Promise<void> {
    return this.#place.changeSuspension('resume')
  }
}

/** The handle of a tenant. @throws StrongroomError `invalid_argument` */
export function tenantHandle(keys: VaultKeys, gate: Gate, name: string): Tenant {
  return new TenantHandle(tenantPlace(keys, gate, name))
}

function tenantPlace(keys: VaultKeys, gate: Gate, name: string): Place {
  return new Place(keys, gate, namedStep(NodeKind.tenant, name, 'tenant'), { tenant: name }, [])
}

/** The operations on all tenants. */
export function tenants(keys: VaultKeys, gate: Gate, defaultRegion: string): Tenants {
  return {
    async create(name, options) {
      const place = tenantPlace(keys, gate, name)
      const { region = defaultRegion } = readOptions(options, ['region'])
      if (typeof region !== 'string') throw invalidArgument('region', 'must be one of the regions in keyProviders')
      gate.authorize('tenant.create', { tenant: name }, region)
      const ref = await place.tenantRef()
      const vault = await keys.tree.vault()
      const label = sealFrame(vault.node, NAME.names[0], NAME.frame(name), binaryScalar(0, ref, 'tenant'))
      await createTenantNodes(keys, ref, region, label)
      return tenantHandle(keys, gate, name)
    },
    async get(name) {
      const place = tenantPlace(keys, gate, name)
      gate.authorize('tenant.get', { tenant: name }, undefined)
      const record = await readNode(keys, await place.tenantRef())
      return record === undefined ? undefined : { ...info(record), name: stateOf(record) === 'shredded' ? undefined : name }
    },
    async *list() {
      gate.authorize('tenant.list', {}, undefined)
      let after: Uint8Array | undefined
      for (;;) {
        const page = await keys.tree.context.keyStore.scan({
          type: 'node',
          parentRef: NO_REF,
          limit: PAGE,
          ...(after === undefined ? {} : { after }),
        })
        for (const record of page) {
          gate.requireOpen()
          if (record.type === 'node' && record.kind === NodeKind.tenant) yield { ...info(record), name: await nameOf(keys, record) }
        }
        const last = page.at(-1)
        if (page.length < PAGE || last?.type !== 'node') return
        after = last.ref
      }
    },
    suspend: (name) => tenantHandle(keys, gate, name).suspend(),
    resume: (name) => tenantHandle(keys, gate, name).resume(),
  }
}

async function nameOf(keys: KeyOperations, record: NodeRecord): Promise<string | undefined> {
  if (record.label === undefined) return undefined
  const vault = await keys.tree.vault()
  return openValue(vault.node, NAME, record.label, binaryScalar(0, record.ref, 'tenant'))
}

function info(record: NodeRecord): Omit<TenantInfo, 'name'> {
  const live = record.versions.find((version) => version.state !== KeyState.shredded)
  return { ref: hex(record.ref), region: record.region, state: stateOf(record), created: live?.created }
}

function stateOf(record: NodeRecord): TenantInfo['state'] {
  const newest = record.versions.findLast((version) => version.state !== KeyState.shredded)
  if (newest === undefined) return 'shredded'
  return newest.state === KeyState.suspended ? 'suspended' : 'active'
}
