/** Ending a connection: what it takes to revoke its tokens is put by, then its key is destroyed, then the provider is asked. */

import { type Clock, type Shredded, StrongroomError } from '@strongroom/core'

import { type ConnectionPlace, itemOf, requireOf } from '../connection/place.ts'
import { notConnected } from '../errors.ts'
import type { CredentialEvent } from '../events.ts'
import type { Secrets } from '../kinds/kinds.ts'
import type { CheckedCredentialsOptions } from '../options.ts'
import type { ConnectionStore } from '../records/connection-store.ts'
import { newId } from '../records/new-id.ts'
import type { ConnectionRecord } from '../records/record.ts'
import { openSecrets } from '../records/sealed.ts'
import type { StoredRevocation } from './outbox.ts'
import type { Revocations } from './revocations.ts'

/** `pending`: the provider has not answered yet; sweeping asks again. */
export type RevocationState = 'revoked' | 'already_gone' | 'unsupported' | 'pending'

/** What `disconnect` has done. */
export interface Disconnected {
  /** The shred of the connection's own key, with its receipt. */
  readonly shredded: Shredded
  readonly revocation: RevocationState
  /** Where a token is kept to be revoked: until when at most. UTC milliseconds. */
  readonly keptUntil: number | undefined
}

export interface DisconnectOptions {
  readonly store: ConnectionStore
  readonly clock: Clock
  readonly revocations: Revocations
  readonly options: CheckedCredentialsOptions
  readonly tell: (event: CredentialEvent) => void
}

/** @throws StrongroomError `not_found`, and what stores and keys throw; repeated, it goes on where it stopped */
export async function disconnect(place: ConnectionPlace, options: DisconnectOptions): Promise<Disconnected> {
  const { store, tell, revocations } = options
  const { failpoint } = options.options
  const { record, queued } = await mark(place, options)
  const shredded = await itemOf(place, record).shred({ reason: 'subjectRequest' })
  await failpoint('disconnect.shredded')
  await store.removeItem(place.key, record.item)
  await failpoint('disconnect.removed')
  tell({ type: 'disconnected', ...place.about })
  if (queued === undefined) return { shredded, revocation: 'unsupported', keptUntil: undefined }
  const revocation = await revocations.attempt(queued, place.about)
  return { shredded, revocation, keptUntil: revocation === 'pending' ? queued.pending.until : undefined }
}

// Each was overtaken by newer tokens.
const MOST_TRIES = 100

async function mark(
  place: ConnectionPlace,
  options: DisconnectOptions,
): Promise<{ readonly record: ConnectionRecord; readonly queued: StoredRevocation | undefined }> {
  const { store, clock } = options
  const { failpoint } = options.options
  for (let tries = 1; ; tries++) {
    const found = await store.read(place.key)
    if (found === undefined) throw notConnected()
    requireOf(place, found.record)
    const { item, version } = found.record
    // Before the mark: once that stands, somebody else may end the rest without having the tokens. And of this very version.
    const queued = await queue(place, found.record, options)
    await failpoint('disconnect.queued')
    const marked = await store.change(place.key, (record) =>
      record.item !== item || record.version !== version || record.state === 'disconnecting'
        ? undefined
        : { ...record, state: 'disconnecting', updated: clock.now() },
    )
    if (marked?.record.item !== item) throw notConnected()
    if (marked.record.version === version) {
      await failpoint('disconnect.marked')
      // A sweep that has seen it between the two took it for one that was never to be marked.
      const isThere = queued === undefined || (await options.revocations.isQueued(queued))
      return { record: marked.record, queued: isThere ? queued : ((await queue(place, marked.record, options)) ?? queued) }
    }
    if (tries === MOST_TRIES) throw new StrongroomError('conflict', 'other processes keep replacing the tokens of this connection; repeat')
  }
}

/** Revokes tokens that came when their connection, of this item, had gone. */
export async function revokeOrphans(
  { key, provider, about }: ConnectionPlace,
  item: string,
  secrets: Secrets,
  { revocations }: DisconnectOptions,
): Promise<void> {
  const queued = await revocations.queue(newId(), provider, secrets, { key, item })
  if (queued !== undefined) await revocations.attempt(queued, about)
}

async function queue(
  place: ConnectionPlace,
  record: ConnectionRecord,
  { revocations }: DisconnectOptions,
): Promise<StoredRevocation | undefined> {
  const { item, version } = record
  const id = `${item}-${version}`
  try {
    return await revocations.queue(id, place.provider, await openSecrets(itemOf(place, record), record), { key: place.key, item })
  } catch (error) {
    // The key is gone already: then they were put by. Or they do not open, and cannot be revoked; the rest has to be done all the same.
    if (error instanceof StrongroomError && ['shredded', 'decrypt_failed'].includes(error.code)) return revocations.find(id)
    throw error
  }
}
