/** When something is looked at again. Instants are those of the erasures' own time, which no clock that jumps can push ahead. */

import type { Failure } from '../records/record.ts'

const MINUTE = 60_000
const LONGEST = 6 * 60 * MINUTE

/** So long nobody else takes what somebody works on. */
export const LEASE: number = 15 * MINUTE

/** A minute, then twice as long each time, six hours at most. */
export function pauseAfter(failures: number): number {
  return Math.min(MINUTE * 2 ** (failures - 1), LONGEST)
}

/** The next failure in a row. */
export function failureAfter(before: Failure | undefined, what: Omit<Failure, 'failures' | 'since'>): Failure {
  return { ...what, failures: (before?.failures ?? 0) + 1, since: before?.since ?? what.at }
}
