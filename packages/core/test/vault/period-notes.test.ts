// The notes by which keys end: whoever can write the state store, and no more, has none end before its time, and keeps none from it.
import {
  openVault,
  type PeriodKeyOptions,
  type RawKeyHandling,
  type RawPeriodKeysOptions,
  type StateEntry,
  type Vault,
} from '@strongroom/core'
import { manualClock, memoryKeyProvider } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { aroundKeyStore, email, type Ground, hex, openGround, outcome, START, swept } from './support.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOTES = 'strongroom/period-keys'
const SERIES: RawPeriodKeysOptions = { use: 'pseudonym-token', name: 'access-log', length: DAY, retain: 30 * DAY }
const BYTES: RawKeyHandling<string> = { make: (key) => hex(key), end: () => undefined }

const notesOf = ({ stateStore }: Pick<Ground, 'stateStore'>): readonly (StateEntry & { readonly due?: number })[] =>
  stateStore.snapshot().filter(({ namespace }) => namespace === NOTES)

/** Puts entries there as somebody does who has no key; those of the same place go. */
function plant({ stateStore }: Pick<Ground, 'stateStore'>, ...entries: readonly { key: string; value: Uint8Array; due?: number }[]): void {
  const places = new Set(entries.map(({ key }) => key))
  const others = stateStore.snapshot().filter(({ namespace, key }) => namespace !== NOTES || !places.has(key))
  stateStore.restore([...others, ...entries.map((entry) => ({ namespace: NOTES, version: 'planted', ...entry }))])
}

const damagedAt = (...keys: readonly string[]) => ({
  damaged: keys.length,
  failures: keys.map((key) => ({ place: `${NOTES}/${key}`, reason: 'damaged' as const })),
})

/** A vault in which acme has a key of today, by its note alone: two days later, with 28 to go. */
async function keptKey() {
  const clock = manualClock(START)
  const ground = await openGround({ clock })
  const acme = ground.vault.tenant('acme').rawPeriodKeys(SERIES)
  const lease = await acme.open(START, BYTES)
  const bytes = lease.use()
  lease.dispose()
  const [note] = notesOf(ground)
  if (note === undefined) throw new Error('no end is noted')
  clock.advance(2 * DAY)
  return { ...ground, clock, note, lives: async () => (await acme.reverse(START, 'why', hex))?.made === bytes }
}

