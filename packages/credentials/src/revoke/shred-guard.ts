/** What becomes of connections when a person or a tenant is shredded: what it takes to revoke their tokens is put by, and does not wait for providers. */

import type { PlaceToShred, ShredGuard, Vault } from '@strongroom/core'

import type { StoredConnection } from '../records/connection-store.ts'
import { type DisconnectOptions, markLeaving } from './disconnect.ts'
import { leavingByReference } from './leaving.ts'

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
    before(places) {
      return each(places, async (connection) => {
        // What is on its way out was put by before it was marked.
        if (connection.record.state === 'disconnecting') return
        const { putBy } = await markLeaving(leavingByReference(vault, connection), options)
        await options.options.failpoint('shred.marked')
        if (putBy === 'unconfirmed') tell({ type: 'revocation', outcome: putBy, ...leavingByReference(vault, connection).about })
      })
    },
    after(places) {
      return each(places, async (connection) => {
        const { about, itemOf } = leavingByReference(vault, connection)
        const isMarked = connection.record.state === 'disconnecting'
        if (!isMarked) {
          // Made since: in a new life of the person, or too late to be put by, and its key has gone with the others.
          const state = await itemOf(connection.record).state()
          if (state !== 'gone' && state !== 'shredded') return
          tell({ type: 'revocation', outcome: 'unconfirmed', ...about })
        }
        await store.removeItem(connection.key, connection.record.item)
        await options.options.failpoint('shred.removed')
        tell({ type: 'disconnected', ...about })
      })
    },
  }
}
