/** The keys of one batch: loaded together, so that the key store is asked once, and let go together. */

import { type BlindIndex, StrongroomError, type Tenant, type UnlockedKeys, type Vault } from '@strongroom/core'

import type { PathIndex } from './layout.ts'

/** Whose a document is, by name. */
export interface Owner {
  readonly tenant: string
  readonly subject: string
}

/** A blind index in a place: of a tenant, or of the application. */
export interface NeededIndex {
  readonly index: PathIndex
  /** `undefined` for an index of the application. */
  readonly tenant: string | undefined
}

/** What a batch needs. */
export interface Needed {
  readonly owners: Iterable<Owner>
  readonly indexes: Iterable<NeededIndex>
  /** Make the keys that do not exist: for what is written. */
  readonly mint: boolean
}

// Each was overtaken by news of changed keys, which are few: so many in a row mean that the vault can keep none.
const MOST_TRIES = 5

/**
 * Opens the keys of a batch, uses them in one turn, and lets them go. A key that was dropped between its opening and its use, because it
 * has changed or may have, is opened anew, and all of the work is done again.
 *
 * @param work - without effects, and synchronous
 * @throws StrongroomError what opening keys throws, and what `work` throws; if `mint` is false, then what is wrong with one owner only
 *   when a key of his is asked for
 */
export async function withKeys<T>(vault: Vault, needed: Needed, work: (keys: BatchKeys) => T): Promise<T> {
  for (let tries = 1; ; tries++) {
    const keys = await BatchKeys.open(vault, needed)
    try {
      return work(keys)
    } catch (error) {
      if (!isExpired(error) || tries === MOST_TRIES) throw error
    } finally {
      keys.dispose()
    }
  }
}

/**
 * Whether all owners of what is to be written can have keys, asked before the first of them gets one.
 *
 * @throws StrongroomError `invalid_argument` (no name), `not_found` (no such tenant), and what opening keys throws
 */
export async function requireOwners(vault: Vault, owners: Iterable<Owner>): Promise<void> {
  const tenants = new Map<string, { readonly tenant: Tenant; readonly first: Owner }>()
  for (const owner of owners) {
    const { tenant } = memberOf(tenants, owner.tenant, () => ({ tenant: vault.tenant(owner.tenant), first: owner }))
    tenant.subject(owner.subject)
  }
  // Of one tenant alone no key is made before it is opened.
  if (tenants.size < 2) return
  const firsts = [...tenants.values()].map(({ first }) => first)
  await withKeys(vault, { owners: firsts, indexes: [], mint: false }, (keys) => {
    for (const owner of firsts) keys.subject(owner)
  })
}

export class BatchKeys {
  readonly #vault: Vault
  /** By tenant, then by subject. */
  readonly #subjects = new Map<string, Map<string, UnlockedKeys | StrongroomError>>()
  readonly #indexes = new Map<string, BlindIndex | StrongroomError | undefined>()
  readonly #tenants = new Map<string, Tenant>()

  private constructor(vault: Vault) {
    this.#vault = vault
  }

  /** For {@link withKeys} alone. */
  static async open(vault: Vault, { owners, indexes, mint }: Needed): Promise<BatchKeys> {
    const keys = new BatchKeys(vault)
    try {
      // One after the other where keys are made: an owner who can have none gets no index either.
      const subjects = keys.#openSubjects(owners, mint)
      if (mint) await subjects
      // To the end of both: what is opened after a failure would be let go by nobody.
      await settled([subjects, keys.#openIndexes(indexes, mint)])
    } catch (error) {
      keys.dispose()
      throw error
    }
    return keys
  }

  /** @throws StrongroomError `shredded`, `suspended`, `not_found`, `invalid_argument` */
  subject({ tenant, subject }: Owner): UnlockedKeys {
    const found = this.#subjects.get(tenant)?.get(subject)
    if (found instanceof StrongroomError) throw found
    if (found === undefined) throw new StrongroomError('handle_expired', 'the keys of this batch were let go')
    return found
  }

  /** `undefined` where nothing was ever indexed there. @throws StrongroomError `suspended`, `not_found`, `invalid_argument` */
  index(needed: NeededIndex): BlindIndex | undefined {
    const found = this.#indexes.get(indexId(needed))
    if (found instanceof StrongroomError) throw found
    return found
  }

  dispose(): void {
    for (const ofTenant of this.#subjects.values())
      for (const keys of ofTenant.values()) if (!(keys instanceof StrongroomError)) keys.dispose()
    for (const index of this.#indexes.values()) if (!(index instanceof StrongroomError)) index?.dispose()
    this.#subjects.clear()
    this.#indexes.clear()
  }

  // All begin in one turn. Every handle is kept, so that a failure of one leaves none behind.
  async #openSubjects(owners: Iterable<Owner>, mint: boolean): Promise<void> {
    const opening: Promise<void>[] = []
    const begun = new Map<string, Set<string>>()
    for (const { tenant, subject } of owners) {
      const known = memberOf(begun, tenant, () => new Set())
      if (known.has(subject)) continue
      known.add(subject)
      opening.push(this.#openSubject(tenant, subject, mint))
    }
    await settled(opening)
  }

  async #openSubject(tenant: string, subject: string, mint: boolean): Promise<void> {
    const ofTenant = memberOf(this.#subjects, tenant, () => new Map<string, UnlockedKeys | StrongroomError>())
    try {
      ofTenant.set(subject, await this.#tenant(tenant).subject(subject).unlock({ readOnly: !mint }))
    } catch (error) {
      if (mint || !isOfOwner(error)) throw error
      ofTenant.set(subject, error)
    }
  }

  #tenant(name: string): Tenant {
    return memberOf(this.#tenants, name, () => this.#vault.tenant(name))
  }

  async #openIndexes(indexes: Iterable<NeededIndex>, mint: boolean): Promise<void> {
    const distinct = new Map([...indexes].map((needed) => [indexId(needed), needed]))
    await settled(
      [...distinct].map(async ([id, { index, tenant }]) => {
        const owner = tenant === undefined ? this.#vault : this.#tenant(tenant)
        const options = { domain: index.domain, normalize: index.normalize }
        try {
          this.#indexes.set(id, await (mint ? owner.blindIndex(options) : owner.findBlindIndex(options)))
        } catch (error) {
          if (mint || !isOfOwner(error)) throw error
          // Of a tenant that is gone nothing can be found.
          if (!isShredded(error)) this.#indexes.set(id, error)
        }
      }),
    )
  }
}

export function isShredded(error: unknown): error is StrongroomError {
  return error instanceof StrongroomError && error.code === 'shredded'
}

// Said of one owner, and no reason to keep from a caller what is of others.
function isOfOwner(error: unknown): error is StrongroomError {
  return error instanceof StrongroomError && ['shredded', 'suspended', 'not_found', 'invalid_argument'].includes(error.code)
}

function isExpired(error: unknown): boolean {
  return error instanceof StrongroomError && error.code === 'handle_expired'
}

async function settled(all: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(all)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function memberOf<T>(map: Map<string, T>, name: string, make: () => T): T {
  const found = map.get(name) ?? make()
  map.set(name, found)
  return found
}

function indexId({ index, tenant }: NeededIndex): string {
  return JSON.stringify([tenant ?? null, index.domain, index.normalize])
}
