/** What a call that takes several commands had done when one of them failed: on the error, as the driver has it on that of a bulk write. */

import { StrongroomError } from '@strongroom/core'

/** How many documents were reached before a call failed, as in `result` of the driver's `MongoBulkWriteError`. */
export interface PartialResult {
  readonly matchedCount: number
  readonly modifiedCount: number
  readonly deletedCount: number
}

/**
 * What `updateMany` or `deleteMany` had done before it failed. Of the command that failed nothing is known, as with the driver, unless it was a
 * batch of updates of one document each. In a transaction that is aborted none of it stays.
 *
 * @param error - what the call has thrown
 * @returns `undefined` where nothing was done that is known of
 * @example
 * ```ts
 * import { encrypted, type EncryptedCollectionOf, partialResult } from '@strongroom/mongo-adapter'
 * import { z } from 'zod'
 *
 * const User = z.object({ plan: z.string(), email: encrypted(z.email(), { index: { scope: 'application' } }) })
 *
 * async function forgetPlan(users: EncryptedCollectionOf<typeof User>, email: string) {
 *   try {
 *     await users.updateMany({ email }, { $unset: { plan: '' } })
 *   } catch (error) {
 *     console.error(partialResult(error)?.modifiedCount ?? 0)
 *     throw error
 *   }
 * }
 * ```
 */
export function partialResult(error: unknown): PartialResult | undefined {
  const { result } = (typeof error === 'object' && error !== null ? error : {}) as { readonly result?: Partial<PartialResult> }
  return typeof result?.matchedCount === 'number' && typeof result.deletedCount === 'number' ? (result as PartialResult) : undefined
}

/** The error, or one of the same code, which says what the commands before it have answered. */
export function withPartialResult(error: unknown, before: readonly Partial<PartialResult>[]): unknown {
  if (before.length === 0 || typeof error !== 'object' || error === null) return error
  const sum = (name: keyof PartialResult): number => before.reduce((total, each) => total + (each[name] ?? 0), 0)
  const result: PartialResult = {
    matchedCount: sum('matchedCount'),
    modifiedCount: sum('modifiedCount'),
    deletedCount: sum('deletedCount'),
  }
  return Object.assign(error instanceof StrongroomError ? ownOf(error) : error, { result })
}

// Calls that wait for the same keys are given the same error.
function ownOf(error: StrongroomError): StrongroomError {
  const { code, message, argument } = error
  return new StrongroomError(code, message, argument === undefined ? { cause: error } : { cause: error, argument })
}
