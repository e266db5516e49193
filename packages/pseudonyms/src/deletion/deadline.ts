/** Whether a promise about deletion can be kept: the sum of all that passes until nobody can undo a pseudonym any more. */

import { readOptions, requireWithinDeadline } from '@strongroom/core'

/** What passes, one after the other. Milliseconds. */
export interface DeletionTerms {
  /** What was promised, counted from the event: after so long nothing leads from a pseudonym to an address. */
  readonly deadline: number
  /** As `createPseudonyms` has it. Counted from the period's start, so that it is of every event in it. */
  readonly retain: number
  /** How often `sweep` runs, with room for a run that fails. */
  readonly sweepEvery: number
  /** As the vault was made with it: another process may use a key so long. */
  readonly cacheBound: number
  /** How often the root key is rotated and its epoch closed: until then a backup of the key store brings a destroyed key back. */
  readonly epoch: number
  /** How long the key provider takes to destroy a root version once it is asked to. Clouds take days; a local key file 0. */
  readonly providerDelay: number
  /** How long copies of the root key live: backups of its file. */
  readonly copies: number
}

/** When it is over. Milliseconds from the event, at most. */
export interface DeletionTimes {
  /** No process of the vault undoes or continues the pseudonym any more. */
  readonly live: number
  /** Nobody does, whatever backup he has. */
  readonly everywhere: number
}

const WORDS: Readonly<Record<Exclude<keyof DeletionTerms, 'deadline'>, string>> = {
  retain: 'a retention',
  sweepEvery: 'an interval between sweeps',
  cacheBound: 'a cache bound',
  epoch: 'an epoch',
  providerDelay: 'a delay of the key provider',
  copies: 'a life of copies of the root key',
}
const TERMS = Object.keys(WORDS) as readonly (keyof typeof WORDS)[]

/**
 * Refuses terms that cannot keep their deadline, in words that whoever has promised it can read, and names the longest. Call it where a
 * service starts.
 *
 * @throws StrongroomError `invalid_argument`: `argument` is the longest term, or the one that is no length of time
 * @example
 * ```ts
 * import { days, hours, minutes, requireDeadline } from '@strongroom/pseudonyms'
 *
 * const { live, everywhere } = requireDeadline({
 *   deadline: days(30),
 *   retain: days(20),
 *   sweepEvery: hours(1),
 *   cacheBound: minutes(1),
 *   epoch: days(7),
 *   providerDelay: 0,
 *   copies: days(2),
 * })
 * console.log(live, everywhere)
 * ```
 */
export function requireDeadline(terms: DeletionTerms): DeletionTimes {
  const read = readOptions(terms, ['deadline', ...TERMS]) as DeletionTerms
  const everywhere = requireWithinDeadline(
    read.deadline,
    TERMS.map((argument) => ({ argument, words: WORDS[argument], length: read[argument] })),
  )
  return { live: read.retain + read.sweepEvery + read.cacheBound, everywhere }
}
