/** One LMDB environment: bytes under bytes in byte order, snapshot reads, and writes that are on the disk when they resolve. */

import { statSync } from 'node:fs'
import { join } from 'node:path'

import type { StrongroomError } from '@strongroom/core'
import { open, type RootDatabase } from 'lmdb'

import { checkFiles } from './check-files.ts'

/** What a body sees while it reads: one snapshot, or inside a write everything written so far. All synchronous. */
export interface Snapshot {
  get(key: Uint8Array): Uint8Array | undefined
  /** Keys that begin with `prefix`, in byte order: those from `start` (a continuation of `prefix`) on, at most `limit`. */
  keys(prefix: Uint8Array, start: Uint8Array, limit: number): readonly Uint8Array[]
}

/** What a body of a write can change. */
export interface Transaction extends Snapshot {
  put(key: Uint8Array, value: Uint8Array): void
  remove(key: Uint8Array): void
}

/** An open environment. Anything that fails is thrown as the error given to {@link openEnvironment}. */
export interface Environment {
  /** Runs a body on the newest state that any process has committed. */
  read<T>(body: (snapshot: Snapshot) => T): Promise<T>
  /**
   * Runs a body that nothing else writes beside, in any process, and resolves with its result once that is on the disk.
   * A body must decide before its first write, and write all or nothing: it shares its commit with others of this turn,
   * so that a body that throws takes nothing back.
   */
  write<T>(body: (transaction: Transaction) => T): Promise<T>
  /** Waits for writes under way, then lets go. */
  close(): Promise<void>
}

// LMDB forbids a process to have a file open twice, and lmdb-js would stand still for ever if it opened one while a
// write to it waits for this thread. So each file is open once, whoever asks; it is known by device and inode.
const opened = new Map<string, { readonly database: RootDatabase<Uint8Array, Uint8Array>; users: number }>()

/** Opens the environment in a folder that exists. Throws what the system or LMDB throws. */
export function openEnvironment(folder: string, mapSize: number, unavailable: (cause: unknown) => StrongroomError): Environment {
  const file = join(folder, 'data.mdb')
  const known = identityOf(file)
  const shared = (known === undefined ? undefined : opened.get(known)) ?? { database: openDatabase(folder, mapSize), users: 0 }
  const identity: string = known ?? identityOf(file) ?? file
  opened.set(identity, shared)
  shared.users++

  const { database } = shared
  const transaction = transactionOn(database)
  const writes = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  function checkOpen(): void {
    if (closing !== undefined) throw new Error('the store was closed')
  }

  async function release(): Promise<void> {
    await Promise.allSettled(writes)
    if (--shared.users > 0) return
    opened.delete(identity)
    await database.close()
  }

  return {
    async read(body) {
      try {
        checkOpen()
        // Otherwise reads of one turn of the event loop share a snapshot, and miss what was committed since its first.
        database.resetReadTxn()
        return body(transaction)
      } catch (error) {
        throw unavailable(error)
      }
    },

    async write(body) {
      try {
        checkOpen()
        const written = database.transaction(() => body(transaction))
        writes.add(written)
        try {
          return await written
        } finally {
          writes.delete(written)
        }
      } catch (error) {
        throw unavailable(await causeOf(error))
      }
    },

    close() {
      closing ??= release()
      return closing
    },
  }
}

function openDatabase(folder: string, mapSize: number): RootDatabase<Uint8Array, Uint8Array> {
  checkFiles(folder)
  const options = {
    path: folder,
    noSubdir: false,
    mapSize,
    keyEncoding: 'binary' as const,
    encoding: 'binary' as const,
    // With it, lmdb-js resolves a write that is visible but not yet on the disk.
    overlappingSync: false,
    // With it, lmdb-js makes a promise of its own for each commit, which nobody handles if the disk is full.
    eventTurnBatching: false,
    permissionsMode: 0o600,
  }
  return open<Uint8Array, Uint8Array>(options)
}

function transactionOn(database: RootDatabase<Uint8Array, Uint8Array>): Transaction {
  return {
    get: (key) => database.getBinary(key),
    keys(prefix, start, limit) {
      const keys: Uint8Array[] = []
      for (const key of database.getKeys({ start })) {
        if (keys.length === limit || !beginsWith(key, prefix)) break
        keys.push(key)
      }
      return keys
    },
    // Inside a transaction both take effect before they return.
    put: (key, value) => void database.put(key, value),
    remove: (key) => void database.remove(key),
  }
}

function beginsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, i) => byte === bytes[i])
}

function identityOf(file: string): string | undefined {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false })
  return stats && `${stats.dev}:${stats.ino}`
}

// lmdb-js keeps the reason of a failed commit in a promise of its own, which must not be left unhandled.
async function causeOf(error: unknown): Promise<unknown> {
  const reason = (error as { readonly commitError?: unknown } | null)?.commitError
  return Promise.resolve(reason).then(
    () => error,
    (cause: unknown) => cause,
  )
}
