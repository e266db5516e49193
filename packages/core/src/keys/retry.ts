/** Compare-and-set loops. */

import { hasCode } from '../errors.ts'

// A conflict means that another writer got through, so a loop this long means a store that answers wrongly.
const MOST_TRIES = 1000
const MOST_WAIT_MS = 20

/** Repeats a read-and-write until it meets no conflict. @throws StrongroomError `conflict` after 1,000 tries, and whatever else `attempt` throws. */
export async function retryConflicts<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!hasCode(error, 'conflict') || tries >= MOST_TRIES) throw error
      // Spread the writers, so that the same ones do not meet again.
      if (tries > 1) await new Promise((resolve) => setTimeout(resolve, jitter(tries)))
    }
  }
}

function jitter(tries: number): number {
  const random = new Uint32Array(1)
  globalThis.crypto.getRandomValues(random)
  return ((random[0] as number) / 2 ** 32) * Math.min(MOST_WAIT_MS, 2 * tries)
}
