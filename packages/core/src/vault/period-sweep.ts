/** The end of keys whose period is over. */

import { hasCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState } from '../format/records.ts'
import { VAULT_REF } from '../format/reference.ts'
import { KnownRef } from '../keys/known-refs.ts'
import { type Attempted, SweepTally } from './sweep-tally.ts'
import type { SweepOptions, SweepReport } from '../sweepable.ts'
import type { Gate } from './authorize.ts'
import { refBytes } from './names.ts'
import { type FoundNote, NAMESPACE as NOTES } from './period-notes.ts'
import { keyEnd, type KeptSeries, periodOf, type PeriodSeries, seriesStep, VAULT_SERIES } from './period-series.ts'
import { Place } from './place.ts'
import { shredPlace } from './shred-place.ts'
import type { VaultKeys } from './shred-guards.ts'

// How far back it looks for keys whose note was lost, with the state store that was restored from before it.
const LOOK_BACK = 400
const VAULT = hex(VAULT_REF)

/**
 * Destroys the keys whose time is over: of the vault's own series and of one that is given, whatever was noted; of all others by their notes.
 *
 * @param given - a tenant's, by today's options
 * @throws StrongroomError `invalid_argument`, and for the stores their `…_unavailable`
 */
export async function sweepPeriods(
  keys: VaultKeys,
  gate: Gate,
  options: SweepOptions | undefined,
  given?: KeptSeries,
): Promise<SweepReport> {
  return new PeriodSweep(keys, gate, new SweepTally(options)).run([...Object.values(VAULT_SERIES), ...(given === undefined ? [] : [given])])
}

class PeriodSweep {
  readonly #keys: VaultKeys
  readonly #gate: Gate
  readonly #tally: SweepTally
  readonly #now: number

  constructor(keys: VaultKeys, gate: Gate, tally: SweepTally) {
    this.#keys = keys
    this.#gate = gate
    this.#tally = tally
    this.#now = keys.tree.context.clock.now()
  }

  async run(known: readonly KeptSeries[]): Promise<SweepReport> {
    this.#gate.requireOpen()
    // To read a note takes a key of the vault's own, whose provider may be away: then all of it waits.
    await this.#tally.attempt(NOTES, async () => {
      await this.#endAll(known)
      return 'nothing'
    })
    return this.#tally.report()
  }

  async #endAll(known: readonly KeptSeries[]): Promise<void> {
    for (const series of known) await this.#endKnown(series)
    for await (const note of this.#keys.notes.due(this.#now)) {
      if (known.some((series) => this.#keys.notes.isOf(note, series))) continue
      const { about, due } = note
      if (about === undefined || due === undefined) this.#tally.damaged(note.place)
      else await this.#attempt(note.place, () => this.#endNoted(note, about, about.period))
    }
  }

  // How long its keys are kept is known here: no note is needed, nor believed where it would have one live longer.
  async #endKnown(series: KeptSeries): Promise<void> {
    const tried = new Set<number>()
    let someWait = false
    for await (const note of this.#keys.notes.of(series)) {
      const { due, about: { period } = {} } = note
      // Nothing is done by its word: its key is looked for like one without a note.
      if (due === undefined || period === undefined) {
        this.#tally.damaged(note.place)
        continue
      }
      // What was promised first may end sooner.
      if (Math.min(due, keyEnd(series, period)) > this.#now) continue
      tried.add(period)
      const outcome = await this.#attempt(note.place, () => this.#endNoted(note, series, period))
      someWait ||= outcome === 'waiting'
    }
    // Of a tenant whose keys wait, nothing more is known.
    if (someWait) return
    const place = `keys of ${series.tenantRef}, ${series.use}`
    let living: readonly number[] = []
    await this.#tally.attempt(place, async () => {
      living = await this.#living(series)
      return 'nothing'
    })
    for (const period of living) if (!tried.has(period)) await this.#attempt(place, () => this.#end(series, period))
  }

  #attempt(place: string, end: () => Promise<void>): Promise<Attempted> {
    return this.#tally.attempt(place, async () => {
      await end()
      return 'done'
    })
  }

  async #endNoted(note: FoundNote, series: PeriodSeries, period: number): Promise<void> {
    await this.#end(series, period)
    await this.#keys.notes.remove(note)
  }

  // By name, so that what a note says leads to keys of this kind only.
  async #end(series: PeriodSeries, period: number): Promise<void> {
    try {
      await shredPlace(this.#tenantOf(series).below(seriesStep(series, period)), { reason: 'retentionEnded' })
    } catch (error) {
      // With the tenant's key all of them are gone.
      if (!hasCode(error, 'shredded')) throw error
    }
  }

  /** Periods of the series that are over and whose key lives. */
  async #living(series: KeptSeries): Promise<readonly number[]> {
    const tenant = this.#tenantOf(series)
    try {
      await tenant.readyTenant()
    } catch (error) {
      // Of a tenant that is gone, or was never there, there are none.
      if (hasCode(error, 'shredded', 'not_found')) return []
      throw error
    }
    const last = periodOf(series, this.#now - series.retain)
    const periods = Array.from({ length: LOOK_BACK }, (_, i) => last - i).filter((period) => period >= 0)
    const places = await Promise.all(periods.map((period) => tenant.below(seriesStep(series, period)).references()))
    const records = await this.#keys.tree.context.keyStore.get(places.map(({ ref }) => ({ type: 'node', ref })))
    return periods.filter((_, i) => {
      const record = records[i]
      return record?.type === 'node' && record.versions.some(({ state }) => state !== KeyState.shredded)
    })
  }

  #tenantOf({ tenantRef }: PeriodSeries): Place {
    const whose = tenantRef === VAULT ? {} : { reference: tenantRef }
    return new Place(this.#keys, this.#gate, new KnownRef(refBytes(tenantRef, 'references')), whose, [])
  }
}
