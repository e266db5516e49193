// What a sweep counts, and what ends it early.
import { type Attempted, StrongroomError, SweepTally, type StrongroomErrorCode } from '@strongroom/core'
import { expect, test } from 'vitest'

import { outcome, swept } from './support.ts'

const refused = (code: StrongroomErrorCode) => (): Promise<Attempted> => Promise.reject(new StrongroomError(code, 'a test'))
const answered = (answer: Attempted) => (): Promise<Attempted> => Promise.resolve(answer)

test('each thing is tried, whatever became of those before it', async () => {
  const tally = new SweepTally(undefined)
  const cause = new TypeError('a bug')
  const all: readonly (readonly [() => Promise<Attempted>, Attempted])[] = [
    [answered('done'), 'done'],
    [answered('nothing'), 'nothing'],
    [answered('waiting'), 'waiting'],
    [refused('key_provider_unavailable'), 'waiting'],
    [refused('region_refused'), 'waiting'],
    [refused('not_found'), 'failed'],
    [refused('denied'), 'failed'],
    [() => Promise.reject(cause), 'failed'],
  ]
  for (const [i, [work, became]] of all.entries()) expect(await tally.attempt(`place ${i}`, work)).toBe(became)
  tally.damaged('entry')
  tally.done(2)
  const failures = [
    { place: 'place 5', reason: 'not_found' },
    { place: 'place 6', reason: 'denied' },
    { place: 'place 7', reason: 'unexpected', cause },
    { place: 'entry', reason: 'damaged' },
  ] as const
  expect(tally.report()).toEqual(swept({ done: 3, waiting: 3, failed: 3, damaged: 1, failures }))
  const sum = new SweepTally({})
  sum.add(tally.report())
  sum.add(tally.report())
  expect(sum.report()).toEqual(swept({ done: 6, waiting: 6, failed: 6, damaged: 2, failures: [...failures, ...failures] }))
})

test('what a legal hold keeps waits, and how many there are is said by itself', async () => {
  const tally = new SweepTally(undefined)
  expect(await tally.attempt('one', answered('held'))).toBe('held')
  expect(await tally.attempt('two', refused('held'))).toBe('held')
  await tally.attempt('three', answered('waiting'))
  expect(tally.report()).toEqual({ ...swept({ waiting: 3 }), held: 2 })
  const sum = new SweepTally({})
  sum.add(tally.report())
  sum.add(swept({ waiting: 1 }))
  expect(sum.report()).toEqual({ ...swept({ waiting: 4 }), held: 2 })
})

test.each(['key_store_unavailable', 'state_store_unavailable', 'vault_closed'] as const)('%s ends it', async (code) => {
  const tally = new SweepTally(undefined)
  expect(await outcome(() => tally.attempt('place', refused(code)))).toBe(code)
})

test('its signal ends it: before a thing, and within one that heeds it', async () => {
  const controller = new AbortController()
  const tally = new SweepTally({ signal: controller.signal })
  const within = tally.attempt('place', async () => {
    controller.abort(new Error('enough'))
    controller.signal.throwIfAborted()
    return 'done'
  })
  await expect(within).rejects.toThrow('enough')
  await expect(tally.attempt('place', answered('done'))).rejects.toThrow('enough')
  expect(tally.report()).toEqual(swept())
})

test('a thousand that fail are counted, and a hundred are named', async () => {
  const tally = new SweepTally(undefined)
  for (let i = 0; i < 1000; i++) await tally.attempt(`place ${i}`, refused('conflict'))
  expect([tally.report().failed, tally.report().failures.length]).toEqual([1000, 100])
})
