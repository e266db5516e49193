/** Whether a promise about deletion can be kept: the sum of all that passes until nobody can undo a pseudonym any more. */

import { invalidArgument, readOptions } from '@strongroom/core'

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

const TERMS = ['retain', 'sweepEvery', 'cacheBound', 'epoch', 'providerDelay', 'copies'] as const

/**
 * Refuses terms that cannot keep their deadline, and names the one to blame: the longest. Call it where a service starts.
 *
 * @throws StrongroomError `invalid_argument`: `argument` is the term that has to be shorter
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
  const read = readOptions(terms, ['deadline', ...TERMS])
  const of = (name: keyof DeletionTerms): number => {
    const value = read[name]
    if (value === undefined || !Number.isSafeInteger(value) || value < 0) throw invalidArgument(name, 'must be whole milliseconds from 0')
    return value
  }
  const deadline = of('deadline')
  const everywhere = TERMS.reduce((sum, name) => sum + of(name), 0)
  if (everywhere > deadline) {
    const longest = TERMS.reduce((a, b) => (of(b) > of(a) ? b : a))
    const room = deadline - (everywhere - of(longest))
    throw invalidArgument(
      longest,
      room < 0
        ? `is the longest of what passes, and without it the deadline is passed too: shorten ${TERMS.filter((name) => of(name) > 0).join(', ')}`
        : `must be at most ${room} ms, the deadline less all else that passes`,
    )
  }
  return { live: of('retain') + of('sweepEvery') + of('cacheBound'), everywhere }
}
