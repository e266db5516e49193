import { copyFile, lstat, mkdir, open as openFile, readdir, readFile, readlink, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as tick } from 'node:timers/promises'
import { inspect } from 'node:util'

import type { ProviderWrap } from '@strongroom/core'
import { createLocalKeyFile, type LocalKeyProvider, localKeyProvider } from '@strongroom/kms-local'
import { tryLock } from 'fs-native-extensions'
import { describe, expect, test } from 'vitest'

import { AAD, DAY_MS, newPath, PLAINTEXT, RAW_KEY, readDocument, refused } from './support.ts'

const open = (file: string): Promise<LocalKeyProvider> => localKeyProvider({ file, rawKey: RAW_KEY, copiesLife: 30 * DAY_MS })

async function made(): Promise<string> {
  const file = await newPath()
  await createLocalKeyFile({ file, rawKey: RAW_KEY })
  return file
}

const opens = async (provider: LocalKeyProvider, wrapped: ProviderWrap): Promise<boolean> =>
  Buffer.compare(await provider.unwrap(wrapped, { aad: AAD }), PLAINTEXT) === 0

describe('making the file', () => {
  test('is refused if there is anything of that name, and changes nothing', async () => {
    const file = await made()
    const before = await readFile(file)
    await refused(createLocalKeyFile({ file, rawKey: RAW_KEY }), 'already_exists')
    expect(Buffer.compare(await readFile(file), before)).toBe(0)

    const [folder, dangling] = [await newPath(), await newPath()]
    await mkdir(folder)
    await refused(createLocalKeyFile({ file: folder, rawKey: RAW_KEY }), 'already_exists')
    await symlink(`${dangling}.target`, dangling)
    await refused(createLocalKeyFile({ file: dangling, rawKey: RAW_KEY }), 'already_exists')
    expect(await readdir(dirname(dangling))).toEqual(['root.key'])
  })

  test('leaves the file, its lock and nothing else; two files share nothing', async () => {
    const [one, two] = [await made(), await made()]
    expect((await readdir(dirname(one))).sort()).toEqual(['root.key', 'root.key.lock'])
    const [a, b] = [await readDocument(one), await readDocument(two)]
    expect(a.file).not.toBe(b.file)
    expect(a.protection.salt).not.toBe(b.protection.salt)
    expect(a.versions[0]?.id).not.toBe(b.versions[0]?.id)
  })

  test('in a folder that is not there is refused', async () => {
    const file = await newPath('missing/root.key')
    await refused(createLocalKeyFile({ file, rawKey: RAW_KEY }), 'key_provider_unavailable')
    await mkdir(dirname(file))
    await createLocalKeyFile({ file, rawKey: RAW_KEY })
  })

  test('is never done by opening', async () => {
    const file = await newPath()
    await refused(open(file), 'root_key_file_invalid')
    await mkdir(file)
    await refused(open(file), 'root_key_file_invalid')
    expect(await readdir(dirname(file))).toEqual(['root.key'])
  })
})

