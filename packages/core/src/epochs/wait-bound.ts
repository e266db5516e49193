/** Waiting until no process of the fleet uses anything that it read before. */

import type { KeyContext } from '../keys/key-context.ts'

// Clocks of machines do not run at quite the same speed, and a timer can fire early.
const MARGIN = 1.05
const LONGEST_SLEEP_MS = 50

/**
 * Resolves one cache bound from now, by the monotonic clock.
 *
 * @throws the signal's reason
 */
export async function waitOutCacheBound({ clock, cacheBound }: KeyContext, signal: AbortSignal | undefined): Promise<void> {
  const until = clock.monotonic() + cacheBound * MARGIN
  for (let left = cacheBound; left > 0; left = until - clock.monotonic()) {
    signal?.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, LONGEST_SLEEP_MS)))
  }
}
