/** Work that may take longer than others wait: what is worked on stays claimed for as long as this process lives. */

import type { ErasureParts } from '../parts.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import { LEASE } from './pauses.ts'

const RENEW_EVERY = 60_000

/**
 * @param work - its signal says that somebody else has the claim: what it still does could meet a new life of whoever is erased
 * @returns what came of it, and the erasure as it is stored then
 * @throws what `work` throws, and StrongroomError `conflict` where the claim was lost
 */
export async function whileRenewed<T>(
  { open, time }: Pick<ErasureParts, 'open' | 'time'>,
  erasure: OpenErasure,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly done: T; readonly erasure: OpenErasure }> {
  const lost = new AbortController()
  let now = erasure
  let renewal = Promise.resolve()
  const renew = async (): Promise<void> => {
    if (!lost.signal.aborted) now = await open.save(now, {}, (await time.confirmed()) + LEASE)
  }
  const timer = setInterval(() => {
    renewal = renewal.then(renew).catch((error: unknown) => lost.abort(error))
  }, RENEW_EVERY)
  try {
    const done = await work(signal === undefined ? lost.signal : AbortSignal.any([signal, lost.signal]))
    await renewal
    lost.signal.throwIfAborted()
    return { done, erasure: now }
  } finally {
    clearInterval(timer)
  }
}
