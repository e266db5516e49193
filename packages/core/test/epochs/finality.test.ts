// Whether a shred is dead in every backup: as status counts it, and never before every root version that counts is gone.
import { type ClosureBlocker, type Destruction, type Finality, openVault, type Vault } from '@strongroom/core'
import { downProvider, memoryKeyProvider } from '@strongroom/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { ProviderStatus } from '#core/epochs/provider-status.js'
import { finalityOf, type RegionEntries, shredStatus } from '#core/epochs/shred-status.js'
import type { KnownRootVersion, RegionRecord } from '#core/format/records.js'

import { aroundStateStore, held, outcome, refusalOf, START } from '../vault/support.ts'
import { DAY, encrypt, toEnd, WITHOUT, world } from './support.ts'

const NOTE = { n: 1, hash: new Uint8Array(32), instant: START }

async function blockers(vault: Vault, rootVersion = 1): Promise<readonly ClosureBlocker[] | 'final'> {
  const { final, blockedBy } = await vault.finality({ region: 'eu', rootVersion })
  const status = (await vault.status({ region: 'eu' })).regions[0]?.shreds
  // There is one shred in these tests: status says the same of it.
  expect([status?.final, status?.blockedBy]).toEqual([final ? 1 : 0, blockedBy])
  // What is final is always worth asking for.
  expect([final, await vault.mayBeFinal({ region: 'eu', rootVersion })]).not.toEqual([true, false])
  return final ? 'final' : blockedBy
}

