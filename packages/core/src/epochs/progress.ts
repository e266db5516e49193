/** What long operations report, and how they are run. */

/** One step of a long operation. `done` and `total` count what the phase works through. */
export interface Progress<Phase extends string = string> {
  readonly phase: Phase
  readonly done: number
  readonly total: number
}

/** How a long operation runs. */
export interface RunOptions {
  /** Ends the operation between two writes, with the signal's reason. A later run goes on where this one stopped. */
  readonly signal?: AbortSignal | undefined
  /** Writes to the key store that are under way at once: 1 … 1,000; 64 if not given. */
  readonly concurrency?: number | undefined
}

/** The options, complete. */
export interface CheckedRun {
  readonly signal: AbortSignal | undefined
  readonly concurrency: number
}
