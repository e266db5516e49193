/** The two stores of a vault on one machine: a folder with two LMDB environments, one for keys and one for state. */

import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'

import { invalidArgument, type KeyStore, readOptions, type StateStore, StrongroomError } from '@strongroom/core'

import { type Environment, openEnvironment } from './environment.ts'
import { type StoreName, storeUnavailable } from './errors.ts'
import { localKeyStore } from './local-key-store.ts'
import { lazyEnvironment } from './lazy-environment.ts'
import { localStateStore } from './local-state-store.ts'

/** Where {@link localStores} keeps its files. */
export interface LocalStoresOptions {
  /**
   * A folder on a local disk, made by the first write, with mode 0700, where it does not exist. Every process of one machine may open it; it
   * must not be on a network file system.
   */
  readonly directory: string
  /**
   * Address space to reserve for each of the two files, in bytes: 1 MiB to 16 TiB, 1 GiB unless given. It is neither
   * memory nor disk space, and no limit: a file that outgrows it is mapped anew.
   */
  readonly mapSize?: number
}

/** A key store and a state store, to be spread into the options of a vault. */
export interface LocalStores {
  readonly keyStore: KeyStore
  readonly stateStore: StateStore
  /** Waits for writes under way, then lets go of the files. Later calls of the stores throw. Safe to repeat. */
  close(): Promise<void>
}

const GIB = 2 ** 30

/**
 * Opens the stores in a folder. Where there are none they read as empty, and the first write makes them. A write resolves once it is on the disk.
 *
 * @throws StrongroomError `invalid_argument`, also where a store is a copy that `backupLocalStore` made: restoring it includes removing its
 * `copy.json`; `key_store_unavailable` or `state_store_unavailable` if a file cannot be opened: no permission, no space, or not one of ours. The
 * message names the folder and the system's code.
 *
 * @example
 * ```ts
 * import { localStores } from '@strongroom/store-local'
 *
 * const stores = localStores({ directory: 'vault' })
 * const page = await stores.keyStore.scan({ type: 'node', limit: 100 })
 * await stores.close()
 * ```
 */
export function localStores(options: LocalStoresOptions): LocalStores {
  const { directory, mapSize = GIB } = readOptions(options, ['directory', 'mapSize'])
  if (typeof directory !== 'string' || directory === '') throw invalidArgument('directory', 'must be the path of a folder')
  if (!Number.isSafeInteger(mapSize) || mapSize < 2 ** 20 || mapSize > 2 ** 44) {
    throw invalidArgument('mapSize', 'must be a whole number of bytes from 1 MiB to 16 TiB')
  }

  const keys = open(directory, 'keys', mapSize)
  let state: Environment
  try {
    state = open(directory, 'state', mapSize)
  } catch (error) {
    void keys.close()
    throw error
  }

  return {
    keyStore: localKeyStore(keys),
    stateStore: localStateStore(state),
    async close() {
      await Promise.all([keys.close(), state.close()])
    },
  }
}

function open(directory: string, store: StoreName, mapSize: number): Environment {
  const folder = resolve(directory, store)
  const what = `the local ${store === 'keys' ? 'key' : 'state'} store in ${folder} could not be read or written`
  const unavailable = (cause: unknown): StrongroomError => storeUnavailable(store, what, cause)
  return lazyEnvironment(folder, () => openNow(folder, mapSize, unavailable), unavailable)
}

function openNow(folder: string, mapSize: number, unavailable: (cause: unknown) => StrongroomError): Environment {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return openEnvironment(folder, mapSize, unavailable)
  } catch (error) {
    throw error instanceof StrongroomError ? error : unavailable(error)
  }
}
