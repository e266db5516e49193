import { dirname, join } from 'node:path'

import type { KeyProvider } from '@strongroom/core'
import { keyProviderContract, memoryKeyProvider, nonDestroyingProvider } from '@strongroom/core/testing'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { describe, expect, test } from 'vitest'

import { newPath, RAW_KEY } from './support.ts'

describe('a root key file', () => {
  const files = new Map<KeyProvider, string>()
  const open = async (file: string): Promise<KeyProvider> => {
    const provider = await localKeyProvider({ file, rawKey: RAW_KEY, copiesLife: 1000 })
    files.set(provider, file)
    return provider
  }
  const suite = keyProviderContract({
    async create() {
      const file = await newPath()
      await createLocalKeyFile({ file, rawKey: RAW_KEY, region: 'eu' })
      return open(file)
    },
    // Through another spelling of the path, as another process may have it.
    reopen: (provider) => {
      const file = files.get(provider) as string
      return open(join(dirname(file), '.', 'root.key'))
    },
    nativeAad: true,
    level: 'operator-asserted',
  })
  for (const each of suite) test(each.name, () => each.run())
})

describe('the provider in memory', () => {
  const suite = keyProviderContract({
    create: async () => memoryKeyProvider(),
    reopen: async (provider) => provider,
    nativeAad: true,
    level: 'confirmed',
  })
  for (const each of suite) test(each.name, () => each.run())
})

describe('a provider that never destroys', () => {
  const options = {
    create: async () => nonDestroyingProvider(memoryKeyProvider()),
    reopen: async (provider: KeyProvider) => provider,
    nativeAad: true,
    level: 'scheduled',
  } as const
  for (const each of keyProviderContract({ ...options, destroys: 'never' })) test(each.name, () => each.run())

  test('and does not say so fails the suite', async () => {
    expect(await failures(keyProviderContract(options))).toEqual(['a destroyed version opens nothing, anywhere, and stays listed'])
  })
})

describe('the suite sees', () => {
  const own = (change: (provider: KeyProvider) => KeyProvider) =>
    keyProviderContract({
      create: async () => change(memoryKeyProvider()),
      reopen: async (provider) => provider,
      nativeAad: true,
      level: 'confirmed',
    })

  test('a provider that ignores associated data', async () => {
    const aad = new Uint8Array(0)
    const suite = own((provider) => ({
      ...provider,
      wrap: (bytes) => provider.wrap(bytes, { aad }),
      unwrap: (wrapped) => provider.unwrap(wrapped, { aad }),
    }))
    expect(await failures(suite)).toEqual(['other associated data are refused with decrypt_failed'])
  })

  test('a provider that opens whatever id the caller names', async () => {
    const suite = own((provider) => ({
      ...provider,
      async unwrap({ rootVersion, wrap }, options) {
        const known = (await provider.versions()).find(({ number }) => number === rootVersion.number)
        return provider.unwrap({ rootVersion: known ?? rootVersion, wrap }, options)
      },
    }))
    expect(await failures(suite)).toContain('an unknown number and a wrong id are refused with wrong_root_key')
  })

  test('a provider that always says that it was just now destroyed', async () => {
    let now = 0
    const suite = own((provider) => ({
      ...provider,
      destroyVersion: async (number) => ({ ...(await provider.destroyVersion(number)), copiesUntil: Date.now() + ++now }),
    }))
    expect(await failures(suite)).toEqual(['destroyVersion answers its level, and repeats the answer'])
  })
})

async function failures(suite: ReturnType<typeof keyProviderContract>): Promise<readonly string[]> {
  const failed: string[] = []
  for (const each of suite) await each.run().catch(() => failed.push(each.name))
  return failed
}
