/** What must be called from time to time: what processes have left behind is ended, what is due is done. */
export interface Sweepable {
  /**
   * Does what is due. Safe in several processes at once, and when it is killed: the next one goes on.
   *
   * @returns how many things it has ended, and how many are left for a later time because somebody did not answer
   */
  sweep(options?: SweepOptions): Promise<SweepReport>
}

export interface SweepOptions {
  /** Ends it between two things. */
  readonly signal?: AbortSignal
}

export interface SweepReport {
  readonly done: number
  readonly waiting: number
}
