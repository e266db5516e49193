import type { RegionRecord } from '@strongroom/core'
import { expect, test } from 'vitest'

import { keyStoreContract } from '#core/testing/key-store-contract.js'
import { manualClock } from '#core/testing/manual-clock.js'
import { memoryKeyStore } from '#core/testing/memory-key-store.js'
import { memoryStateStore } from '#core/testing/memory-state-store.js'
import { stateStoreContract } from '#core/testing/state-store-contract.js'

const close = async (): Promise<void> => {}

const cases = [
  ...keyStoreContract({ open: async () => ({ store: memoryKeyStore(), close }) }),
  ...stateStoreContract({ open: async () => ({ store: memoryStateStore(), close }) }),
]

for (const { name, run } of cases) test(name, run)

test('memory stores take and restore backups, and let a test change what is stored', async () => {
  const keyStore = memoryKeyStore()
  const region: RegionRecord = { type: 'region', region: 'eu', revision: 1, versions: [], current: 1, closing: 0 }
  await keyStore.put(region)
  const backup = keyStore.snapshot()
  await keyStore.put({ ...region, revision: 2, closing: 1 })
  keyStore.edit({ type: 'region', region: 'us' }, () => ({ ...region, region: 'us', revision: 7 }))
  keyStore.edit(region, (stored) => stored && { ...stored, revision: 9 })
  expect(await keyStore.get([region, { type: 'region', region: 'us' }])).toMatchObject([{ revision: 9, closing: 1 }, { revision: 7 }])
  keyStore.restore(backup)
  expect(keyStore.snapshot()).toEqual([region])
  expect(keyStore.calls).toEqual({ get: 1, put: 2, scan: 0 })

  const stateStore = memoryStateStore()
  const version = await stateStore.put('n', 'k', Uint8Array.of(1), { expected: 'absent', due: 5 })
  const saved = stateStore.snapshot()
  stateStore.edit('n', 'k', () => Uint8Array.of(2))
  expect(await stateStore.due('n', 5, 1)).toEqual([{ key: 'k', value: Uint8Array.of(2), version, due: 5 }])
  stateStore.edit('n', 'k', () => undefined)
  expect(await stateStore.get('n', 'k')).toBeUndefined()
  stateStore.restore(saved)
  expect(stateStore.snapshot()).toEqual([{ namespace: 'n', key: 'k', value: Uint8Array.of(1), version, due: 5 }])
  expect(stateStore.calls).toEqual({ get: 1, put: 1, delete: 0, due: 1, scan: 0 })
})

test('a manual clock moves as it is told', () => {
  const clock = manualClock(1000)
  clock.advance(5)
  clock.jump(-100)
  expect([clock.now(), clock.monotonic()]).toEqual([905, 5])
})
