/** Where the vault's keys of one use and period are in the tree. */

import { EMPTY } from '../format/bytes.ts'
import type { PeriodUse } from '../format/derivations.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName } from '../format/reference.ts'
import { bytesStep, type Step } from '../keys/known-refs.ts'

const HOUR = 3_600_000
/** Of one period, by use. Milliseconds. */
export const PERIOD_LENGTHS: Readonly<Record<PeriodUse, number>> = { connect: HOUR, revocation: 24 * HOUR }

/** When the period ends in which an instant lies. */
export function periodEnd(use: PeriodUse, at: number): number {
  return (periodOf(use, at) + 1) * PERIOD_LENGTHS[use]
}

/** The step from the vault's node to the key of the period in which an instant lies. */
export function periodStep(use: PeriodUse, at: number): Step {
  return bytesStep(NodeKind.service, serviceName(use, EMPTY, { period: periodOf(use, at) }))
}

function periodOf(use: PeriodUse, at: number): number {
  return Math.floor(at / PERIOD_LENGTHS[use])
}
