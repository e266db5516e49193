/** Whether what was promised can be kept: all that passes, one after the other, against the deadline. */

import { invalidArgument, StrongroomError } from './errors.ts'

/** Something that passes before a promise is kept. */
export interface DeadlineTerm {
  /** As the caller has called it, for a program. */
  readonly argument: string
  /** As it is called in a sentence before `of 7 days`, with its article, for people: `an epoch`. */
  readonly words: string
  /** Milliseconds. */
  readonly length: number
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
  ['millisecond', 1],
] as const

/**
 * A length of time in words, exactly: `30 days`, `1 day 2 hours`.
 *
 * @param length - whole milliseconds, from 0
 * @example
 * ```ts
 * import { days, durationInWords } from '@strongroom/core'
 *
 * console.log(durationInWords(days(30)))
 * ```
 */
export function durationInWords(length: number): string {
  const parts: string[] = []
  let left = length
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size)
    left -= count * size
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`)
  }
  return parts.length === 0 ? '0 days' : parts.join(' ')
}

/**
 * For packages that make promises about deletion: refuses terms that together pass the deadline, in words that whoever has promised it can
 * read, and names the longest of them.
 *
 * @param deadline - milliseconds
 * @returns their sum, in milliseconds
 * @throws StrongroomError `invalid_argument`: `argument` is that of the longest term, or of what is no length of time
 * @example
 * ```ts
 * import { days, requireWithinDeadline } from '@strongroom/core'
 *
 * const everywhere = requireWithinDeadline(days(30), [
 *   { argument: 'retain', words: 'a retention', length: days(20) },
 *   { argument: 'epoch', words: 'an epoch', length: days(7) },
 * ])
 * console.log(everywhere)
 * ```
 */
export function requireWithinDeadline(deadline: number, terms: readonly DeadlineTerm[]): number {
  requireLength('deadline', deadline)
  for (const { argument, length } of terms) requireLength(argument, length)
  const sum = terms.reduce((total, { length }) => total + length, 0)
  const longest = terms.reduce<DeadlineTerm | undefined>(
    (most, term) => (most === undefined || term.length > most.length ? term : most),
    undefined,
  )
  if (longest === undefined || sum <= deadline) return sum
  const listed = terms.filter(({ length }) => length > 0).map(({ words, length }) => `${words} of ${durationInWords(length)}`)
  const room = deadline - (sum - longest.length)
  throw new StrongroomError(
    'invalid_argument',
    [
      `With ${joined(listed)}, the last copy is gone after ${durationInWords(sum)}, which is ${durationInWords(sum - deadline)} after the promised ${durationInWords(deadline)}.`,
      `The longest term is ${longest.words} of ${durationInWords(longest.length)}:`,
      room < 0 ? 'even without it the promise is not kept.' : `if it is at most ${durationInWords(room)}, the promise is kept.`,
    ].join(' '),
    { argument: longest.argument },
  )
}

function requireLength(argument: string, length: number): void {
  if (!Number.isSafeInteger(length) || length < 0) throw invalidArgument(argument, 'must be whole milliseconds from 0')
}

function joined(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
