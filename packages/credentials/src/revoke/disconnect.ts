/** Ending a connection: what it takes to revoke its tokens is put by, then its key is destroyed, then the provider is asked. */

import { type Clock, StrongroomError, type Shredded } from '@strongroom/core'

import { type ConnectionPlace, itemOf } from '../connection/place.ts'
import { notConnected } from '../errors.ts'
import type { CredentialEvent } from '../events.ts'
import type { Secrets } from '../kinds/kinds.ts'
import type { TokenEndpointOptions } from '../oauth/token-endpoint.ts'
import type { CheckedCredentialsOptions } from '../options.ts'
import type { ConnectionStore } from '../records/connection-store.ts'
import { openSecrets } from '../records/sealed.ts'
import { newId, type RevocationOutbox, type StoredRevocation } from './outbox.ts'
import { revokeToken } from './revocation-endpoint.ts'

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
  readonly outbox: RevocationOutbox
  readonly options: CheckedCredentialsOptions
  readonly endpoint: TokenEndpointOptions
  readonly tell: (event: CredentialEvent) => void
}

/** @throws StrongroomError `not_found`, and what stores and keys throw; repeated, it goes on where it stopped */
export async function disconnect(place: ConnectionPlace, options: DisconnectOptions): Promise<Disconnected> {
  const { store, clock, tell } = options
  const { failpoint } = options.options
  const marked = await store.change(place.key, (record) =>
    record.state === 'disconnecting' ? undefined : { ...record, state: 'disconnecting', updated: clock.now() },
  )
  if (marked === undefined) throw notConnected()
  await failpoint('disconnect.marked')
  const { record } = marked
  const key = itemOf(place, record)
  const queued = await queue(place, record.item, await secretsOf(() => openSecrets(key, record)), options)
  await failpoint('disconnect.queued')
  const shredded = await key.shred({ reason: 'subjectRequest' })
  await failpoint('disconnect.shredded')
  const left = await store.read(place.key)
  if (left !== undefined) await store.remove(left)
  await failpoint('disconnect.removed')
  tell({ type: 'disconnected', ...place.about })
  if (queued === undefined) return { shredded, revocation: 'unsupported', keptUntil: undefined }
  const revocation = await attempt(place, queued, options)
  return { shredded, revocation, keptUntil: revocation === 'pending' ? queued.pending.until : undefined }
}

/** Puts tokens by whose connection is gone, and asks the provider at once. */
export async function revokeOrphans(place: ConnectionPlace, secrets: Secrets, options: DisconnectOptions): Promise<void> {
  const queued = await queue(place, newId(), secrets, options)
  if (queued !== undefined) await attempt(place, queued, options)
}

// One entry for a connection: the refresh token, which takes the access tokens with it (RFC 7009, section 2.1), or else the access token.
async function queue(
  { provider }: ConnectionPlace,
  id: string,
  secrets: Secrets | undefined,
  { outbox }: DisconnectOptions,
): Promise<StoredRevocation | undefined> {
  if (secrets === undefined || provider.kind !== 'oauth2') return undefined
  if (provider.revocationEndpoint === undefined && provider.issuer === undefined) return undefined
  if (secrets.lasting !== undefined) return outbox.add(id, provider.name, secrets.lasting, 'refresh_token')
  return secrets.access === undefined ? undefined : outbox.add(id, provider.name, secrets.access, 'access_token')
}

// Tokens that do not open any more cannot be revoked; the rest has to be done all the same.
async function secretsOf(open: () => Promise<Secrets>): Promise<Secrets | undefined> {
  try {
    return await open()
  } catch (error) {
    if (error instanceof StrongroomError && ['shredded', 'decrypt_failed'].includes(error.code)) return undefined
    throw error
  }
}

async function attempt({ provider }: ConnectionPlace, queued: StoredRevocation, options: DisconnectOptions): Promise<RevocationState> {
  const { outbox, endpoint, clock } = options
  const claimed = await outbox.claim(queued, clock.now() + options.options.lease)
  await options.options.failpoint('revoke.claimed')
  const answer = await revokeToken(provider, await outbox.tokenOf(claimed), claimed.pending.hint, endpoint)
  await options.options.failpoint('revoke.answered')
  if (answer === 'retry') return 'pending'
  await outbox.remove(claimed)
  await options.options.failpoint('revoke.noted')
  return answer
}
