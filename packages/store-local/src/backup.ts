/** A copy of one of the two stores, taken while they are in use. */

import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { invalidArgument, readOptions, StrongroomError } from '@strongroom/core'

import { writeCopyNote } from './copy-note.ts'
import { openEnvironment } from './environment.ts'

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
 * go on meanwhile. Only this, or a copy of `data.mdb` while no process has it open, is a backup.
 *
 * @throws StrongroomError `invalid_argument`; `key_store_unavailable` or `state_store_unavailable` if there is no such
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

  const code = store === 'keys' ? 'key_store_unavailable' : 'state_store_unavailable'
  const unavailable = (cause: unknown): StrongroomError =>
    new StrongroomError(code, `there is no local ${store} store in that directory, or it could not be copied`, { cause })
  try {
    const folder = join(directory, store)
    // Opening would make an empty store where there is none.
    statSync(join(folder, 'data.mdb'))
    mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
    makeNew(to)
    const environment = openEnvironment(folder, 2 ** 20, unavailable)
    try {
      const startedAt = Date.now()
      await environment.copy(to)
      sync(join(to, 'data.mdb'))
      writeCopyNote(to, store, startedAt)
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

function sync(file: string): void {
  chmodSync(file, 0o600)
  const descriptor = openSync(file, 'r+')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
