// Telling the ledger of root versions: once each, and never of one that another region has already.
import { initVault, openVault, repairLedger, type Vault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { LedgerOp, type SealedLedgerEntry } from '#core/format/ledger-entry.js'
import { enterRootDestroyed } from '#core/keys/announce-root-version.js'
import { LEDGER_START } from '#core/keys/ledger.js'
import { currentRootVersion } from '#core/keys/regions.js'
import { openKeys } from '#core/vault/open-keys.js'
import { checkOptions } from '#core/vault/options.js'

import { alice, email, emptyGround, type Ground, ground, held, outcome, refusalOf } from '../vault/support.ts'

async function toEnd(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

async function entriesOf(made: Ground): Promise<readonly SealedLedgerEntry[]> {
  const { keys } = await openKeys(checkOptions(made.options))
  const entries: SealedLedgerEntry[] = []
  for await (const entry of keys.ledger.after(LEDGER_START)) entries.push(entry)
  return entries
}

const created = async (made: Ground): Promise<readonly number[]> =>
  (await entriesOf(made)).filter(({ op }) => op === LedgerOp.rootCreated).map(({ rootVersion }) => rootVersion.number)

describe('one root key in two regions', () => {
  test('is refused where it is one object', async () => {
    const both = memoryKeyProvider()
    const made = emptyGround({ keyProviders: { eu: both, us: both } })
    for (const call of [() => initVault(made.options), () => openVault(made.options)]) {
      const refusal = await refusalOf(call)
      expect(refusal.code).toBe('invalid_argument')
      expect(refusal.argument).toBe('keyProviders')
    }
  })

  test('is refused before anything is stored that it wrapped in the second: by its versions, whoever holds them', async () => {
    const eu = memoryKeyProvider()
    // As two providers over one file are.
    const us = { ...eu }
    const made = emptyGround({ keyProviders: { eu, us } })
    await initVault(made.options)
    const vault = await openVault(made.options)
    const before = held(made)
    const refusal = await refusalOf(() => vault.tenants.create('acme', { region: 'us' }))
    expect(refusal.code).toBe('wrong_root_key')
    expect(refusal.message).toContain('of its own')
    expect(held(made)).toEqual(before)

    // A process that has no provider for the other region sees it as well.
    const elsewhere = await openVault({ ...made.options, keyProviders: { eu, us: { ...us, region: 'us' } } })
    expect(await outcome(() => elsewhere.tenants.create('acme', { region: 'us' }))).toBe('wrong_root_key')
    expect(await outcome(() => vault.tenants.create('acme'))).toBe('done')
  })

  test('is refused also where neither region knows of the other: of two that come at once, one has it', async () => {
    const eu = memoryKeyProvider()
    const us = memoryKeyProvider()
    const made = emptyGround({ keyProviders: { home: memoryKeyProvider(), eu, us: { ...eu }, third: us }, defaultRegion: 'home' })
    await initVault(made.options)
    const vaults = await Promise.all([openVault(made.options), openVault(made.options)])
    const outcomes = await Promise.all(
      vaults.map((vault, i) => outcome(() => vault.tenants.create(`tenant ${i}`, { region: ['eu', 'us'][i] as string }))),
    )
    expect(outcomes.toSorted()).toEqual(['done', 'wrong_root_key'])
    expect(await outcome(() => (vaults[0] as Vault).tenants.create('other', { region: 'third' }))).toBe('done')
    expect(await created(made)).toEqual([1, 1, 1])
  })

  test('is refused for a later version too: one key that both regions hold, and that one of them has rotated', async () => {
    const eu = memoryKeyProvider()
    const us = memoryKeyProvider()
    let shared = false
    const joined = {
      ...us,
      versions: async () => (shared ? [...(await us.versions()), ...(await eu.versions()).slice(1)] : us.versions()),
    }
    const made = emptyGround({ keyProviders: { eu, us: joined }, cacheBound: 100 })
    await initVault(made.options)
    const vault = await openVault(made.options)
    await vault.tenants.create('acme', { region: 'us' })
    await alice(vault).encrypt(email, 'ada')
    await toEnd(vault.rotateRootKey({ region: 'eu' }))
    shared = true
    expect(await outcome(() => alice(vault).shred())).toBe('wrong_root_key')
  })
})

describe('a root version is entered once', () => {
  test('by ten tenants that are made at once after a provider has rotated by itself', async () => {
    const made = await ground()
    const vault = await openVault(made.options)
    const before = made.stateStore.snapshot()
    await made.provider.createVersion(2)
    await Promise.all(Array.from({ length: 10 }, (_, i) => vault.tenants.create(`tenant ${i}`)))
    expect(await created(made)).toEqual([1, 2])
    await vault.close()
    // So the ledger can be rebuilt from what each entry left.
    made.stateStore.restore(before)
    expect(await repairLedger(made.options)).toEqual({ rebuilt: 1 })
  })

  test('by two runners of one rotation', async () => {
    const made = await ground({ cacheBound: 100 })
    const vaults = await Promise.all([openVault(made.options), openVault(made.options)])
    await vaults[0]?.tenants.create('acme')
    const before = made.stateStore.snapshot()
    await Promise.all(vaults.map((vault) => toEnd(vault.rotateRootKey())))
    expect(await created(made)).toEqual([1, 2])
    made.stateStore.restore(before)
    expect(await repairLedger(made.options)).toEqual({ rebuilt: 1 })
  })

  test('where the region does not show that it is known, the ledger is believed', async () => {
    const made = await ground()
    const vault = await openVault(made.options)
    await made.provider.createVersion(2)
    await vault.tenants.create('acme')
    // A record from before, put back by hand.
    made.keyStore.edit({ type: 'region', region: 'eu' }, (record) =>
      record?.type === 'region' ? { ...record, versions: record.versions.slice(0, 1), current: 1 } : record,
    )
    const later = await openVault(made.options)
    await later.tenants.create('rival')
    expect(await created(made)).toEqual([1, 2])
    const region = made.keyStore.snapshot().find((record) => record.type === 'region')
    expect(region).toMatchObject({ current: 2, versions: [{ number: 1 }, { number: 2, state: 'live' }] })
  })

  test('and its destruction too, by whoever enters it at once or again', async () => {
    const made = await ground()
    const each = await Promise.all([1, 2, 3, 4].map(() => openKeys(checkOptions(made.options))))
    const { keys } = each[0] as (typeof each)[0]
    const version = await currentRootVersion(keys.tree.context, 'eu')
    await made.provider.createVersion(2)
    await Promise.all(each.map((one) => enterRootDestroyed(one.keys, 'eu', version)))
    await enterRootDestroyed(keys, 'eu', version)
    const entries = await entriesOf(made)
    expect(entries.filter(({ op }) => op === LedgerOp.rootDestroyed)).toHaveLength(1)
    const region = made.keyStore.snapshot().find((record) => record.type === 'region')
    expect(region).toMatchObject({ versions: [{ number: 1, state: 'destroyed' }] })
  })
})
