/**
 * What must be called from time to time: what processes have left behind is ended, what is due is done.
 *
 * @example
 * ```ts
 * import { type Sweepable } from '@strongroom/core'
 *
 * async function everyMinute(all: readonly Sweepable[]) {
 *   for (const each of all) console.log(await each.sweep())
 * }
 * ```
 */
export interface Sweepable {
  /**
   * Does what is due. Safe in several processes at once, and when it is killed: the next one goes on. Does some at a time: `done` says
   * whether there may be more.
   */
  sweep(options?: SweepOptions): Promise<SweepReport>
}

/** Options of a sweep. */
export interface SweepOptions {
  /** Ends it between two things. */
  readonly signal?: AbortSignal
}

/** What a sweep has done: how many things it has ended, and how many are left because somebody did not answer. */
export interface SweepReport {
  readonly done: number
  readonly waiting: number
}
