/** Keys of a tenant that live for a period each, and whose bytes leave core: noted before they are made, destroyed when their time is over. */

import { hasCode, invalidArgument, StrongroomError } from '../errors.ts'
import { concat, hex, lp, u64 } from '../format/bytes.ts'
import type { RawKeyUse } from '../format/derivations.ts'
import { KeyState, NodeKind } from '../format/records.ts'
import { serviceName } from '../format/reference.ts'
import { required } from '../keys/key-tree.ts'
import { bytesStep, KnownRef } from '../keys/known-refs.ts'
import { readOptions } from '../read-options.ts'
import type { SweepOptions, SweepReport } from '../sweepable.ts'
import { type PeriodNote, PeriodNotes, type PeriodSeries } from './period-notes.ts'
import { Place, refBytes } from './place.ts'
import { openRawKey, rawKeyName, type RawKeyHandling, type RawKeyLease, useRawKey } from './raw-key.ts'

/** Options of `rawPeriodKeys`. Milliseconds. */
export interface RawPeriodKeysOptions {
  readonly use: Exclude<RawKeyUse, 'pseudonym-id'>
  /** What the keys are for: a declared name, such as `access-log`; 1 to 64 UTF-8 bytes. */
  readonly name: string
  /** How long a period is, from a minute to 366 days; the first began with 1970, UTC. */
  readonly length: number
  /** How long a key is kept, counted from its period's start; at least as long as the period. */
  readonly retain: number
}

/** Which period, by an instant in it (UTC milliseconds). */
export interface PeriodSpan {
  readonly period: number
  readonly from: number
  /** The first instant of the next one. */
  readonly to: number
  /** From then on the key is refused, and destroyed by the next sweep. */
  readonly until: number
}

/** A series of keys, one for each period. */
export interface RawPeriodKeys {
  /** This instant, by the vault's clock: UTC milliseconds. */
  now(): number
  /** The period in which an instant lies. Reads nothing. @throws StrongroomError `invalid_argument` */
  spanOf(at: number): PeriodSpan
  /**
   * The key of the period in which an instant lies; makes it where there is none, once it is noted when it has to end.
   *
   * @throws StrongroomError `invalid_argument` (`at` is no instant, or more than an hour ahead), `period_over`, `shredded`, `suspended`,
   *   `not_found` (no such tenant), `region_refused`, `denied`, and for stores and provider their `…_unavailable`
   */
  open<T>(at: number, handling: RawKeyHandling<T>): Promise<RawKeyLease<T>>
  /**
   * Uses the same key once, to undo what was done with it: makes none. Passes the gate as `pseudonym.reverse`, with the reason.
   *
   * @param reason - 1 to 512 characters, as `onAccess` sees it
   * @param work - gets 32 bytes, wiped once it returns: it keeps no copy or view of them
   * @returns what it returned, as `made`; `undefined` where nothing was done in that period
   * @throws StrongroomError as `open`
   */
  reverse<T>(at: number, reason: string, work: (key: Uint8Array) => T): Promise<{ readonly made: T } | undefined>
  /**
   * Destroys the keys whose time is over: of this series by its options, whatever was noted, and of all others of the vault that are noted as due.
   *
   * @throws StrongroomError what stores and provider throw, once the others are done
   */
  sweep(options?: SweepOptions): Promise<SweepReport>
}

const MINUTE = 60_000
const DAY = 86_400_000
const MOST_REASON = 512
// Clocks differ. A key made for what has not happened would outlive its promise.
const MOST_AHEAD = 60 * MINUTE
const MOST_AT_ONCE = 10_000
// How far back a sweep looks for keys whose note was lost, with the state store that was restored from before it.
const LOOK_BACK = 400
const USES = [
  'pseudonym-deterministic',
  'pseudonym-prefix',
  'pseudonym-nd',
  'pseudonym-ndx',
  'pseudonym-token',
] as const satisfies readonly RawPeriodKeysOptions['use'][]

