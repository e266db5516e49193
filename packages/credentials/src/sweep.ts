/** What processes have left behind, and what is due. */

import { type Attempted, type Clock, type SweepOptions, type SweepReport, SweepTally, type Vault } from '@strongroom/core'

import type { Connect } from './connect/connect.ts'
import type { CheckedCredentialsOptions } from './options.ts'
import type { DueRecord } from './records/due-records.ts'
import { CONNECTIONS, type ConnectionStore, referenceOf, type StoredConnection } from './records/connection-store.ts'
import type { Refresh } from './refresh/refresh.ts'
import type { DisconnectOptions } from './revoke/disconnect.ts'
import { finish } from './revoke/finish.ts'
import { type RevocationOutbox, REVOCATIONS, type StoredRevocation } from './revoke/outbox.ts'
import type { Revocations } from './revoke/revocations.ts'

export interface SweepParts {
  readonly vault: Vault
  readonly clock: Clock
  readonly options: CheckedCredentialsOptions
  readonly store: ConnectionStore
  readonly outbox: RevocationOutbox
  readonly revocations: Revocations
  readonly refresh: Refresh
  readonly connect: Connect
  readonly leaving: DisconnectOptions
}

// Read again once they are done: memory stays the same, however many there are.
const BATCH = 200

export async function sweep(parts: SweepParts, options: SweepOptions | undefined): Promise<SweepReport> {
  const tally = new SweepTally(options)
  // What is damaged is told of, and left.
  const whole = <T>(namespace: string, due: readonly DueRecord<T>[]): readonly T[] =>
    due.flatMap(({ key, record }) => {
      if (record === undefined) tally.damaged(`${namespace}/${key}`)
      return record ?? []
    })
  const each = async <T extends { readonly key: string }>(
    namespace: string,
    all: readonly T[],
    work: (one: T) => Promise<Attempted>,
  ): Promise<void> => {
    for (const one of all) await tally.attempt(`${namespace}/${one.key}`, () => work(one))
  }
  const left = whole(CONNECTIONS, await parts.store.due(parts.clock.now() - parts.options.lease, BATCH))
  await each(
    CONNECTIONS,
    left.filter(({ record }) => record.state === 'disconnecting'),
    async (connection) => (await finish(connection, parts.vault, parts.leaving), 'done'),
  )
  // Behind those: what was put by is found there until their keys are gone.
  await each(REVOCATIONS, whole(REVOCATIONS, await parts.outbox.due(BATCH)), (waiting) => revoke(parts, waiting))
  await each(CONNECTIONS, await unchanged(parts, left, tally.signal), (connection) => parts.refresh.abandoned(connection))
  tally.done(await parts.connect.sweep())
  tally.add(await parts.vault.sweep(options))
  return tally.report()
}

async function revoke({ clock, revocations }: SweepParts, waiting: StoredRevocation): Promise<'done' | 'waiting'> {
  const { connection, provider } = waiting.pending
  const about = { reference: referenceOf(connection), provider }
  if (clock.now() >= waiting.until) {
    await revocations.giveUp(waiting, about)
    return 'done'
  }
  return (await revocations.attempt(waiting, about)) === 'pending' ? 'waiting' : 'done'
}

// Watched for as long as anybody waits, by this process's own clock: whose clock is wrong does not matter then.
async function unchanged(
  { store, options }: SweepParts,
  left: readonly StoredConnection[],
  signal: AbortSignal | undefined,
): Promise<readonly StoredConnection[]> {
  const pending = left.filter(({ record }) => record.state === 'live' && record.intent !== undefined)
  if (pending.length === 0) return []
  await new Promise((resolve) => setTimeout(resolve, options.lease))
  signal?.throwIfAborted()
  const now = await Promise.all(pending.map(({ key }) => store.read(key)))
  return now.filter(
    (connection, i) => connection !== undefined && connection.record.intent?.id === pending[i]?.record.intent?.id,
  ) as StoredConnection[]
}
