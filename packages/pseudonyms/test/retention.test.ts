// A period's key ends in time, whatever happened to its note, its options or its clock; and never comes back.
import { type KeyProvider, openVault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { days, hours, minutes, type PseudonymsOptions } from '@strongroom/pseudonyms'
import { describe, expect, test } from 'vitest'

import { nodeMadeBy } from '../../core/test/vault/support.ts'
import { BOUND, DAY, hex, nodesOf, notesOf, outcome, pseudonymsOf, refusalOf, START, swept, TODAY, type World, world } from './support.ts'

const liveKeys = ({ keyStore }: Pick<World, 'keyStore'>): number =>
  nodesOf(keyStore).filter(({ kind, versions }) => kind === 4 && versions.some(({ state }) => state !== 4)).length

describe('periods', () => {
  test('equal within one, and of nothing else: other days, purposes, modes, lengths and tenants', async () => {
    const w = await world()
    w.clock.advance(DAY - 1)
    const of = async (options: Partial<PseudonymsOptions> = {}, at = START, tenant = 'acme'): Promise<string> =>
      pseudonymsOf(w, options, tenant).pseudonymise('192.0.2.1', { at })
    const first = await of()
    expect(await of({}, START + DAY - 1)).toBe(first)
    const others = [
      await of({}, START - 1),
      await of({}, START - DAY - 1),
      await of({ purpose: 'other' }),
      await of({ mode: 'prefix' }),
      await of({ mode: 'token' }),
      await of({ period: hours(12) }),
      await of({}, START, 'rival'),
    ]
    expect(new Set([first, ...others]).size).toBe(8)
  })

  test('unlock says which, by the instant that was asked for', async () => {
    const w = await world()
    const keys = await pseudonymsOf(w).unlock({ at: START - 1 })
    expect([keys.period, keys.from, keys.to, keys.until]).toEqual([TODAY - 1, START - DAY, START, START - DAY + days(30)])
    const { period } = await pseudonymsOf(w).unlock()
    expect(period).toBe(TODAY)
  })

  test('no key is made for what has not happened, but clocks differ by an hour at most', async () => {
    const w = await world()
    const keys = liveKeys(w)
    const error = await refusalOf(() => pseudonymsOf(w).unlock({ at: START + hours(1) + 1 }))
    expect([error.code, error.argument, liveKeys(w), notesOf(w)]).toEqual(['invalid_argument', 'at', keys, []])
    expect((await pseudonymsOf(w).unlock({ at: START + hours(1) })).period).toBe(TODAY)
  })

  test('nor is anything taken that has not happened where its key is open already', async () => {
    const w = await world()
    for (const mode of ['deterministic', 'truncate'] as const) {
      const pseudonyms = pseudonymsOf(w, { mode })
      await pseudonyms.pseudonymise('192.0.2.1')
      const error = await refusalOf(() => pseudonyms.pseudonymise('192.0.2.1', { at: START + hours(1) + 1 }))
      expect([error.code, error.argument]).toEqual(['invalid_argument', 'at'])
      expect(await outcome(() => pseudonyms.pseudonymise('192.0.2.1', { at: START + hours(1) }))).toBe('done')
    }
  })
})

describe('the end of a key', () => {
  test('counted from the period’s start: at the last instant it works, then it is refused, and swept it is gone for good', async () => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w)
    const made = await nodeMadeBy(w.keyStore, () => pseudonyms.pseudonymise('192.0.2.1'))
    expect(made.kind).toBe(4)
    w.clock.advance(days(30) - 1)
    expect(await outcome(() => pseudonyms.pseudonymise('192.0.2.1', { at: START }))).toBe('done')
    expect(await pseudonyms.sweep()).toEqual(swept())
    w.clock.advance(1)
    expect(await outcome(() => pseudonyms.pseudonymise('192.0.2.1', { at: START }))).toBe('period_over')
    expect(await outcome(() => pseudonymsOf(w).unlock({ at: START }))).toBe('period_over')
    expect(await outcome(() => pseudonyms.reverse('192.0.2.1', { at: START, reason: 'test' }))).toBe('period_over')
    expect(await pseudonyms.sweep()).toEqual(swept({ done: 1 }))
    const gone = nodesOf(w.keyStore).find(({ ref }) => hex(ref) === hex(made.ref))
    expect(gone?.versions.map(({ state }) => state)).toEqual([4])
    expect(notesOf(w)).toEqual([])
    expect(await pseudonyms.sweep()).toEqual(swept())
  })

  test('a process whose clock is behind makes no key where one was destroyed, and one that it makes late is swept', async () => {
    const w = await world()
    await pseudonymsOf(w).pseudonymise('192.0.2.1')
    w.clock.advance(days(31))
    await pseudonymsOf(w).sweep()
    const behind = { ...w.clock, now: () => w.clock.now() - days(31) }
    const vault = await openVault({ ...w.options, clock: behind })
    const late = pseudonymsOf({ vault })
    expect(await outcome(() => late.pseudonymise('192.0.2.1', { at: START }))).toBe('shredded')
    expect(await outcome(() => late.reverse('192.0.2.1', { at: START, reason: 'test' }))).toBe('shredded')
    // A day without lines has no key: only a note that is due at once keeps the late one from staying.
    const keys = liveKeys(w)
    expect(await outcome(() => late.pseudonymise('192.0.2.1', { at: START - DAY }))).toBe('done')
    expect(liveKeys(w)).toBe(keys + 1)
    // The note of what was refused as well.
    expect(await pseudonymsOf(w).sweep()).toEqual(swept({ done: 2 }))
    w.clock.advance(2 * BOUND)
    expect([liveKeys(w), await outcome(() => late.pseudonymise('192.0.2.1', { at: START - DAY }))]).toEqual([keys, 'shredded'])
  })

  test('a lease ends with the promise, though the cache bound is not over', async () => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w, { period: minutes(1), retain: minutes(1) })
    w.clock.advance(59_000)
    const keys = await pseudonyms.unlock({ at: START })
    expect(keys.pseudonymise('192.0.2.1')).toMatch(/:/)
    w.clock.advance(1000)
    expect(await outcome(() => keys.pseudonymise('192.0.2.1'))).toBe('period_over')
    expect(await outcome(() => pseudonyms.pseudonymise('192.0.2.1', { at: START }))).toBe('period_over')
  })

  test('one sweep is for all tenants and purposes, and none of another vault in the same store', async () => {
    const [w, other] = [await world(), await world()]
    await pseudonymsOf(w).pseudonymise('192.0.2.1')
    await pseudonymsOf(w, { purpose: 'mail', mode: 'prefix' }, 'rival').pseudonymise('192.0.2.1')
    await pseudonymsOf(other).pseudonymise('192.0.2.1')
    w.stateStore.restore([
      ...w.stateStore.snapshot(),
      ...other.stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/period-keys'),
    ])
    w.clock.advance(days(31))
    expect(await pseudonymsOf(w, { purpose: 'nothing yet' }).sweep()).toEqual(swept({ done: 2 }))
    expect(notesOf(w)).toEqual(notesOf(other))
  })

  test('a promise that was made shorter holds for keys that were noted before, one made longer does not', async () => {
    const w = await world()
    await pseudonymsOf(w).pseudonymise('192.0.2.1')
    w.clock.advance(days(7))
    expect(await pseudonymsOf(w).sweep()).toEqual(swept())
    expect(await pseudonymsOf(w, { retain: days(7) }).sweep()).toEqual(swept({ done: 1 }))
    await pseudonymsOf(w).pseudonymise('192.0.2.1')
    await pseudonymsOf(w, { retain: days(90) }).pseudonymise('192.0.2.1')
    w.clock.advance(days(30))
    expect(await pseudonymsOf(w, { retain: days(90) }).sweep()).toEqual(swept({ done: 1 }))
    expect(await outcome(() => pseudonymsOf(w, { retain: days(90) }).pseudonymise('192.0.2.1', { at: START + days(7) }))).toBe('shredded')
  })

  test('notes that were lost with a restored state store are not needed: the keys are looked for', async () => {
    const w = await world()
    const before = w.stateStore.snapshot()
    const pseudonyms = pseudonymsOf(w)
    await pseudonyms.pseudonymise('192.0.2.1')
    await pseudonyms.pseudonymise('192.0.2.1', { at: START - 5 * DAY })
    w.stateStore.restore(before)
    const keys = liveKeys(w)
    w.clock.advance(days(30))
    expect(notesOf(w)).toEqual([])
    expect(await pseudonymsOf(w).sweep()).toEqual(swept({ done: 2 }))
    expect(liveKeys(w)).toBe(keys - 2)
  })

  test('a note that was tampered with ends no key before its period does, and none of another kind', async () => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w)
    await pseudonyms.pseudonymise('192.0.2.1')
    const keys = liveKeys(w)
    const [note] = notesOf(w)
    const at = (key: string, due: number) => ({ namespace: 'strongroom/period-keys', key, value: new Uint8Array(1), version: 'x', due })
    const strange = [
      at(note as string, 0),
      at((note as string).replace('pseudonym-deterministic', 'index'), 0),
      at((note as string).replace('pseudonym-deterministic', 'ref'), 0),
      at((note as string).replace('pseudonym-deterministic', 'index').replace(/\d+$/, '7'), 0),
      at(`${note as string}0`, 0),
      at('nonsense', 0),
    ]
    w.stateStore.restore([...w.stateStore.snapshot().filter(({ key }) => key !== note), ...strange])
    expect(await pseudonyms.sweep()).toMatchObject({ done: 0, waiting: 0, damaged: 5, failed: 0 })
    expect(liveKeys(w)).toBe(keys)
  })

  test('with the tenant everything is gone, and its notes go', async () => {
    const w = await world()
    await pseudonymsOf(w).pseudonymise('192.0.2.1')
    await w.vault.tenant('acme').shred()
    w.clock.advance(days(31))
    expect(await pseudonymsOf(w, {}, 'rival').sweep()).toEqual(swept({ done: 1 }))
    expect([notesOf(w), await outcome(() => pseudonymsOf(w).pseudonymise('192.0.2.1'))]).toEqual([[], 'shredded'])
    expect(await pseudonymsOf(w).sweep()).toEqual(swept())
  })

  test('a suspended tenant makes none, and what it has ends in time', async () => {
    const w = await world()
    await pseudonymsOf(w).pseudonymise('192.0.2.1')
    await w.vault.tenant('acme').suspend()
    expect(await outcome(() => pseudonymsOf(w).pseudonymise('192.0.2.1'))).toBe('suspended')
    w.clock.advance(days(31))
    expect(await pseudonymsOf(w, {}, 'rival').sweep()).toEqual(swept({ done: 1 }))
  })

  test('a tenant that there is not gets no note', async () => {
    const w = await world()
    expect(await outcome(() => pseudonymsOf(w, {}, 'nobody').pseudonymise('192.0.2.1'))).toBe('not_found')
    expect(await pseudonymsOf(w, {}, 'nobody').sweep()).toEqual(swept())
    expect(notesOf(w)).toEqual([])
  })

  test('a key store that was restored from before the sweep brings no key back', async () => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w)
    await pseudonyms.pseudonymise('192.0.2.1')
    const before = w.keyStore.snapshot()
    w.clock.advance(days(31))
    await pseudonyms.sweep()
    w.keyStore.restore(before)
    const behind = { ...w.clock, now: () => w.clock.now() - days(31) }
    const vault = await openVault({ ...w.options, clock: behind })
    expect(await outcome(() => pseudonymsOf({ vault }).unlock({ at: START }))).toBe('shredded')
  })

  test('keys of a region whose provider is not here wait, and the others end', async () => {
    const w = await world({ keyProviders: { eu: memoryKeyProvider(), us: memoryKeyProvider({ region: 'us' }) } })
    await w.vault.tenants.create('overseas', { region: 'us' })
    for (const tenant of ['acme', 'overseas']) await pseudonymsOf(w, {}, tenant).pseudonymise('192.0.2.1')
    w.clock.advance(days(31))
    const { eu } = w.options.keyProviders
    const vault = await openVault({ ...w.options, keyProviders: { eu: eu as KeyProvider } })
    expect(await pseudonymsOf({ vault }).sweep()).toEqual(swept({ done: 1, waiting: 1 }))
    expect(await pseudonymsOf({ vault }, {}, 'overseas').sweep()).toEqual(swept({ waiting: 1 }))
    expect(await pseudonymsOf(w).sweep()).toEqual(swept({ done: 1 }))
  })

  test('a sweep is ended by its signal between two keys, and the next goes on', async () => {
    const w = await world()
    for (const day of [0, 1, 2]) await pseudonymsOf(w).pseudonymise('192.0.2.1', { at: START - day * DAY })
    w.clock.advance(days(31))
    const controller = new AbortController()
    controller.abort(new Error('enough'))
    await expect(pseudonymsOf(w).sweep({ signal: controller.signal })).rejects.toThrow('enough')
    expect(notesOf(w)).toHaveLength(3)
    expect(await pseudonymsOf(w).sweep()).toEqual(swept({ done: 3 }))
  })
})

