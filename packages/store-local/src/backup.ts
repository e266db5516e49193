/** A copy of one of the two stores, taken while they are in use. */

import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

import { invalidArgument, readOptions, StrongroomError } from '@strongroom/core'

import { writeCopyNote } from './copy-note.ts'
import { openEnvironment } from './environment.ts'
import { storeUnavailable } from './errors.ts'
import { syncFile, syncFolders } from './sync.ts'

/** What to copy, and where to. */
export interface LocalBackupOptions {
  /** The folder that was given to `localStores`. */
  readonly directory: string
  /** Which of the two. Keep their copies apart: each repairs what a restore of the other would bring back. */
  readonly store: 'keys' | 'state'
  /** A folder that is not there yet. */
  readonly to: string
}

/** What closing an epoch asks of a backup. */
export interface LocalBackup {
  /** UTC milliseconds: the copy holds every write that resolved before. */
  readonly startedAt: number
}

/**
 * Copies one store, as it is at one moment, into a new folder. Any process of the machine may do so at any time; writers
 * go on meanwhile. When it resolves, the copy is on the disk. Only this, or a copy of `data.mdb` while no process has it open, is a backup.
 *
 * @throws StrongroomError `invalid_argument`, also where the store is itself a copy; `key_store_unavailable` or `state_store_unavailable` if there is no such
 * store, or it cannot be copied.
 *
 * @example
 * ```ts
 * import { backupLocalStore } from '@strongroom/store-local'
 *
 * const { startedAt } = await backupLocalStore({ directory: 'vault', store: 'keys', to: '/backup/keys-2030-01-01' })
 * ```
 */
export async function backupLocalStore(options: LocalBackupOptions): Promise<LocalBackup> {
  const { directory, store, to } = readOptions(options, ['directory', 'store', 'to'])
  if (typeof directory !== 'string' || directory === '') throw invalidArgument('directory', 'must be the path of a folder')
  if (store !== 'keys' && store !== 'state') throw invalidArgument('store', "must be 'keys' or 'state'")
  if (typeof to !== 'string' || to === '') throw invalidArgument('to', 'must be the path of a folder that is not there yet')

  const [from, target] = [resolve(directory, store), resolve(to)]
  const unavailable = (cause: unknown): StrongroomError =>
    storeUnavailable(store, `there is no local ${store} store in ${from}, or it could not be copied to ${target}`, cause)
  try {
    // Opening would make an empty store where there is none.
    statSync(join(from, 'data.mdb'))
    const environment = openEnvironment(from, 2 ** 20, unavailable)
    try {
      const above = mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
      makeNew(target)
      const startedAt = Date.now()
      await environment.copy(target)
      const data = join(target, 'data.mdb')
      chmodSync(data, 0o600)
      syncFile(data)
      writeCopyNote(target, store, startedAt)
      syncFolders(target, dirname(above ?? target))
      return { startedAt }
    } finally {
      await environment.close()
    }
  } catch (error) {
    throw error instanceof StrongroomError ? error : unavailable(error)
  }
}

// Never into a copy that is there.
function makeNew(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw invalidArgument('to', 'must be the path of a folder that is not there yet')
    throw error
  }
}
