/** Rows with pseudonyms in them: within a period equal addresses have equal ones, so the rows have to go as well, or their columns. */

import { invalidArgument, type Sweepable, type SweepOptions, type SweepReport, SweepTally } from '@strongroom/core'

/** Where rows with pseudonyms are. Write one for your store; `mongoRows` is that for MongoDB. */
export interface PseudonymRows {
  /**
   * Makes the store do by itself what it can, such as a TTL index. Called again, it changes nothing.
   *
   * @param keep - milliseconds that a row is kept, counted from its event
   */
  prepare?(keep: number): Promise<void>
  /**
   * Removes the rows of all events before an instant, or the pseudonyms in them.
   *
   * @param instant - UTC milliseconds
   * @returns how many it has changed
   */
  removeBefore(instant: number, options: SweepOptions): Promise<number>
}

/** Rows that go with the keys of their pseudonyms. */
export interface PseudonymResource extends Sweepable {
  /** Once, where the service starts: as `prepare` of the rows. */
  prepare(): Promise<void>
}

/** @param firstKept - the first instant of which the pseudonyms are still kept. @throws StrongroomError `invalid_argument` */
export function resourceOf(rows: PseudonymRows, keep: number, firstKept: () => number): PseudonymResource {
  if (typeof rows !== 'object' || rows === null || typeof rows.removeBefore !== 'function')
    throw invalidArgument('rows', 'must have removeBefore')
  return {
    name: 'pseudonymous rows',
    async prepare() {
      await rows.prepare?.(keep)
    },
    async sweep(options): Promise<SweepReport> {
      const tally = new SweepTally(options)
      tally.done(await rows.removeBefore(firstKept(), tally.signal === undefined ? {} : { signal: tally.signal }))
      return tally.report()
    },
  }
}
