/** Keys of a tenant that live for a period each, and whose bytes leave core: noted before they are made, destroyed when their time is over. */

import { invalidArgument, StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { required } from '../keys/key-tree.ts'
import { readOptions } from '../read-options.ts'
import type { Sweepable, SweepOptions, SweepReport } from '../sweepable.ts'
import { keyEnd, type KeptSeries, periodOf, type RawPeriodUse, seriesStep } from './period-series.ts'
import { sweepPeriods } from './period-sweep.ts'
import type { Place } from './place.ts'
import { openRawKey, rawKeyName, type RawKeyHandling, type RawKeyLease, useRawKey } from './raw-key.ts'

/** Options of `rawPeriodKeys`. Milliseconds. */
export interface RawPeriodKeysOptions {
  readonly use: RawPeriodUse
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
export interface RawPeriodKeys extends Sweepable {
  /** This instant, by the vault's clock: UTC milliseconds. */
  now(): number
  /** The latest instant that is taken: clocks differ, but not by more than an hour. */
  latest(): number
  /** The period in which an instant lies. Reads nothing. @throws StrongroomError `invalid_argument` */
  spanOf(at: number): PeriodSpan
  /**
   * The same, where something of that instant may be taken in now: for what has no key, and is to end all the same. Reads nothing.
   *
   * @throws StrongroomError `invalid_argument` (`at` is no instant, or behind `latest`), `period_over`
   */
  keptSpanOf(at: number): PeriodSpan
  /**
   * The key of the period in which an instant lies; makes it where there is none, once it is noted when it has to end.
   *
   * @throws StrongroomError as `keptSpanOf`, `shredded`, `suspended`, `not_found` (no such tenant), `region_refused`, `denied`, and for stores and provider their `…_unavailable`
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
  /** As `sweep` of the vault; of this series by its options, whatever was noted. */
  sweep(options?: SweepOptions): Promise<SweepReport>
}

const MINUTE = 60_000
const DAY = 86_400_000
const MOST_REASON = 512
// Clocks differ. A key made for what has not happened would outlive its promise.
const MOST_AHEAD = 60 * MINUTE
const USES = [
  'pseudonym-deterministic',
  'pseudonym-prefix',
  'pseudonym-nd',
  'pseudonym-ndx',
  'pseudonym-token',
] as const satisfies readonly RawPeriodUse[]

/** @param tenant - a tenant's place. @throws StrongroomError `invalid_argument` */
export function rawPeriodKeys(tenant: Place, options: RawPeriodKeysOptions): RawPeriodKeys {
  return new Series(tenant, check(options))
}

interface Checked extends Omit<KeptSeries, 'tenantRef'> {
  readonly use: RawPeriodUse
  readonly label: string
}

class Series implements RawPeriodKeys {
  readonly #tenant: Place
  readonly #series: Checked

  constructor(tenant: Place, series: Checked) {
    this.#tenant = tenant
    this.#series = series
  }

  get name(): string {
    return this.#series.label
  }

  now(): number {
    return this.#tenant.keys.tree.context.clock.now()
  }

  latest(): number {
    return this.now() + MOST_AHEAD
  }

  spanOf(at: number): PeriodSpan {
    if (!Number.isSafeInteger(at) || at < 0) throw invalidArgument('at', 'must be an instant: UTC milliseconds, a whole number')
    const { length, retain } = this.#series
    const period = periodOf({ length }, at)
    const from = period * length
    return { period, from, to: from + length, until: keyEnd({ length, retain }, period) }
  }

  keptSpanOf(at: number): PeriodSpan {
    const span = this.spanOf(at)
    if (at > this.latest()) throw invalidArgument('at', 'must not be more than an hour ahead of the clock')
    if (span.until <= this.now()) throw periodOver()
    return span
  }

  async open<T>(at: number, handling: RawKeyHandling<T>): Promise<RawKeyLease<T>> {
    const span = this.keptSpanOf(at)
    // None of a tenant that there is not.
    await this.#tenant.readyTenant()
    await this.#tenant.keys.notes.note(await this.#kept(), span.period)
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
    return useRawKey(this.#place(this.keptSpanOf(at).period), asked, work)
  }

  async sweep(options?: SweepOptions): Promise<SweepReport> {
    const { keys, gate } = this.#tenant
    return sweepPeriods(keys, gate, options, await this.#kept())
  }

  async #kept(): Promise<KeptSeries> {
    return { ...this.#series, tenantRef: hex(await this.#tenant.tenantRef()) }
  }

  #place(period: number): Place {
    return this.#tenant.below(seriesStep(this.#series, period))
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

function periodOver(): StrongroomError {
  return new StrongroomError(
    'period_over',
    'the key of that period is no longer kept: what is of so long ago must be dropped, or `retain` be longer',
  )
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
