/** One LMDB environment: bytes under bytes in byte order, snapshot reads, and writes that are on the disk when they resolve. */

import { StrongroomError } from '@strongroom/core'
import { open, type RootDatabase } from 'lmdb'

import { checkFiles } from './check-files.ts'
import { refuseCopy } from './copy-note.ts'
import { type FolderLock, openFolderLock } from './folder-lock.ts'

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
   * If the body throws, nothing of it is written. It may be run again, on another state, before it resolves.
   */
  write<T>(body: (transaction: Transaction) => T): Promise<T>
  /** Copies one snapshot into a folder that is empty, without what is free in the file. */
  copy(folder: string): Promise<void>
  /** Waits for what is under way, then lets go. */
  close(): Promise<void>
}

// One commit for many writes of one turn of the event loop, but not so many that they keep the thread for long.
const MOST_AT_ONCE = 100

interface QueuedWrite {
  run(): void
  resolve(): void
  reject(error: unknown): void
}

/**
 * Opens the environment in a folder that exists, and is no copy. Throws what the system or LMDB throws, or `invalid_argument` for a copy.
 *
 * Opening, committing and closing hold the folder's lock, because LMDB (as in lmdb-js 3.5) lets them overtake one another:
 * `mdb_env_open2` sets the number of the last transaction back to what it read from the file a moment before, so that the
 * next writer replaces one that was committed since; and the last process that closes destroys the mutexes of one that
 * is just opening.
 */
export function openEnvironment(folder: string, mapSize: number, unavailable: (cause: unknown) => StrongroomError): Environment {
  const { database, hold, close } = openLocked(folder, mapSize)
  const transaction = transactionOn(database)
  const queue: QueuedWrite[] = []
  const underWay = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  function checkOpen(): void {
    if (closing !== undefined) throw new Error('the store was closed')
  }

  // Synchronous on purpose. An asynchronous transaction of lmdb-js holds the lock of all processes while it waits for this
  // thread: a process that exits just then stands still for ever, and all others with it.
  function commit(batch: readonly QueuedWrite[]): void {
    try {
      hold(() =>
        database.transactionSync(() => {
          for (const write of batch) write.run()
        }),
      )
      for (const write of batch) write.resolve()
    } catch (error) {
      // The whole batch was taken back. Each on its own, only those fail that must.
      if (batch.length > 1) for (const write of batch) commit([write])
      else for (const write of batch) write.reject(error)
    }
  }

  function commitQueued(): void {
    commit(queue.splice(0, MOST_AT_ONCE))
    if (queue.length > 0) setImmediate(commitQueued)
  }

  function enqueue<T>(body: (transaction: Transaction) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: T
      queue.push({
        run: () => void (result = body(transaction)),
        resolve: () => resolve(result),
        reject,
      })
      if (queue.length === 1) setImmediate(commitQueued)
    })
  }

  function typed(error: unknown): StrongroomError {
    return error instanceof StrongroomError ? error : unavailable(error)
  }

  function track<T>(work: Promise<T>): Promise<T> {
    underWay.add(work)
    return work.finally(() => underWay.delete(work))
  }

  async function release(): Promise<void> {
    await Promise.allSettled(underWay)
    close()
  }

  return {
    async read(body) {
      try {
        checkOpen()
        // Otherwise reads of one turn of the event loop share a snapshot, and miss what was committed since its first.
        database.resetReadTxn()
        return body(transaction)
      } catch (error) {
        throw typed(error)
      }
    },

    async write(body) {
      try {
        checkOpen()
        return await track(enqueue(body))
      } catch (error) {
        throw typed(error)
      }
    },

    async copy(to) {
      try {
        checkOpen()
        await track(database.backup(to, true))
      } catch (error) {
        throw typed(error)
      }
    },

    close() {
      closing ??= release()
      return closing
    },
  }
}

// What is open still when the process ends, LMDB would close by itself, without the lock.
const stillOpen = new Set<() => void>()

function closeAll(): void {
  for (const close of stillOpen) close()
}

interface LockedDatabase {
  readonly database: RootDatabase<Uint8Array, Uint8Array>
  readonly hold: FolderLock['hold']
  close(): void
}

function openLocked(folder: string, mapSize: number): LockedDatabase {
  refuseCopy(folder)
  const lock = openFolderLock(folder)
  try {
    const database = lock.hold(() => {
      checkFiles(folder)
      return openDatabase(folder, { mapSize })
    })
    const close = (): void => {
      stillOpen.delete(close)
      if (stillOpen.size === 0) process.off('exit', closeAll)
      // At once, because there are no asynchronous writes.
      lock.hold(() => void database.close())
      lock.close()
    }
    if (stillOpen.size === 0) process.on('exit', closeAll)
    stillOpen.add(close)
    return { database, hold: lock.hold, close }
  } catch (error) {
    lock.close()
    throw error
  }
}

/** Opens files that were looked at before. */
export function openDatabase(
  folder: string,
  { mapSize, readOnly = false }: { readonly mapSize: number; readonly readOnly?: boolean },
): RootDatabase<Uint8Array, Uint8Array> {
  const options = {
    path: folder,
    noSubdir: false,
    mapSize,
    readOnly,
    keyEncoding: 'binary' as const,
    encoding: 'binary' as const,
    // With it, lmdb-js commits what is visible but not yet on the disk.
    overlappingSync: false,
    permissionsMode: 0o600,
  }
  return open<Uint8Array, Uint8Array>(options)
}

/** Reads what the database's own transaction sees: that of a write, or the snapshot that is newest when the first read of a turn begins. */
export function snapshotOn(database: RootDatabase<Uint8Array, Uint8Array>): Snapshot {
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
  }
}

function transactionOn(database: RootDatabase<Uint8Array, Uint8Array>): Transaction {
  return {
    ...snapshotOn(database),
    // Inside a transaction both take effect before they return.
    put: (key, value) => void database.put(key, value),
    remove: (key) => void database.remove(key),
  }
}

function beginsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, i) => byte === bytes[i])
}
