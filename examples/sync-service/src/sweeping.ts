/** Doing what is due: safe in several processes at once. */

import { setTimeout } from 'node:timers/promises'

import { sweep, type Swept } from '@strongroom/erasure'

import { described } from './errors.ts'
import type { Store } from './store.ts'

const BETWEEN_MS = 10_000

/** Connections first: what is revoked by the end of an erasure stands in no certificate as waiting. */
export function sweepOnce({ credentials, erasure }: Store, signal?: AbortSignal): Promise<readonly Swept[]> {
  return sweep([credentials, erasure], { signal })
}

/** What keeps it from this keeps it from nothing else. */
export async function sweepOnAndOn(store: Store, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sweepOnce(store, signal).catch((error: unknown) => {
      if (!signal.aborted) console.error(JSON.stringify({ during: 'sweep', error: described(error) }))
    })
    await setTimeout(BETWEEN_MS, undefined, { signal }).catch(() => undefined)
  }
}
