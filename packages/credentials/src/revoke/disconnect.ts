/** Ending a connection: what it takes to revoke its tokens is put by, then its key is destroyed, then the provider is asked. */

import { type Clock, findHold, type Shredded, StrongroomError, type Vault } from '@strongroom/core'

import { notConnected } from '../errors.ts'
import type { CredentialEvent } from '../events.ts'
import type { Secrets } from '../kinds/kinds.ts'
import type { CheckedCredentialsOptions } from '../options.ts'
import type { CheckedProvider } from '../providers/provider.ts'
import type { ConnectionStore } from '../records/connection-store.ts'
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
  readonly vault: Pick<Vault, 'id' | 'stateStore'>
  readonly store: ConnectionStore
  readonly clock: Clock
  readonly revocations: Revocations
  readonly options: CheckedCredentialsOptions
  readonly tell: (event: CredentialEvent) => void
}

/** What was put by of a connection's tokens, or why nothing was. `gone`: with their key, before which they were put by, and there is no more to be done. */
export type PutBy = StoredRevocation | 'unsupported' | 'unconfirmed' | 'gone'

/** @throws StrongroomError `not_found`, `held`, and what stores and keys throw; repeated, it goes on where it stopped */
export async function disconnect(leaving: Leaving, options: DisconnectOptions): Promise<Disconnected> {
  const { store, tell, revocations } = options
  const { failpoint } = options.options
  await requireNotHeld(leaving, options)
  const { record, putBy } = await markLeaving(leaving, options)
  const shredded = await leaving.itemOf(record).shred({ reason: 'subjectRequest' })
  await failpoint('disconnect.shredded')
  await store.removeItem(leaving.key, record.item)
  await failpoint('disconnect.removed')
  tell({ type: 'disconnected', ...leaving.about })
  if (typeof putBy === 'string') return { shredded, revocation: putBy === 'gone' ? 'unconfirmed' : putBy, keptUntil: undefined }
  const revocation = await revocations.attempt(putBy, leaving.about)
  return { shredded, revocation, keptUntil: revocation === 'pending' ? putBy.until : undefined }
}

// Before it is marked and its token revoked: the shred would be refused as well, and leave it half ended.
async function requireNotHeld({ key, itemOf }: Leaving, { store, vault }: DisconnectOptions): Promise<void> {
  const found = await store.read(key)
  if (found === undefined) throw notConnected()
  if ((await findHold(vault.stateStore, vault.id, await itemOf(found.record).references())) === undefined) return
  throw new StrongroomError('held', 'a legal hold stands on whose connection this is: release it first; nothing was revoked')
}

// The last two are of a tenant that does not open as a whole.
const UNREADABLE: readonly string[] = ['retired', 'decrypt_failed', 'wrong_root_key', 'root_version_destroyed']
// Each was overtaken by newer tokens.
const MOST_TRIES = 100

/**
 * Marks the connection: from then on nobody uses it, or replaces its tokens. Then puts by what it takes to revoke them. Whoever ends what is
 * marked does the same first, for as long as there is a key: so nothing is put by of what stays, and nothing goes that was not put by.
 */
export async function markLeaving(
  leaving: Leaving,
  options: DisconnectOptions,
): Promise<{ readonly record: ConnectionRecord; readonly putBy: PutBy }> {
  const { store, clock, tell } = options
  const { failpoint } = options.options
  for (let tries = 1; ; tries++) {
    const found = await store.read(leaving.key)
    if (found === undefined) throw notConnected()
    requireProviderOf(found.record, options)
    const { item, version } = found.record
    // Before the mark: who may not read them does not end it.
    const secrets = await readTokens(leaving, found.record)
    const marked = await store.change(leaving.key, (record) =>
      record.item !== item || record.version !== version || record.state === 'disconnecting'
        ? undefined
        : { ...record, state: 'disconnecting', updated: clock.now() },
    )
    if (marked?.record.item !== item) throw notConnected()
    if (marked.record.version === version) {
      await failpoint('disconnect.marked')
      const putBy = await putTokensBy(leaving, marked.record, secrets, options)
      await failpoint('disconnect.queued')
      if (putBy === 'unconfirmed') tell({ type: 'revocation', outcome: putBy, ...leaving.about })
      return { record: marked.record, putBy }
    }
    if (tries === MOST_TRIES) throw new StrongroomError('conflict', 'other processes keep replacing the tokens of this connection; repeat')
  }
}

/** @throws StrongroomError `revocation_required` where nobody here can revoke its tokens */
export function requireProviderOf({ provider, kind }: ConnectionRecord, { options }: DisconnectOptions): void {
  if (kind !== 'oauth2' || options.providers.has(provider)) return
  throw new StrongroomError(
    'revocation_required',
    `a connection is of the provider ${JSON.stringify(provider)}, which createCredentials was not given here: without it nobody can revoke its tokens`,
  )
}

/** Revokes tokens that came when their connection had gone. */
export async function revokeOrphans(
  { key, about }: Pick<Leaving, 'key' | 'about'>,
  provider: CheckedProvider,
  secrets: Secrets,
  { revocations }: DisconnectOptions,
): Promise<void> {
  const putBy = await revocations.putBy(provider, secrets, { references: key.split('/').slice(1), id: newId(), connection: key })
  if (putBy !== undefined) await revocations.attempt(putBy, about)
}

/** @returns `gone` with their key; `unconfirmed` where they do not open, and nobody can revoke them: the rest has to be done all the same */
async function readTokens(leaving: Leaving, record: ConnectionRecord): Promise<Secrets | 'unconfirmed' | 'gone'> {
  try {
    const keys = await leaving.itemOf(record).unlockBeforeShred()
    try {
      return readSecrets(keys, record)
    } finally {
      keys.dispose()
    }
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw error
    if (error.code === 'shredded') return 'gone'
    if (UNREADABLE.includes(error.code)) return 'unconfirmed'
    throw error
  }
}

async function putTokensBy(
  leaving: Leaving,
  record: ConnectionRecord,
  secrets: Secrets | 'unconfirmed' | 'gone',
  { revocations, options }: DisconnectOptions,
): Promise<PutBy> {
  if (secrets === 'unconfirmed') return secrets
  const provider = options.providers.get(record.provider)
  if (provider?.kind !== 'oauth2') return 'unsupported'
  const id = `${record.item}-${record.version}`
  try {
    const references = await leaving.itemOf(record).references()
    if (secrets === 'gone') return (await revocations.find(references, id)) ?? secrets
    return (await revocations.putBy(provider, secrets, { references, id, connection: leaving.key })) ?? 'unsupported'
  } catch (error) {
    // Meanwhile, with the whole tenant: whoever has shredded it has put them by first.
    if (error instanceof StrongroomError && error.code === 'shredded') return 'gone'
    throw error
  }
}
