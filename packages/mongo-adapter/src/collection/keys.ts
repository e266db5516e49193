/** The keys of one batch: loaded together, so that the key store is asked once, and let go together. */

import { type BlindIndex, requireName, StrongroomError, type UnlockedKeys, type Vault } from '@strongroom/core'

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

/** What a batch needs. Lists, which can be read again: keys may have to be opened more than once. */
export interface Needed {
  readonly owners: readonly Owner[]
  readonly indexes: readonly NeededIndex[]
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
  const byTenant = subjectsByTenant(owners)
  for (const [tenant, subjects] of byTenant) {
    vault.tenant(tenant)
    for (const subject of subjects) requireName(subject, 'subject')
  }
  // Of one tenant alone no key is made before it is opened.
  if (byTenant.size < 2) return
  const firsts = [...byTenant].map(([tenant, [subject]]): Owner => ({ tenant, subject: subject as string }))
  await withKeys(vault, { owners: firsts, indexes: [], mint: false }, (keys) => {
    for (const owner of firsts) keys.subject(owner)
  })
}

export class BatchKeys {
  readonly #vault: Vault
  /** By tenant, then by subject. */
  readonly #subjects = new Map<string, Map<string, UnlockedKeys | StrongroomError>>()
  /** By tenant, `undefined` for the application, then by what is the same for one key. */
  readonly #indexes = new Map<string | undefined, Map<string, BlindIndex | StrongroomError | undefined>>()

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
  index({ index, tenant }: NeededIndex): BlindIndex | undefined {
    const found = this.#indexes.get(tenant)?.get(index.key)
    if (found instanceof StrongroomError) throw found
    return found
  }

  dispose(): void {
    for (const ofTenant of this.#subjects.values())
      for (const keys of ofTenant.values()) if (!(keys instanceof StrongroomError)) keys.dispose()
    for (const ofTenant of this.#indexes.values())
      for (const index of ofTenant.values()) if (!(index instanceof StrongroomError)) index?.dispose()
    this.#subjects.clear()
    this.#indexes.clear()
  }

  // All begin in one turn. Every handle is kept, so that a failure of one leaves none behind.
  async #openSubjects(owners: Iterable<Owner>, mint: boolean): Promise<void> {
    await settled(
      [...subjectsByTenant(owners)].map(async ([tenant, subjects]) => {
        const unlocked = await this.#unlock(tenant, [...subjects], mint)
        this.#subjects.set(tenant, unlocked)
        for (const keys of unlocked.values()) if (keys instanceof StrongroomError && (mint || !isOfOwner(keys))) throw keys
      }),
    )
  }

  async #unlock(tenant: string, subjects: readonly string[], mint: boolean): Promise<Map<string, UnlockedKeys | StrongroomError>> {
    try {
      const unlocked = await this.#vault.tenant(tenant).unlockMany(subjects, { readOnly: !mint })
      return new Map(subjects.map((subject, i) => [subject, unlocked[i] as UnlockedKeys | StrongroomError]))
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      return new Map(subjects.map((subject) => [subject, error]))
    }
  }

  async #openIndexes(indexes: Iterable<NeededIndex>, mint: boolean): Promise<void> {
    const opening: Promise<void>[] = []
    for (const { index, tenant } of indexes) {
      const ofTenant = memberOf(this.#indexes, tenant, () => new Map<string, BlindIndex | StrongroomError | undefined>())
      if (ofTenant.has(index.key)) continue
      ofTenant.set(index.key, undefined)
      opening.push(this.#openIndex({ index, tenant }, ofTenant, mint))
    }
    await settled(opening)
  }

  async #openIndex(
    { index, tenant }: NeededIndex,
    ofTenant: Map<string, BlindIndex | StrongroomError | undefined>,
    mint: boolean,
  ): Promise<void> {
    try {
      const owner = tenant === undefined ? this.#vault : this.#vault.tenant(tenant)
      const options = { domain: index.domain, normalize: index.normalize }
      ofTenant.set(index.key, await (mint ? owner.blindIndex(options) : owner.findBlindIndex(options)))
    } catch (error) {
      if (mint || !isOfOwner(error)) throw error
      // Of a tenant that is gone nothing can be found.
      if (!isShredded(error)) ofTenant.set(index.key, error)
    }
  }
}

export function isShredded(error: unknown): error is StrongroomError {
  return error instanceof StrongroomError && error.code === 'shredded'
}

// Said of one owner, and no reason to keep from a caller what is of others.
function isOfOwner(error: unknown): error is StrongroomError {
  return error instanceof StrongroomError && ['shredded', 'suspended', 'not_found', 'invalid_argument'].includes(error.code)
}

export function isExpired(error: unknown): boolean {
  return error instanceof StrongroomError && error.code === 'handle_expired'
}

async function settled(all: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(all)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function memberOf<K, T>(map: Map<K, T>, key: K, make: () => T): T {
  let found = map.get(key)
  if (found === undefined) map.set(key, (found = make()))
  return found
}

function subjectsByTenant(owners: Iterable<Owner>): Map<string, Set<string>> {
  const byTenant = new Map<string, Set<string>>()
  for (const { tenant, subject } of owners) memberOf(byTenant, tenant, () => new Set()).add(subject)
  return byTenant
}
