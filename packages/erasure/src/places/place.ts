/** Whose data is to go, found again by names: the handles of the vault at hand, whoever has asked. */

import {
  type ErasedPlace,
  invalidArgument,
  type Item,
  type PlaceState,
  type Subject,
  StrongroomError,
  type Tenant,
  type Vault,
} from '@strongroom/core'

import type { ErasedKind } from '../certificate/certificate.ts'
import type { ErasedNames } from '../records/record.ts'

/** What an erasure can be asked for: a whole tenant, a person, `tenant.self()`, or an item of either. */
export type Erasable = Tenant | Subject | Item

/** The names of a handle. @throws StrongroomError `invalid_argument` */
function namesOf(place: Erasable): ErasedNames {
  if (typeof place !== 'object' || place === null || !('self' in place || 'names' in place)) throw notOfThisVault()
  if ('self' in place) return { tenant: tenantOf(place.self()) }
  const { subject, item } = place.names()
  return {
    tenant: tenantOf(place),
    ...(subject === undefined ? { self: true } : { subject }),
    ...(item === undefined ? {} : { item }),
  }
}

function notOfThisVault(): StrongroomError {
  return invalidArgument('place', 'must be a tenant, a subject, tenant.self(), or an item, of this vault')
}

// As the handle's own vault has them. Of a tenant without keys nobody knows: it has nothing to be taken for another's.
async function referencesBy(handle: Erasable): Promise<readonly string[] | undefined> {
  if (!('self' in handle)) return handle.references()
  const beneath = await handle.self().references().catch(unlessShredded)
  return beneath?.slice(0, 1)
}

function unlessShredded(error: unknown): undefined {
  if (!(error instanceof StrongroomError && error.code === 'shredded')) throw error
}

function tenantOf(handle: Item): string {
  const { tenant } = handle.names()
  if (tenant === undefined) throw invalidArgument('place', 'must be beneath a tenant')
  return tenant
}

export function kindOf({ subject, item, self }: ErasedNames): ErasedKind {
  if (item !== undefined) return 'item'
  if (self === true) return 'self'
  return subject === undefined ? 'tenant' : 'subject'
}

/** A place of a vault. */
export class VaultPlace {
  readonly names: ErasedNames
  readonly #vault: Vault

  constructor(vault: Vault, names: ErasedNames) {
    this.#vault = vault
    this.names = names
  }

  /**
   * What a handle means. By its names alone, one of another vault would be somebody else of this.
   *
   * @throws StrongroomError `invalid_argument`, and as `references`
   */
  static async of(vault: Vault, handle: Erasable): Promise<{ readonly place: VaultPlace; readonly references: readonly string[] }> {
    const place = new VaultPlace(vault, namesOf(handle))
    const references = await place.references()
    const theirs = (await referencesBy(handle)) ?? references
    if (theirs.join('/') !== references.join('/')) throw notOfThisVault()
    return { place, references }
  }

  /** What suspends, resumes and shreds it. */
  get handle(): Pick<Item, 'suspend' | 'resume' | 'shred'> {
    return this.#beneath ?? this.tenant
  }

  get isTenant(): boolean {
    return this.#beneath === undefined
  }

  get tenant(): Tenant {
    return this.#vault.tenant(this.names.tenant)
  }

  /** @throws StrongroomError `not_found` (no such tenant), `shredded` (it is beneath a tenant that is) */
  async references(): Promise<readonly string[]> {
    const beneath = this.#beneath
    return beneath === undefined ? [(await this.tenantInfo()).ref] : beneath.references()
  }

  /** @throws StrongroomError `not_found` */
  async tenantInfo(): Promise<{ readonly ref: string; readonly region: string; readonly state: 'active' | 'suspended' | 'shredded' }> {
    const info = await this.#vault.tenants.get(this.names.tenant)
    if (info === undefined) throw new StrongroomError('not_found', 'there is no such tenant')
    return info
  }

  /** Of its own key: what is above it may be suspended by others, for reasons of theirs. */
  async state(): Promise<PlaceState> {
    const beneath = this.#beneath
    return beneath === undefined ? (await this.tenantInfo()).state : beneath.ownState()
  }

  /** As resources are asked about it. */
  asErased(references: readonly string[]): ErasedPlace {
    return { ...this.names, references }
  }

  get #subject(): Subject {
    const { subject } = this.names
    return subject === undefined ? this.tenant.self() : this.tenant.subject(subject)
  }

  get #beneath(): Item | undefined {
    const { subject, item, self } = this.names
    if (item !== undefined) return this.#subject.item(item)
    return subject === undefined && self === undefined ? undefined : this.#subject
  }
}
