/** Work that may take longer than others wait: what is worked on stays claimed for as long as this process lives. */

import type { ErasureParts } from '../parts.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import { LEASE } from './pauses.ts'

const RENEW_EVERY = 60_000

/** What came of some work. */
export interface Renewed<T> {
  readonly done: T
  /** As it is stored then. */
  readonly erasure: OpenErasure
  /** The erasures' own time, as the claim was renewed by it last. */
  readonly confirmed: number
}

/**
 * @param confirmed - the time that the claim was made by
 * @param work - its signal says that somebody else has the claim: what it still does could meet a new life of whoever is erased
 * @throws what `work` throws, and StrongroomError `conflict` where the claim was lost
 */
export async function whileRenewed<T>(
  { open, time }: Pick<ErasureParts, 'open' | 'time'>,
  { erasure, confirmed }: Omit<Renewed<T>, 'done'>,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Renewed<T>> {
  const lost = new AbortController()
  let now = { erasure, confirmed }
  let renewal = Promise.resolve()
  const renew = async (): Promise<void> => {
    if (lost.signal.aborted) return
    const next = await time.confirmed()
    now = { erasure: await open.saveClaimed(now.erasure, {}, next + LEASE), confirmed: next }
  }
  const timer = setInterval(() => {
    renewal = renewal.then(renew).catch((error: unknown) => lost.abort(error))
  }, RENEW_EVERY)
  try {
    const done = await work(signal === undefined ? lost.signal : AbortSignal.any([signal, lost.signal]))
    await renewal
    lost.signal.throwIfAborted()
    return { done, ...now }
  } finally {
    clearInterval(timer)
  }
}
