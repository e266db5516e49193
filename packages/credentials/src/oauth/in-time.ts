/** Waiting for work until a signal ends it, whether or not the work heeds that. */

/** @throws what the work throws, or the signal's reason */
export async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let end = (): void => undefined
  const ended = new Promise<never>((_, reject) => {
    end = () => reject(signal.reason as Error)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    // A signal that somebody listens to is held, and what was answered with it, until its time is over.
    signal.removeEventListener('abort', end)
  }
}
