/** A lock between processes that ends with the process that holds it. */

import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

import { randomBytes, StrongroomError } from '@strongroom/core'

import { systemCode, unavailable } from './errors.ts'

const RETRY_MS = 5
const RETRY_SPREAD_MS = 20

/**
 * Runs `task` while holding the lock on `path`, an empty file that is made where it is missing and never removed (removing it
 * would let two processes lock two files of that name). The kernel drops the lock with the descriptor, however the process ends.
 *
 * @throws StrongroomError `key_provider_timeout` if `signal` is aborted first, `key_provider_unavailable` if nothing can be locked there
 */
export async function withFileLock<T>(path: string, signal: AbortSignal | undefined, task: () => Promise<T>): Promise<T> {
  const handle = await open(path, 'a', 0o600).catch((error: unknown) => {
    throw unavailable(`the lock beside the root key file cannot be opened (${systemCode(error)})`, error)
  })
  try {
    const tryLock = await nativeTryLock()
    // Asked again and again, because the waiting call would block one of the few threads that the holder's writes need too.
    while (!tryLock(handle.fd)) {
      assertNotAborted(signal)
      await delay(RETRY_MS + ((randomBytes(1)[0] as number) % RETRY_SPREAD_MS))
    }
    assertNotAborted(signal)
    return await task()
  } finally {
    await handle.close()
  }
}

/** @throws StrongroomError `key_provider_timeout` if the caller has given up. */
export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new StrongroomError('key_provider_timeout', 'the call was given up before it was done', { cause: signal.reason })
}

async function nativeTryLock(): Promise<(fd: number) => boolean> {
  try {
    // Loaded here, not at import: native code. Where there is no build for the platform, wrap and unwrap still work.
    const { tryLock } = await import('fs-native-extensions')
    return (fd) => {
      try {
        return tryLock(fd)
      } catch (error) {
        throw unavailable(`the file system refuses to lock (${systemCode(error)})`, error)
      }
    }
  } catch (error) {
    throw unavailable('there is no build of fs-native-extensions for this platform', error)
  }
}
