/** Waiting for work until a signal ends it, whether or not the work heeds that. */

/** @throws what the work throws, or the signal's reason */
export async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = new Promise<never>((_, reject) => {
    const end = (): void => reject(signal.reason as Error)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  return Promise.race([work, ended])
}
