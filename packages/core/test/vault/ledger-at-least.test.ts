// What is known of the ledger from elsewhere: the one thing that shows that both stores were restored together.
import { initVault, type LedgerPosition, openVault, repairLedger, verifyReceipt, type VaultOptions } from '@strongroom/core'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'

import { alice, bob, email, emptyGround, flipped, type Ground, held, openGround, outcome, refusalOf } from './support.ts'

const opensWith = (made: Ground, ledgerAtLeast: LedgerPosition): Promise<string> =>
  outcome(async () => (await openVault({ ...made.options, ledgerAtLeast })).close())

/** What both stores hold, to be put back together. */
function backup({ keyStore, stateStore }: Ground): () => void {
  const [keys, state] = [keyStore.snapshot(), stateStore.snapshot()]
  return () => {
    keyStore.restore(keys)
    stateStore.restore(state)
  }
}

test('a ledger that holds it opens, however far it has gone on, and as long as it does', async () => {
  const made = await openGround()
  const { vault } = made
  const positions: LedgerPosition[] = []
  for (const subject of ['alice', 'bob', 'carol']) {
    const { ledger, receipt } = await vault.tenant('acme').subject(subject).shred()
    expect(verifyReceipt(receipt, await vault.receiptKeys()).ledger).toEqual(ledger)
    positions.push(ledger, verifyReceipt(receipt, await vault.receiptKeys()).ledger)
  }
  for await (const { ledger } of vault.tenant('rival').shredMany(['alice', 'bob', 'carol'])) positions.push(ledger)
  await vault.close()
  expect(positions.map(({ n }) => n)).toEqual([2, 2, 3, 3, 4, 4, 5, 6, 7])
  for (const position of positions) expect(await opensWith(made, position)).toBe('done')
  const { n, hash } = positions[0] as LedgerPosition
  expect(await opensWith(made, { n, hash: Buffer.from(hash) })).toBe('done')
})

test('it is taken as it was given', async () => {
  const made = await openGround()
  const { ledger } = await alice(made.vault).shred()
  const given = { n: ledger.n, hash: Uint8Array.from(ledger.hash) }
  const opening = openVault({ ...made.options, ledgerAtLeast: given })
  given.hash.fill(0)
  given.n = 900
  expect(await outcome(() => opening)).toBe('done')
})

describe('both stores from before a shred', () => {
  test('without it they open, and she reads again: nothing in the vault can know. With it they are refused', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).encrypt(email, 'hers')
    const restore = backup(made)
    const { ledger } = await alice(made.vault).shred()
    await made.vault.close()
    expect(await opensWith(made, ledger)).toBe('done')

    restore()
    expect(await opensWith(made, ledger)).toBe('ledger_invalid')
    const vault = await openVault(made.options)
    expect(await alice(vault).decrypt(email, stored)).toBe('hers')
    await vault.close()
    expect(await opensWith(made, ledger)).toBe('ledger_invalid')
  })

  test('refused too where the ledger has become as long, or longer, in another way', async () => {
    const made = await openGround()
    const restore = backup(made)
    const { ledger } = await alice(made.vault).shred()
    await made.vault.close()
    restore()
    const vault = await openVault(made.options)
    for (const subject of ['bob', 'carol']) {
      const other = await vault.tenant('acme').subject(subject).shred()
      expect(other.ledger.n).toBeGreaterThanOrEqual(ledger.n)
      expect(await opensWith(made, ledger)).toBe('ledger_invalid')
      expect(await opensWith(made, other.ledger)).toBe('done')
    }
    await vault.close()
  })

  test('what was known before is still held', async () => {
    const made = await openGround()
    const { ledger } = await bob(made.vault).shred()
    const restore = backup(made)
    const later = await alice(made.vault).shred()
    await made.vault.close()
    restore()
    expect(await opensWith(made, ledger)).toBe('done')
    expect(await opensWith(made, later.ledger)).toBe('ledger_invalid')
  })
})

test('another number, or one bit of the hash', async () => {
  const made = await openGround()
  const { ledger } = await alice(made.vault).shred()
  const later = await bob(made.vault).shred()
  await made.vault.close()
  const wrong: LedgerPosition[] = [
    { n: ledger.n, hash: later.ledger.hash },
    { n: later.ledger.n, hash: ledger.hash },
    { n: ledger.n - 1, hash: ledger.hash },
    { n: later.ledger.n + 1, hash: later.ledger.hash },
    { n: Number.MAX_SAFE_INTEGER, hash: later.ledger.hash },
    { n: 1, hash: new Uint8Array(32) },
    ...[0, 100, 255].map((bit) => ({ n: ledger.n, hash: flipped(ledger.hash, bit) })),
  ]
  for (const position of wrong) expect(await opensWith(made, position)).toBe('ledger_invalid')
})

describe('what is no position', () => {
  const hash = new Uint8Array(32)
  const throwing = (): never => {
    throw new Error('sk_live_secret')
  }
  const BAD: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['a number', 5],
    ['a text', 'sk_live_secret'],
    ['nothing in it', {}],
    ['a list', []],
    ['no hash', { n: 1 }],
    ['no number', { hash }],
    ...[0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '1', 1n, null].map((n) => [`the number ${typeof n} ${String(n)}`, { n, hash }] as const),
    ['a hash that is too short', { n: 1, hash: new Uint8Array(31) }],
    ['a hash that is too long', { n: 1, hash: new Uint8Array(33) }],
    ['a hash as text', { n: 1, hash: '00'.repeat(32) }],
    ['a hash as a list', { n: 1, hash: Array.from(hash) }],
    ['a hash that is null', { n: 1, hash: null }],
    ['more than a position', { n: 1, hash, instant: 5 }],
    ['a getter that throws', Object.defineProperty({ n: 1 }, 'hash', { get: throwing, enumerable: true })],
    ['a proxy that throws', new Proxy({}, { get: throwing, ownKeys: throwing, has: throwing, getOwnPropertyDescriptor: throwing })],
  ]

  test.each(BAD)('%s', async (_, ledgerAtLeast) => {
    const made = emptyGround()
    const options = { ...made.options, ledgerAtLeast } as VaultOptions
    for (const call of [initVault, openVault, repairLedger]) {
      const error = await refusalOf(() => call(options))
      expect(error.code).toBe('invalid_argument')
      expect(inspect(error)).not.toContain('sk_live_secret')
    }
    expect(held(made)).toEqual({ keys: [], state: [] })
    expect([made.keyStore.calls.get, made.stateStore.calls.scan]).toEqual([0, 0])
  })
})

test('initVault and repairLedger look at its form alone: the openVault that follows decides', async () => {
  const before = await openGround()
  const { ledger } = await alice(before.vault).shred()
  const made = emptyGround()
  const options = { ...made.options, ledgerAtLeast: ledger }
  expect(await outcome(() => initVault(options))).toBe('done')
  expect(await outcome(() => openVault(options))).toBe('ledger_invalid')
  expect(await outcome(() => openVault(made.options))).toBe('done')

  made.stateStore.restore([])
  expect(await repairLedger(options)).toEqual({ rebuilt: 1 })
  expect(await outcome(() => openVault(options))).toBe('ledger_invalid')
  expect(await outcome(() => openVault(made.options))).toBe('done')
})