describe('destroying a version', () => {
  test('takes its key out of the file, and answers the same instants in every process and for ever', async () => {
    const file = await made()
    const provider = await open(file)
    await provider.createVersion(2)
    const before = Date.now()
    const answer = await provider.destroyVersion(1)
    expect(answer.level).toBe('operator-asserted')
    expect(answer.effectiveAt).toBeGreaterThanOrEqual(before)
    expect(answer.effectiveAt).toBeLessThanOrEqual(Date.now())
    expect(answer.copiesUntil).toBe(answer.effectiveAt + 30 * DAY_MS)
    const document = await readDocument(file)
    // nonce 24, one root key 32, tag 16
    expect(Buffer.from(document.sealed, 'base64url')).toHaveLength(72)

    const other = await localKeyProvider({ file, rawKey: RAW_KEY, copiesLife: 0 })
    expect(await other.destroyVersion(1)).toEqual(answer)
    expect((await readDocument(file)).generation, 'a repeat writes nothing').toBe(document.generation)
  })

  test('again with a longer life of copies says so, in every process; a shorter one never shortens it', async () => {
    const file = await made()
    const withLife = (copiesLife: number): Promise<LocalKeyProvider> => localKeyProvider({ file, rawKey: RAW_KEY, copiesLife })
    // Thirty seconds, where thirty days were meant.
    const mistaken = await withLife(30_000)
    await mistaken.createVersion(2)
    const { effectiveAt, copiesUntil } = await mistaken.destroyVersion(1)
    expect(copiesUntil).toBe(effectiveAt + 30_000)
    const { generation, sealed } = await readDocument(file)

    const right = await open(file)
    const answer = { level: 'operator-asserted', effectiveAt, copiesUntil: effectiveAt + 30 * DAY_MS }
    expect(await right.destroyVersion(1)).toEqual(answer)
    const put = await readDocument(file)
    expect(put.generation).toBe(generation + 1)
    expect(put.versions[0]).toMatchObject({ state: 'destroyed', destroyed: effectiveAt, copiesUntil: answer.copiesUntil })
    expect(put.sealed, 'authenticated anew').not.toBe(sealed)

    // One that has the file open since before, and one that opens it: neither takes it back.
    for (const provider of [mistaken, await withLife(0), right]) expect(await provider.destroyVersion(1)).toEqual(answer)
    expect((await readDocument(file)).generation, 'a repeat writes nothing').toBe(put.generation)
  })

  test('needs the word of its owner on copies, refuses the only live version and an unknown one', async () => {
    const file = await made()
    const silent = await localKeyProvider({ file, rawKey: RAW_KEY })
    const provider = await open(file)
    await refused(provider.destroyVersion(1), 'conflict')
    await refused(provider.destroyVersion(2), 'wrong_root_key')
    await provider.createVersion(2)
    expect((await refused(silent.destroyVersion(1), 'invalid_argument')).argument).toBe('copiesLife')
    await provider.destroyVersion(1)
    await refused(provider.destroyVersion(2), 'conflict')
  })

  test('removes what a killed process may have left of it', async () => {
    const file = await made()
    const provider = await open(file)
    await provider.createVersion(2)
    await copyFile(file, `${file}.tmp`)
    await provider.destroyVersion(1)
    expect((await readdir(dirname(file))).sort()).toEqual(['root.key', 'root.key.lock'])
  })
})

describe('a file that goes back in time while a process has it open', () => {
  test('is refused, and the newest one works again', async () => {
    const file = await made()
    const first = await readFile(file)
    const provider = await open(file)
    const wrapped = await provider.wrap(PLAINTEXT, { aad: AAD })
    await provider.createVersion(2)
    const second = await readFile(file)
    await writeFile(file, first)
    expect((await refused(provider.unwrap(wrapped, { aad: AAD }), 'root_key_file_invalid')).message).toContain('older than one seen before')
    await refused(provider.versions(), 'root_key_file_invalid')
    await refused(provider.createVersion(3), 'root_key_file_invalid')
    expect(Buffer.compare(await readFile(file), first), 'not written over').toBe(0)
    await writeFile(file, second)
    expect(await opens(provider, wrapped)).toBe(true)
  })

  test('is refused even if it was used since, up to and past the generation seen', async () => {
    const file = await made()
    const first = await readFile(file)
    const provider = await open(file)
    const wrapped = await provider.wrap(PLAINTEXT, { aad: AAD })
    await provider.createVersion(2)
    await provider.destroyVersion(1)
    const newest = await readFile(file)
    await refused(provider.unwrap(wrapped, { aad: AAD }), 'root_version_destroyed')

    await writeFile(file, first)
    const other = await open(file)
    for (let number = 2; number <= 5; number++) {
      await other.createVersion(number)
      await refused(provider.unwrap(wrapped, { aad: AAD }), 'root_key_file_invalid')
      expect(await opens(other, wrapped), 'the other process cannot know').toBe(true)
    }
    await writeFile(file, newest)
    await refused(provider.unwrap(wrapped, { aad: AAD }), 'root_version_destroyed')
    await provider.wrap(PLAINTEXT, { aad: AAD })
  })

  test('is refused if the life of copies of a destroyed version is shorter than the one seen', async () => {
    const file = await made()
    const mistaken = await localKeyProvider({ file, rawKey: RAW_KEY, copiesLife: 0 })
    await mistaken.createVersion(2)
    await mistaken.destroyVersion(1)
    const short = await readFile(file)
    const provider = await open(file)
    await provider.destroyVersion(1)
    await writeFile(file, short)
    // Another process goes on from the older copy, up to and past the generation seen.
    const later = await localKeyProvider({ file, rawKey: RAW_KEY, copiesLife: 0 })
    await later.createVersion(3)
    await later.createVersion(4)
    await refused(provider.versions(), 'root_key_file_invalid')
  })

  test('and so is another file under its name, and none', async () => {
    const [file, another] = [await made(), await made()]
    const own = await readFile(file)
    const provider = await open(file)
    await rename(another, file)
    expect((await refused(provider.wrap(PLAINTEXT, { aad: AAD }), 'root_key_file_invalid')).message).toContain('another')
    await rename(file, another)
    await refused(provider.wrap(PLAINTEXT, { aad: AAD }), 'root_key_file_invalid')
    await writeFile(file, own, { mode: 0o600 })
    await provider.wrap(PLAINTEXT, { aad: AAD })
  })
})

