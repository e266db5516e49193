// Processes killed at each named place, many times: every request ends, nothing is destroyed before its time, nothing heals back.
import { type Failpoint, FAILPOINTS } from '@strongroom/erasure/testing'
import { afterAll, expect, test } from 'vitest'

import { removeAllDatabases } from '../../../core/test/stores/stores.ts'
import { DOING, round } from './rounds.ts'
import { type Fleet, makeFleet, START } from './support.ts'

const KILLS = Number(process.env['STRONGROOM_KILLS'] ?? 200)
const WAYS = FAILPOINTS.flatMap((name) => DOING[name])
const TIMES = Math.ceil(KILLS / WAYS.length)
/** Files run beside each other: the places are in two. */
const HALVES = { before: FAILPOINTS.indexOf('resource.erased'), behind: FAILPOINTS.length } as const

/** @param half - of the places: before the keys are gone, or behind */
export function killAtEach(half: keyof typeof HALVES): void {
  const places: readonly Failpoint[] = FAILPOINTS.slice(half === 'before' ? 0 : HALVES.before, HALVES[half])
  const killed = new Map<string, number>()

  afterAll(removeAllDatabases)

  test.each(places)('killed at %s', { timeout: 600_000 }, async (name) => {
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
    expect(places.filter((name) => killed.get(name) !== TIMES * DOING[name].length)).toEqual([])
    expect(TIMES * WAYS.length).toBeGreaterThanOrEqual(KILLS)
  })
}
