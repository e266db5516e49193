// Resources that take longer than sweeps are apart: who works on one keeps it, and comes to an end.
import { minutes } from '@strongroom/core'
import { createErasure } from '@strongroom/erasure'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { APART, email, policy, rowsOf, type World, world } from './support.ts'

// A claim is renewed once a minute.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

/** The erasures' time goes on, as others sweep, and whoever works renews. */
async function goesOn(w: World, others: Pick<World, 'erasure'>, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    w.clock.advance(APART)
    await others.erasure.sweep()
    vi.advanceTimersByTime(minutes(1))
    // What the renewal writes has come.
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve))
  }
}

test.each(['erase', 'verify', 'survivors'] as const)('%s takes seven times as long: nobody else begins, and it ends', async (call) => {
  const w = await world()
  const alice = w.acme.subject('alice')
  await alice.encrypt(email, 'ada@example.com')
  w.logs.add('acme/alice', 2)
  await w.erasure.sweep()
  const { id } = await w.erasure.request(alice, { reason: 'accountDeleted', grace: 0 })
  const others = await w.another()
  const calls = { erase: 0, verify: 0, survivors: 0 }
  const { erase, verify } = w.logs
  const slow = {
    ...w.logs,
    async erase(...args: Parameters<typeof erase>) {
      calls.erase++
      if (call === 'erase') await goesOn(w, others, 7)
      args[1]?.signal?.throwIfAborted()
      return erase(...args)
    },
    async verify(...args: Parameters<typeof verify>) {
      calls.verify++
      if (call === 'verify') await goesOn(w, others, 7)
      return verify(...args)
    },
    async survivors() {
      calls.survivors++
      if (call === 'survivors') await goesOn(w, others, 7)
      return []
    },
  }
  const slowly = createErasure(w.vault, { policy, resources: [slow] })
  expect(await slowly.sweep()).toMatchObject({ done: 1, failed: 0 })
  expect([(await w.erasure.get(id))?.state, calls]).toEqual(['erased', { erase: 1, verify: 2, survivors: 1 }])
})

test('a process that lives no more: others go on once the time has gone on twice', async () => {
  const w = await world()
  w.logs.add('acme/alice', 2)
  await w.erasure.sweep()
  const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  const { erase } = w.logs
  w.logs.erase = () => new Promise(() => undefined)
  void w.erasure.sweep()
  for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve))
  w.logs.erase = erase
  const others = await w.another({ resources: [w.logs] })
  const states: unknown[] = []
  for (let i = 0; i < 4; i++) {
    w.clock.advance(APART)
    await others.erasure.sweep()
    states.push((await others.erasure.get(id))?.state)
  }
  expect(states).toEqual(['shredding', 'erased', 'erased', 'erased'])
})

test('who has lost his claim, to somebody who has taken it, hears of it within a minute', async () => {
  const w = await world()
  await w.erasure.sweep()
  const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  const others = await w.another({ resources: [rowsOf('logs')] })
  let stop: (isAborted: boolean) => void = () => undefined
  const isAborted = new Promise<boolean>((resolve) => {
    stop = resolve
  })
  const stopped = {
    ...w.logs,
    async erase(...[, options]: Parameters<typeof w.logs.erase>) {
      // It does not live for two steps of the time; then it does.
      for (let i = 0; i < 3; i++) await (w.clock.advance(APART), others.erasure.sweep())
      await goesOn(w, others, 1)
      stop(options?.signal?.aborted === true)
      return 0
    },
  }
  await createErasure(w.vault, { policy, resources: [stopped] }).sweep()
  expect([(await others.erasure.get(id))?.state, await isAborted]).toEqual(['erased', true])
})
