// What is asked of erasures once the vault is closed says that, and not that a store is away.
import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { createErasure, sweep } from '@strongroom/erasure'
import { localStores } from '@strongroom/store-local'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { all, outcome, policy, rowsOf } from './support.ts'

test('every call says vault_closed, whatever has become of the stores', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'strongroom-'))
  try {
    const options = { keyProviders: { eu: memoryKeyProvider() }, defaultRegion: 'eu', cacheBound: 100 }
    const path = join(directory, 'vault')
    const made = { ...options, ...localStores({ directory: path }) }
    await initVault(made)
    const vault = await openVault(made)
    const acme = await vault.tenants.create('acme')
    const alice = acme.subject('alice')
    const erasure = createErasure(vault, { policy, resources: [rowsOf('logs')] })
    const { id, cancel, refresh } = await erasure.request(alice, { reason: 'operator' })
    await erasure.hold(acme, { reason: 'case 5' })
    const [held] = await all(erasure.holds())
    await vault.close()
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      request: () => erasure.request(alice, { reason: 'operator' }),
      cancel,
      refresh,
      find: () => erasure.find(alice),
      get: () => erasure.get(id),
      certificate: () => erasure.certificate(id),
      list: () => all(erasure.list()),
      holds: () => all(erasure.holds()),
      hold: () => erasure.hold(alice, { reason: 'case 6' }),
      release: () => erasure.release(held as NonNullable<typeof held>, { reason: 'done' }),
      sweep: () => erasure.sweep(),
      replay: () => erasure.replay(),
      'vault.sweep': () => vault.sweep(),
    }
    const said = await Promise.all(Object.entries(calls).map(async ([name, call]) => [name, await outcome(call)]))
    expect(said).toEqual(Object.keys(calls).map((name) => [name, 'vault_closed']))
    expect(await sweep([erasure])).toMatchObject([{ failures: [{ place: 'erasure', reason: 'vault_closed' }] }])
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
