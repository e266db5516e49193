/** Ending a connection: what it takes to revoke its tokens is put by, then its key is destroyed, then the provider is asked. */

import { type Clock, type Shredded, StrongroomError } from '@strongroom/core'

import { notConnected } from '../errors.ts'
import type { CredentialEvent } from '../events.ts'
import type { Secrets } from '../kinds/kinds.ts'
import type { CheckedCredentialsOptions } from '../options.ts'
import type { CheckedProvider } from '../providers/provider.ts'
import { type ConnectionStore, itemReferences } from '../records/connection-store.ts'
import { newId } from '../records/new-id.ts'
import type { ConnectionRecord } from '../records/record.ts'
import { readSecrets } from '../records/sealed.ts'
import type { Leaving } from './leaving.ts'
import type { StoredRevocation } from './outbox.ts'
import type { Revocations } from './revocations.ts'

/**
 * - `revoked`: the provider says so; `already_gone`: it does not know the token any more.
 * - `unsupported`: there is nothing to be revoked there, or no way to.
 * - `pending`: the provider has not answered yet; sweeping asks again.
 * - `unconfirmed`: the token could not be read any more, and so nobody can ask.
 */
export type RevocationState = 'revoked' | 'already_gone' | 'unsupported' | 'pending' | 'unconfirmed'

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

/** What was put by of a connection's tokens, or why nothing was. */
export type PutBy = StoredRevocation | 'unsupported' | 'unconfirmed'

/** @throws StrongroomError `not_found`, and what stores and keys throw; repeated, it goes on where it stopped */
export async function disconnect(leaving: Leaving, options: DisconnectOptions): Promise<Disconnected> {
  const { store, tell, revocations } = options
  const { failpoint } = options.options
  const { record, putBy } = await markLeaving(leaving, options)
  const shredded = await leaving.itemOf(record).shred({ reason: 'subjectRequest' })
  await failpoint('disconnect.shredded')
  await store.removeItem(leaving.key, record.item)
  await failpoint('disconnect.removed')
  tell({ type: 'disconnected', ...leaving.about })
  if (typeof putBy === 'string') return { shredded, revocation: putBy, keptUntil: undefined }
  const revocation = await revocations.attempt(putBy, leaving.about)
  return { shredded, revocation, keptUntil: revocation === 'pending' ? putBy.until : undefined }
}

// Each was overtaken by newer tokens.
const MOST_TRIES = 100

/** Puts by what it takes to revoke the tokens, and marks the connection: from then on nobody uses it, or replaces its tokens. */
export async function markLeaving(
  leaving: Leaving,
  options: DisconnectOptions,
): Promise<{ readonly record: ConnectionRecord; readonly putBy: PutBy }> {
  const { store, clock } = options
  const { failpoint } = options.options
  for (let tries = 1; ; tries++) {
    const found = await store.read(leaving.key)
    if (found === undefined) throw notConnected()
    const { item, version } = found.record
    // Before the mark: once that stands, somebody else may end the rest without having the tokens. And of this very version.
    const putBy = await putTokensBy(leaving, found.record, options)
    await failpoint('disconnect.queued')
    const marked = await store.change(leaving.key, (record) =>
      record.item !== item || record.version !== version || record.state === 'disconnecting'
        ? undefined
        : { ...record, state: 'disconnecting', updated: clock.now() },
    )
    if (marked?.record.item !== item) throw notConnected()
    if (marked.record.version === version) {
      await failpoint('disconnect.marked')
      // A sweep that has seen it between the two took it for one that was never to be marked.
      const isThere = typeof putBy === 'string' || (await options.revocations.isPutBy(putBy))
      return { record: marked.record, putBy: isThere ? putBy : await putTokensBy(leaving, marked.record, options) }
    }
    if (tries === MOST_TRIES) throw new StrongroomError('conflict', 'other processes keep replacing the tokens of this connection; repeat')
  }
}

/** Revokes tokens that came when their connection had gone. */
export async function revokeOrphans(
  { key, about }: Pick<Leaving, 'key' | 'about'>,
  provider: CheckedProvider,
  secrets: Secrets,
  { revocations }: DisconnectOptions,
): Promise<void> {
  const putBy = await revocations.putBy(provider, secrets, { references: key.split('/').slice(1), id: newId(), of: undefined })
  if (putBy !== undefined) await revocations.attempt(putBy, about)
}

async function putTokensBy(leaving: Leaving, record: ConnectionRecord, { revocations, options }: DisconnectOptions): Promise<PutBy> {
  const provider = options.providers.get(record.provider)
  if (provider === undefined) throw providerRequired(record.provider)
  const { item, version } = record
  const references = itemReferences({ key: leaving.key, record })
  const id = `${item}-${version}`
  try {
    const keys = await leaving.itemOf(record).unlockBeforeShred()
    try {
      const secrets = readSecrets(keys, record)
      return (await revocations.putBy(provider, secrets, { references, id, of: { key: leaving.key, item } })) ?? 'unsupported'
    } finally {
      keys.dispose()
    }
  } catch (error) {
    // The key is gone already: then they were put by. Or they do not open, and cannot be revoked; the rest has to be done all the same.
    if (error instanceof StrongroomError && ['shredded', 'decrypt_failed'].includes(error.code))
      return (await revocations.find(references, id)) ?? (provider.kind === 'oauth2' ? 'unconfirmed' : 'unsupported')
    throw error
  }
}

function providerRequired(name: string): StrongroomError {
  return new StrongroomError(
    'revocation_required',
    `a connection is of the provider ${JSON.stringify(name)}, which createCredentials was not given here: without it nobody can revoke its tokens`,
  )
}
