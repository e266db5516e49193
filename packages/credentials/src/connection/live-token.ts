/** The token of a connection, as good as it can be had. */

import { type Clock, StrongroomError, type UnlockedKeys } from '@strongroom/core'

import { notConnected } from '../errors.ts'
import type { ConnectionStore, StoredConnection } from '../records/connection-store.ts'
import type { ConnectionRecord } from '../records/record.ts'
import type { Refresh } from '../refresh/refresh.ts'
import { isUsable, wantsRefresh } from '../refresh/token-state.ts'
import { type ConnectionPlace, itemOf, requireOf } from './place.ts'
import type { LiveToken, WarmConnections } from './warm.ts'

export interface LiveTokenOptions {
  readonly store: ConnectionStore
  readonly clock: Clock
  readonly refresh: Refresh
  readonly warm: WarmConnections
}

// Each was overtaken by a change of the connection's key.
const MOST_TRIES = 5

/**
 * @param refused - the version that the other system has refused: anything newer is better
 * @throws StrongroomError `not_found`, `reauthorisation_required`, `authorisation_server_…`, and what stores and keys throw
 */
export async function liveToken(place: ConnectionPlace, refused: number | undefined, options: LiveTokenOptions): Promise<LiveToken> {
  const { clock, warm } = options
  const now = clock.now()
  const isFit = (record: ConnectionRecord): boolean =>
    record.provider === place.provider.name && record.version !== refused && hasToken(record, now) && !wantsRefresh(record, now)
  const known = warm.token(place.key, isFit)
  if (known !== undefined) return known
  for (let tries = 1; ; tries++) {
    const { record } = await bestRecord(place, refused, options)
    let keys: UnlockedKeys | undefined
    try {
      keys = await itemOf(place, record).unlock({ readOnly: true })
      return warm.keep(place.key, { record, keys })
    } catch (error) {
      keys?.dispose()
      if (error instanceof StrongroomError && error.code === 'shredded') throw notConnected()
      // The tokens, or the key, have changed since the record was read.
      const mayHaveChanged = error instanceof StrongroomError && ['handle_expired', 'decrypt_failed'].includes(error.code)
      if (!mayHaveChanged || tries === MOST_TRIES) throw error
    }
  }
}

async function bestRecord(
  place: ConnectionPlace,
  refused: number | undefined,
  { store, clock, refresh }: LiveTokenOptions,
): Promise<StoredConnection> {
  const found = await store.readConnected(place.key)
  const { record } = found
  requireOf(place, record)
  const isRefused = record.version === refused
  const now = clock.now()
  if (!isRefused && !wantsRefresh(record, now) && hasToken(record, now)) return found
  if (!record.refreshable) return refresh.expired(place, record.version)
  try {
    return await refresh.newerThan(place, record.version)
  } catch (error) {
    // It was asked for ahead of time: what is there is still good, unless the connection itself has come to its end.
    const isOver = error instanceof StrongroomError && ['reauthorisation_required', 'not_found', 'shredded'].includes(error.code)
    if (!isRefused && !isOver && isUsable(record, clock.now())) return found
    throw error
  }
}

// An API key has no access token and no end.
function hasToken(record: ConnectionRecord, now: number): boolean {
  return record.kind === 'apiKey' || record.kind === 'webhookSecret' || isUsable(record, now)
}
