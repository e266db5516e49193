// What callers see: arguments, batches, reversal and who may do it, identifiers.
import { type Access, openVault, StrongroomError } from '@strongroom/core'
import { createPseudonyms, days, parseAddress, type Pseudonyms, type PseudonymsOptions } from '@strongroom/pseudonyms'
import { describe, expect, test } from 'vitest'

import { toEnd, world as rotatingWorld } from '../../core/test/epochs/support.ts'
import { DAY, hex, nodesOf, outcome, pseudonymsOf, refusalOf, START, TODAY, world } from './support.ts'

const MODES = ['deterministic', 'prefix', 'nd', 'ndx', 'token', 'truncate'] as const
const [V4, V6] = ['192.0.2.1', '2001:db8::1'] as const

describe('options', () => {
  const wrong: readonly [unknown, string][] = [
    [undefined, 'purpose'],
    [{}, 'purpose'],
    [{ purpose: '' }, 'purpose'],
    [{ purpose: 'x'.repeat(65) }, 'purpose'],
    [{ purpose: '\ud800' }, 'purpose'],
    [{ purpose: 'x', mode: 'sha256' }, 'mode'],
    [{ purpose: 'x', mode: 'toString' }, 'mode'],
    [{ purpose: 'x', period: 59_999 }, 'period'],
    [{ purpose: 'x', period: days(367) }, 'period'],
    [{ purpose: 'x', period: 60_000.5 }, 'period'],
    [{ purpose: 'x', period: days(2), retain: days(1) }, 'retain'],
    [{ purpose: 'x', retain: Number.NaN }, 'retain'],
    [{ purpose: 'x', retain: days(3661) }, 'retain'],
    [{ purpose: 'x', salt: 'x' }, 'options'],
  ]
  test.each(wrong)('%j', async (options, argument) => {
    const { vault } = await world()
    const error = await refusalOf(() => createPseudonyms(vault.tenant('acme'), options as PseudonymsOptions))
    expect([error.code, error.argument]).toEqual(['invalid_argument', argument])
  })

  test('a tenant is needed', async () => {
    const { vault } = await world()
    for (const none of [undefined, null, {}, vault]) {
      const error = await refusalOf(() => createPseudonyms(none as never, { purpose: 'x' }))
      expect([error.code, error.argument]).toEqual(['invalid_argument', 'tenant'])
    }
  })

  test('each mode has a key of its own', async () => {
    const w = await world()
    const before = nodesOf(w.keyStore).length
    for (const mode of MODES) await pseudonymsOf(w, { mode }).unlock()
    // What is cut off has none.
    expect(nodesOf(w.keyStore).length - before).toBe(5)
  })

  test('nothing is read or made before the first use', async () => {
    const w = await world()
    const before = [nodesOf(w.keyStore).length, w.stateStore.snapshot().length]
    pseudonymsOf(w)
    expect([nodesOf(w.keyStore).length, w.stateStore.snapshot().length]).toEqual(before)
  })
})

describe.each(MODES)('%s', (mode) => {
  test('single and many, text and bytes, with and without what stands around: the same', async () => {
    const pseudonyms = pseudonymsOf(await world(), { mode })
    const keys = await pseudonyms.unlock()
    const blocks = Buffer.concat([V4, V6].map((text) => parseAddress(text) ?? new Uint8Array()))
    const many = keys.pseudonymiseMany([V4, V6])
    expect(many).toHaveLength(2)
    const changes = mode === 'nd' || mode === 'ndx'
    const all = [
      keys.pseudonymiseBlocks(blocks),
      [keys.pseudonymise(V4), keys.pseudonymise(V6)],
      [await pseudonyms.pseudonymise(V4), await pseudonyms.pseudonymise(V6)],
      keys.pseudonymiseMany(['::ffff:192.0.2.1', '2001:0DB8:0::1']),
      [keys.pseudonymise('192.0.2.1:8080'), keys.pseudonymise('[2001:db8::1%eth0]:443')],
    ]
    for (const each of all) {
      expect(each).toHaveLength(2)
      if (changes) expect(each.map((text) => text.length)).toEqual(many.map((text) => text.length))
      else expect(each).toEqual(many)
    }
    expect(Object.getPrototypeOf(keys.pseudonymiseBytes(blocks))).toBe(Uint8Array.prototype)
    expect(keys.pseudonymiseBytes(blocks)).toHaveLength(
      2 * { nd: 24, ndx: 32, deterministic: 16, prefix: 16, token: 16, truncate: 16 }[mode],
    )
  })

  test('what is no address is refused by its place, and not shown', async () => {
    const pseudonyms = pseudonymsOf(await world(), { mode })
    const keys = await pseudonyms.unlock()
    const refused: readonly [() => unknown, string][] = [
      [() => keys.pseudonymise('010.0.0.1'), 'address'],
      [() => keys.pseudonymise(undefined as unknown as string), 'address'],
      [() => pseudonyms.pseudonymise('1.2.3'), 'address'],
      [() => keys.pseudonymiseMany([V4, '0x7f.1']), 'addresses[1]'],
      [() => keys.pseudonymiseMany([V4, '192.0.2.1:80']), 'addresses[1]'],
      [() => keys.pseudonymiseMany(V4 as unknown as string[]), 'addresses'],
      [() => keys.pseudonymiseBlocks(new Uint8Array(15)), 'addresses'],
      [() => keys.pseudonymiseBlocks('x' as unknown as Uint8Array), 'addresses'],
      [() => pseudonyms.unlock({ at: -1 }), 'at'],
      [() => pseudonyms.unlock({ at: 1.5 }), 'at'],
      [() => pseudonyms.unlock({ at: new Date() as unknown as number }), 'at'],
      [() => pseudonyms.unlock({ when: 1 } as never), 'options'],
    ]
    for (const [call, argument] of refused) {
      const error = await refusalOf(call)
      expect([error.code, error.argument]).toEqual(['invalid_argument', argument])
      expect(String(error.stack)).not.toMatch(/010\.0\.0\.1|0x7f|1\.2\.3\b/)
    }
  })
})

