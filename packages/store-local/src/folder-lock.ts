/** A lock between all processes, and threads, that use a folder. The kernel drops it however a process ends. */

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'

import { unlock, waitForLockSync } from 'fs-native-extensions'

/** The lock of one user of a folder. */
export interface FolderLock {
  /** Runs a body while nobody else holds the lock. Waits for it on this thread; not to be nested. */
  hold<T>(body: () => T): T
  /** Lets go of the file. */
  close(): void
}

/** Opens the lock of a folder. Its file is made where it is missing, and never removed: else two could lock two of that name. */
export function openFolderLock(folder: string): FolderLock {
  const descriptor = openSync(join(folder, 'folder.lock'), 'a', 0o600)
  return {
    hold(body) {
      waitForLockSync(descriptor)
      try {
        return body()
      } finally {
        unlock(descriptor)
      }
    },
    close: () => closeSync(descriptor),
  }
}
