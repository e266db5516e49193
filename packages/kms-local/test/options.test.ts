import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { inspect } from 'node:util'

import { Secret, type StrongroomError } from '@strongroom/core'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { describe, expect, test } from 'vitest'

import { AAD, newPath, PLAINTEXT, RAW_KEY, refused } from './support.ts'

const PASSPHRASE = 'never-in-a-message'

function throwing(what: string): unknown {
  return new Proxy(
    {},
    {
      get: () => {
        throw new Error(`${PASSPHRASE} ${what}`)
      },
      getPrototypeOf: () => {
        throw new Error(PASSPHRASE)
      },
    },
  )
}

// [what is given besides a good file name, the argument that the error must name]
const BAD: readonly (readonly [Record<string, unknown>, string])[] = [
  [{}, 'passphrase'],
  [{ passphrase: '' }, 'passphrase'],
  [{ passphrase: new Secret('') }, 'passphrase'],
  [{ passphrase: new Secret(RAW_KEY) }, 'passphrase'],
  [{ passphrase: new Uint8Array(0) }, 'passphrase'],
  [{ passphrase: 'never-in-a-message\ud800' }, 'passphrase'],
  [{ passphrase: new Secret('\udc00never-in-a-message') }, 'passphrase'],
  [{ passphrase: null }, 'passphrase'],
  [{ passphrase: 12_345 }, 'passphrase'],
  [{ passphrase: [PASSPHRASE] }, 'passphrase'],
  [{ passphrase: throwing('passphrase') }, 'passphrase'],
  [{ passphrase: new Proxy(new Secret(PASSPHRASE), {}) }, 'passphrase'],
  [
    {
      get passphrase() {
        throw new Error(PASSPHRASE)
      },
    },
    'passphrase',
  ],
  [{ rawKey: new Uint8Array(31) }, 'rawKey'],
  [{ rawKey: new Uint8Array(33) }, 'rawKey'],
  [{ rawKey: new Uint8Array(0) }, 'rawKey'],
  [{ rawKey: 'never-in-a-message' }, 'rawKey'],
  [{ rawKey: Array.from({ length: 32 }, () => 7) }, 'rawKey'],
  [{ rawKey: new Proxy(RAW_KEY, {}) }, 'rawKey'],
  [{ rawKey: null, passphrase: PASSPHRASE }, 'rawKey'],
  [{ rawKey: RAW_KEY, passphrase: PASSPHRASE }, 'rawKey'],
  [{ passphrase: PASSPHRASE, region: '' }, 'region'],
  [{ passphrase: PASSPHRASE, region: 7 }, 'region'],
  [{ passphrase: PASSPHRASE, region: null }, 'region'],
  [{ passphrase: PASSPHRASE, region: 'eu\ud800' }, 'region'],
  [{ passphrase: PASSPHRASE, region: 'e'.repeat(256) }, 'region'],
  [{ passphrase: PASSPHRASE, file: '' }, 'file'],
  [{ passphrase: PASSPHRASE, file: 'a\0b' }, 'file'],
  [{ passphrase: PASSPHRASE, file: undefined }, 'file'],
  [{ passphrase: PASSPHRASE, file: new URL('file:///tmp/x') }, 'file'],
]
const BAD_CREATE: typeof BAD = [
  [{ passphrase: PASSPHRASE, argon2: 7 }, 'argon2'],
  [{ passphrase: PASSPHRASE, argon2: null }, 'argon2'],
  [{ passphrase: PASSPHRASE, argon2: { memory: 65_536 } }, 'argon2.passes'],
  [{ passphrase: PASSPHRASE, argon2: { memory: '65536', passes: 3 } }, 'argon2.memory'],
  [{ passphrase: PASSPHRASE, argon2: { memory: 65_535, passes: 3 } }, 'argon2'],
  [{ passphrase: PASSPHRASE, argon2: { memory: 65_536, passes: 2 } }, 'argon2'],
  [{ passphrase: PASSPHRASE, argon2: { memory: 2_000_000, passes: 3 } }, 'argon2'],
  [{ passphrase: PASSPHRASE, argon2: { memory: 65_536, passes: 1000 } }, 'argon2'],
  [{ rawKey: RAW_KEY, argon2: { memory: 65_536, passes: 3 } }, 'argon2'],
]
const BAD_OPEN: typeof BAD = [
  [{ rawKey: RAW_KEY, copiesLife: -1 }, 'copiesLife'],
  [{ rawKey: RAW_KEY, copiesLife: 1.5 }, 'copiesLife'],
  [{ rawKey: RAW_KEY, copiesLife: '1' }, 'copiesLife'],
  [{ rawKey: RAW_KEY, copiesLife: Number.MAX_SAFE_INTEGER }, 'copiesLife'],
]

function assertSays(error: StrongroomError, argument: string): void {
  expect(error.argument).toBe(argument)
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(PASSPHRASE)
}