describe('reverse', () => {
  const REASON = 'abuse report 4711'

  test.each(['deterministic', 'nd', 'ndx'] as const)('%s: the right day is certain for IPv4, a wrong one is told or open', async (mode) => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w, { mode })
    const [four, six] = [await pseudonyms.pseudonymise(V4), await pseudonyms.pseudonymise(V6)]
    expect(await pseudonyms.reverse(four, { at: START, reason: REASON })).toEqual({ address: V4, period: 'certain' })
    expect(await pseudonyms.reverse(six, { at: START, reason: REASON })).toEqual({ address: V6, period: 'unknown' })
    const verdicts = new Set<string>()
    for (let day = 1; day < 25; day++) {
      await pseudonyms.pseudonymise(V4, { at: START - day * DAY })
      const { address, period } = await pseudonyms.reverse(four, { at: START - day * DAY, reason: REASON })
      expect(address).not.toBe(V4)
      verdicts.add(period)
    }
    // One in 2^96 would be certain; 24 that are all in use are one in 10^20.
    expect([verdicts.has('certain'), verdicts.has('unlikely')]).toEqual([false, true])
  })

  test('prefix: undone, and of the day nothing is known', async () => {
    const pseudonyms = pseudonymsOf(await world(), { mode: 'prefix' })
    for (const address of [V4, V6])
      expect(await pseudonyms.reverse(await pseudonyms.pseudonymise(address), { at: START, reason: REASON })).toEqual({
        address,
        period: 'unknown',
      })
  })

  test.each(['token', 'truncate'] as const)('%s cannot be undone', async (mode) => {
    const pseudonyms = pseudonymsOf(await world(), { mode })
    expect(await outcome(async () => pseudonyms.reverse(await pseudonyms.pseudonymise(V4), { at: START, reason: REASON }))).toBe(
      'unsupported_operation',
    )
  })

  test('what is none of this mode, of a day without lines, or without a reason', async () => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w, { mode: 'nd' })
    const text = await pseudonyms.pseudonymise(V4)
    const keys = nodesOf(w.keyStore).length
    for (const [pseudonym, options, expected] of [
      ['192.0.2.1', { at: START, reason: REASON }, 'decrypt_failed'],
      ['', { at: START, reason: REASON }, 'decrypt_failed'],
      [text, { at: START - DAY, reason: REASON }, 'decrypt_failed'],
      [text, { at: START, reason: '' }, 'invalid_argument'],
      [text, { at: START }, 'invalid_argument'],
      [text, { reason: REASON }, 'invalid_argument'],
      [undefined, { at: START, reason: REASON }, 'invalid_argument'],
    ] as const)
      expect([
        options,
        await outcome(() => pseudonyms.reverse(pseudonym as string, options as Parameters<Pseudonyms['reverse']>[1])),
      ]).toEqual([options, expected])
    // Asking makes no key.
    expect(nodesOf(w.keyStore).length).toBe(keys)
  })

  test('passes the gate with its reason; whoever listens may refuse, and nothing is undone then', async () => {
    const seen: Access[] = []
    let refusing = false
    const w = await world({
      onAccess(access) {
        seen.push(access)
        if (refusing && access.operation === 'pseudonym.reverse') throw new Error('no')
      },
    })
    const pseudonyms = pseudonymsOf(w)
    const text = await pseudonyms.pseudonymise(V4)
    const own = seen.filter(({ operation }) => operation.startsWith('pseudonym.'))
    expect(own.map(({ operation, tenant, field, reason, region }) => ({ operation, tenant, field, reason, region }))).toEqual([
      { operation: 'pseudonym.open', tenant: 'acme', field: 'access-log', reason: undefined, region: 'eu' },
      { operation: 'pseudonym.value', tenant: 'acme', field: 'access-log', reason: undefined, region: 'eu' },
    ])
    seen.length = 0
    await pseudonyms.reverse(text, { at: START, reason: REASON })
    expect(seen.map(({ operation, reason }) => [operation, reason])).toEqual([['pseudonym.reverse', REASON]])
    expect(JSON.stringify(seen)).not.toContain(V4)
    refusing = true
    expect(await outcome(() => pseudonyms.reverse(text, { at: START, reason: REASON }))).toBe('denied')
    expect(await outcome(() => pseudonyms.pseudonymise(V4))).toBe('done')
  })
})

