/** Sweeping things one by one: each is tried, and counted. */

import { invalidArgument, StrongroomError, type StrongroomErrorCode } from '../errors.ts'
import { readOptions } from '../read-options.ts'
import type { SweepFailure, SweepOptions, SweepReport } from '../sweepable.ts'

/** What became of one thing: `waiting` for a provider, or `held`, for the release of a legal hold; `nothing` is not counted. */
export type Attempted = 'done' | 'waiting' | 'held' | 'nothing' | 'failed'

const MOST_FAILURES = 100
const AWAY: readonly StrongroomErrorCode[] = [
  'region_refused',
  'key_provider_unavailable',
  'key_provider_timeout',
  'key_provider_throttled',
]
const OVER: readonly StrongroomErrorCode[] = ['key_store_unavailable', 'state_store_unavailable', 'vault_closed']

/** Whether a provider is away, or not here: another process can do it, or this one later. */
export function isAway(error: unknown): boolean {
  return error instanceof StrongroomError && AWAY.includes(error.code)
}

/** Whether nothing else could be done now, either: a store does not answer, or the vault is closed. */
export function isOver(error: unknown): boolean {
  return error instanceof StrongroomError && OVER.includes(error.code)
}

/**
 * For whoever implements a {@link Sweepable}.
 *
 * @example
 * ```ts
 * import { type SweepOptions, type SweepReport, SweepTally } from '@strongroom/core'
 *
 * async function endAll(things: readonly { readonly id: string; end(): Promise<void> }[], options?: SweepOptions): Promise<SweepReport> {
 *   const tally = new SweepTally(options)
 *   for (const thing of things)
 *     await tally.attempt(thing.id, async () => {
 *       await thing.end()
 *       return 'done'
 *     })
 *   return tally.report()
 * }
 * ```
 */
export class SweepTally {
  /** That of the options. */
  readonly signal: AbortSignal | undefined
  readonly #counts = { done: 0, waiting: 0, held: 0, damaged: 0, failed: 0 }
  readonly #failures: SweepFailure[] = []

  /** @throws StrongroomError `invalid_argument` */
  constructor(options: SweepOptions | undefined) {
    const { signal } = readOptions(options, ['signal'])
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
    this.signal = signal
  }

  /**
   * Does one thing, and counts what became of it. A provider that is away and a legal hold make it wait, any other refusal is a failure.
   *
   * @param place - where it is, for whoever has to look: no name, no value
   * @throws StrongroomError `vault_closed`, and for the stores their `…_unavailable`; the signal's reason
   */
  async attempt(place: string, work: () => Promise<Attempted>): Promise<Attempted> {
    this.signal?.throwIfAborted()
    const attempted = await this.#outcome(place, work)
    if (attempted !== 'nothing') this.#counts[attempted]++
    if (attempted === 'held') this.#counts.waiting++
    return attempted
  }

  /** Counts what was ended together. */
  done(count: number): void {
    this.#counts.done += count
  }

  /** Counts what another sweep has counted. */
  add({ failures, ...counts }: SweepReport): void {
    for (const of of ['done', 'waiting', 'held', 'damaged', 'failed'] as const) this.#counts[of] += counts[of] ?? 0
    for (const failure of failures) this.#note(failure)
  }

  /** Counts an entry that is not as it was written. @param place - its namespace and key */
  damaged(place: string): void {
    this.#counts.damaged++
    this.#note({ place, reason: 'damaged' })
  }

  report(): SweepReport {
    const { held, ...counts } = this.#counts
    return { ...counts, ...(held === 0 ? {} : { held }), failures: [...this.#failures] }
  }

  async #outcome(place: string, work: () => Promise<Attempted>): Promise<Attempted> {
    try {
      return await work()
    } catch (error) {
      if (this.signal?.aborted === true && error === this.signal.reason) throw error
      if (isOver(error)) throw error
      if (!(error instanceof StrongroomError)) this.#note({ place, reason: 'unexpected', cause: error })
      else if (isAway(error)) return 'waiting'
      else if (error.code === 'held') return 'held'
      else this.#note({ place, reason: error.code })
      return 'failed'
    }
  }

  #note(failure: SweepFailure): void {
    if (this.#failures.length < MOST_FAILURES) this.#failures.push(failure)
  }
}
