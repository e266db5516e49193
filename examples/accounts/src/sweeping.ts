/** Doing what is due: safe in several processes at once. */

import { setTimeout } from 'node:timers/promises'

import { sweep, type Swept } from '@strongroom/erasure'

import { log } from './errors.ts'
import type { Store } from './store.ts'

const BETWEEN_MS = 10_000

export function sweepOnce({ erasure }: Store, signal?: AbortSignal): Promise<readonly Swept[]> {
  return sweep([erasure], { signal })
}

/** What keeps it from this keeps it from nothing else. */
export async function sweepOnAndOn(store: Store, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweepOnce(store, signal).catch((error: unknown) => {
      if (!signal.aborted) log('sweep', error)
    })
    await setTimeout(BETWEEN_MS, undefined, { signal }).catch(() => undefined)
  }
}
