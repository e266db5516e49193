// Clocks that are wrong: nothing is destroyed early, nothing is revived, and everything still ends.
import { days, hours, minutes } from '@strongroom/core'
import { manualClock, memoryKeyProvider } from '@strongroom/core/testing'
import { createErasure } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { describe, expect, test } from 'vitest'

import { APART, email, GRACE, outcome, pass, policy, START, type World, world } from './support.ts'

const YEAR = days(365)

async function requested(w: World) {
  const alice = w.acme.subject('alice')
  const stored = await alice.encrypt(email, 'ada@example.com')
  const request = await w.erasure.request(alice, { reason: 'accountDeleted' })
  const isThere = async (): Promise<boolean> => {
    if ((await alice.state()) !== 'suspended') return false
    await request.cancel()
    const opens = (await outcome(() => alice.decrypt(email, stored))) === 'done'
    await w.erasure.request(alice, { reason: 'accountDeleted' })
    return opens
  }
  return { alice, request, isThere }
}

/** Sweeps as often as cron would, for so long. */
async function hourly(w: Pick<World, 'clock' | 'erasure'>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += APART) {
    w.clock.advance(APART)
    await w.erasure.sweep()
  }
}

test.each([minutes(1), hours(2), days(29), days(31), YEAR, 100 * YEAR])(
  'a clock that jumps forward by %d ms, however often it sweeps before it is put right, less than an interval later',
  async (ms) => {
    const w = await world()
    const { alice, isThere } = await requested(w)
    await hourly(w, days(1))
    for (let i = 0; i < 3; i++) {
      w.clock.jump(ms)
      for (let sweeps = 0; sweeps < 4; sweeps++) {
        await w.erasure.sweep()
        w.clock.advance(minutes(10))
      }
      w.clock.jump(-ms)
      await hourly(w, hours(3))
      expect(await alice.state()).toBe('suspended')
    }
    expect(await isThere()).toBe(true)
  },
)

test('one machine whose clock is a year ahead, beside one that is right: nothing is destroyed before its time, and at its time it is', async () => {
  const w = await world()
  const { alice, request } = await requested(w)
  const ahead = await w.another({ clock: { now: () => w.clock.now() + YEAR, monotonic: () => performance.now() } })
  while (w.clock.now() < START + GRACE) {
    await w.erasure.sweep()
    await ahead.erasure.sweep()
    await ahead.erasure.sweep()
    w.clock.advance(hours(6))
    expect(await alice.state()).toBe('suspended')
  }
  for (let i = 0; i < 3; i++) {
    await w.erasure.sweep()
    w.clock.advance(hours(6))
    await ahead.erasure.sweep()
  }
  expect((await request.refresh())?.state).toBe('erased')
})

test('a machine whose clock is behind holds it up, and its sweep says so; nothing comes early when it is put right', async () => {
  const w = await world()
  const { alice } = await requested(w)
  let behind = -YEAR
  const late = await w.another({ clock: { now: () => w.clock.now() + behind, monotonic: () => performance.now() } })
  await hourly(w, days(2))
  expect(await late.erasure.sweep()).toMatchObject({ failures: [{ place: 'clock', reason: 'clocks_disagree' }] })
  for (let i = 0; i < 40; i++) {
    w.clock.advance(days(1))
    await w.erasure.sweep()
    await late.erasure.sweep()
  }
  expect(await alice.state()).toBe('suspended')
  behind = 0
  await pass(w, 3 * APART)
  expect(await alice.state()).toBe('shredded')
})

test('a clock that jumps back revives nothing: what was due cannot be taken back, and what is destroyed stays so', async () => {
  const w = await world()
  const { alice, request } = await requested(w)
  // A hold keeps it from being destroyed, so that it is due and still there.
  await w.erasure.hold(alice, { reason: 'case 4711' })
  await pass(w, GRACE + 3 * APART)
  w.clock.jump(-YEAR)
  expect([await alice.state(), await outcome(() => request.cancel())]).toEqual(['suspended', 'grace_over'])
  await w.erasure.release(alice, { reason: 'closed' })
  await w.erasure.sweep()
  expect([await alice.state(), (await request.refresh())?.state]).toEqual(['shredded', 'erased'])
})

test('after days without any sweep the first destroys nothing; a later one does', async () => {
  const w = await world()
  const { alice } = await requested(w)
  await w.erasure.sweep()
  w.clock.advance(GRACE + days(3))
  await w.erasure.sweep()
  expect(await alice.state()).toBe('suspended')
  w.clock.advance(APART)
  await w.erasure.sweep()
  expect(await alice.state()).toBe('shredded')
})