test('a symbolic link is followed, and stays one', async () => {
  const [file, link] = [await made(), await newPath('link')]
  await symlink(file, link)
  const provider = await open(link)
  await provider.createVersion(2)
  expect((await lstat(link)).isSymbolicLink()).toBe(true)
  expect(await readlink(link)).toBe(file)
  expect((await lstat(file)).isFile()).toBe(true)
  expect((await readDocument(file)).generation).toBe(2)
  expect(await readdir(dirname(link))).toEqual(['link'])
})

test('a write that fails leaves the file as it was', async () => {
  const file = await made()
  const provider = await open(file)
  const before = await readFile(file)
  // A folder with something in it, where the temporary file must be.
  await mkdir(`${file}.tmp/x`, { recursive: true })
  await refused(provider.createVersion(2), 'key_provider_unavailable')
  expect(Buffer.compare(await readFile(file), before)).toBe(0)
  await rename(`${file}.tmp`, `${file}.away`)
  await provider.createVersion(2)
})

test('many changes at once in one process: each number once, none lost', async () => {
  const provider = await open(await made())
  const results = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => provider.createVersion(2 + (i % 6))))
  const refusals = results.filter((result) => result.status === 'rejected')
  for (const { reason } of refusals) expect(reason.code).toBe('conflict')
  const numbers = (await provider.versions()).map(({ number }) => number)
  expect(numbers).toHaveLength(1 + results.length - refusals.length)
  expect(new Set(numbers).size).toBe(numbers.length)
})

test('an aborted call changes nothing; one that waits for the lock gives up', async () => {
  const file = await made()
  const provider = await open(file)
  const signal = AbortSignal.abort()
  await refused(provider.createVersion(2, { signal }), 'key_provider_timeout')
  await refused(provider.wrap(PLAINTEXT, { aad: AAD, signal }), 'key_provider_timeout')
  const holder = await openFile(`${file}.lock`, 'a')
  expect(tryLock(holder.fd)).toBe(true)
  await refused(provider.createVersion(2, { signal: AbortSignal.timeout(60) }), 'key_provider_timeout')
  await provider.wrap(PLAINTEXT, { aad: AAD })
  expect((await readDocument(file)).generation).toBe(1)
  await holder.close()
  await provider.createVersion(2)
})

describe('close()', () => {
  test('ends every call, and no wrap is ever made under wiped keys', async () => {
    const file = await made()
    const keeper = await open(file)
    for (let ticks = 0; ticks < 40; ticks++) {
      const provider = await open(file)
      const call = provider.wrap(PLAINTEXT, { aad: AAD })
      const settled = call.then(
        (wrapped) => opens(keeper, wrapped),
        (error: { code?: string }) => error.code === 'key_provider_unavailable',
      )
      for (let i = 0; i < ticks; i++) await (ticks % 2 === 0 ? tick() : Promise.resolve())
      provider.close()
      expect(await settled).toBe(true)
      await refused(provider.versions(), 'key_provider_unavailable')
      await refused(provider.createVersion(2), 'key_provider_unavailable')
      provider.close()
    }
  })

  test('a provider shows no key when it is printed', async () => {
    const provider = await open(await made())
    expect(Object.keys(provider).sort()).toEqual(['close', 'createVersion', 'destroyVersion', 'region', 'unwrap', 'versions', 'wrap'])
    expect(inspect(provider, { depth: 9, showHidden: true })).not.toMatch(/Uint8Array|Buffer/)
  })
})
