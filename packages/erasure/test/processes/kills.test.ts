// Processes killed at each named place, many times: every request ends, nothing is destroyed before its time, nothing heals back.
import { FAILPOINTS } from '@strongroom/erasure/testing'
import { afterAll, expect, test } from 'vitest'

import { removeAllDatabases } from '../../../core/test/stores/stores.ts'
import { DOING, round } from './rounds.ts'
import { type Fleet, makeFleet, START } from './support.ts'

const KILLS = Number(process.env['STRONGROOM_KILLS'] ?? 200)
const WAYS = FAILPOINTS.flatMap((name) => DOING[name].map((doing) => ({ name, doing })))
const killed = new Map<string, number>()

afterAll(removeAllDatabases)

const TIMES = Math.ceil(KILLS / WAYS.length)

test.each(FAILPOINTS)('killed at %s', { timeout: 600_000 }, async (name) => {
  const fleet: Fleet = await makeFleet()
  try {
    for (let time = 0; time < TIMES; time++) {
      for (const doing of DOING[name]) {
        await round(fleet, START, name, doing)
        killed.set(name, (killed.get(name) ?? 0) + 1)
      }
    }
  } finally {
    await fleet.stop()
  }
})

test('no place was passed without a kill', () => {
  expect(FAILPOINTS.filter((name) => (killed.get(name) ?? 0) < TIMES)).toEqual([])
  expect([...killed.values()].reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(KILLS)
})
