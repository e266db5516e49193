/** Series of keys of which each lives for a period: what they are called, and how long each is kept. */

import { concat, EMPTY, hex, lp, u64 } from '../format/bytes.ts'
import type { PeriodUse, RawKeyUse } from '../format/derivations.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName, VAULT_REF } from '../format/reference.ts'
import { bytesStep, type Step } from '../keys/known-refs.ts'

/** Uses of a tenant's keys that live for a period and whose bytes leave core. */
export type RawPeriodUse = Exclude<RawKeyUse, 'pseudonym-id'>

/** Keys of one tenant, use and name: one for each period. */
export interface PeriodSeries {
  /** Hexadecimal. */
  readonly tenantRef: string
  readonly use: PeriodUse | RawPeriodUse
  /** Empty for the vault's own. */
  readonly name: Uint8Array
  /** Of a period, milliseconds. */
  readonly length: number
}

/** A series with its promise. */
export interface KeptSeries extends PeriodSeries {
  /** Milliseconds that a key is kept, counted from its period's start. */
  readonly retain: number
}

const HOUR = 3_600_000
const VAULT = { tenantRef: hex(VAULT_REF), name: EMPTY }

/** Those of the vault itself. Keys of `connect` outlive their hour by another: whose clock is ahead by less takes them from nobody. */
export const VAULT_SERIES: Readonly<Record<PeriodUse, KeptSeries>> = {
  connect: { ...VAULT, use: 'connect', length: HOUR, retain: 2 * HOUR },
  revocation: { ...VAULT, use: 'revocation', length: 24 * HOUR, retain: 24 * HOUR },
}

/** The number of the period in which an instant lies: the first began with 1970, UTC. */
export function periodOf({ length }: Pick<PeriodSeries, 'length'>, at: number): number {
  return Math.floor(at / length)
}

/** When the period ends in which an instant lies: the next one's first instant. */
export function periodEnd(series: Pick<PeriodSeries, 'length'>, at: number): number {
  return (periodOf(series, at) + 1) * series.length
}

/** When a period's key is to end. */
export function keyEnd({ length, retain }: Pick<KeptSeries, 'length' | 'retain'>, period: number): number {
  return period * length + retain
}

/** The step to the key of a period, from its tenant or the vault. Periods of another length are of another series: their numbers mean other days. */
export function seriesStep({ use, name, length }: Omit<PeriodSeries, 'tenantRef'>, period: number): Step {
  // Those of the vault have one length each.
  const named = name.length === 0 ? EMPTY : concat(lp(name), u64(length))
  return bytesStep(NodeKind.service, serviceName(use, named, { period }))
}
