/** What has to be swept from time to time, and what a sweep says. */

import type { StrongroomErrorCode } from './errors.ts'

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
   * whether there may be more. What is wrong with single things is in the report: look at it.
   *
   * @throws StrongroomError `invalid_argument`, `vault_closed`, and for the stores their `…_unavailable`
   */
  sweep(options?: SweepOptions): Promise<SweepReport>
}

/** Options of a sweep. */
export interface SweepOptions {
  /** Ends it between two things. */
  readonly signal?: AbortSignal | undefined
}

/** What a sweep has done, and what it has not: whatever is wrong with one thing keeps no other from being ended. */
export interface SweepReport {
  /** Things that it has ended. */
  readonly done: number
  /** Things that are left because somebody did not answer, or is not here, or because a legal hold stands. */
  readonly waiting: number
  /** Of those that wait, the ones that are held. Left out where there is none. */
  readonly held?: number | undefined
  /** Entries of the state store that are not as this vault has written them. Nothing ends by their word; they stay until somebody takes them away. */
  readonly damaged: number
  /** Things that could not be ended. The next sweep tries them again. */
  readonly failed: number
  /** What is damaged, and what has failed: the first hundred. */
  readonly failures: readonly SweepFailure[]
}

/** One thing that a sweep could not end. */
export interface SweepFailure {
  /** Where it is: namespace and key of an entry of the state store, or references. Never a name or a value. */
  readonly place: string
  /** `damaged`, the code of what was thrown, or `unexpected` for what is no error of ours. */
  readonly reason: 'damaged' | 'unexpected' | ErasureProblem | StrongroomErrorCode
  /** Of what is `unexpected` and was thrown earlier: its code, where it had one. */
  readonly code?: string | undefined
  /** Of `resource_remains`: how many records. */
  readonly remaining?: number | undefined
  /** What was thrown, where it is `unexpected`. Nobody has looked at what it says. */
  readonly cause?: unknown
}

/**
 * What keeps an erasure from its end, beside what is thrown. `not_suspended`: the place is in use. `resource_missing`: this process has none of
 * that name; `resource_malformed`: its answer is no count; `resource_remains`: records are left of it. `clocks_disagree`: the clock of this process is
 * behind what another has said.
 */
export type ErasureProblem = 'not_suspended' | 'resource_missing' | 'resource_malformed' | 'resource_remains' | 'clocks_disagree'
