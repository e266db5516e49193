/** The options of `createPseudonyms`, checked. */

import { days, invalidArgument, readOptions } from '@strongroom/core'

import { type ModeName, MODES } from './modes/mode.ts'

/** Options of {@link createPseudonyms}. The same in every process that writes or reads the same pseudonyms. */
export interface PseudonymsOptions {
  /** What the pseudonyms are for, such as `access-log`: those of two purposes cannot be linked. 1 to 64 UTF-8 bytes. */
  readonly purpose: string
  /** `deterministic` unless given. */
  readonly mode?: ModeName
  /** Milliseconds of a period, from a minute to 366 days; a day unless given. The first began with 1970, UTC. */
  readonly period?: number
  /** Milliseconds that a key is kept, counted from its period's start; 30 days unless given, and no less than a period. */
  readonly retain?: number
}

/** The options, complete. */
export type CheckedOptions = Required<PseudonymsOptions>

/** @throws StrongroomError `invalid_argument` naming the option */
export function checkOptions(given: PseudonymsOptions): CheckedOptions {
  const {
    purpose,
    mode = 'deterministic',
    period = days(1),
    retain = days(30),
  } = readOptions(given, ['purpose', 'mode', 'period', 'retain'])
  if (typeof purpose !== 'string' || purpose === '' || Buffer.byteLength(purpose) > 64 || !purpose.isWellFormed())
    throw invalidArgument('purpose', 'must be a string of 1 to 64 bytes')
  if (!MODES.includes(mode)) throw invalidArgument('mode', `must be one of ${MODES.join(', ')}`)
  if (!Number.isSafeInteger(period) || period < 60_000 || period > days(366))
    throw invalidArgument('period', 'must be whole milliseconds, from a minute to 366 days')
  if (!Number.isSafeInteger(retain) || retain < period || retain > days(3660))
    throw invalidArgument('retain', 'must be whole milliseconds, no shorter than period and at most 3,660 days')
  return { purpose, mode, period, retain }
}
