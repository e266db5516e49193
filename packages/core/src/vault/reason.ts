/** Why something is shredded or recreated. */

import { invalidArgument } from '../errors.ts'
import { Reason } from '../format/records.ts'
import type { PublicReason } from '../keys/shred.ts'

/** Why something is shredded or recreated; it is kept, as one byte, in the ledger. */
export type ReasonName = Exclude<keyof typeof Reason, 'retired'>

/** @throws StrongroomError `invalid_argument` */
export function reasonCode(name: unknown): PublicReason {
  const { retired: _, ...reasons } = Reason
  if (typeof name !== 'string' || !Object.hasOwn(reasons, name)) {
    throw invalidArgument('reason', `must be one of ${Object.keys(reasons).join(', ')}`)
  }
  return reasons[name as ReasonName]
}
