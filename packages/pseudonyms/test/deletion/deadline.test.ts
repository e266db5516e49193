// The sum against the promise: what it comes to, and who is to blame where it is too much.
import { days, type DeletionTerms, hours, minutes, requireDeadline } from '@strongroom/pseudonyms'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { refusalOf } from '../support.ts'

const KEPT: DeletionTerms = {
  deadline: days(30),
  retain: days(20),
  sweepEvery: hours(1),
  cacheBound: 60_000,
  epoch: days(7),
  providerDelay: 0,
  copies: days(2),
}
const TERMS = ['retain', 'sweepEvery', 'cacheBound', 'epoch', 'providerDelay', 'copies'] as const

test('the sum: of the running service, and of everything', () => {
  expect(requireDeadline(KEPT)).toEqual({ live: days(20) + hours(1) + 60_000, everywhere: days(29) + hours(1) + 60_000 })
})

test('each term counts, and the longest is to blame', async () => {
  for (const name of TERMS) {
    const error = await refusalOf(() => requireDeadline({ ...KEPT, [name]: days(29) }))
    expect([name, error.code, error.argument]).toEqual([name, 'invalid_argument', name])
  }
})

test('whoever has promised it can read what it may be', async () => {
  expect((await refusalOf(() => requireDeadline({ ...KEPT, retain: days(22) }))).message).toBe(
    'With a retention of 22 days, an interval between sweeps of 1 hour, a cache bound of 1 minute, an epoch of 7 days and a life of copies of the root key of 2 days, the last copy is gone after 31 days 1 hour 1 minute, which is 1 day 1 hour 1 minute after the promised 30 days. The longest term is a retention of 22 days: if it is at most 20 days 22 hours 59 minutes, the promise is kept.',
  )
  expect(requireDeadline({ ...KEPT, retain: days(20) + hours(22) + minutes(59) }).everywhere).toBe(days(30))
})

test('what no term alone can mend says so', async () => {
  const error = await refusalOf(() => requireDeadline({ ...KEPT, deadline: days(5) }))
  expect([error.argument, error.message]).toEqual([
    'retain',
    expect.stringMatching(/The longest term is a retention of 20 days: even without it the promise is not kept\.$/),
  ])
})

test('refused exactly where the sum is too much', () => {
  const ms = fc.integer({ min: 0, max: 10_000 })
  fc.assert(
    fc.property(fc.tuple(ms, ms, ms, ms, ms, ms, ms), ([deadline, ...values]) => {
      const terms = { deadline, ...Object.fromEntries(TERMS.map((name, i) => [name, values[i]])) } as unknown as DeletionTerms
      const sum = values.reduce((a, b) => a + b, 0)
      try {
        return requireDeadline(terms).everywhere === sum && sum <= deadline
      } catch {
        return sum > deadline
      }
    }),
  )
})

test.each(['deadline', ...TERMS] as const)('%s is needed, in whole milliseconds', async (name) => {
  for (const value of [undefined, -1, 1.5, Number.NaN, '1']) {
    const error = await refusalOf(() => requireDeadline({ ...KEPT, [name]: value } as unknown as DeletionTerms))
    expect([value, error.argument]).toEqual([value, name])
  }
})
