import type { KeyProvider } from '@strongroom/core'
import {
  downProvider,
  memoryKeyProvider,
  nonDestroyingProvider,
  slowProvider,
  throttledProvider,
  wrongRegionProvider,
} from '@strongroom/core/testing'
import { expect, test } from 'vitest'

import { AAD, PLAINTEXT, refused } from './support.ts'

// Every method once, so that a fault that misses one of them is seen.
async function every(provider: KeyProvider): Promise<readonly PromiseSettledResult<unknown>[]> {
  const wrapped = { rootVersion: { number: 1, id: new Uint8Array(16) }, wrap: new Uint8Array(41) }
  return Promise.allSettled([
    provider.versions(),
    provider.wrap(PLAINTEXT, { aad: AAD }),
    provider.unwrap(wrapped, { aad: AAD }),
    provider.createVersion(2),
    provider.destroyVersion(1),
  ])
}

const codes = (results: readonly PromiseSettledResult<unknown>[]): readonly unknown[] =>
  results.map((result) => (result.status === 'rejected' ? result.reason.code : 'ok'))

test('memory: counts each call, and shows no key', async () => {
  const provider = memoryKeyProvider({ region: 'eu' })
  await every(provider)
  await provider.versions()
  expect(provider.calls).toEqual({ versions: 2, wrap: 1, unwrap: 1, createVersion: 1, destroyVersion: 1 })
  expect(Object.keys(provider).sort()).toEqual(['calls', 'createVersion', 'destroyVersion', 'region', 'unwrap', 'versions', 'wrap'])
})

test('down: every call, until it is up', async () => {
  const inner = memoryKeyProvider({ region: 'eu' })
  const provider = downProvider(inner)
  expect(provider.region).toBe('eu')
  expect(new Set(codes(await every(provider)))).toEqual(new Set(['key_provider_unavailable']))
  expect(inner.calls.wrap).toBe(0)
  provider.isDown = false
  expect(codes(await every(provider))).toEqual(['ok', 'ok', 'wrong_root_key', 'ok', 'ok'])
})

test('throttled: so many pass, so many are refused, then all pass', async () => {
  const provider = throttledProvider(memoryKeyProvider(), { allowed: 1, refused: 3 })
  expect(codes(await every(provider))).toEqual(['ok', 'key_provider_throttled', 'key_provider_throttled', 'key_provider_throttled', 'ok'])
  expect(new Set(codes(await every(throttledProvider(memoryKeyProvider()))))).toEqual(new Set(['key_provider_throttled']))
})

test('slow: answers in the end; an aborted call ends at once and never reaches the provider', async () => {
  expect(codes(await every(slowProvider(memoryKeyProvider(), { delay: 1 })))).toEqual(['ok', 'ok', 'wrong_root_key', 'ok', 'ok'])
  const inner = memoryKeyProvider()
  const slow = slowProvider(inner, { delay: 3_600_000 })
  const gone = new Error('gave up')
  const controller = new AbortController()
  const call = slow.wrap(PLAINTEXT, { aad: AAD, signal: controller.signal })
  controller.abort(gone)
  await expect(call).rejects.toBe(gone)
  await expect(slow.versions({ signal: AbortSignal.abort(gone) })).rejects.toBe(gone)
  expect(inner.calls).toEqual({ versions: 0, wrap: 0, unwrap: 0, createVersion: 0, destroyVersion: 0 })
})

test('wrong region: works, under another name', async () => {
  const provider = wrongRegionProvider(memoryKeyProvider({ region: 'eu' }), 'us')
  expect(provider.region).toBe('us')
  expect(codes(await every(provider))).toEqual(['ok', 'ok', 'wrong_root_key', 'ok', 'ok'])
})

test('non-destroying: answers and repeats, and the version lives on', async () => {
  for (const level of ['scheduled', 'operator-asserted'] as const) {
    const provider = nonDestroyingProvider(memoryKeyProvider(), { level })
    const wrapped = await provider.wrap(PLAINTEXT, { aad: AAD })
    const answer = await provider.destroyVersion(1)
    expect(answer.level).toBe(level)
    expect(await provider.destroyVersion(1)).toEqual(answer)
    expect(Buffer.compare(await provider.unwrap(wrapped, { aad: AAD }), PLAINTEXT)).toBe(0)
    await refused(provider.destroyVersion(9), 'wrong_root_key')
  }
})
