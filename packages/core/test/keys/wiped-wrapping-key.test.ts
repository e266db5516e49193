// A tenant's reading can be dropped while the provider opens its wrapping key: what is wiped then must wrap nothing.
import { initVault, type KeyProvider, NodeKind, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { expect, test } from 'vitest'

import { instant } from '#core/keys/key-cache.js'
import { openTenant } from '#core/keys/open-tenant.js'
import { openKeys } from '#core/vault/open-keys.js'
import { checkOptions } from '#core/vault/options.js'

test('a wrapping key that is opened when its tenant is dropped is not handed out', async () => {
  const inner = memoryKeyProvider()
  let held: Promise<void> | undefined
  let asked = (): void => undefined
  const unwrap: KeyProvider['unwrap'] = async (...args) => {
    asked()
    await held
    return inner.unwrap(...args)
  }
  const keyStore = memoryKeyStore()
  const options = { keyProviders: { eu: { ...inner, unwrap } }, defaultRegion: 'eu', keyStore, stateStore: memoryStateStore() }
  await initVault({ ...options, cacheBound: 100 })
  const vault = await openVault(options)
  await vault.tenants.create('acme')
  // The tenant has begun to move: its node is wrapped by one wrapping key, and new ones are by the next.
  for await (const { phase } of vault.rotateTenantKey(vault.tenant('acme'))) if (phase === 'waiting') break

  const { context } = (await openKeys(checkOptions(options))).keys.tree
  const acme = keyStore.snapshot().find((record) => record.type === 'node' && record.kind === NodeKind.tenant)
  if (acme?.type !== 'node') throw new Error('no tenant')
  const tenant = await openTenant(context, acme.ref, instant(context.clock))
  let release = (): void => undefined
  held = new Promise((resolve) => (release = resolve))
  const waiting = new Promise<void>((resolve) => (asked = resolve))
  const opening = tenant.forNewWraps()
  await waiting
  tenant.destroy()
  release()
  await expect(opening).rejects.toMatchObject({ code: 'handle_expired' })
})
