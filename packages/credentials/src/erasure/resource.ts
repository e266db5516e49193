/** Connections as something that goes with whose they are: what an erasure asks of them. */

import {
  type ErasedPlace,
  type Replayed,
  readOptions,
  requireErasedPlace,
  requireNamelessPlace,
  type Resource,
  StrongroomError,
  type Vault,
} from '@strongroom/core'

import { isConflict, ownerReferences, type StoredEntry } from '../records/connection-store.ts'
import type { DisconnectOptions } from '../revoke/disconnect.ts'
import { finish, isDead, tidyDead } from '../revoke/finish.ts'
import type { RevocationOutbox } from '../revoke/outbox.ts'
import { waitingRevocations } from './waiting-revocations.ts'

/** Of all vaults the same: it stands in certificates. */
const NAME = 'connections'

/** @param options - of the process's own connections */
export function resourceOf(vault: Vault, outbox: RevocationOutbox, options: DisconnectOptions): Required<Resource> {
  const { store } = options
  const count: Resource['count'] = async (place) => {
    let found = 0
    for await (const _ of entriesOf(place)) found++
    return found
  }
  return {
    name: NAME,
    count,
    async erase(place, how) {
      const { signal } = readOptions(how, ['signal'])
      let [ended, failure]: [number, unknown] = [0, undefined]
      for await (const entry of entriesOf(place)) {
        signal?.throwIfAborted()
        // One that cannot be ended keeps no other from it.
        await end(entry).then(
          () => ended++,
          (error: unknown) => (failure ??= error),
        )
      }
      if (failure !== undefined) throw failure
      return ended
    },
    verify: count,
    survivors: async (place) => waitingRevocations(outbox, options.options.providers, requireNamelessPlace(place)),
    async replay(_, how) {
      const { signal } = readOptions(how, ['signal'])
      const found = { looked: 0, removed: 0, suspended: 0 }
      for await (const entry of store.entries(store.prefix([]))) {
        signal?.throwIfAborted()
        found.looked++
        if (await isTidied(entry)) found.removed++
      }
      return found satisfies Replayed
    },
  }

  async function* entriesOf(place: ErasedPlace): AsyncGenerator<StoredEntry> {
    const { item, references } = requireErasedPlace(place)
    if (item === undefined) return yield* store.entries(store.prefix(references))
    // A connection is called by the name that an item has.
    const entry = await store.entry([vault.id, ...references].join('/'))
    if (entry !== undefined) yield entry
  }

  async function end(entry: StoredEntry): Promise<void> {
    const connection = undamaged(entry)
    if (connection === undefined) return removeDamaged(entry)
    await finish(connection, vault, options)
  }

  /** What is of a key that is gone: put back with the state store, or left by a process that did not get to the end. */
  async function isTidied(entry: StoredEntry): Promise<boolean> {
    const connection = undamaged(entry)
    return connection !== undefined && tidyDead(connection, vault, options).catch(unlessUnknown)
  }

  // Nobody can revoke what nobody can read: it goes with its owner, and not before.
  async function removeDamaged(entry: StoredEntry): Promise<void> {
    if (!isDead(await vault.item(ownerReferences(entry.key), NAME).state())) entry.connection()
    await store.removeEntry(entry).catch((error: unknown) => {
      if (!isConflict(error)) throw error
    })
  }
}

function undamaged(entry: StoredEntry): ReturnType<StoredEntry['connection']> | undefined {
  try {
    return entry.connection()
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'decrypt_failed') return undefined
    throw error
  }
}

// Of a tenant that there is not, or with references that are none: somebody has written it.
function unlessUnknown(error: unknown): false {
  if (error instanceof StrongroomError && ['not_found', 'invalid_argument'].includes(error.code)) return false
  throw error
}
