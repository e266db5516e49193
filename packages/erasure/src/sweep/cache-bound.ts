/** Waiting until no process uses a key that it read before. */

import type { Vault } from '@strongroom/core'

// Clocks of machines do not run at quite the same speed, and a timer can fire early.
const MARGIN = 1.05
const LONGEST_SLEEP = 1000

/** Resolves one cache bound from now, by the monotonic clock: whose wall clock is wrong does not matter. @throws the signal's reason */
export async function waitOutCacheBound(
  { clock, cacheBound }: Pick<Vault, 'clock' | 'cacheBound'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const until = clock.monotonic() + cacheBound * MARGIN
  for (let left = cacheBound; left > 0; left = until - clock.monotonic()) {
    signal?.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, LONGEST_SLEEP)))
  }
}
