/** The key store in a copy, opened as what it is: one store, and nothing is made beside it. */

import { statSync } from 'node:fs'
import { join } from 'node:path'

import { invalidArgument, type KeyStore, readOptions, StrongroomError } from '@strongroom/core'

import { readCopyNote } from './copy-note.ts'
import { openEnvironment } from './environment.ts'
import { localKeyStore } from './local-key-store.ts'

/** Where the copy is. */
export interface LocalKeyStoreCopyOptions {
  /** The folder that `backupLocalStore` made of the keys. */
  readonly directory: string
}

/** A copied key store, and how to let go of it. */
export interface LocalKeyStoreCopy {
  readonly keyStore: KeyStore
  /** UTC milliseconds: what `backupLocalStore` said of it. */
  readonly startedAt: number
  close(): Promise<void>
}

/**
 * Opens a copy that `backupLocalStore({ store: 'keys' })` made, to read its epoch marker. A store in use is refused: it would vouch for itself.
 *
 * @throws StrongroomError `invalid_argument`; `key_store_unavailable` if there is no such copy in that folder
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
  const unavailable = (cause: unknown): StrongroomError =>
    new StrongroomError('key_store_unavailable', 'there is no copy of a local key store in that folder, or it cannot be read', { cause })
  const startedAt = readCopyNote(directory, 'keys')
  if (startedAt === undefined)
    throw invalidArgument(
      'directory',
      'must be a folder that backupLocalStore has made of the keys: a store in use, or any other folder, is no copy',
    )
  try {
    // Opening would make an empty store where there is none.
    statSync(join(directory, 'data.mdb'))
    const environment = openEnvironment(directory, 2 ** 20, unavailable)
    return { keyStore: localKeyStore(environment), startedAt, close: () => environment.close() }
  } catch (error) {
    throw error instanceof StrongroomError ? error : unavailable(error)
  }
}
