// The sum against the promise: what it comes to, and who is to blame where it is too much.
import { days, type DeletionTerms, hours, requireDeadline } from '@strongroom/pseudonyms'
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

test('each term counts, and the longest is to blame, with what it may be', async () => {
  for (const name of TERMS) {
    const error = await refusalOf(() => requireDeadline({ ...KEPT, [name]: days(29) }))
    expect([name, error.code, error.argument]).toEqual([name, 'invalid_argument', name])
    const [, most] = /at most (\d+) ms/.exec(error.message) ?? []
    if (name === 'retain') expect(Number(most)).toBe(days(30) - days(9) - hours(1) - 60_000)
    if (most !== undefined) expect(requireDeadline({ ...KEPT, [name]: Number(most) }).everywhere).toBe(days(30))
  }
})

test('what no term alone can mend says so', async () => {
  const error = await refusalOf(() => requireDeadline({ ...KEPT, deadline: days(5) }))
  expect([error.argument, error.message]).toEqual([
    'retain',
    expect.stringContaining('shorten retain, sweepEvery, cacheBound, epoch, copies'),
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