describe('clocks that jump', () => {
  test('forward: what is then too long ago is refused; back: it works again while its key was not destroyed', async () => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w)
    const first = await pseudonyms.pseudonymise('192.0.2.1')
    w.clock.jump(days(31))
    expect(await outcome(() => pseudonyms.pseudonymise('192.0.2.1', { at: START }))).toBe('period_over')
    w.clock.jump(-days(31))
    expect(await pseudonyms.pseudonymise('192.0.2.1', { at: START })).toBe(first)
    w.clock.jump(-hours(2))
    expect(await outcome(() => pseudonyms.pseudonymise('192.0.2.1', { at: START }))).toBe('invalid_argument')
  })
})

test('what only truncates takes nothing in that the other modes refuse: periods that are over, or still to come', async () => {
  const w = await world()
  for (const mode of ['truncate', 'token'] as const) {
    const pseudonyms = pseudonymsOf(w, { mode, retain: days(2) })
    const refused = (at: number): Promise<readonly string[]> =>
      Promise.all([outcome(() => pseudonyms.pseudonymise('192.0.2.1', { at })), outcome(() => pseudonyms.unlock({ at }))])
    expect([mode, await refused(START - 2 * DAY)]).toEqual([mode, ['period_over', 'period_over']])
    expect([mode, await refused(START + hours(1) + 1)]).toEqual([mode, ['invalid_argument', 'invalid_argument']])
    expect([mode, await refused(START - 2 * DAY + 1)]).toEqual([mode, ['period_over', 'period_over']])
    expect([mode, await refused(START - DAY)]).toEqual([mode, ['done', 'done']])
  }
})

