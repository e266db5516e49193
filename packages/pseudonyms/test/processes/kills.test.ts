// Processes killed at each write of minting and of sweeping, on either side of it: afterwards every key ends in time, and none comes back.
import { days } from '@strongroom/pseudonyms'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { removeAllDatabases } from '../../../core/test/stores/stores.ts'
import { DAY, swept } from '../support.ts'
import { resultOf, type Worker } from '../../../core/test/processes/worker.ts'
import { type Fleet, makeFleet } from './support.ts'

const START = Date.UTC(2030, 0, 1)
const SIDES = ['before', 'behind'] as const

let fleet: Fleet
beforeAll(async () => {
  fleet = await makeFleet()
})
afterAll(async () => {
  await fleet.stop()
  await removeAllDatabases()
})

// Each round has days of its own.
let rounds = 0
const nextStart = (): number => START + rounds++ * days(100)

/** Whatever was killed: whoever sweeps later ends the key of that day, and no process whose clock is behind gets another. */
async function endsInTime(at: number): Promise<void> {
  const later = await fleet.start(at + days(31))
  await later.run('sweep')
  expect(await later.run('sweep')).toEqual(swept())
  const behind = await fleet.start(at)
  expect(await resultOf(behind.run('pseudonymise', at))).toBe('shredded')
  for (const worker of [later, behind]) await worker.run('close')
}

/** How many writes a task makes. */
async function writesOf(worker: Worker, task: string, argument?: unknown): Promise<number> {
  await worker.run('dieAt', undefined)
  await worker.run(task, argument)
  const writes = await worker.run<number>('writes')
  await worker.run('close')
  return writes
}

async function killedAt(worker: Worker, where: object, task: string, argument?: unknown): Promise<void> {
  await worker.run('dieAt', where)
  expect(await resultOf(worker.run(task, argument))).toBe('ended')
}

describe('minting', () => {
  test('killed at each write, on either side of it', async () => {
    const first = nextStart()
    const writes = await writesOf(await fleet.start(first), 'pseudonymise', first)
    await endsInTime(first)
    // The note, and the key.
    expect(writes).toBe(2)
    for (let write = 1; write <= writes; write++) {
      for (const side of SIDES) {
        const at = nextStart()
        await killedAt(await fleet.start(at), { write, side }, 'pseudonymise', at)
        // What was begun is gone on with: one key, for everyone.
        const texts = await Promise.all(
          (await Promise.all([fleet.start(at), fleet.start(at)])).map((worker) => worker.run('pseudonymise', at)),
        )
        expect([write, side, new Set(texts).size]).toEqual([write, side, 1])
        await endsInTime(at)
      }
    }
  })

  test('killed at each write, and nobody looks at that day again before it is swept', async () => {
    for (const where of [
      { write: 1, side: 'behind' },
      { write: 2, side: 'before' },
      { write: 2, side: 'behind' },
    ]) {
      const at = nextStart()
      await killedAt(await fleet.start(at), where, 'pseudonymise', at)
      await endsInTime(at)
    }
  })

  test('four processes at once on a new day: one key', async () => {
    const at = nextStart()
    const workers = await Promise.all(Array.from({ length: 4 }, () => fleet.start(at)))
    const texts = await Promise.all(workers.map((worker) => worker.run('pseudonymise', at)))
    expect(new Set(texts).size).toBe(1)
    await endsInTime(at)
  })
})

describe('sweeping', () => {
  const twoDays = async (at: number): Promise<void> => {
    const worker = await fleet.start(at + DAY)
    for (const day of [at, at + DAY]) await worker.run('pseudonymise', day)
    await worker.run('close')
  }

  test('killed at each write, on either side of it: the next one goes on', async () => {
    const first = nextStart()
    await twoDays(first)
    const writes = await writesOf(await fleet.start(first + days(32)), 'sweep')
    expect(writes).toBeGreaterThan(4)
    for (let write = 1; write <= writes; write++) {
      for (const side of SIDES) {
        const at = nextStart()
        await twoDays(at)
        await killedAt(await fleet.start(at + days(32)), { write, side }, 'sweep')
        await endsInTime(at + DAY)
        const behind = await fleet.start(at)
        expect([write, side, await resultOf(behind.run('pseudonymise', at))]).toEqual([write, side, 'shredded'])
        await behind.run('close')
      }
    }
  })

  test('three at once, while others write the next days: every key that is over ends once and for all, no other', async () => {
    const at = nextStart()
    await twoDays(at)
    const sweepers = await Promise.all(Array.from({ length: 3 }, () => fleet.start(at + days(32))))
    const writers = await Promise.all(Array.from({ length: 2 }, () => fleet.start(at + days(32))))
    const days32 = at + days(32)
    const [texts] = await Promise.all([
      Promise.all(writers.map((worker) => worker.run('pseudonymise', days32))),
      ...sweepers.map((worker) => worker.run('sweep')),
    ])
    expect(new Set(texts).size).toBe(1)
    for (const worker of writers) expect(await worker.run('pseudonymise', days32)).toBe(texts[0])
    await endsInTime(at + DAY)
  })
})
