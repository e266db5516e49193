// Keys whose bytes leave core: which they are, that they are like any other key to the gate and to rotations, and what is refused.
import { type Access, openVault, type RawKeyHandling, type RawPeriodKeysOptions, type RawSubjectKeyOptions } from '@strongroom/core'
import { manualClock } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { alice, hex, nodeMadeBy, nodesOf, openGround, outcome, refusalOf, START } from './support.ts'

const DAY = 86_400_000
const SERIES: RawPeriodKeysOptions = { use: 'pseudonym-token', name: 'access-log', length: DAY, retain: 30 * DAY }
/** The bytes themselves, which no use of it may hand out. */
const BYTES: RawKeyHandling<string> = { make: (key) => hex(key), end: () => undefined }

describe('a period’s key', () => {
  test('is a service node beneath the tenant; of each use, name, length, period and tenant another', async () => {
    const { vault, keyStore } = await openGround()
    const [acme, rival] = [vault.tenant('acme'), vault.tenant('rival')]
    const node = await nodeMadeBy(keyStore, async () => acme.rawPeriodKeys(SERIES).open(START, BYTES))
    expect([node.kind, hex(node.parentRef), hex(node.tenantRef)]).toEqual([
      4,
      (await vault.tenants.get('acme'))?.ref,
      (await vault.tenants.get('acme'))?.ref,
    ])
    const of = async (tenant = acme, changes: Partial<RawPeriodKeysOptions> = {}, at = START): Promise<string> =>
      (await tenant.rawPeriodKeys({ ...SERIES, ...changes }).open(at, BYTES)).use()
    const first = await of()
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await of(acme, { retain: 60 * DAY })).toBe(first)
    const others = await Promise.all([
      of(acme, { use: 'pseudonym-prefix' }),
      of(acme, { name: 'other' }),
      of(acme, { length: DAY / 2 }),
      of(acme, {}, START - 1),
      of(rival),
    ])
    expect(new Set([first, ...others]).size).toBe(6)
    expect(nodesOf(keyStore).filter(({ kind, ref }) => kind === 4 && hex(ref) === hex(node.ref))).toHaveLength(1)
  })

  test('the same number of a period of another length is another day’s, and has another key', async () => {
    const { vault } = await openGround({ clock: manualClock(3 * DAY) })
    const of = async (length: number, at: number): Promise<string> =>
      (
        await vault
          .tenant('acme')
          .rawPeriodKeys({ ...SERIES, length })
          .open(at, BYTES)
      ).use()
    expect(await of(DAY, DAY)).not.toBe(await of(DAY / 2, DAY / 2))
  })

  test('to undo: found where there is one, never made', async () => {
    const { vault, keyStore } = await openGround()
    const series = vault.tenant('acme').rawPeriodKeys(SERIES)
    const nodes = nodesOf(keyStore).length
    expect([await series.reverse(START, 'why', hex), nodesOf(keyStore).length]).toEqual([undefined, nodes])
    const made = await series.open(START, BYTES)
    let kept = new Uint8Array()
    const undone = await series.reverse(START, 'why', (key) => {
      kept = key as Uint8Array<ArrayBuffer>
      return hex(key)
    })
    expect([undone?.made, kept]).toEqual([made.use(), new Uint8Array(32)])
  })

  test('passes the gate when it is opened and at each use, with its region, name and reason', async () => {
    const seen: Access[] = []
    let refused: string | undefined
    const { vault } = await openGround({
      onAccess(access) {
        seen.push(access)
        if (access.operation === refused) throw new Error('no')
      },
    })
    const series = vault.tenant('acme').rawPeriodKeys(SERIES)
    seen.length = 0
    const lease = await series.open(START, BYTES)
    lease.use()
    await series.reverse(START, 'court order', hex)
    expect(seen.map(({ operation, field, tenant, region, reason }) => [operation, field, tenant, region, reason])).toEqual([
      ['pseudonym.open', 'access-log', 'acme', 'eu', undefined],
      ['pseudonym.value', 'access-log', 'acme', 'eu', undefined],
      ['pseudonym.reverse', 'access-log', 'acme', 'eu', 'court order'],
    ])
    refused = 'pseudonym.value'
    expect(await outcome(() => lease.use())).toBe('denied')
    refused = undefined
    expect(await outcome(() => lease.use())).toBe('done')
  })

  test('where it is opened anew for a use in this turn: one that is suspended is refused', async () => {
    const { vault, options } = await openGround()
    const other = await openVault(options)
    const lease = await vault.tenant('acme').rawPeriodKeys(SERIES).open(START, BYTES)
    await other.tenant('acme').suspend()
    expect(await outcome(() => other.tenant('acme').rawPeriodKeys(SERIES).open(START, BYTES))).toBe('suspended')
    lease.dispose()
    expect(await outcome(() => lease.use())).toBe('handle_expired')
  })

  const wrong: readonly [Partial<Record<keyof RawPeriodKeysOptions, unknown>>, string][] = [
    [{ use: 'index' }, 'use'],
    [{ use: 'pseudonym-id' }, 'use'],
    [{ name: '' }, 'name'],
    [{ name: 'é'.repeat(33) }, 'name'],
    [{ name: '\ud800' }, 'name'],
    [{ length: 59_999 }, 'length'],
    [{ length: 367 * DAY, retain: 400 * DAY }, 'length'],
    [{ retain: DAY - 1 }, 'retain'],
    [{ retain: 3661 * DAY }, 'retain'],
    [{ more: 1 } as never, 'options'],
  ]
  test.each(wrong)('%j is refused', async (changes, argument) => {
    const { vault } = await openGround()
    const error = await refusalOf(() => vault.tenant('acme').rawPeriodKeys({ ...SERIES, ...changes } as RawPeriodKeysOptions))
    expect([error.code, error.argument]).toEqual(['invalid_argument', argument])
  })

  test('a reason is words', async () => {
    const { vault } = await openGround()
    const series = vault.tenant('acme').rawPeriodKeys(SERIES)
    for (const reason of ['', 'x'.repeat(513), undefined, 1])
      expect((await refusalOf(() => series.reverse(START, reason as string, hex))).argument).toBe('reason')
    expect((await refusalOf(() => series.sweep({ signal: 1 as never }))).argument).toBe('signal')
  })
})

describe('a subject’s key', () => {
  const ID: RawSubjectKeyOptions = { use: 'pseudonym-id', name: 'analytics' }

  test('is one for each name, made by its first use, and gone with the subject', async () => {
    const { vault, keyStore } = await openGround()
    const first = await alice(vault).rawKey(ID, hex)
    const other = await alice(vault).rawKey({ ...ID, name: 'other' }, hex)
    expect([first === (await alice(vault).rawKey(ID, hex)), first === other, first.length]).toEqual([true, false, 64])
    const [, subject] = await alice(vault).references()
    expect(nodesOf(keyStore).filter(({ parentRef }) => hex(parentRef) === subject)).toHaveLength(2)
    await alice(vault).shred()
    expect(await outcome(() => alice(vault).rawKey(ID, hex))).toBe('shredded')
  })

  test('of another use there is none', async () => {
    const { vault } = await openGround()
    for (const [options, argument] of [
      [{ use: 'pseudonym-token', name: 'x' }, 'use'],
      [{ use: 'pseudonym-id', name: '' }, 'name'],
      [{ ...ID, period: 1 }, 'options'],
    ] as const)
      expect((await refusalOf(() => alice(vault).rawKey(options as RawSubjectKeyOptions, hex))).argument).toBe(argument)
  })
})
