// What was promised, in numbers: what cannot be kept is refused in words.
import { days, durationInWords, hours, minutes, StrongroomError } from '@strongroom/core'
import { definePolicy, type PolicyOptions } from '@strongroom/erasure'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const OPTIONS: PolicyOptions = { deadline: days(60), grace: days(30), sweep: hours(1), epoch: days(7), providerDelay: 0, copies: days(14) }
const NAMES = ['grace', 'sweep', 'cacheBound', 'epoch', 'providerDelay', 'copies'] as const

function refusal(options: unknown): StrongroomError {
  try {
    definePolicy(options as PolicyOptions)
  } catch (error) {
    if (error instanceof StrongroomError) return error
  }
  throw new Error('was not refused')
}

test('a promise that can be kept', () => {
  const policy = definePolicy(OPTIONS)
  expect(policy).toMatchObject({ ...OPTIONS, cacheBound: minutes(1) })
  expect(policy.times()).toEqual({
    suspended: minutes(1),
    shredded: days(30) + hours(1),
    everywhere: days(51) + hours(1) + minutes(1),
  })
  expect(Object.isFrozen(policy)).toBe(true)
  expect(definePolicy({ ...OPTIONS, grace: 0, cacheBound: 100 }).times()).toMatchObject({ suspended: 100, shredded: hours(1) })
  // What is handed out is nobody's to change.
  Object.assign(policy.times(), { everywhere: 0 })
  expect(policy.times().everywhere).toBe(days(51) + hours(1) + minutes(1))
})

test('one that cannot: who has promised it can read why', () => {
  expect(refusal({ ...OPTIONS, deadline: days(30) })).toMatchObject({
    code: 'invalid_argument',
    argument: 'grace',
    message:
      'With a grace of 30 days, a time for sweeping (until what is due is destroyed) of 1 hour, a cache bound (in which a running program may still use a key) of 1 minute, an epoch (until older backups of the keys are made useless) of 7 days and a life of copies of the root key of 14 days, the last copy is gone after 51 days 1 hour 1 minute, which is 21 days 1 hour 1 minute after the promised 30 days. The longest term is a grace of 30 days: if it is at most 8 days 22 hours 59 minutes, the promise is kept.',
  })
  expect(refusal({ ...OPTIONS, deadline: days(20) }).message).toMatch(
    /The longest term is a grace of 30 days: even without it the promise is not kept\.$/,
  )
  expect(refusal({ ...OPTIONS, providerDelay: days(35), deadline: days(80) }).argument).toBe('providerDelay')
})

test('to the millisecond, whatever the terms', () => {
  const term = fc.integer({ min: 1, max: days(1000) })
  fc.assert(
    fc.property(
      fc.record(Object.fromEntries(NAMES.map((name) => [name, term])) as Record<(typeof NAMES)[number], typeof term>),
      (terms) => {
        const sum = NAMES.reduce((total, name) => total + terms[name], 0)
        expect(definePolicy({ ...terms, deadline: sum }).times().everywhere).toBe(sum)
        const { argument, message } = refusal({ ...terms, deadline: sum - 1 })
        expect(terms[argument as (typeof NAMES)[number]]).toBe(Math.max(...NAMES.map((name) => terms[name])))
        expect(message).toContain(`after ${durationInWords(sum)}, which is 1 millisecond after the promised`)
      },
    ),
  )
})

test('what is no policy', () => {
  for (const name of ['deadline', ...NAMES])
    for (const wrong of [-1, 0.5, Number.NaN, Infinity, '5', null])
      expect([name, refusal({ ...OPTIONS, [name]: wrong })]).toMatchObject([name, { code: 'invalid_argument', argument: name }])
  for (const name of Object.keys(OPTIONS)) {
    const { [name as 'grace']: _, ...rest } = OPTIONS
    expect(refusal(rest)).toMatchObject({ code: 'invalid_argument', argument: name })
  }
  for (const name of ['sweep', 'cacheBound', 'epoch']) expect(refusal({ ...OPTIONS, [name]: 0 })).toMatchObject({ argument: name })
  expect(refusal({ ...OPTIONS, gracePeriod: 5 })).toMatchObject({ argument: 'options' })
  expect(refusal(undefined)).toMatchObject({ argument: 'deadline' })
  expect(refusal(5)).toMatchObject({ argument: 'options' })
})
