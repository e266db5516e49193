/** What processes have left behind, and what is due. */

import type { Clock, SweepOptions, SweepReport, Vault } from '@strongroom/core'

import type { Connect } from './connect/connect.ts'
import type { CredentialEvent } from './events.ts'
import type { CheckedCredentialsOptions } from './options.ts'
import { type ConnectionStore, itemReferences, referenceOf, type StoredConnection } from './records/connection-store.ts'
import type { Refresh } from './refresh/refresh.ts'
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
  readonly tell: (event: CredentialEvent) => void
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
  await each(await parts.outbox.due(BATCH), async (waiting) => revoke(parts, waiting()))
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
    (connection) => finish(parts, connection),
  )
  await each(await unchanged(parts, left, signal), async (connection) => parts.refresh.abandoned(connection))
  tally.done += (await parts.outbox.destroyOldKeys()) + (await parts.connect.sweep())
  if (failures.length > 0) throw failures[0]
  return tally
}

async function revoke({ store, clock, outbox, revocations }: SweepParts, waiting: StoredRevocation): Promise<'done' | 'waiting'> {
  const { of, provider } = waiting.pending
  if (of !== undefined) {
    const connection = await store.read(of.key)
    // Put by before the mark, which never came: it was not disconnected.
    if (connection?.record.item === of.item && connection.record.state !== 'disconnecting') {
      await outbox.remove(waiting)
      return 'done'
    }
  }
  const about = { reference: of === undefined ? waiting.references.join('/') : referenceOf(of.key), provider }
  if (clock.now() >= waiting.until) {
    await revocations.giveUp(waiting, about)
    return 'done'
  }
  return (await revocations.attempt(waiting, about)) === 'pending' ? 'waiting' : 'done'
}

// The process that marked it did not get to the end.
async function finish({ vault, store, tell }: SweepParts, { key, record }: StoredConnection): Promise<'done'> {
  const item = vault.item(itemReferences({ key, record }))
  // It may have gone with whose it was.
  if ((await item.state()) !== 'gone') await item.shred({ reason: 'subjectRequest' })
  await store.removeItem(key, record.item)
  tell({ type: 'disconnected', reference: referenceOf(key), provider: record.provider })
  return 'done'
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
