// No key outlives its lease: what a mode has made of it is destroyed with it, whoever ends it.
import { openVault, type RawKeyLease } from '@strongroom/core'
import { days } from '@strongroom/pseudonyms'
import { describe, expect, test } from 'vitest'

import { BOUND, DAY, outcome, pseudonymsOf, START, type World, world } from './support.ts'

const SERIES = { use: 'pseudonym-token', name: 'probe', length: DAY, retain: days(30) } as const

/** A lease of a key, and whether what was made of it was ended. */
async function probe(
  w: World,
): Promise<{ readonly lease: RawKeyLease<Uint8Array>; readonly ended: () => number; readonly seen: Uint8Array }> {
  let count = 0
  let seen = new Uint8Array()
  const lease = await w.vault
    .tenant('acme')
    .rawPeriodKeys(SERIES)
    .open(START, {
      make(key) {
        seen = key as Uint8Array<ArrayBuffer>
        return Uint8Array.from(key)
      },
      end(made) {
        made.fill(0)
        count++
      },
    })
  return { lease, ended: () => count, seen }
}

describe('the bytes of a key', () => {
  test('are wiped once make returns; what was made of them stays as long as the lease', async () => {
    const { lease, seen, ended } = await probe(await world())
    expect(seen).toEqual(new Uint8Array(32))
    expect(new Set(lease.use()).size).toBeGreaterThan(10)
    lease.dispose()
    lease.dispose()
    expect([ended(), await outcome(() => lease.use())]).toEqual([1, 'handle_expired'])
  })

  const ends: readonly [string, (w: World) => unknown, string][] = [
    ['a shred of the tenant', (w) => w.vault.tenant('acme').shred(), 'handle_expired'],
    ['a suspension of the tenant', (w) => w.vault.tenant('acme').suspend(), 'handle_expired'],
    ['the end of the vault', (w) => w.vault.close(), 'vault_closed'],
    ['the cache bound', (w) => w.clock.advance(BOUND * 2), 'handle_expired'],
    ['a wall clock that goes back', (w) => w.clock.jump(-1), 'handle_expired'],
  ]
  test.each(ends)('%s ends them', async (_, end, code) => {
    const w = await world({ cacheBound: BOUND })
    const { lease, ended } = await probe(w)
    await end(w)
    expect([await outcome(() => lease.use()), ended()]).toEqual([code, 1])
  })

  test('a shred ends them at once, not at the next use', async () => {
    const w = await world()
    const { ended } = await probe(w)
    await w.vault.tenant('acme').shred()
    expect(ended()).toBe(1)
  })

  test('make that throws leaves nothing behind', async () => {
    const w = await world()
    const series = w.vault.tenant('acme').rawPeriodKeys(SERIES)
    let ended = 0
    const make = (): never => {
      throw new Error('of make')
    }
    await expect(series.open(START, { make, end: () => ended++ })).rejects.toThrow('of make')
    expect(ended).toBe(0)
  })
})

describe('handles', () => {
  test.each(['deterministic', 'prefix', 'nd', 'ndx', 'token'] as const)('%s: disposed, they are refused in every way', async (mode) => {
    const keys = await pseudonymsOf(await world(), { mode }).unlock()
    const block = new Uint8Array(16)
    expect([keys.pseudonymise('192.0.2.1').length > 0, keys.pseudonymiseBytes(block).length >= 16]).toEqual([true, true])
    keys.dispose()
    for (const call of [
      () => keys.pseudonymise('192.0.2.1'),
      () => keys.pseudonymiseMany(['192.0.2.1']),
      () => keys.pseudonymiseBlocks(block),
      () => keys.pseudonymiseBytes(block),
    ])
      expect(await outcome(call)).toBe('handle_expired')
  })

  test('single calls go on by themselves past the bound, and stop with the key in every process', async () => {
    const w = await world()
    const other = await openVault(w.options)
    const [here, there] = [pseudonymsOf(w), pseudonymsOf({ vault: other })]
    const first = await here.pseudonymise('192.0.2.1')
    expect(await there.pseudonymise('192.0.2.1')).toBe(first)
    w.clock.advance(10 * BOUND)
    expect(await here.pseudonymise('192.0.2.1', { at: START })).toBe(first)
    await w.vault.tenant('acme').shred()
    expect(await outcome(() => here.pseudonymise('192.0.2.1', { at: START }))).toBe('shredded')
    w.clock.advance(BOUND * 2)
    expect(await outcome(() => there.pseudonymise('192.0.2.1', { at: START }))).toBe('shredded')
  })
})
