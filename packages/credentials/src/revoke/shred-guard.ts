/** What becomes of connections when a person or a tenant is shredded: what it takes to revoke their tokens is put by, and does not wait for providers. */

import { type PlaceToShred, type ShredGuard, StrongroomError, type Vault } from '@strongroom/core'

import { isNotConnected } from '../errors.ts'
import type { StoredConnection } from '../records/connection-store.ts'
import { type DisconnectOptions, markLeaving, type PutBy, requireProviderOf } from './disconnect.ts'
import { type Leaving, leavingByReference } from './leaving.ts'

// Whose keys are loaded with one query.
const AT_ONCE = 50

export function shredGuard(vault: Vault, options: DisconnectOptions): ShredGuard {
  const { store, tell } = options
  const each = async (places: readonly PlaceToShred[], work: (connection: StoredConnection) => Promise<void>): Promise<void> => {
    for (const { references } of places) {
      let some: StoredConnection[] = []
      for await (const connection of store.list(store.prefix(references))) {
        some.push(connection)
        if (some.length < AT_ONCE) continue
        await Promise.all(some.map(work))
        some = []
      }
      await Promise.all(some.map(work))
    }
  }
  return {
    async before(places) {
      // First of all of them: where one cannot be revoked, none has left when the shred is refused.
      await each(places, async ({ record }) => requireProviderOf(record, options)).catch(refuseDamaged)
      // Until a look finds no other: with many it takes a while, and customers go on connecting.
      for (let [isFirst, found] = [true, 1]; found > 0; isFirst = false) {
        found = 0
        await each(places, async (connection) => {
          if (!isFirst && connection.record.state === 'disconnecting') return
          found++
          await leave(connection)
        })
      }
    },
    after(places) {
      return each(places, async (connection) => {
        const { about, itemOf } = leavingByReference(vault, connection)
        const state = await itemOf(connection.record).state()
        // Made since, in a new life of the person.
        if (state !== 'gone' && state !== 'shredded') return
        // Made too late to be put by, and its key has gone with the others.
        if (connection.record.state !== 'disconnecting') tell({ type: 'revocation', outcome: 'unconfirmed', ...about })
        await store.removeItem(connection.key, connection.record.item)
        await options.options.failpoint('shred.removed')
        tell({ type: 'disconnected', ...about })
      })
    },
  }

  async function leave(connection: StoredConnection): Promise<void> {
    const leaving = leavingByReference(vault, connection)
    const putBy = await putByOf(leaving)
    await options.options.failpoint('shred.marked')
    // Its key went without a word: what is marked was put by before.
    if (putBy === 'gone' && connection.record.state !== 'disconnecting')
      tell({ type: 'revocation', outcome: 'unconfirmed', ...leaving.about })
  }

  /** `undefined` where somebody else has just ended it; what was connected anew there meanwhile leaves as well. */
  async function putByOf(leaving: Leaving): Promise<PutBy | undefined> {
    for (;;) {
      try {
        return (await markLeaving(leaving, options)).putBy
      } catch (error) {
        if (!isNotConnected(error)) throw error
        if ((await store.read(leaving.key)) === undefined) return undefined
      }
    }
  }
}

function refuseDamaged(error: unknown): never {
  if (!(error instanceof StrongroomError && error.code === 'decrypt_failed')) throw error
  throw new StrongroomError(
    'revocation_required',
    'the record of a connection is damaged, and its tokens cannot be revoked: put it back from a backup; or end the others by disconnectAll, and use shredWithoutRevocation',
    { cause: error },
  )
}
