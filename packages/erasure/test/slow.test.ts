// Resources that take longer than sweeps are apart: who works on one keeps it, and comes to an end.
import { days, minutes } from '@strongroom/core'
import { createErasure, sweep } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { APART, closeEpoch, email, pass, policy, rowsOf, type World, world } from './support.ts'

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

test('the time goes on between two renewals, in the last look: it is still whose it was, and ends', async () => {
  const w = await world()
  await w.erasure.sweep()
  const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  const others = await w.another()
  let looks = 0
  const { verify } = w.logs
  const looking = {
    ...w.logs,
    async verify(...args: Parameters<typeof verify>) {
      if (++looks === 2) await (w.clock.advance(APART), others.erasure.sweep())
      return verify(...args)
    },
  }
  expect(await createErasure(w.vault, { policy, resources: [looking] }).sweep()).toMatchObject({ done: 1 })
  expect(await w.erasure.find(w.acme.subject('alice'))).toBeUndefined()
  expect((await w.erasure.get(id))?.state).toBe('erased')
})

test('one resource fails, and the next takes a moment in which the time goes on: nobody else begins, since its process lives', async () => {
  const w = await world()
  await w.erasure.sweep()
  const [fails, slow] = [rowsOf('fails'), rowsOf('slow')]
  fails.fails = new Error('away')
  const others = await w.another({ resources: [fails, slow] })
  await others.erasure.request(others.vault.tenant('acme').subject('alice'), { reason: 'accountDeleted', grace: 0 })
  let calls = 0
  const { erase } = slow
  slow.erase = async (...args) => {
    if (++calls === 1) await (w.clock.advance(APART), others.erasure.sweep())
    return erase(...args)
  }
  expect(await others.erasure.sweep()).toMatchObject({ done: 0, failed: 1 })
  expect(calls).toBe(1)
  // It is tried again as soon as its pause is over.
  fails.fails = undefined
  w.clock.advance(APART)
  expect(await others.erasure.sweep()).toMatchObject({ done: 1, failed: 0 })
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

test('who was stopped behind his last look, and has lost his claim, ends nothing: something was written since, and no certificate says otherwise', async () => {
  const w = await world()
  await w.erasure.sweep()
  const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  const others = await w.another()
  const reached = async (name: string): Promise<void> => {
    if (name !== 'erased.verified') return
    w.logs.add('acme/alice')
    w.logs.lies = true
    for (let i = 0; i < 3; i++) await (w.clock.advance(APART), others.erasure.sweep())
  }
  const stopped = createErasure(w.vault, withFailpoints({ policy, resources: [w.logs] }, reached))
  expect(await stopped.sweep()).toMatchObject({ done: 0 })
  await closeEpoch(w.vault)
  w.clock.advance(days(30))
  await sweep([others.erasure])
  expect([(await w.erasure.get(id))?.state, await w.erasure.certificate(id)]).toEqual(['shredding', undefined])
  w.logs.lies = false
  await pass({ ...w, ...others }, days(1))
  expect([(await w.erasure.get(id))?.state, await w.erasure.certificate(id)]).toEqual(['closed', expect.any(String)])
})

test('what is done with first comes to its end, and is not kept waiting by all that comes behind it', async () => {
  const w = await world()
  let passed = 0
  const clock = { now: w.clock.now, monotonic: () => performance.now() + passed }
  const ids: string[] = []
  const seen: unknown[] = []
  const slow = {
    ...w.logs,
    async erase(...args: Parameters<typeof w.logs.erase>) {
      passed += minutes(6)
      seen.push(await Promise.all(ids.map(async (id) => (await w.erasure.get(id))?.state)))
      return w.logs.erase(...args)
    },
  }
  const { vault, erasure } = await w.another({ clock, resources: [slow] })
  for (const name of ['alice', 'bob'])
    ids.push((await erasure.request(vault.tenant('acme').subject(name), { reason: 'accountDeleted', grace: 0 })).id)
  expect(await sweep([erasure])).toMatchObject([{ done: 2, failed: 0 }])
  expect(seen).toHaveLength(2)
  expect(seen[0]).toEqual(['shredding', 'shredding'])
  expect(new Set(seen[1] as string[])).toEqual(new Set(['erased', 'shredding']))
})