describe('a note', () => {
  const early = (value: Uint8Array): Uint8Array => {
    const earlier = Uint8Array.from(value)
    new DataView(earlier.buffer).setBigUint64(1, BigInt(START + DAY))
    return earlier
  }
  const altered: readonly [string, (value: Uint8Array) => Uint8Array][] = [
    ['says nothing', () => new Uint8Array(0)],
    ['says one byte, as anybody can', () => Uint8Array.of(1)],
    ['says another instant', early],
    ['is of another form', (value) => Uint8Array.from(early(value), (byte, i) => (i === 0 ? 2 : byte))],
    ['is cut', (value) => early(value).slice(0, -1)],
    ['is signed by nobody', (value) => early(value).fill(7, 9)],
  ]
  test.each(altered)('that %s ends no key, is told of and stays', async (_, change) => {
    const w = await keptKey()
    const planted = { key: w.note.key, value: change(w.note.value), due: START + DAY }
    plant(w, planted)
    expect(await w.vault.sweep()).toEqual(swept(damagedAt(w.note.key)))
    expect([await w.lives(), notesOf(w).length]).toEqual([true, 1])
  })

  test('with something behind it ends no key', async () => {
    const w = await keptKey()
    plant(w, { ...w.note, value: Uint8Array.of(...w.note.value, 0) })
    w.clock.advance(28 * DAY)
    expect(await w.vault.sweep()).toEqual(swept(damagedAt(w.note.key)))
  })

  test('that is as it was written, but comes early, ends no key', async () => {
    const w = await keptKey()
    plant(w, { ...w.note, due: START })
    expect(await w.vault.sweep()).toEqual(swept(damagedAt(w.note.key)))
    expect(await w.lives()).toBe(true)
    w.clock.advance(29 * DAY)
    // What is known of one’s own series needs no note.
    expect(await w.vault.tenant('acme').rawPeriodKeys(SERIES).sweep()).toEqual(swept({ done: 1 }))
  })

  test('of another key ends no key', async () => {
    const w = await keptKey()
    const short = w.vault.tenant('acme').rawPeriodKeys({ ...SERIES, name: 'short', retain: DAY })
    await short.open(START + 2 * DAY, BYTES)
    const other = notesOf(w).find(({ key }) => key !== w.note.key)
    if (other?.due === undefined) throw new Error('no end is noted')
    w.clock.advance(DAY)
    plant(w, { ...w.note, value: other.value, due: other.due })
    expect(await w.vault.sweep()).toEqual(swept({ done: 1, ...damagedAt(w.note.key) }))
    expect(await w.lives()).toBe(true)
  })

  test('of another vault in the same store is none of ours', async () => {
    const [w, other] = [await keptKey(), await keptKey()]
    plant(w, ...notesOf(other).map((note) => ({ ...note, due: 1 })))
    expect(await w.vault.sweep()).toEqual(swept())
  })

  test('of one’s own series that is damaged: its key is looked for, and ends when it has to', async () => {
    const w = await keptKey()
    plant(w, { key: w.note.key, value: Uint8Array.of(1), due: 1 })
    const acme = w.vault.tenant('acme').rawPeriodKeys(SERIES)
    expect(await acme.sweep()).toEqual(swept(damagedAt(w.note.key)))
    expect(await w.lives()).toBe(true)
    w.clock.advance(28 * DAY)
    expect(await acme.sweep()).toEqual(swept({ done: 1, ...damagedAt(w.note.key) }))
    expect(await acme.sweep()).toEqual(swept(damagedAt(w.note.key)))
  })

  test('of days on which there was nothing, by the hundred, makes no key, no place and no entry of the ledger', async () => {
    const w = await keptKey()
    const prefix = w.note.key.replace(/\d+$/, '')
    plant(w, ...Array.from({ length: 300 }, (_, day) => ({ key: `${prefix}${day}`, value: w.note.value, due: 1 })))
    const keys = w.keyStore.snapshot()
    expect(await w.vault.tenant('acme').rawPeriodKeys(SERIES).sweep()).toMatchObject({ done: 0, damaged: 300 })
    expect(w.keyStore.snapshot()).toEqual(keys)
  })
})

describe('a sweep', () => {
  test('goes on past a tenant that there is not any more, and says which', async () => {
    const w = await keptKey()
    const rival = w.vault.tenant('rival').rawPeriodKeys(SERIES)
    await rival.open(START + 2 * DAY, BYTES)
    const ref = (await w.vault.tenants.get('acme'))?.ref
    w.clock.advance(32 * DAY)
    // As a key store is that was restored from before the tenant was made.
    w.keyStore.restore(w.keyStore.snapshot().filter((record) => !('tenantRef' in record) || hex(record.tenantRef) !== ref))
    const vault = await openVault(w.options)
    const failures = [{ place: `${NOTES}/${w.note.key}`, reason: 'not_found' }] as const
    expect(await vault.sweep()).toEqual(swept({ done: 1, failed: 1, failures }))
    expect(await vault.sweep()).toEqual(swept({ failed: 1, failures }))
  })

  test('goes on past ten thousand that are damaged', async () => {
    const w = await keptKey()
    const prefix = w.note.key.replace(/\d+$/, '')
    plant(w, ...Array.from({ length: 10_001 }, (_, i) => ({ key: `${prefix}${1_000_000 + i}`, value: Uint8Array.of(1), due: i })))
    w.clock.advance(28 * DAY)
    const report = await w.vault.sweep()
    expect(report).toMatchObject({ done: 1, waiting: 0, damaged: 10_001, failed: 0 })
    expect(report.failures).toHaveLength(100)
    expect(
      await w.vault
        .tenant('acme')
        .rawPeriodKeys({ ...SERIES, retain: 60 * DAY })
        .reverse(START, 'why', hex)
        .catch(codeOf),
    ).toBe('shredded')
  })

  test('that a store does not answer is thrown: nothing else can be done then', async () => {
    const w = await keptKey()
    w.clock.advance(28 * DAY)
    const keyStore = aroundKeyStore(w.keyStore, ({ method }, proceed) => (method === 'put' ? Promise.reject(new Error('down')) : proceed()))
    const vault = await openVault({ ...w.options, keyStore })
    expect(await outcome(() => vault.sweep())).toBe('key_store_unavailable')
    expect(await w.vault.sweep()).toEqual(swept({ done: 1 }))
  })

  test('waits where the provider of the vault’s own region is away: no note can be read then', async () => {
    const real = memoryKeyProvider()
    let isAway = false
    const unwrap: typeof real.unwrap = (...wrapped) => (isAway ? Promise.reject(new Error('away')) : real.unwrap(...wrapped))
    const clock = manualClock(START)
    const w = await openGround({ clock, keyProviders: { eu: { ...real, unwrap } } })
    const acme = w.vault.tenant('acme').rawPeriodKeys(SERIES)
    ;(await acme.open(START, BYTES)).dispose()
    clock.advance(DAY)
    isAway = true
    const waits = expect.objectContaining({ done: 0, damaged: 0, failed: 0, failures: [] })
    expect([await acme.sweep(), await w.vault.sweep()]).toEqual([waits, waits])
    clock.advance(29 * DAY)
    const report = await w.vault.sweep()
    expect([report, report.waiting > 0]).toEqual([waits, true])
    isAway = false
    expect(await w.vault.sweep()).toEqual(swept({ done: 1 }))
  })

  test('is refused once the vault is closed, and takes a signal only', async () => {
    const { vault } = await keptKey()
    expect(await outcome(() => vault.sweep({ signal: 1 as never }))).toBe('invalid_argument')
    await vault.close()
    expect(await outcome(() => vault.sweep())).toBe('vault_closed')
  })
})

