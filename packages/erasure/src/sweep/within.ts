/** Waiting for a resource, but not for ever: one that never answers must keep neither keys from being destroyed nor others from being erased. */

/** Before the keys go: whoever has asked for no grace waits for it. It is counted again behind them. */
export const COUNT_WITHIN = 30_000
/** Of what may have to go through all that there is. */
export const WORK_WITHIN: number = 60 * 60_000

/**
 * @param work - its signal says that nobody waits for it any more; what it still does could meet a new life of whoever is erased
 * @throws what `work` throws; the signal's reason; an error with the code `ETIMEDOUT`
 */
export async function within<T>(ms: number, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const ends = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
  const timer = setTimeout(() => late.abort(Object.assign(new Error('no answer for too long'), { code: 'ETIMEDOUT' })), ms)
  let stop = (): void => undefined
  try {
    ends.throwIfAborted()
    const ended = new Promise<never>((_, reject) => {
      stop = () => reject(ends.reason as Error)
      ends.addEventListener('abort', stop)
    })
    return await Promise.race([work(ends), ended])
  } finally {
    clearTimeout(timer)
    ends.removeEventListener('abort', stop)
  }
}