/** @param tenant - a tenant's place. @throws StrongroomError `invalid_argument` */
export function rawPeriodKeys(tenant: Place, options: RawPeriodKeysOptions): RawPeriodKeys {
  return new Series(tenant, check(options))
}

interface Checked extends Omit<PeriodSeries, 'tenantRef'> {
  readonly label: string
  readonly retain: number
}

class Series implements RawPeriodKeys {
  readonly #tenant: Place
  readonly #series: Checked
  readonly #notes: PeriodNotes
  readonly #noted = new Set<number>()

  constructor(tenant: Place, series: Checked) {
    this.#tenant = tenant
    this.#series = series
    this.#notes = new PeriodNotes(tenant.keys.tree.context, USES)
  }

  now(): number {
    return this.#tenant.keys.tree.context.clock.now()
  }

  spanOf(at: number): PeriodSpan {
    if (!Number.isSafeInteger(at) || at < 0) throw invalidArgument('at', 'must be an instant: UTC milliseconds, a whole number')
    const { length, retain } = this.#series
    const period = Math.floor(at / length)
    const from = period * length
    return { period, from, to: from + length, until: from + retain }
  }

  async open<T>(at: number, handling: RawKeyHandling<T>): Promise<RawKeyLease<T>> {
    const span = this.#living(at)
    if (!this.#noted.has(span.period)) {
      // None of a tenant that there is not.
      await this.#tenant.readyTenant()
      await this.#notes.note(await this.#named(), span.period, span.until)
      this.#noted.add(span.period)
    }
    const { use, label } = this.#series
    const asked = { use, open: 'pseudonym.open', value: 'pseudonym.value', about: { label }, mint: true, madeBy: 'unlock' } as const
    const lease = required(await openRawKey(this.#place(span.period), asked, handling))
    return new Ending(lease, () => this.now() >= span.until)
  }

  async reverse<T>(at: number, reason: string, work: (key: Uint8Array) => T): Promise<{ readonly made: T } | undefined> {
    if (typeof reason !== 'string' || reason.length === 0 || reason.length > MOST_REASON)
      throw invalidArgument('reason', `must be a string of 1 to ${MOST_REASON} characters`)
    const { use, label } = this.#series
    const asked = { use, operation: 'pseudonym.reverse', about: { label, reason }, mint: false } as const
    return useRawKey(this.#place(this.#living(at).period), asked, work)
  }

  async sweep(options?: SweepOptions): Promise<SweepReport> {
    const { signal } = readOptions(options, ['signal'])
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
    const now = this.now()
    const tally = { done: 0, waiting: 0 }
    const failures: unknown[] = []
    const attempt = async (work: () => Promise<void>): Promise<void> => {
      signal?.throwIfAborted()
      try {
        await work()
      } catch (error) {
        if (hasCode(error, 'region_refused', 'key_provider_unavailable', 'key_provider_timeout', 'key_provider_throttled')) tally.waiting++
        else failures.push(error)
      }
    }
    const end = async (series: PeriodSeries, period: number, note?: PeriodNote): Promise<void> =>
      attempt(async () => {
        await this.#end(series, period)
        if (note !== undefined) await this.#notes.remove(note)
        tally.done++
      })
    for (const note of await this.#notes.due(now, MOST_AT_ONCE)) {
      // Whatever a note says: while its period goes on, no key is destroyed.
      if ((note.period + 1) * note.length <= now) await end(note, note.period, note)
    }
    const own = await this.#named()
    // The promise is shorter now than it was when they were noted.
    for await (const note of this.#notes.of(own)) if (this.#isOver(note.period, now)) await end(own, note.period, note)
    let forgotten: readonly number[] = []
    await attempt(async () => {
      forgotten = await this.#forgotten(now)
    })
    for (const period of forgotten) await end(own, period)
    if (failures.length > 0) throw failures[0]
    return tally
  }

  // By name, so that what a note says leads to keys of this kind only.
  async #end({ tenantRef, use, name, length }: PeriodSeries, period: number): Promise<void> {
    const { keys, gate } = this.#tenant
    const tenant = new Place(keys, gate, new KnownRef(refBytes(tenantRef, 'references')), {}, [])
    // With the tenant's key all of them are gone.
    await tenant.below({}, stepOf({ use, name, length }, period)).shred({ reason: 'retentionEnded' }).catch(unlessGone)
  }

  /** Periods that are over and whose key lives, noted or not. */
  async #forgotten(now: number): Promise<readonly number[]> {
    // Of a tenant that is gone, or was never there, none does.
    if ((await this.#tenant.readyTenant().catch(unlessGone)) === undefined) return []
    const { length, retain } = this.#series
    const last = Math.floor((now - retain) / length)
    const periods = Array.from({ length: LOOK_BACK }, (_, i) => last - i).filter((period) => period >= 0)
    const places = await Promise.all(periods.map((period) => this.#place(period).references()))
    const records = await this.#tenant.keys.tree.context.keyStore.get(places.map(({ ref }) => ({ type: 'node', ref })))
    const live = new Set(
      records
        .filter((record) => record?.type === 'node' && record.versions.some(({ state }) => state !== KeyState.shredded))
        .map((record) => (record?.type === 'node' ? hex(record.ref) : '')),
    )
    return periods.filter((_, i) => live.has(hex((places[i] as (typeof places)[number]).ref)))
  }

  #isOver(period: number, now: number): boolean {
    return period * this.#series.length + this.#series.retain <= now
  }

  #living(at: number): PeriodSpan {
    const span = this.spanOf(at)
    const now = this.now()
    if (at > now + MOST_AHEAD) throw invalidArgument('at', 'must not be more than an hour ahead of the clock')
    if (span.until <= now) throw periodOver()
    return span
  }

  async #named(): Promise<PeriodSeries> {
    const { use, name, length } = this.#series
    return { use, name, length, tenantRef: hex(await this.#tenant.tenantRef()) }
  }

  #place(period: number): Place {
    return this.#tenant.below({}, stepOf(this.#series, period))
  }
}

/** A lease that ends with the promise about its key, too. */
class Ending<T> implements RawKeyLease<T> {
  readonly #lease: RawKeyLease<T>
  readonly #isOver: () => boolean

  constructor(lease: RawKeyLease<T>, isOver: () => boolean) {
    this.#lease = lease
    this.#isOver = isOver
  }

  use(): T {
    if (this.#isOver()) {
      this.dispose()
      throw periodOver()
    }
    return this.#lease.use()
  }

  dispose(): void {
    this.#lease.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

// Periods of another length are of another series: their numbers mean other days.
function stepOf({ use, name, length }: Omit<PeriodSeries, 'tenantRef'>, period: number): ReturnType<typeof bytesStep> {
  return bytesStep(NodeKind.service, serviceName(use, concat(lp(name), u64(length)), { period }))
}

function periodOver(): StrongroomError {
  return new StrongroomError(
    'period_over',
    'the key of that period is no longer kept: what is of so long ago must be dropped, or `retain` be longer',
  )
}

function unlessGone(error: unknown): undefined {
  if (!hasCode(error, 'shredded', 'not_found')) throw error
  return undefined
}

function check(options: RawPeriodKeysOptions): Checked {
  const { use, name, length, retain } = readOptions(options, ['use', 'name', 'length', 'retain'])
  if (use === undefined || !(USES as readonly string[]).includes(use)) throw invalidArgument('use', `must be one of ${USES.join(', ')}`)
  if (length === undefined || !Number.isSafeInteger(length) || length < MINUTE || length > 366 * DAY)
    throw invalidArgument('length', 'must be whole milliseconds, from a minute to 366 days')
  if (retain === undefined || !Number.isSafeInteger(retain) || retain < length || retain > 3660 * DAY)
    throw invalidArgument('retain', 'must be whole milliseconds, no shorter than a period and at most 3,660 days')
  return { use, name: rawKeyName(name), label: name as string, length, retain }
}
