/** Unlocking: of one place, and of many beneath a tenant. */

import { invalidArgument, StrongroomError } from '../errors.ts'
import type { KeyPath } from '../keys/keys-in-memory.ts'
import { attempt, readOptions } from '../read-options.ts'
import { HANDLE_SHARE, HeldPath, type Holding } from './held-path.ts'
import { Lease, type UnlockedKeys } from './lease.ts'
import type { Place, Use } from './place.ts'

/** Options of unlock and unlockMany. */
export interface UnlockOptions {
  /** Only decrypts, and makes no key where there is none. */
  readonly readOnly?: boolean
}

/** One call of unlock or unlockMany. */
export interface Unlocking {
  readonly how: Use
  /** @param path - `undefined`: there is no key */
  readonly leaseOf: (place: Place, path: KeyPath | undefined) => Lease
}

/** @param place - any of the vault. @throws StrongroomError `invalid_argument` */
export function unlockingOf({ keys, gate }: Pick<Place, 'keys' | 'gate'>, options: UnlockOptions | undefined): Unlocking {
  const { readOnly = false } = readOptions(options, ['readOnly'])
  if (typeof readOnly !== 'boolean') throw invalidArgument('readOnly', 'must be true or false')
  const { inMemory } = keys.tree
  const holding: Holding = { inMemory, gate, opened: inMemory.now(), madeBy: 'unlock' }
  return {
    how: { operation: 'unlock', mint: !readOnly, share: HANDLE_SHARE },
    leaseOf: ({ whose }, path) => new Lease(new HeldPath(holding, whose, path), readOnly),
  }
}

/** For reading what has to be taken out of a place before it is shredded, also while it is suspended. */
export function unlockingBeforeShred({ keys, gate }: Pick<Place, 'keys' | 'gate'>): Unlocking {
  const operation = 'decryptBeforeShred'
  const { inMemory } = keys.tree
  const holding: Holding = { inMemory, gate, opened: inMemory.now(), madeBy: 'unlockBeforeShred' }
  return {
    how: { operation, mint: false, share: HANDLE_SHARE },
    leaseOf: ({ whose }, path) => new Lease(new HeldPath(holding, whose, path), true, operation),
  }
}

/**
 * As `unlock` of each subject: those whose keys are in memory are unlocked in one turn, and the others are loaded together.
 *
 * @param tenant - the tenant's place
 */
export async function unlockMany(
  tenant: Place,
  subjects: readonly string[],
  options: UnlockOptions | undefined,
): Promise<(UnlockedKeys | StrongroomError)[]> {
  const names = attempt('subjects', () => (Array.isArray(subjects) ? [...subjects] : undefined))
  if (names === undefined) throw invalidArgument('subjects', 'must be a list of names')
  const { how, leaseOf } = unlockingOf(tenant, options)
  const ready = await tenant.readyTenant()
  const now = tenant.keys.tree.inMemory.now()
  const unlocked: (UnlockedKeys | StrongroomError)[] = []
  const loading: Promise<void>[] = []
  for (const [i, name] of names.entries()) {
    try {
      const place = tenant.subject(name, 'subject')
      const path = place.pathInMemory(ready, how, now)
      if (path === undefined) loading.push(load(place, i))
      else unlocked[i] = leaseOf(place, path)
    } catch (error) {
      unlocked[i] = refusal(error)
    }
  }
  await Promise.all(loading)
  return unlocked

  async function load(place: Place, i: number): Promise<void> {
    try {
      unlocked[i] = await place.load(ready, how, (path) => leaseOf(place, path))
    } catch (error) {
      unlocked[i] = refusal(error)
    }
  }
}

function refusal(error: unknown): StrongroomError {
  if (error instanceof StrongroomError) return error
  throw error
}
