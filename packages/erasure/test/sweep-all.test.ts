// One call for cron: each until it has no more to do, whatever the others do.
import { type Sweepable, type SweepReport } from '@strongroom/core'
import { sweep, type Swept } from '@strongroom/erasure'
import { expect, test } from 'vitest'

import { outcome } from './support.ts'

const NOTHING: SweepReport = { done: 0, waiting: 0, damaged: 0, failed: 0, failures: [] }

function sweepable(name: string, reports: readonly (Partial<SweepReport> | Error)[]): Sweepable & { readonly left: unknown[] } {
  const left = [...reports]
  return {
    name,
    left,
    async sweep() {
      const next = left.shift() ?? {}
      if (next instanceof Error) throw next
      return { ...NOTHING, ...next }
    },
  }
}

test('each until it has no more to do; one that throws keeps no other from it', async () => {
  const failures = [{ place: 'logs', reason: 'unexpected', cause: new Error('alice') }] as const
  const seen = [{ place: 'logs', reason: 'unexpected' }]
  const one = sweepable('one', [{ done: 2 }, { done: 1, waiting: 3, failed: 1, failures }, { waiting: 1 }])
  const two = sweepable('two', [{ done: 5 }, Object.assign(new Error('alice'), { code: 'ECONNREFUSED' })])
  const three = sweepable('three', [
    { failed: 1, damaged: 2, failures },
    { done: 9, waiting: 9 },
  ])
  const told: Swept[] = []
  const onProgress = (swept: Swept): void => {
    told.push(swept)
    throw new Error('nobody hears this')
  }
  expect(await sweep([one, two, three], { onProgress })).toEqual([
    { ...NOTHING, name: 'one', done: 3, waiting: 1, failed: 1, failures: seen },
    { ...NOTHING, name: 'two', done: 5, failed: 1, failures: [{ place: 'two', reason: 'unexpected', code: 'ECONNREFUSED' }] },
    { ...NOTHING, name: 'three', failed: 1, damaged: 2, failures: seen },
  ])
  expect([one.left.length, two.left.length, three.left.length]).toEqual([0, 0, 1])
  expect(told.map(({ name, done }) => `${name} ${done}`)).toEqual(['one 2', 'one 3', 'one 3', 'two 5', 'two 5', 'three 0'])
})

test('a signal ends it between two things', async () => {
  const stop = new AbortController()
  const one = sweepable('one', [
    { done: 1, waiting: 0 },
    { done: 1, waiting: 0 },
  ])
  const reason = new Error('enough')
  const onProgress = (): void => stop.abort(reason)
  await expect(sweep([one], { signal: stop.signal, onProgress })).rejects.toBe(reason)
  expect(one.left).toHaveLength(1)
})

test.each([
  [undefined, undefined],
  [[{ sweep: () => undefined }], undefined],
  [[], { signal: 'now' }],
  [[], { every: 1 }],
])('refused: %j, %j', async (all, options) => {
  expect(await outcome(() => sweep(all as never, options as never))).toBe('invalid_argument')
})