test('what only truncates ends with its period, and when it is disposed of', async () => {
  const w = await world()
  const pseudonyms = pseudonymsOf(w, { mode: 'truncate', retain: DAY })
  const [kept, disposed] = [await pseudonyms.unlock(), await pseudonyms.unlock()]
  expect(kept.pseudonymise('192.0.2.1')).toBe('192.0.2.0')
  disposed.dispose()
  expect(await outcome(() => disposed.pseudonymise('192.0.2.1'))).toBe('handle_expired')
  w.clock.advance(DAY)
  expect(await outcome(() => kept.pseudonymise('192.0.2.1'))).toBe('period_over')
})

test('what only truncates ends no key of the same purpose, however short it keeps', async () => {
  const w = await world()
  const token = pseudonymsOf(w, { mode: 'token' })
  const first = await token.pseudonymise('192.0.2.1', { at: START })
  w.clock.advance(2 * DAY)
  expect(await pseudonymsOf(w, { mode: 'truncate', retain: DAY }).sweep()).toEqual(swept())
  expect(await token.pseudonymise('192.0.2.1', { at: START })).toBe(first)
})

test('of many periods at once, those that are over are refused to whoever asked, and bring nothing else down', async () => {
  const w = await world()
  const pseudonyms = pseudonymsOf(w)
  w.clock.advance(days(40))
  const unhandled: unknown[] = []
  const listen = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', listen)
  try {
    const said = await Promise.allSettled(
      Array.from({ length: 20 }, (_, day) => pseudonyms.pseudonymise('192.0.2.1', { at: START + (day === 0 ? 0 : day + 20) * DAY })),
    )
    expect(said.map(({ status }) => status)).toEqual(['rejected', ...Array.from({ length: 19 }, () => 'fulfilled')])
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(unhandled).toEqual([])
  } finally {
    process.off('unhandledRejection', listen)
  }
})
