/** Where connections are kept: one entry of the state store each, under references and never under names. */

import { scanEntries, type StateStore, type StateVersion, StrongroomError, type Subject, type Tenant } from '@strongroom/core'

import { notConnected, reauthorisationRequired } from '../errors.ts'
import { type DueRecord, dueRecords } from './due-records.ts'
import { type ConnectionRecord, decodeRecord, encodeRecord } from './record.ts'

/** The namespace of the state store that they are in. */
export const CONNECTIONS = 'strongroom/connections'
// A conflict means that another writer got through.
const MOST_TRIES = 100

/** A connection with the version of its entry. */
export interface StoredConnection {
  readonly key: string
  readonly record: ConnectionRecord
  readonly stored: StateVersion
}

/** An entry that may be damaged. */
export interface StoredEntry extends Pick<StoredConnection, 'key' | 'stored'> {
  /** @throws StrongroomError `decrypt_failed` */
  connection(): StoredConnection
}

export class ConnectionStore {
  readonly #store: StateStore
  readonly #vaultId: string

  constructor(store: StateStore, vaultId: string) {
    this.#store = store
    this.#vaultId = vaultId
  }

  /** The key of a connection. @throws StrongroomError `invalid_argument`, `not_found` (no such tenant), `shredded` */
  async keyOf(owner: Subject, name: string): Promise<string> {
    return [this.#vaultId, ...(await owner.item(name).references())].join('/')
  }

  /** What the keys of all connections of an owner, or of everyone in a tenant, begin with. */
  async prefixOf(owner: Subject | Tenant): Promise<string> {
    return this.prefix('self' in owner ? (await owner.self().references()).slice(0, 1) : await owner.references())
  }

  /** @param references - of the owner, from the tenant's down */
  prefix(references: readonly string[]): string {
    return `${[this.#vaultId, ...references].join('/')}/`
  }

  async read(key: string): Promise<StoredConnection | undefined> {
    const entry = await this.#store.get(CONNECTIONS, key)
    return entry === undefined ? undefined : { key, record: decodeRecord(entry.value), stored: entry.version }
  }

  /** One that may be used. @throws StrongroomError `not_found`, `reauthorisation_required` */
  async readConnected(key: string): Promise<StoredConnection> {
    const found = await this.read(key)
    if (found === undefined || found.record.state === 'disconnecting') throw notConnected()
    if (found.record.state === 'reauthorisation_required') throw reauthorisationRequired()
    return found
  }

  /** @param due - when sweeping has to look at it. @throws StrongroomError `conflict` */
  async put(key: string, record: ConnectionRecord, expected: StateVersion | 'absent'): Promise<StoredConnection> {
    const due = dueOf(record)
    const stored = await this.#store.put(CONNECTIONS, key, encodeRecord(record), { expected, ...(due === undefined ? {} : { due }) })
    return { key, record, stored }
  }

  /**
   * Changes a connection, whoever else changes it at the same time.
   *
   * @param change - gives the new record, or `undefined` where nothing is to be changed; called again with what is there after a conflict
   * @returns what is there then, `undefined` where there is none
   */
  async change(key: string, change: (record: ConnectionRecord) => ConnectionRecord | undefined): Promise<StoredConnection | undefined> {
    return untilNoConflict(async () => {
      const before = await this.read(key)
      const record = before === undefined ? undefined : change(before.record)
      return before === undefined || record === undefined ? before : this.put(key, record, before.stored)
    })
  }

  /** Removes a connection, if it is still the one of this item. */
  async removeItem(key: string, item: string): Promise<void> {
    await untilNoConflict(async () => {
      const found = await this.read(key)
      if (found?.record.item === item) await this.#store.delete(CONNECTIONS, key, { expected: found.stored })
    })
  }

  /** In the order of their keys, which says nothing. Reads by pages. One that is damaged is thrown for once all others were given. */
  async *list(prefix: string): AsyncGenerator<StoredConnection> {
    let failure: unknown
    for await (const entry of this.entries(prefix)) {
      let connection: StoredConnection
      try {
        connection = entry.connection()
      } catch (error) {
        failure ??= error
        continue
      }
      yield connection
    }
    if (failure !== undefined) throw failure
  }

  /** As `list`, but as they are stored. */
  async *entries(prefix: string): AsyncGenerator<StoredEntry> {
    for await (const entry of scanEntries(this.#store, CONNECTIONS, prefix)) yield asStored(entry)
  }

  async entry(key: string): Promise<StoredEntry | undefined> {
    const entry = await this.#store.get(CONNECTIONS, key)
    return entry && asStored({ key, ...entry })
  }

  /** Removes what is there, if nobody has changed it. @throws StrongroomError `conflict` */
  async removeEntry({ key, stored }: StoredEntry): Promise<void> {
    await this.#store.delete(CONNECTIONS, key, { expected: stored })
  }

  /** Those that have something to be finished, oldest first. */
  async due(before: number, limit: number): Promise<readonly DueRecord<StoredConnection>[]> {
    const due = { namespace: CONNECTIONS, vaultId: this.#vaultId, before, limit }
    return dueRecords(this.#store, due, ({ key, value, version }) => ({ key, record: decodeRecord(value), stored: version }))
  }
}

function asStored({
  key,
  value,
  version: stored,
}: {
  readonly key: string
  readonly value: Uint8Array
  readonly version: StateVersion
}): StoredEntry {
  return { key, stored, connection: () => ({ key, record: decodeRecord(value), stored }) }
}

// A request that never ends, and a connection that is on its way out.
function dueOf({ state, intent, updated }: ConnectionRecord): number | undefined {
  if (state === 'disconnecting') return updated
  return intent?.at
}

async function untilNoConflict<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isConflict(error) || tries === MOST_TRIES) throw error
    }
  }
}

/** What outside of the store stands for an entry. */
export function referenceOf(key: string): string {
  return key.slice(key.indexOf('/') + 1)
}

/** The references of whose a connection is: the tenant's, and their own. */
export function ownerReferences(key: string): readonly string[] {
  return key.split('/').slice(1, 3)
}

export function isConflict(error: unknown): boolean {
  return error instanceof StrongroomError && error.code === 'conflict'
}