describe('bad options are refused by name, before any file is touched', () => {
  test('createLocalKeyFile', async () => {
    const file = await newPath()
    for (const [bad, argument] of [...BAD, ...BAD_CREATE]) {
      const options = Object.defineProperties({ file }, Object.getOwnPropertyDescriptors(bad))
      assertSays(await refused(createLocalKeyFile(options as never), 'invalid_argument'), argument)
    }
    for (const nothing of [undefined, null, 7, throwing('options')])
      assertSays(await refused(createLocalKeyFile(nothing as never), 'invalid_argument'), 'file')
    expect(await readdir(dirname(file))).toEqual([])
    await createLocalKeyFile({ file, rawKey: RAW_KEY })
  })

  test('localKeyProvider', async () => {
    const file = await newPath()
    // The file is missing, so a guard that came too late would say so instead.
    for (const [bad, argument] of [...BAD, ...BAD_OPEN]) {
      const options = Object.defineProperties({ file }, Object.getOwnPropertyDescriptors(bad))
      assertSays(await refused(localKeyProvider(options as never), 'invalid_argument'), argument)
    }
    for (const nothing of [undefined, null, 7, throwing('options')])
      assertSays(await refused(localKeyProvider(nothing as never), 'invalid_argument'), 'file')
    await refused(localKeyProvider({ file, rawKey: RAW_KEY }), 'root_key_file_invalid')
    expect(await readdir(dirname(file))).toEqual([])
    await createLocalKeyFile({ file, rawKey: RAW_KEY })
    await localKeyProvider({ file, rawKey: RAW_KEY })
  })
})

test('a raw key is copied at once, and another one does not open', async () => {
  const file = await newPath()
  const rawKey = RAW_KEY.slice()
  const made = createLocalKeyFile({ file, rawKey })
  rawKey.fill(0)
  await made
  expect((await refused(localKeyProvider({ file, rawKey }), 'wrong_passphrase')).message).toBe('wrong raw key, or the file was altered')
  await refused(localKeyProvider({ file, passphrase: PASSPHRASE }), 'wrong_passphrase')
  await localKeyProvider({ file, rawKey: RAW_KEY })
})

test('the region is the one that the file was made for', async () => {
  const [eu, none] = [await newPath(), await newPath()]
  await createLocalKeyFile({ file: eu, rawKey: RAW_KEY, region: 'eu' })
  await createLocalKeyFile({ file: none, rawKey: RAW_KEY })
  expect((await localKeyProvider({ file: eu, rawKey: RAW_KEY })).region).toBe('eu')
  expect((await localKeyProvider({ file: eu, rawKey: RAW_KEY, region: 'eu' })).region).toBe('eu')
  expect((await localKeyProvider({ file: none, rawKey: RAW_KEY })).region).toBeUndefined()
  await refused(localKeyProvider({ file: eu, rawKey: RAW_KEY, region: 'us' }), 'region_refused')
  await refused(localKeyProvider({ file: none, rawKey: RAW_KEY, region: 'us' }), 'region_refused')
})

test('bad arguments of calls are refused by name', async () => {
  const file = await newPath()
  await createLocalKeyFile({ file, rawKey: RAW_KEY })
  const provider = await localKeyProvider({ file, rawKey: RAW_KEY })
  const bad = provider as unknown as Record<
    'wrap' | 'unwrap' | 'createVersion' | 'destroyVersion' | 'versions',
    (...args: unknown[]) => Promise<unknown>
  >
  const good = await provider.wrap(PLAINTEXT, { aad: AAD })
  const { rootVersion, wrap } = good
  const calls: readonly (readonly [Promise<unknown>, string])[] = [
    [bad.wrap('text', { aad: AAD }), 'plaintext'],
    [bad.wrap(PLAINTEXT), 'aad'],
    [bad.wrap(PLAINTEXT, { aad: 'x' }), 'aad'],
    [bad.wrap(PLAINTEXT, { aad: AAD, signal: 7 }), 'signal'],
    [bad.unwrap(undefined, { aad: AAD }), 'wrap'],
    [bad.unwrap({ wrap }, { aad: AAD }), 'number'],
    [bad.unwrap({ wrap, rootVersion: { ...rootVersion, number: '1' } }, { aad: AAD }), 'number'],
    [bad.unwrap({ wrap, rootVersion: { ...rootVersion, id: 'x' } }, { aad: AAD }), 'id'],
    [bad.unwrap(good, throwing('options')), 'aad'],
    [bad.versions({ signal: 'x' }), 'signal'],
    ...[0, -1, 1.5, 2 ** 32, NaN, '2', undefined].flatMap((number) => [
      [bad.createVersion(number), 'number'] as const,
      [bad.destroyVersion(number), 'number'] as const,
    ]),
  ]
  for (const [call, argument] of calls) assertSays(await refused(call, 'invalid_argument'), argument)
  expect(Buffer.from(await provider.unwrap(good, { aad: AAD }))).toEqual(Buffer.from(PLAINTEXT))
})
