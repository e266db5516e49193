// A vault on lmdb whose clock stands where it is put, and whose state store counts what is read of it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { days, hours, initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { createErasure, definePolicy } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { localStores } from '@strongroom/store-local'

export const GRACE = days(30)

/** @param resourcesOf - all that the vault's erasures know of */
export async function openGround(resourcesOf = () => []) {
  const directory = await mkdtemp(join(tmpdir(), 'strongroom-bench-'))
  const { close, keyStore, stateStore } = localStores({ directory })
  const passed = new Map()
  const read = { calls: 0, entries: 0, erasures: 0, keyRecords: 0 }
  const counted =
    (call, size) =>
    async (...args) => {
      const result = await call(...args)
      read.calls++
      read.entries += size(result)
      if (args[0] === 'strongroom/erasures') read.erasures += size(result)
      return result
    }
  let now = Date.UTC(2030, 0, 1)
  const options = {
    keyProviders: { eu: memoryKeyProvider() },
    defaultRegion: 'eu',
    keyStore: {
      ...keyStore,
      get: async (keys) => {
        read.keyRecords += keys.length
        return keyStore.get(keys)
      },
    },
    stateStore: {
      ...stateStore,
      get: counted(
        (...args) => stateStore.get(...args),
        (entry) => (entry === undefined ? 0 : 1),
      ),
      due: counted(
        (...args) => stateStore.due(...args),
        (entries) => entries.length,
      ),
      scan: counted(
        (...args) => stateStore.scan(...args),
        (entries) => entries.length,
      ),
    },
    clock: { now: () => now, monotonic: () => performance.now() },
    cacheBound: 100,
  }
  await initVault(options)
  const vault = await openVault(options)
  const tenant = await vault.tenants.create('acme')
  const policy = definePolicy({
    deadline: days(60),
    grace: GRACE,
    sweep: hours(4),
    cacheBound: 100,
    epoch: days(7),
    providerDelay: 0,
    copies: days(7),
  })
  return {
    vault,
    tenant,
    stateStore,
    read,
    erasure: createErasure(
      vault,
      withFailpoints({ policy, resources: resourcesOf(vault) }, (name) => void passed.set(name, performance.now())),
    ),
    /** When each place was passed last. */
    passed,
    pass: (ms) => {
      now += ms
    },
    async close() {
      await vault.close()
      await close()
      await rm(directory, { recursive: true })
    },
  }
}
