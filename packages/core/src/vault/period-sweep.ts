/** The end of keys whose period is over. */

import { hasCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState } from '../format/records.ts'
import { KnownRef } from '../keys/known-refs.ts'
import type { SweepReport } from '../sweepable.ts'
import type { PeriodNote, PeriodNotes } from './period-notes.ts'
import { refBytes } from './names.ts'
import { type PeriodSeries, type SeriesName, seriesStep } from './period-series.ts'
import { Place } from './place.ts'
import { shredPlace } from './shred-place.ts'

/** A series with its promise. */
export interface KeptSeries extends SeriesName {
  /** Milliseconds that a key is kept, counted from its period's start. */
  readonly retain: number
}

/** One sweep. */
export interface PeriodSweep {
  readonly tenant: Place
  readonly notes: PeriodNotes
  /** The tenant's, by today's options. */
  readonly series: KeptSeries
  readonly now: number
  readonly signal: AbortSignal | undefined
}

const MOST_AT_ONCE = 10_000
// How far back it looks for keys whose note was lost, with the state store that was restored from before it.
const LOOK_BACK = 400

/**
 * Destroys the keys of a series whose time is over, whatever was noted, and those of all others of the vault that are noted as due.
 *
 * @throws StrongroomError the first failure, once the others are done
 */
export async function sweepPeriods(sweep: PeriodSweep): Promise<SweepReport> {
  const { tenant, notes, series, now, signal } = sweep
  const tally = { done: 0, waiting: 0 }
  const failures: unknown[] = []
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    signal?.throwIfAborted()
    try {
      await work()
    } catch (error) {
      if (isAway(error)) tally.waiting++
      else failures.push(error)
    }
  }
  const tried = new Set<string>()
  const endNoted = async (note: PeriodNote): Promise<void> => {
    if (tried.has(note.entry.key)) return
    tried.add(note.entry.key)
    await attempt(async () => {
      await end(tenant, note, note.period)
      await notes.remove(note)
      tally.done++
    })
  }
  for (const note of await notes.due(now, MOST_AT_ONCE)) {
    // Whatever a note says: while its period goes on, no key is destroyed.
    if ((note.period + 1) * note.length <= now) await endNoted(note)
  }
  const own = { ...series, tenantRef: hex(await tenant.tenantRef()) }
  // The promise is shorter now than it was when they were noted.
  for await (const note of notes.of(own)) if (note.period * series.length + series.retain <= now) await endNoted(note)
  // What has no note: of a tenant whose keys wait anyhow, nothing more is known.
  let forgotten: readonly number[] = []
  const waiting = tally.waiting
  await attempt(async () => {
    forgotten = await forgottenOf(sweep)
  })
  if (waiting > 0) tally.waiting = waiting
  for (const period of forgotten) {
    await attempt(async () => {
      await end(tenant, own, period)
      tally.done++
    })
  }
  if (failures.length > 0) throw failures[0]
  return tally
}

// By name, so that what a note says leads to keys of this kind only.
async function end({ keys, gate }: Place, series: PeriodSeries, period: number): Promise<void> {
  const tenant = new Place(keys, gate, new KnownRef(refBytes(series.tenantRef, 'references')), { reference: series.tenantRef }, [])
  try {
    await shredPlace(tenant.below(seriesStep(series, period)), { reason: 'retentionEnded' })
  } catch (error) {
    // With the tenant's key all of them are gone.
    if (!hasCode(error, 'shredded')) throw error
  }
}

/** Periods of the series that are over and whose key lives. */
async function forgottenOf({ tenant, series, now }: PeriodSweep): Promise<readonly number[]> {
  try {
    await tenant.readyTenant()
  } catch (error) {
    // Of a tenant that is gone, or was never there, there are none.
    if (hasCode(error, 'shredded', 'not_found')) return []
    throw error
  }
  const last = Math.floor((now - series.retain) / series.length)
  const periods = Array.from({ length: LOOK_BACK }, (_, i) => last - i).filter((period) => period >= 0)
  const places = await Promise.all(periods.map((period) => tenant.below(seriesStep(series, period)).references()))
  const records = await tenant.keys.tree.context.keyStore.get(places.map(({ ref }) => ({ type: 'node', ref })))
  return periods.filter((_, i) => {
    const record = records[i]
    return record?.type === 'node' && record.versions.some(({ state }) => state !== KeyState.shredded)
  })
}

// What another process can do, or this one later.
function isAway(error: unknown): boolean {
  return hasCode(error, 'region_refused', 'key_provider_unavailable', 'key_provider_timeout', 'key_provider_throttled')
}
