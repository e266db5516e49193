/**
 * What must be called from time to time: what processes have left behind is ended, what is due is done.
 *
 * @example
 * ```ts
 * import { type Sweepable } from '@strongroom/core'
 *
 * async function everyMinute(all: readonly Sweepable[]) {
 *   for (const each of all) console.log(each.name, await each.sweep())
 * }
 * ```
 */
export interface Sweepable {
  /** What it is called in reports: of what is swept, never of anybody. */
  readonly name: string
  /**
   * Does what is due. Safe in several processes at once, and when it is killed: the next one goes on. Does some at a time: `done` says
   * whether there may be more.
   */
  sweep(options?: SweepOptions): Promise<SweepReport>
}

/** Options of a sweep. */
export interface SweepOptions {
  /** Ends it between two things. */
  readonly signal?: AbortSignal | undefined
}

/** What a sweep has done: how many things it has ended, and how many are left because somebody did not answer. */
export interface SweepReport {
  readonly done: number
  readonly waiting: number
  /** What did not work, where a sweepable tells of it one by one. It is tried again. */
  readonly failures?: readonly SweepFailure[] | undefined
}

/** Something that a sweep could not do. Holds no name of a person. */
export interface SweepFailure {
  /** What it is about: references, or a logical name. */
  readonly about: string
  /** A code of `StrongroomError`, or of whoever failed. */
  readonly code: string
  /** Records that are left, where it is about a resource that still has some. */
  readonly remaining?: number | undefined
}
