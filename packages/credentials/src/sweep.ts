/** What processes have left behind, and what is due. */

import type { Clock, SweepOptions, SweepReport, Vault } from '@strongroom/core'

import type { Connect } from './connect/connect.ts'
import type { CheckedCredentialsOptions } from './options.ts'
import { type ConnectionStore, referenceOf, type StoredConnection } from './records/connection-store.ts'
import type { Refresh } from './refresh/refresh.ts'
import type { DisconnectOptions } from './revoke/disconnect.ts'
import { finish } from './revoke/finish.ts'
import type { RevocationOutbox, StoredRevocation } from './revoke/outbox.ts'
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

/** Each is done by itself: what fails of one is thrown once the others are done. */
export async function sweep(parts: SweepParts, { signal }: SweepOptions): Promise<SweepReport> {
  const tally = { done: 0, waiting: 0 }
  const failures: unknown[] = []
  const each = async <T>(all: readonly T[], work: (one: T) => Promise<'done' | 'waiting'>): Promise<void> => {
    for (const one of all) {
      signal?.throwIfAborted()
      try {
        tally[await work(one)]++
      } catch (error) {
        failures.push(error)
      }
    }
  }
  const left: StoredConnection[] = []
  for (const connection of await parts.store.due(parts.clock.now() - parts.options.lease, BATCH)) {
    try {
      left.push(connection())
    } catch (error) {
      failures.push(error)
    }
  }
  await each(
    left.filter(({ record }) => record.state === 'disconnecting'),
    async (connection) => (await finish(connection, parts.vault, parts.leaving), 'done'),
  )
  // Behind those: what was put by is found there until their keys are gone.
  await each(await parts.outbox.due(BATCH), async (waiting) => revoke(parts, waiting()))
  await each(await unchanged(parts, left, signal), async (connection) => parts.refresh.abandoned(connection))
  tally.done += (await parts.outbox.destroyOldKeys()) + (await parts.connect.sweep())
  if (failures.length > 0) throw failures[0]
  return tally
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
