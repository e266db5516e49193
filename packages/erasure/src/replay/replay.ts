/** After a restore: what came back with old data, of people who are dead, is removed again, before the service goes back. */

import { type DeadPlaces, type Replayed, type Resource, StrongroomError, type Vault } from '@strongroom/core'

import { isCount } from '../sweep/destroy-keys.ts'
import { deadPlaces } from './dead-places.ts'

/** What a replay has done. */
export interface ReplayReport {
  readonly resources: readonly ReplayedResource[]
  /** Names of resources that cannot look through what they hold: what came back in them is to be seen to by hand. */
  readonly withoutReplay: readonly string[]
}

/** One resource: looked through to its end, unless `failure` says what kept it from that. */
export interface ReplayedResource extends Replayed {
  readonly name: string
  readonly retired: number
  /** A code of `StrongroomError`, `resource_malformed` where its answer is no counts, or `failed` for what somebody else threw. Repeat the replay. */
  readonly failure?: string | undefined
}

const NOTHING: Replayed & { readonly retired: number } = { looked: 0, removed: 0, suspended: 0, retired: 0 }

/**
 * Goes through all data of all resources. May be repeated, and then removes what is left.
 *
 * @throws the signal's reason
 */
export async function replayErasures(vault: Vault, resources: readonly Resource[], signal: AbortSignal | undefined): Promise<ReplayReport> {
  // What the ledger says of the dead comes first: the key store may have been put back record by record.
  await vault.reconcile()
  const dead = deadPlaces(vault)
  const done: ReplayedResource[] = []
  for (const resource of resources) {
    signal?.throwIfAborted()
    if (resource.replay !== undefined) done.push(await replayed(resource, dead, signal))
  }
  return { resources: done, withoutReplay: resources.filter(({ replay }) => replay === undefined).map(({ name }) => name) }
}

// One that fails keeps no other from it.
async function replayed(resource: Resource, dead: DeadPlaces, signal: AbortSignal | undefined): Promise<ReplayedResource> {
  const { name } = resource
  try {
    const { looked, removed, suspended, retired = 0 }: Partial<Replayed> = (await resource.replay?.(dead, { signal })) ?? {}
    // One that says nothing may have looked at nothing.
    if (!isCount(looked) || !isCount(removed) || !isCount(suspended) || !isCount(retired))
      return { name, ...NOTHING, failure: 'resource_malformed' }
    return { name, looked, removed, suspended, retired }
  } catch (error) {
    signal?.throwIfAborted()
    return { name, ...NOTHING, failure: error instanceof StrongroomError ? error.code : 'failed' }
  }
}