describe('a shred', () => {
  test('from the first moment to the end of the last copy', async () => {
    const inner = memoryKeyProvider()
    const answer: Destruction = { level: 'scheduled', effectiveAt: START + DAY, copiesUntil: START + 3 * DAY }
    const provider = {
      ...inner,
      destroyVersion: async (...args: Parameters<typeof inner.destroyVersion>) => (await inner.destroyVersion(...args), answer),
    }
    const { vault, clock } = await world({ provider })
    await encrypt(vault, 'alice')
    const { rootVersion } = await vault.tenant('acme').subject('alice').shred()
    expect(rootVersion).toBe(1)

    expect(await blockers(vault)).toEqual(['rotation_needed', 'close_needed'])
    expect(await vault.mayBeFinal({ region: 'eu', rootVersion })).toBe(false)
    await toEnd(vault.rotateRootKey())
    expect(await blockers(vault)).toEqual(['close_needed'])
    const before = await vault.finality({ region: 'eu', rootVersion })
    expect(before).toEqual({ at: START, final: false, blockedBy: ['close_needed'], versions: [] })
    await toEnd(vault.closeEpoch(WITHOUT))
    expect(await blockers(vault)).toEqual(['scheduled', 'copies_live'])
    clock.jump(DAY)
    expect(await blockers(vault)).toEqual(['copies_live'])
    clock.jump(2 * DAY - 1)
    expect(await blockers(vault)).toEqual(['copies_live'])
    expect(await vault.mayBeFinal({ region: 'eu', rootVersion })).toBe(false)
    clock.jump(1)
    expect(await blockers(vault)).toBe('final')
    expect(await vault.finality({ region: 'eu', rootVersion })).toEqual({
      at: START + 3 * DAY,
      final: true,
      until: START + 3 * DAY,
      blockedBy: [],
      versions: [{ number: 1, ...answer }],
    })
    // Of the newest root version nothing is final, nor of one that there is not yet.
    for (const later of [2, 3])
      expect(await vault.finality({ region: 'eu', rootVersion: later })).toMatchObject({
        final: false,
        blockedBy: ['rotation_needed', 'close_needed'],
      })
    clock.jump(-1)
    expect(await blockers(vault)).toEqual(['copies_live'])
  })

  test('is not final while the provider does not answer', async () => {
    const provider = downProvider(memoryKeyProvider())
    provider.isDown = false
    const { vault, stopAging } = await world({ provider })
    const { rootVersion } = await vault.tenant('acme').subject('alice').shred()
    await toEnd(vault.rotateRootKey())
    await toEnd(vault.closeEpoch(WITHOUT))
    stopAging()
    expect((await vault.finality({ region: 'eu', rootVersion })).final).toBe(true)
    provider.isDown = true
    // The ledger's key is in memory still.
    expect(await vault.finality({ region: 'eu', rootVersion })).toMatchObject({ final: false, blockedBy: ['provider_unavailable'] })
  })

  test('asking writes nothing, and reads the ledger once', async () => {
    const made = await world()
    await made.vault.tenant('acme').subject('alice').shred()
    const before = held(made)
    let pages = 0
    const counted = await openVault({
      ...made.options,
      stateStore: aroundStateStore(made.stateStore, ({ method, args }, proceed) => {
        if (method === 'scan' && args[0] === 'strongroom/ledger') pages++
        return proceed()
      }),
    })
    pages = 0
    await counted.finality({ region: 'eu', rootVersion: 1 })
    const once = pages
    await counted.status()
    expect([once > 0, pages]).toEqual([true, 2 * once])
    expect(held(made)).toEqual(before)
  })

  test('wrong arguments, another region, and a closed vault', async () => {
    const { vault } = await world()
    for (const [options, argument] of [
      [undefined, 'region'],
      [{ region: 5, rootVersion: 1 }, 'region'],
      [{ region: 'eu' }, 'rootVersion'],
      [{ region: 'eu', rootVersion: 0 }, 'rootVersion'],
      [{ region: 'eu', rootVersion: 1.5 }, 'rootVersion'],
      [{ region: 'eu', rootVersion: 1, signal: 5 }, 'signal'],
      [{ region: 'eu', rootVersion: 1, other: 5 }, 'options'],
    ] as const)
      expect(await refusalOf(() => vault.finality(options as never))).toMatchObject({ code: 'invalid_argument', argument })
    expect(await outcome(() => vault.finality({ region: 'us', rootVersion: 1 }))).toBe('region_refused')
    await expect(vault.finality({ region: 'eu', rootVersion: 1, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    await vault.close()
    expect(await outcome(() => vault.finality({ region: 'eu', rootVersion: 1 }))).toBe('vault_closed')
  })
})

describe('whatever ledger, key store and provider say', () => {
  const NOW = 100
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 })
  const destruction: fc.Arbitrary<Destruction> = fc.record({
    level: fc.constantFrom('confirmed', 'scheduled', 'operator-asserted'),
    effectiveAt: fc.integer({ min: NOW - 3, max: NOW + 3 }),
    copiesUntil: fc.integer({ min: NOW - 3, max: NOW + 3 }),
  })
  const version = fc.record({
    state: fc.constantFrom('live' as const, 'destroyed' as const),
    destruction: fc.option(destruction, { nil: undefined }),
  })
  const record: fc.Arbitrary<RegionRecord | undefined> = fc.option(
    fc
      .record({
        known: fc.dictionary(fc.constantFrom('1', '2', '3', '4', '5', '6'), version, { minKeys: 1 }),
        closing: fc.integer({ min: 0, max: 3 }),
        epoch: fc.option(fc.integer({ min: 1, max: 6 })),
      })
      .map(({ known, closing, epoch }): RegionRecord => ({
        type: 'region',
        region: 'eu',
        revision: 1,
        current: 1,
        closing,
        versions: Object.entries(known)
          .map(([number, each]): KnownRootVersion => ({ number: Number(number), id: new Uint8Array(16), announced: NOTE, ...each }))
          .toSorted((a, b) => a.number - b.number),
        epoch: epoch === null ? undefined : { rootVersion: epoch, marker: new Uint8Array(16), instant: START },
      })),
    { nil: undefined },
  )
  const entries: fc.Arbitrary<RegionEntries> = fc
    .record({
      created: numbers,
      destroyed: numbers,
      shreds: fc.array(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.record({ count: fc.integer({ min: 1, max: 9 }), since: fc.nat(NOW) }))),
    })
    .map(({ created, destroyed, shreds }) => ({ created: new Set(created), destroyed: new Set(destroyed), shreds: new Map(shreds) }))
  const provider: fc.Arbitrary<ProviderStatus> = fc.record({
    state: fc.constantFrom('answers', 'answers', 'unavailable', 'none'),
    unknown: numbers,
    missing: numbers,
    gone: numbers,
    undestroyed: numbers,
  })

  test('status and finality agree, and what is final is so by each of the three', () => {
    let finals = 0
    fc.assert(
      fc.property(entries, record, provider, (said, known, answer) => {
        const status = shredStatus(said, known, answer, NOW)
        const each = new Map(
          [...said.shreds.keys()].map((number): [number, Finality] => [number, finalityOf(said, known, answer, NOW, number)]),
        )
        const counted = (is: (one: Finality) => boolean): number =>
          [...said.shreds].filter(([number]) => is(each.get(number) as Finality)).reduce((sum, [, { count }]) => sum + count, 0)

        expect(counted(({ until }) => until === undefined)).toBe(status.waiting.count)
        expect(counted(({ until }) => until !== undefined && until > NOW)).toBe(status.awaiting.count)
        expect(counted(({ until }) => until !== undefined && until <= NOW)).toBe(status.final)
        expect(new Set([...each.values()].flatMap(({ blockedBy }) => blockedBy))).toEqual(new Set(status.blockedBy))
        for (const [number, { final, blockedBy }] of each) {
          expect(final).toBe(blockedBy.length === 0)
          if (!final) continue
          finals++
          expect(answer.state).toBe('answers')
          expect(said.destroyed.has(number)).toBe(true)
          for (const created of said.created) expect(created > number || said.destroyed.has(created)).toBe(true)
          for (const one of known?.versions ?? []) {
            if (one.number > number) continue
            expect([one.state, answer.undestroyed.includes(one.number)]).toEqual(['destroyed', false])
            expect(Math.max(one.destruction?.effectiveAt ?? Infinity, one.destruction?.copiesUntil ?? Infinity)).toBeLessThanOrEqual(NOW)
          }
        }
      }),
      { numRuns: 5000, seed: 7 },
    )
    expect(finals).toBeGreaterThan(20)
  })
})
