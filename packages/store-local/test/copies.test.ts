// What backupLocalStore makes: what is read from it, what is never done to it, and when it is a store in use.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import type { KeyStoreRecord } from '@strongroom/core'
import { backupLocalStore, localKeyStoreCopy, localStores } from '@strongroom/store-local'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'

import { vault } from './vault-record.ts'

const folder = await mkdtemp(join(tmpdir(), 'strongroom-copies-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const run = promisify(execFile)
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const region = (name: string): KeyStoreRecord => ({ type: 'region', region: name, revision: 1, versions: [], current: 1, closing: 0 })
const nameOf = (i: number): string => `region-${i}-${'x'.repeat(200)}`
const noCopy = expect.objectContaining({ code: 'invalid_argument', argument: 'directory' }) as Error

/** Stores with a vault in them, and a copy of each. */
async function copied() {
  const home = await mkdtemp(join(folder, 'vault-'))
  const directory = join(home, 'live')
  const { keyStore, stateStore, close } = localStores({ directory })
  await keyStore.put(vault)
  // More than the address space that is reserved at first.
  await Promise.all(Array.from({ length: 3000 }, (_, i) => keyStore.put(region(nameOf(i)))))
  await stateStore.put('n', 'k', Uint8Array.of(1), { expected: 'absent' })
  await close()
  const copies = join(home, 'copies')
  const { startedAt } = await backupLocalStore({ directory, store: 'keys', to: join(copies, 'keys') })
  await backupLocalStore({ directory, store: 'state', to: join(copies, 'state') })
  return { home, directory, copies, keys: join(copies, 'keys'), startedAt }
}

/** Every file beneath a folder: its bytes, and when they and it were last changed. */
async function everything(path: string): Promise<unknown> {
  const names = (await readdir(path, { recursive: true })).toSorted()
  const at = async (name: string): Promise<readonly unknown[]> => {
    const file = join(path, name)
    const { mtimeMs, ctimeMs, ino } = await stat(file)
    const bytes = (await stat(file)).isFile()
      ? createHash('sha256')
          .update(await readFile(file))
          .digest('hex')
      : ''
    return [name, mtimeMs, ctimeMs, ino, bytes]
  }
  return Promise.all(['', ...names].map(at))
}

describe('localKeyStoreCopy', () => {
  test('reads what was copied, also twice at once, and nothing is made or changed in the copy or left elsewhere', async () => {
    const { home, keys, startedAt } = await copied()
    const temporary = join(home, 'temporary')
    await mkdir(temporary)
    const { TMPDIR } = process.env
    process.env['TMPDIR'] = temporary
    onTestFinished(() => void (TMPDIR === undefined ? delete process.env['TMPDIR'] : (process.env['TMPDIR'] = TMPDIR)))
    expect((await stat(join(keys, 'data.mdb'))).size).toBeGreaterThan(2 ** 20)
    const before = await everything(keys)
    const [first, second] = [localKeyStoreCopy({ directory: keys }), localKeyStoreCopy({ directory: keys })]
    expect([first.startedAt, second.startedAt]).toEqual([startedAt, startedAt])
    expect(await first.keyStore.get([{ type: 'vault' }])).toEqual([vault])
    await first.close()
    await first.close()
    const asked = [nameOf(2999), 'none'].map((name) => ({ type: 'region' as const, region: name }))
    expect(await second.keyStore.get(asked)).toEqual([region(nameOf(2999)), undefined])
    await expect(second.keyStore.put({ ...vault, revision: 2 })).rejects.toMatchObject({ code: 'key_store_unavailable' })
    await second.close()
    for (const { keyStore } of [first, second])
      await expect(keyStore.get([{ type: 'vault' }])).rejects.toMatchObject({ code: 'key_store_unavailable' })
    expect(await everything(keys)).toEqual(before)
    expect(await readdir(temporary)).toEqual([])
  })

  test.skipIf(process.platform === 'win32')('needs no right to write, and says what it may not read', async () => {
    const { home, copies, keys } = await copied()
    const read = async (): Promise<unknown> =>
      JSON.parse((await run(process.execPath, [script('as-another-user.mjs'), 'copy', keys])).stdout)
    const refused = ['key_store_unavailable', `the copy of a local key store in ${keys} cannot be opened or read (EACCES)`]
    for (const path of [folder, home, copies]) await chmod(path, 0o755)
    await chmod(keys, 0)
    expect(await read()).toEqual(refused)
    await chmod(keys, 0o555)
    for (const name of ['copy.json', 'data.mdb']) await chmod(join(keys, name), 0)
    expect(await read()).toEqual(refused)
    await chmod(join(keys, 'copy.json'), 0o444)
    expect(await read()).toEqual(refused)
    await chmod(join(keys, 'data.mdb'), 0o444)
    const before = await everything(keys)
    expect(await read()).toEqual(['read', 'eu'])
    expect(await everything(keys)).toEqual(before)
  })

  test('what is no copy of the keys is told from a copy that is not whole', async () => {
    const { directory, copies, keys } = await copied()
    for (const other of [join(directory, 'keys'), join(copies, 'state'), copies, join(keys, 'none'), join(keys, 'data.mdb')])
      expect(() => localKeyStoreCopy({ directory: other })).toThrow(noCopy)
    const data = join(keys, 'data.mdb')
    const unavailable = (message: string): Error =>
      expect.objectContaining({
        code: 'key_store_unavailable',
        message: `the copy of a local key store in ${keys} cannot be opened or read${message}`,
      }) as Error
    await writeFile(data, Buffer.alloc(20_000, 'not a database'))
    expect(() => localKeyStoreCopy({ directory: keys })).toThrow(unavailable(''))
    await writeFile(data, '')
    expect(() => localKeyStoreCopy({ directory: keys })).toThrow(unavailable(''))
    await rm(data)
    expect(() => localKeyStoreCopy({ directory: keys })).toThrow(unavailable(' (ENOENT)'))
    expect(await readdir(keys)).toEqual(['copy.json'])
    await rm(join(keys, 'copy.json'))
    await mkdir(join(keys, 'copy.json'))
    expect(() => localKeyStoreCopy({ directory: keys })).toThrow(unavailable(' (EISDIR)'))
  })
})

describe('a copy in the place of stores in use', () => {
  test('is refused and stays what it is, whichever of the two it is of', async () => {
    const { home, directory, copies } = await copied()
    const before = await everything(copies)
    expect(() => localStores({ directory: copies })).toThrow(noCopy)
    expect(() => localStores({ directory: copies })).toThrow(/remove keys\/copy\.json$/)
    await expect(backupLocalStore({ directory: copies, store: 'keys', to: join(home, 'copy-of-a-copy') })).rejects.toThrow(noCopy)
    expect(await everything(copies)).toEqual(before)
    expect(await readdir(home)).toEqual(['copies', 'live'])

    await rm(join(directory, 'state'), { recursive: true })
    await cp(join(copies, 'state'), join(directory, 'state'), { recursive: true })
    expect(() => localStores({ directory })).toThrow(/remove state\/copy\.json$/)
    // One that gets there later, too.
    const [late, other] = [join(home, 'late'), join(home, 'other')]
    const stores = localStores({ directory: late })
    for (const where of [late, other]) await cp(join(copies, 'keys'), join(where, 'keys'), { recursive: true })
    await expect(stores.keyStore.get([{ type: 'vault' }])).rejects.toThrow(noCopy)
    await rm(join(other, 'keys', 'data.mdb'))
    await expect(localStores({ directory: other }).keyStore.put(vault)).rejects.toThrow(noCopy)
  })

  test('is in use once its copy.json is gone, or its data.mdb alone was put there, and then no copy', async () => {
    const { home, copies, keys } = await copied()
    const restored = join(home, 'restored')
    await mkdir(join(restored, 'keys'), { recursive: true })
    await cp(join(keys, 'data.mdb'), join(restored, 'keys', 'data.mdb'))
    for (const store of ['keys', 'state']) await rm(join(copies, store, 'copy.json'))
    for (const directory of [copies, restored]) {
      const stores = localStores({ directory })
      expect(await stores.keyStore.get([{ type: 'vault' }])).toEqual([vault])
      await stores.keyStore.put({ ...vault, revision: 2 })
      await stores.close()
      expect(() => localKeyStoreCopy({ directory: join(directory, 'keys') })).toThrow(noCopy)
    }
  })
})

// Says, in order, what was synced.
const HEARD = `
  import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  const { openSync, fsyncSync } = fs
  const paths = new Map()
  globalThis.synced = []
  fs.openSync = (path, ...rest) => {
    const descriptor = openSync(path, ...rest)
    paths.set(descriptor, path)
    return descriptor
  }
  fs.fsyncSync = (descriptor) => {
    fsyncSync(descriptor)
    globalThis.synced.push(paths.get(descriptor))
  }
  syncBuiltinESMExports()`

test.skipIf(process.platform === 'win32')(
  'a backup that has resolved is on the disk, with the names of all folders made for it',
  async () => {
    const { home, directory } = await copied()
    const to = join(home, 'new', 'below', 'keys')
    const program = `
    import { backupLocalStore } from '@strongroom/store-local'
    await backupLocalStore(${JSON.stringify({ directory, store: 'keys', to })})
    process.stdout.write(JSON.stringify(globalThis.synced))`
    const preload = `data:text/javascript,${encodeURIComponent(HEARD)}`
    const { stdout } = await run(process.execPath, ['--import', preload, '--input-type=module', '-e', program], {
      cwd: dirname(fileURLToPath(import.meta.url)),
    })
    expect(JSON.parse(stdout)).toEqual([join(to, 'data.mdb'), join(to, 'copy.json'), to, dirname(to), join(home, 'new'), home])
  },
)
