/** The key store in a copy, opened as what it is: one store, and nothing is made beside it. */

import { resolve } from 'node:path'

import { invalidArgument, type KeyStore, readOptions, StrongroomError } from '@strongroom/core'

import { openCopiedEnvironment } from './copied-environment.ts'
import { readCopyNote } from './copy-note.ts'
import { storeUnavailable } from './errors.ts'
import { localKeyStore } from './local-key-store.ts'

/** Where the copy is. */
export interface LocalKeyStoreCopyOptions {
  /** The folder that `backupLocalStore` made of the keys. */
  readonly directory: string
}

/** A copied key store, and how to let go of it. */
export interface LocalKeyStoreCopy {
  /** Only reads. */
  readonly keyStore: KeyStore
  /** UTC milliseconds: what `backupLocalStore` said of it. */
  readonly startedAt: number
  close(): Promise<void>
}

/**
 * Opens a copy that `backupLocalStore({ store: 'keys' })` made, to read its epoch marker. A store in use is refused: it would vouch for itself.
 * Nothing is made or changed in the folder: it may belong to another user, or be on a disk that can only be read.
 *
 * @throws StrongroomError `invalid_argument` if that folder is no such copy; `key_store_unavailable` if it cannot be opened, and in any call if
 * it cannot be read
 *
 * @example
 * ```ts
 * import { readEpochMarker } from '@strongroom/core'
 * import { localKeyStoreCopy } from '@strongroom/store-local'
 *
 * const copy = localKeyStoreCopy({ directory: '/backup/2030-01-01/keys' })
 * const marker = await readEpochMarker({ keyStore: copy.keyStore, region: 'eu' })
 * await copy.close()
 * ```
 */
export function localKeyStoreCopy(options: LocalKeyStoreCopyOptions): LocalKeyStoreCopy {
  const { directory } = readOptions(options, ['directory'])
  if (typeof directory !== 'string' || directory === '') throw invalidArgument('directory', 'must be the path of a folder')
  const folder = resolve(directory)
  const unavailable = (cause: unknown): StrongroomError =>
    storeUnavailable('keys', `the copy of a local key store in ${folder} cannot be opened or read`, cause)
  try {
    const startedAt = readCopyNote(folder, 'keys')
    if (startedAt === undefined)
      throw invalidArgument(
        'directory',
        'must be a folder that backupLocalStore has made of the keys: a store in use, or any other folder, is no copy',
      )
    const environment = openCopiedEnvironment(folder, unavailable)
    return { keyStore: localKeyStore(environment), startedAt, close: () => environment.close() }
  } catch (error) {
    throw error instanceof StrongroomError ? error : unavailable(error)
  }
}