describe('id', () => {
  test('the same in every process; of another tenant, purpose, kind or subject another', async () => {
    const w = await world()
    const of = (pseudonyms: Pseudonyms, kind: string, value: string, subject?: string): Promise<string> =>
      pseudonyms.id(kind, value, subject === undefined ? {} : { subject })
    const first = await of(pseudonymsOf(w), 'user', 'alice')
    expect(first).toMatch(/^AQ?[\w-]{20,21}$/)
    expect(Buffer.from(first, 'base64url')).toHaveLength(16)
    expect(await of(pseudonymsOf({ vault: await openVault(w.options) }, { mode: 'prefix' }), 'user', 'alice')).toBe(first)
    const others = await Promise.all([
      of(pseudonymsOf(w), 'user', 'bob'),
      of(pseudonymsOf(w), 'device', 'alice'),
      of(pseudonymsOf(w), 'user', 'alice', 'bob'),
      of(pseudonymsOf(w, { purpose: 'analytics' }), 'user', 'alice'),
      of(pseudonymsOf(w, {}, 'rival'), 'user', 'alice'),
    ])
    expect(new Set([first, ...others]).size).toBe(6)
    // A boundary that moves makes another.
    expect(await of(pseudonymsOf(w), 'us', 'eralice', 'alice')).not.toBe(await of(pseudonymsOf(w), 'user', 'alice', 'alice'))
  })

  test('the key hangs beneath the subject, and goes with it; recreated, the person is another', async () => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w)
    const alice = w.vault.tenant('acme').subject('alice')
    const [before, device] = [await pseudonyms.id('user', 'alice'), await pseudonyms.id('device', 'a1', { subject: 'alice' })]
    const refs = await alice.references()
    expect(nodesOf(w.keyStore).filter(({ parentRef }) => hex(parentRef) === refs[1])).toHaveLength(1)
    await alice.shred()
    expect(await outcome(() => pseudonyms.id('user', 'alice'))).toBe('shredded')
    expect(await outcome(() => pseudonyms.id('device', 'a1', { subject: 'alice' }))).toBe('shredded')
    expect(await outcome(() => pseudonyms.id('user', 'bob'))).toBe('done')
    await alice.recreate({ reason: 'operator' })
    expect([await pseudonyms.id('user', 'alice'), await pseudonyms.id('device', 'a1', { subject: 'alice' })]).not.toEqual(
      expect.arrayContaining([before, device]),
    )
  })

  test('this and a day’s pseudonyms live through rotations of every key above them', async () => {
    const w = await rotatingWorld()
    const both = (pseudonyms: Pseudonyms): Promise<readonly string[]> =>
      Promise.all([pseudonyms.id('user', 'alice'), pseudonyms.pseudonymise(V4, { at: w.clock.now() })])
    const before = await both(pseudonymsOf(w))
    await toEnd(w.vault.rotateSubjectKey(w.vault.tenant('acme').subject('alice')))
    await toEnd(w.vault.rotateTenantKey(w.vault.tenant('acme')))
    await toEnd(w.vault.rotateRootKey())
    expect(await both(pseudonymsOf({ vault: await openVault(w.options) }))).toEqual(before)
  })

  test.each([
    ['', 'alice', 'kind'],
    ['user', '', 'subject'],
    ['user', 'x'.repeat(1025), 'value'],
    [1, 'alice', 'kind'],
  ])('%j, %j', async (kind, value, argument) => {
    const w = await world()
    const error = await refusalOf(() => pseudonymsOf(w).id(kind as string, value))
    expect([error.code, error.argument?.replace('subject', 'value')]).toEqual(['invalid_argument', argument.replace('subject', 'value')])
  })
})

test('errors, handles and what they hold show nothing of addresses or keys', async () => {
  const w = await world()
  const pseudonyms = pseudonymsOf(w)
  const keys = await pseudonyms.unlock()
  const { inspect } = await import('node:util')
  const shown = inspect([pseudonyms, keys], { depth: 10, showHidden: true }) + JSON.stringify([pseudonyms, keys])
  expect(shown).not.toMatch(/Buffer|Uint8Array|Cipher/)
  expect(keys.period).toBe(TODAY)
  expect(await refusalOf(() => pseudonyms.unlock({ at: 0 }))).toBeInstanceOf(StrongroomError)
})
