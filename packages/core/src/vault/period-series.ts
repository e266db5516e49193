/** Series of keys of which each lives for a period: what they are called. */

import { concat, lp, u64 } from '../format/bytes.ts'
import type { RawKeyUse } from '../format/derivations.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName } from '../format/reference.ts'
import { bytesStep, type Step } from '../keys/known-refs.ts'

/** Keys of one use and name, of whichever tenant. */
export interface SeriesName {
  readonly use: RawKeyUse
  readonly name: Uint8Array
  /** Of a period, milliseconds. */
  readonly length: number
}

/** Keys of one tenant, use and name: one for each period. */
export interface PeriodSeries extends SeriesName {
  /** Hexadecimal. */
  readonly tenantRef: string
}

/** The step from the tenant to the key of a period. Periods of another length are of another series: their numbers mean other days. */
export function seriesStep({ use, name, length }: SeriesName, period: number): Step {
  return bytesStep(NodeKind.service, serviceName(use, concat(lp(name), u64(length)), { period }))
}
