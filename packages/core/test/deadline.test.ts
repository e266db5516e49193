// The sum against a deadline, in words that whoever has promised it can read.
import { days, durationInWords, hours, minutes, requireWithinDeadline, StrongroomError, type DeadlineTerm } from '@strongroom/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const TERMS: readonly DeadlineTerm[] = [
  { argument: 'grace', words: 'a grace', length: days(30) },
  { argument: 'sweep', words: 'an interval between sweeps', length: hours(1) },
  { argument: 'epoch', words: 'an epoch', length: days(7) },
  { argument: 'delay', words: 'a delay', length: 0 },
]

function refusal(deadline: number, terms: readonly DeadlineTerm[]): StrongroomError {
  try {
    requireWithinDeadline(deadline, terms)
  } catch (error) {
    if (error instanceof StrongroomError) return error
  }
  throw new Error('was not refused')
}

test('lengths of time', () => {
  expect([minutes(2), hours(3), days(4)]).toEqual([120_000, 10_800_000, 345_600_000])
  const words = (length: number): string => durationInWords(length)
  expect([0, 1, 1000, 60_000, days(1), days(30), days(1) + hours(2) + minutes(1), 61_001].map(words)).toEqual([
    '0 days',
    '1 millisecond',
    '1 second',
    '1 minute',
    '1 day',
    '30 days',
    '1 day 2 hours 1 minute',
    '1 minute 1 second 1 millisecond',
  ])
})

test('what is passed, by how much, and by what', () => {
  expect(refusal(days(30), TERMS)).toMatchObject({
    code: 'invalid_argument',
    argument: 'grace',
    message:
      'With a grace of 30 days, an interval between sweeps of 1 hour and an epoch of 7 days, the last copy is gone after 37 days 1 hour, which is 7 days 1 hour after the promised 30 days. The longest term is a grace of 30 days: if it is at most 22 days 23 hours, the promise is kept.',
  })
  expect(refusal(days(5), TERMS)).toMatchObject({
    argument: 'grace',
    message: expect.stringMatching(
      /32 days 1 hour after the promised 5 days\. The longest term is a grace of 30 days: even without it the promise is not kept\.$/,
    ) as string,
  })
  expect(refusal(0, TERMS.slice(1, 2)).message).toBe(
    'With an interval between sweeps of 1 hour, the last copy is gone after 1 hour, which is 1 hour after the promised 0 days. The longest term is an interval between sweeps of 1 hour: if it is at most 0 days, the promise is kept.',
  )
})

test('to the millisecond', () => {
  const sum = days(37) + hours(1)
  expect(requireWithinDeadline(sum, TERMS)).toBe(sum)
  expect(refusal(sum - 1, TERMS).argument).toBe('grace')
  expect(requireWithinDeadline(0, [])).toBe(0)
})

test('whatever the terms: refused if and only if their sum is above, and with the room that is named they pass', () => {
  const term: fc.Arbitrary<DeadlineTerm> = fc.record({
    argument: fc.constantFrom('a', 'b', 'c'),
    words: fc.constant('it'),
    length: fc.nat(1000),
  })
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: 5 }), fc.nat(3000), (terms, deadline) => {
      const sum = terms.reduce((total, { length }) => total + length, 0)
      if (sum <= deadline) {
        expect(requireWithinDeadline(deadline, terms)).toBe(sum)
        return
      }
      const { message, argument } = refusal(deadline, terms)
      const longest = Math.max(...terms.map(({ length }) => length))
      const at = terms.findIndex(({ length }) => length === longest)
      expect(argument).toBe(terms[at]?.argument)
      const room = deadline - (sum - longest)
      expect(
        message.endsWith(
          room < 0 ? 'even without it the promise is not kept.' : `if it is at most ${durationInWords(room)}, the promise is kept.`,
        ),
      ).toBe(true)
      if (room >= 0)
        expect(requireWithinDeadline(deadline, terms.with(at, { ...(terms[at] as DeadlineTerm), length: room }))).toBe(deadline)
    }),
  )
})

test('what is no length of time', () => {
  for (const wrong of [-1, 1.5, Number.NaN, Infinity, 2 ** 53, undefined, '5']) {
    expect(refusal(wrong as number, TERMS)).toMatchObject({ code: 'invalid_argument', argument: 'deadline' })
    expect(refusal(5, [{ argument: 'grace', words: 'a grace', length: wrong as number }])).toMatchObject({ argument: 'grace' })
  }
})
