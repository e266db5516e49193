/** Keys of the vault itself that live for a period: for what nobody's own key can seal, and nobody must be able to open later. */

import { invalidArgument } from '../errors.ts'
import { EMPTY } from '../format/bytes.ts'
import type { PeriodUse } from '../format/derivations.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName } from '../format/reference.ts'
import { bytesStep } from '../keys/known-refs.ts'
import { readOptions } from '../read-options.ts'
import type { Place } from './place.ts'
import { type Item, ItemHandle } from './subject.ts'

/** Options of `vault.periodKey`. */
export interface PeriodKeyOptions {
  /** What the key is for. `connect`: the state of an authorisation that is under way; `revocation`: what it takes to revoke a token whose own key is gone. */
  readonly use: PeriodUse
  /** The number of the period; how long one is, the use says. A whole number from 0. */
  readonly period: number
}

/** The key of one use and period: an item of the vault's own. Destroy it when the period is over: `shred()`. */
export type PeriodKey = Pick<Item, 'encrypt' | 'decrypt' | 'state' | 'shred' | 'references'>

const USES: readonly unknown[] = ['connect', 'revocation'] satisfies readonly PeriodUse[]

/** @param vault - the place of the vault's own node */
export function periodKey(vault: Place, options: PeriodKeyOptions): PeriodKey {
  const { use, period } = readOptions(options, ['use', 'period'])
  if (use === undefined || !USES.includes(use)) throw invalidArgument('use', `must be one of ${USES.join(', ')}`)
  if (period === undefined || !Number.isSafeInteger(period) || period < 0) throw invalidArgument('period', 'must be a whole number from 0')
  return new ItemHandle(vault.below(bytesStep(NodeKind.service, serviceName(use, EMPTY, { period }))))
}