describe('keys of the vault itself', () => {
  const sealed = (vault: Vault, options: PeriodKeyOptions) => vault.periodKey(options).encrypt(email, 'ada@example.com')

  test.each([
    ['connect', 2 * HOUR],
    ['revocation', DAY],
  ] as const)('of use %s end by themselves, counted from the period’s start', async (use, retain) => {
    const clock = manualClock(START)
    const w = await openGround({ clock })
    const key = w.vault.periodKey({ use, at: START })
    const value = await sealed(w.vault, { use, at: START })
    await sealed(w.vault, { use, at: START })
    expect(notesOf(w).map(({ due }) => due)).toEqual([START + retain])
    clock.advance(retain - 1)
    expect([await w.vault.sweep(), await key.decrypt(email, value)]).toEqual([swept(), 'ada@example.com'])
    clock.advance(1)
    expect([await w.vault.sweep(), await key.state(), notesOf(w)]).toEqual([swept({ done: 1 }), 'shredded', []])
    expect(await outcome(() => sealed(w.vault, { use, at: START }))).toBe('shredded')
  })

  test('are noted before they are made', async () => {
    const w = await openGround()
    const keyStore = aroundKeyStore(w.keyStore, ({ method }, proceed) => (method === 'put' ? Promise.reject(new Error('down')) : proceed()))
    const vault = await openVault({ ...w.options, keyStore })
    expect(await outcome(() => sealed(vault, { use: 'revocation', at: START }))).toBe('key_store_unavailable')
    expect(notesOf(w)).toHaveLength(1)
  })

  test('are looked for where the note was taken away', async () => {
    const clock = manualClock(START)
    const w = await openGround({ clock })
    for (const at of [START, START - 3 * DAY]) await sealed(w.vault, { use: 'revocation', at })
    w.stateStore.restore(w.stateStore.snapshot().filter(({ namespace }) => namespace !== NOTES))
    expect(await w.vault.sweep()).toEqual(swept({ done: 1 }))
    clock.advance(DAY)
    expect(await w.vault.sweep()).toEqual(swept({ done: 1 }))
  })

  test('are read without a note', async () => {
    const w = await openGround()
    await outcome(() => w.vault.periodKey({ use: 'connect', at: START }).decrypt(email, new Uint8Array(100)))
    expect(notesOf(w)).toEqual([])
  })
})

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown }).code
}
