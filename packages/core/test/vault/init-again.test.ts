// A vault that is made a second time, because the first one's keys were out of reach: refused, where the state store shows it.
import { field, initVault, openVault } from '@strongroom/core'
import { memoryKeyStore } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { type Around, email, emptyGround, ground, optionsAround, outcome, refusalOf } from './support.ts'

describe('initVault where the state store has a ledger', () => {
  test('another, empty key store: refused, nothing is written, and the vault opens once its own is back', async () => {
    const { options, keyStore, stateStore } = await ground()
    const vault = await openVault(options)
    await vault.tenants.create('acme')
    const stored = await vault.tenant('acme').subject('alice').encrypt(email, 'ada')
    await vault.close()
    const before = [keyStore.snapshot(), stateStore.snapshot()]
    const empty = memoryKeyStore()
    const refusal = await refusalOf(() => initVault({ ...options, keyStore: empty }))
    expect([refusal.code, refusal.message]).toEqual(['already_exists', expect.stringContaining('put that key store back')])
    expect(empty.snapshot()).toEqual([])
    expect([keyStore.snapshot(), stateStore.snapshot()]).toEqual(before)
    const again = await openVault(options)
    expect(await again.tenant('acme').subject('alice').decrypt(email, stored)).toBe('ada')
  })

  test('besideAnotherVault: both ledgers in one store, each of its own vault', async () => {
    const { options } = await ground()
    const second = { ...options, keyStore: memoryKeyStore() }
    await initVault({ ...second, besideAnotherVault: true })
    for (const each of [options, second]) {
      const vault = await openVault(each)
      await vault.tenants.create('acme')
      await vault.tenant('acme').subject('alice').shred()
      await vault.close()
      await (await openVault(each)).close()
    }
    expect(await outcome(() => initVault({ ...options, besideAnotherVault: 'yes' as unknown as true }))).toBe('invalid_argument')
  })

  test('killed after each of its writes: the same call makes the vault, or says that it is there', async () => {
    for (let kill = 1; ; kill++) {
      const made = emptyGround()
      const { options } = made
      let writes = 0
      const dying: Around = async ({ method }, proceed) => {
        if (method !== 'put') return proceed()
        if (++writes > kill) throw new Error('the process is dead')
        return proceed()
      }
      const first = await outcome(() => initVault(optionsAround(made, dying)))
      if (first === 'done') return expect(kill).toBeGreaterThan(3)
      const second = await outcome(() => initVault(options))
      const isMade = made.keyStore.snapshot().some(({ type }) => type === 'vault')
      expect([kill, isMade, ['done', 'already_exists'].includes(second)]).toEqual([kill, true, true])
      const vault = await openVault(options)
      await vault.tenants.create('acme')
      await vault
        .tenant('acme')
        .subject('alice')
        .encrypt(field('users', 'email', z.string()), 'ada')
      await vault.close()
      // From then on its ledger is known for one.
      expect(await outcome(() => initVault({ ...options, keyStore: memoryKeyStore() }))).toBe('already_exists')
    }
  })
})
