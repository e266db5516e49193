/** Bounded concurrency. */

/**
 * Works through items, at most so many at once. All that was begun ends before a failure is thrown: what it uses may then be wiped.
 *
 * @throws the first failure
 */
export async function inLanes<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  let failed = false
  const lane = async (): Promise<void> => {
    while (next < items.length && !failed) {
      try {
        await work(items[next++] as T)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(most, items.length) }, lane))
  for (const result of lanes) if (result.status === 'rejected') throw result.reason
}
