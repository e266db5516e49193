// A few of the kills that `.ci/run` makes at every place, and two sweepers at once.
import { days, hours } from '@strongroom/core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { removeAllDatabases } from '../../../core/test/stores/stores.ts'
import { round } from './rounds.ts'
import { type Fleet, GRACE, makeFleet, resultOf, START } from './support.ts'

let fleet: Fleet
beforeAll(async () => {
  fleet = await makeFleet()
})
afterAll(async () => {
  await fleet.stop()
  await removeAllDatabases()
})

test.each([
  ['request.noted', 'request'],
  ['cancel.noted', 'cancel'],
  ['shred.done', 'sweep when due'],
  ['resource.erased', 'sweep when due'],
  ['erased.put', 'sweep when due'],
  ['closed.put', 'sweep behind the epoch'],
] as const)('killed at %s: %s', async (name, doing) => {
  await round(fleet, START, name, doing)
})

test('three sweepers at once, and people who ask and take back: each comes to one end', async () => {
  const at = START + days(2000)
  const [first, ...others] = await Promise.all([fleet.start(at), fleet.start(at), fleet.start(at)])
  if (first === undefined) throw new Error('no process')
  const people = Array.from({ length: 12 }, (_, i) => `one-of-many-${i}`)
  const stored = new Map<string, unknown>()
  for (const subject of people) stored.set(subject, await first.run('join', subject))
  const asked = await Promise.all(
    people.map((subject, i) =>
      [first, ...others][i % 3]?.run<{ id: string }>('request', { subject, ...(i % 4 === 3 ? { grace: 0 } : {}) }),
    ),
  )
  // Some take it back while it is swept.
  const back = people.filter((_, i) => i % 4 === 0)
  for (const time of [at + days(1), at + GRACE, at + GRACE + hours(1), at + GRACE + hours(2), at + GRACE + hours(3)]) {
    for (const worker of [first, ...others]) await worker.run('clock', time)
    await Promise.all([
      ...[first, ...others].map((worker) => worker.run('sweep')),
      ...(time === at + days(1) ? back.map((subject, i) => [first, ...others][i % 3]?.run('cancel', subject)) : []),
    ])
  }
  for (const [i, subject] of people.entries()) {
    const isBack = back.includes(subject)
    const read = await resultOf(first.run('reads', { subject, stored: stored.get(subject) }))
    expect([subject, read, await first.run('rows', subject), await first.run('state', asked[i]?.id)]).toEqual(
      isBack ? [subject, `${subject}@example.com`, 2, undefined] : [subject, 'shredded', 0, 'erased'],
    )
  }
  await first.run('closeEpoch')
  await Promise.all([first, ...others].map((worker) => worker.run('sweep')))
  await first.run('sweep')
  expect(await first.run('list')).toEqual([])
  for (const [i, subject] of people.entries()) {
    const certificate = await first.run('certificate', asked[i]?.id)
    expect([subject, certificate !== undefined]).toEqual([subject, !back.includes(subject)])
  }
})