test('asked for by a machine whose clock is behind what has come: the grace is counted from that', async () => {
  const w = await world()
  await hourly(w, days(10))
  const clock = manualClock(START - YEAR)
  const late = await w.another({ clock: { ...clock, monotonic: () => performance.now() } })
  const { due } = await late.erasure.request(late.vault.tenant('acme').subject('bob'), { reason: 'accountDeleted' })
  expect(due).toBeGreaterThan(START + days(10) - 3 * APART + GRACE)
})

describe('who writes the state store', () => {
  test('can have a request looked at early, and it is destroyed no earlier', async () => {
    const w = await world()
    const { alice } = await requested(w)
    await hourly(w, hours(3))
    const entries = w.stateStore.snapshot().map((entry) => (entry.namespace === 'strongroom/erasures' ? { ...entry, due: 0 } : entry))
    w.stateStore.restore(entries)
    await hourly(w, hours(3))
    expect(await alice.state()).toBe('suspended')
    await pass(w, GRACE)
    expect(await alice.state()).toBe('shredded')
  })

  test('cannot say what time it is: when a note of it is altered or removed, it begins anew', async () => {
    const w = await world()
    const { alice } = await requested(w)
    await hourly(w, hours(3))
    w.stateStore.edit('strongroom/erasure-time', w.vault.id, () => undefined)
    w.clock.advance(GRACE)
    await w.erasure.sweep()
    expect(await alice.state()).toBe('suspended')
    w.clock.advance(APART)
    w.stateStore.edit('strongroom/erasure-time', w.vault.id, (value) => value?.map((byte, i) => (i === 60 ? byte ^ 1 : byte)))
    expect(await w.erasure.sweep()).toMatchObject({ damaged: 1, failures: [{ place: `strongroom/erasure-time/${w.vault.id}` }] })
    expect(await alice.state()).toBe('suspended')
    await hourly(w, hours(2))
    expect(await alice.state()).toBe('shredded')
  })

  test('keeps nobody, by altering it, from taking back or from asking without grace', async () => {
    const w = await world()
    const { alice, request } = await requested(w)
    await w.erasure.sweep()
    w.stateStore.edit('strongroom/erasure-time', w.vault.id, () => Uint8Array.of(1))
    await request.cancel()
    await w.erasure.request(w.acme.subject('bob'), { reason: 'accountDeleted', grace: 0 })
    expect([await alice.state(), await w.acme.subject('bob').state()]).toEqual(['active', 'shredded'])
  })
})

test('what is claimed late in a sweep is claimed from where the time is then: others that have gone on with it leave it alone', async () => {
  const w = await world()
  const keyProviders = { ...w.vaultOptions.keyProviders, us: memoryKeyProvider() }
  const both = await w.another({ keyProviders })
  const corp = await both.vault.tenants.create('corp', { region: 'us' })
  for (const name of ['alice', 'bob']) await both.erasure.request(corp.subject(name), { reason: 'accountDeleted', grace: 0 })
  let claims = 0
  const others: number[] = []
  const reached = async (name: string): Promise<void> => {
    if (name !== 'sweep.claimed') return
    claims++
    // Without the provider of their region it leaves both, and goes on with the time.
    if (claims === 1) for (let i = 0; i < 3; i++) await (w.clock.advance(APART), w.erasure.sweep())
    if (claims === 2) others.push((await w.stateStore.due('strongroom/erasures', w.clock.now() - APART, 10)).length)
  }
  const sweeping = createErasure(both.vault, withFailpoints({ policy, resources: [w.logs] }, reached))
  await sweeping.sweep()
  // The first was claimed before.
  expect([claims, others]).toEqual([2, [1]])
})

test('when the time goes on while a process works on a resource, others leave that alone: who comes back has all that is hers', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  w.logs.add('acme/alice', 2)
  await w.erasure.sweep()
  w.clock.advance(APART - 1)
  const { id } = await w.erasure.request(alice, { reason: 'accountDeleted', grace: 0 })
  const { erase } = w.logs
  const others = await w.another({ resources: [w.logs] })
  const states: unknown[] = []
  w.logs.erase = async (place) => {
    w.logs.erase = erase
    w.clock.advance(1)
    await others.erasure.sweep()
    states.push((await others.erasure.get(id))?.state)
    return erase(place)
  }
  await w.erasure.sweep()
  expect([states, w.logs.rows.size]).toEqual([['shredding'], 0])
  await hourly(w, hours(3))
  expect((await w.erasure.get(id))?.state).toBe('erased')
})
