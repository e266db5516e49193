import { execFile, execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { type KeyStoreRecord, type StateStore, StrongroomError } from '@strongroom/core'
import { backupLocalStore, localStores } from '@strongroom/store-local'
import { open } from 'lmdb'
import { afterAll, describe, expect, test } from 'vitest'

import { vault } from './vault-record.ts'

const folder = await mkdtemp(join(tmpdir(), 'strongroom-local-'))
afterAll(() => rm(folder, { recursive: true, force: true }))
const fresh = (): Promise<string> => mkdtemp(join(folder, 'vault-'))

const run = promisify(execFile)
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const node = (first: number): Extract<KeyStoreRecord, { type: 'node' }> => ({
  type: 'node',
  ref: new Uint8Array(16).fill(first),
  kind: 2,
  parentRef: new Uint8Array(16),
  tenantRef: new Uint8Array(16),
  region: 'eu',
  revision: 1,
  versions: [],
})
const put = (stateStore: StateStore, key: string): Promise<string> => stateStore.put('n', key, Uint8Array.of(1), { expected: 'absent' })
async function made(directory: string): Promise<void> {
  const { keyStore, stateStore, close } = localStores({ directory })
  await keyStore.put(vault)
  await put(stateStore, 'k')
  await close()
}
const code = (wanted: string): object => expect.objectContaining({ code: wanted, cause: expect.any(Error) })

describe('files', () => {
  test('two folders that only their owner can read', async () => {
    const directory = join(await fresh(), 'made', 'below')
    await made(directory)
    expect((await readdir(directory)).toSorted()).toEqual(['keys', 'state'])
    for (const path of ['', 'keys', 'state']) expect((await stat(join(directory, path))).mode & 0o777).toBe(0o700)
    for (const path of ['keys/data.mdb', 'state/data.mdb']) expect((await stat(join(directory, path))).mode & 0o777).toBe(0o600)
  })

  test('where there are none, they read as empty and nothing is made; what another makes is seen', async () => {
    const parent = await fresh()
    const directory = join(parent, 'none')
    const [reader, closed] = [localStores({ directory }), localStores({ directory })]
    expect(await reader.keyStore.get([{ type: 'vault' }])).toEqual([undefined])
    expect(await reader.keyStore.scan({ type: 'node', limit: 10 })).toEqual([])
    expect(await reader.stateStore.get('n', 'k')).toBeUndefined()
    await closed.close()
    await expect(closed.keyStore.get([{ type: 'vault' }])).rejects.toEqual(code('key_store_unavailable'))
    expect(await readdir(parent)).toEqual([])
    const writer = localStores({ directory })
    await writer.keyStore.put(vault)
    await put(writer.stateStore, 'k')
    expect(await reader.keyStore.get([{ type: 'vault' }])).toEqual([vault])
    expect(await reader.stateStore.get('n', 'k')).toBeDefined()
    await Promise.all([reader.close(), writer.close()])
    await expect(closed.keyStore.get([{ type: 'vault' }])).rejects.toEqual(code('key_store_unavailable'))
  })

  test('what was written is there when it is opened again', async () => {
    const directory = await fresh()
    const first = localStores({ directory })
    await first.keyStore.put(vault)
    const version = await put(first.stateStore, 'k')
    await first.close()
    const second = localStores({ directory })
    expect(await second.keyStore.get([{ type: 'vault' }])).toEqual([vault])
    expect(await second.stateStore.get('n', 'k')).toEqual({ value: Uint8Array.of(1), version })
    expect(await put(second.stateStore, 'l')).not.toBe(version)
    await second.close()
  })

  test('a file that is not one of ours is refused, and the other store is let go', async () => {
    for (const [name, wanted] of [
      ['keys', 'key_store_unavailable'],
      ['state', 'state_store_unavailable'],
    ] as const) {
      const directory = await fresh()
      await made(directory)
      await writeFile(join(directory, name, 'data.mdb'), Buffer.alloc(20_000, 'not a database'))
      expect(() => localStores({ directory })).toThrow(code(wanted))
      await rm(join(directory, name), { recursive: true })
      await localStores({ directory }).close()
    }
  })

  test('an error names the folder and the code of the system', async () => {
    await writeFile(join(folder, 'a-file'), '')
    expect(() => localStores({ directory: join(folder, 'a-file') })).toThrow(code('key_store_unavailable'))
    expect(() => localStores({ directory: join(folder, 'a-file') })).toThrow(
      `the local key store in ${join(folder, 'a-file', 'keys')} could not be read or written (ENOTDIR)`,
    )
    const directory = await fresh()
    await made(directory)
    await rm(join(directory, 'state', 'data.mdb'))
    await mkdir(join(directory, 'state', 'data.mdb'))
    // What is not the system's has no code.
    expect(() => localStores({ directory })).toThrow(/^the local state store in .*\/state could not be read or written$/)
    await expect(backupLocalStore({ directory, store: 'keys', to: join(folder, 'a-file', 'below', 'copy') })).rejects.toThrow(
      `there is no local keys store in ${join(directory, 'keys')}, or it could not be copied to ${join(folder, 'a-file', 'below', 'copy')} (ENOTDIR)`,
    )
  })

  test.skipIf(process.platform === 'win32')('a folder of another user: EACCES', async () => {
    const directory = await fresh()
    await made(directory)
    for (const path of [folder, directory]) await chmod(path, 0o755)
    await chmod(join(directory, 'keys'), 0)
    const { stdout } = await run(process.execPath, [script('as-another-user.mjs'), 'stores', directory])
    expect(JSON.parse(stdout)).toEqual([
      'key_store_unavailable',
      `the local key store in ${join(directory, 'keys')} could not be read or written (EACCES)`,
    ])
    await chmod(join(directory, 'keys'), 0o700)
  })

  test('a wrong argument is named', () => {
    for (const directory of ['', undefined, 5]) {
      expect(() => localStores({ directory: directory as string })).toThrow(
        expect.objectContaining({ code: 'invalid_argument', argument: 'directory' }),
      )
    }
    for (const mapSize of [0, 2 ** 20 - 1, 1.5 * 2 ** 20 + 0.5, Number.NaN, 2 ** 45]) {
      expect(() => localStores({ directory: folder, mapSize })).toThrow(
        expect.objectContaining({ code: 'invalid_argument', argument: 'mapSize' }),
      )
    }
  })
})

describe('one folder opened twice in one process', () => {
  test('both see what either writes, and one closed leaves the other open', async () => {
    const directory = await fresh()
    const a = localStores({ directory })
    const b = localStores({ directory })
    const version = await put(a.stateStore, 'k')
    expect((await b.stateStore.get('n', 'k'))?.version).toBe(version)
    await a.close()
    await b.stateStore.delete('n', 'k', { expected: version })
    await b.keyStore.put(vault)
    await b.close()
    const c = localStores({ directory })
    expect(await c.keyStore.get([{ type: 'vault' }])).toEqual([vault])
    await c.close()
  })

  test('opening it does not wait for a write that waits for this thread', async () => {
    // In a process of its own, which can be ended: whoever waits there waits for ever.
    const { stdout } = await run(process.execPath, [script('open-while-writing.mjs'), await fresh()], { timeout: 100_000 })
    expect(stdout).toBe('opened')
  })

  test('opening it while the last user lets go is as good', async () => {
    const directory = await fresh()
    for (let i = 0; i < 20; i++) {
      const a = localStores({ directory })
      const writing = put(a.stateStore, `a-${i}`)
      const closing = a.close()
      const b = localStores({ directory })
      await put(b.stateStore, `b-${i}`)
      await Promise.all([writing, closing])
      expect(await b.stateStore.scan('n', '', { limit: 100 })).toHaveLength(2 * (i + 1))
      await b.close()
    }
  })
})

describe('close', () => {
  test('waits for writes under way, can be repeated, and ends every method', async () => {
    const directory = await fresh()
    const { keyStore, stateStore, close } = localStores({ directory })
    const writing = Promise.all(Array.from({ length: 50 }, (_, i) => put(stateStore, `k-${i}`)))
    await Promise.all([close(), close()])
    await writing
    await close()
    for (const call of [
      () => keyStore.get([{ type: 'vault' }]),
      () => keyStore.put(vault),
      () => keyStore.scan({ type: 'node', limit: 1 }),
    ]) {
      await expect(call()).rejects.toEqual(code('key_store_unavailable'))
    }
    for (const call of [
      () => stateStore.get('n', 'k'),
      () => put(stateStore, 'k'),
      () => stateStore.delete('n', 'k', { expected: '1' }),
      () => stateStore.due('n', 1, 1),
      () => stateStore.scan('n', '', { limit: 1 }),
    ]) {
      await expect(call()).rejects.toEqual(code('state_store_unavailable'))
    }
    const again = localStores({ directory })
    expect(await again.stateStore.scan('n', '', { limit: 100 })).toHaveLength(50)
    await again.close()
  })
})

describe('other processes', () => {
  test('a read sees what another process wrote since a read of the same turn of the event loop', async () => {
    const directory = await fresh()
    const { stateStore, close } = localStores({ directory })
    const before = stateStore.get('n', 'k')
    expect(execFileSync(process.execPath, [script('one-write.mjs'), directory, 'k'], { encoding: 'utf8' })).toBe('written')
    const after = stateStore.get('n', 'k')
    expect(await before).toBeUndefined()
    expect((await after)?.value).toEqual(Uint8Array.of(1))
    await close()
  })

  test('files outgrow the address space reserved for them, while others read and write them', async () => {
    const directory = await fresh()
    const { stateStore, close } = localStores({ directory, mapSize: 2 ** 20 })
    const writers = ['a', 'b'].map((name) => run(process.execPath, [script('grow.mjs'), directory, name, '25']))
    const done = Promise.all(writers)
    const progress = { finished: false }
    void done.finally(() => (progress.finished = true)).catch(() => {})
    while (!progress.finished) {
      for (const { key, value } of await stateStore.scan('n', '', { limit: 60 })) {
        const byte = Number(key.split('-')[1])
        expect(value.length === 2 ** 20 && value[0] === byte && value[2 ** 20 - 1] === byte).toBe(true)
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    await done
    expect(await stateStore.scan('n', '', { limit: 60 })).toHaveLength(50)
    await close()
  })

  test('processes that open and close the folder undo no commit of another', async () => {
    const directory = await fresh()
    const { stateStore, close } = localStores({ directory })
    const progress = { finished: false }
    const others = Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => run(process.execPath, [script('come-and-go.mjs'), directory, name, '300'])),
    )
    void others.finally(() => (progress.finished = true)).catch(() => {})
    // The only writer: whatever it does not find as it left it was undone.
    let expected = 'absent'
    while (!progress.finished) {
      expected = await stateStore.put('n', 'k', new Uint8Array(100), { expected })
      expect((await stateStore.get('n', 'k'))?.version).toBe(expected)
    }
    for (const { stdout } of await others) expect(stdout).toBe('done')
    await close()
  })

  test('processes that come and go, the last one included, leave the folder fit for the next', async () => {
    const directory = await fresh()
    const all = ['a', 'b', 'c'].map((name) =>
      run(process.execPath, [script('come-and-go.mjs'), directory, name, '100', 'write'], { timeout: 100_000 }),
    )
    for (const { stdout } of await Promise.all(all)) expect(stdout).toBe('done')
    const { stateStore, close } = localStores({ directory })
    expect(await stateStore.scan('n', '', { limit: 1000 })).toHaveLength(300)
    await close()
  })

  test('a process that exits in the midst of writing ends, and holds up no other', async () => {
    const directory = await fresh()
    for (let i = 0; i < 8; i++) {
      const exits = ['a', 'b'].map((name) =>
        run(process.execPath, [script('exit-while-writing.mjs'), directory, `${name}${i}`], { timeout: 50_000 }),
      )
      for (const exit of await Promise.allSettled(exits))
        expect(exit).toMatchObject({ status: 'rejected', reason: { code: 7, signal: null } })
    }
    expect(execFileSync(process.execPath, [script('one-write.mjs'), directory, 'k'], { encoding: 'utf8', timeout: 50_000 })).toBe('written')
  })

  test.skipIf(process.platform === 'win32')('a full disk fails the write, harms nothing else and ends nothing', async () => {
    const command = 'trap "" XFSZ; ulimit -f 8192; exec "$0" "$@"'
    const { stdout } = await run('sh', ['-c', command, process.execPath, script('full-disk.mjs'), await fresh()])
    expect(stdout).toBe('went on')
  })
})

describe('backup', () => {
  test('copies each store as it is at one moment, while another process writes', async () => {
    const directory = await fresh()
    const { keyStore, stateStore, close } = localStores({ directory })
    await keyStore.put(vault)
    await put(stateStore, 'before')
    const writing = run(process.execPath, [script('come-and-go.mjs'), directory, 'w', '60', 'write'])
    const to = join(folder, 'backup')
    const now = Date.now()
    const { startedAt } = await backupLocalStore({ directory, store: 'state', to: join(await fresh(), 'state') })
    expect(startedAt).toBeGreaterThanOrEqual(now)
    await mkdir(to)
    await backupLocalStore({ directory, store: 'keys', to: join(to, 'keys') })
    await backupLocalStore({ directory, store: 'state', to: join(to, 'state') })
    expect((await stat(join(to, 'keys', 'data.mdb'))).mode & 0o777).toBe(0o600)
    await put(stateStore, 'after')
    await writing
    await close()

    for (const store of ['keys', 'state']) await rm(join(to, store, 'copy.json'))
    const copy = localStores({ directory: to })
    expect(await copy.keyStore.get([{ type: 'vault' }])).toEqual([vault])
    expect(await copy.stateStore.get('n', 'before')).toBeDefined()
    expect(await copy.stateStore.get('n', 'after')).toBeUndefined()
    await copy.close()
  })

  test('makes nothing where there is nothing, and overwrites nothing', async () => {
    const directory = await fresh()
    await expect(backupLocalStore({ directory, store: 'keys', to: join(directory, 'copy') })).rejects.toEqual(code('key_store_unavailable'))
    expect(await readdir(directory)).toEqual([])
    await made(directory)
    await expect(backupLocalStore({ directory, store: 'state', to: join(directory, 'keys') })).rejects.toMatchObject({
      code: 'invalid_argument',
      argument: 'to',
    })
    for (const [wrong, argument] of [
      [{ directory: '' }, 'directory'],
      [{ store: 'both' }, 'store'],
      [{ to: '' }, 'to'],
    ] as const) {
      const options = { directory, store: 'keys', to: 'x', ...wrong } as Parameters<typeof backupLocalStore>[0]
      await expect(backupLocalStore(options)).rejects.toMatchObject({ code: 'invalid_argument', argument })
    }
  })
})

describe('damage', () => {
  test('a record that was cut or altered, and a list that names what is not there, fail as such', async () => {
    const directory = await fresh()
    const stores = localStores({ directory })
    await stores.keyStore.put(node(1))
    await stores.close()

    const damaged: number[] = []
    const raw = open<Uint8Array, Uint8Array>({
      path: join(directory, 'keys'),
      noSubdir: false,
      overlappingSync: false,
      keyEncoding: 'binary',
      encoding: 'binary',
    })
    const record = raw.get(Buffer.from([1, ...node(1).ref])) as Uint8Array
    await raw.transaction(() => {
      for (let length = 0; length < Math.min(record.length, 250); length++) {
        void raw.put(Buffer.from([1, ...node(length + 2).ref]), record.subarray(0, length))
        damaged.push(length + 2)
      }
      void raw.put(Buffer.from([1, ...node(254).ref]), Buffer.concat([record, Uint8Array.of(0)]))
      void raw.put(Buffer.from([1, ...node(255).ref]), Buffer.concat([Uint8Array.of(9), record.subarray(1)]))
      void raw.put(Buffer.from([0x11, ...new Uint8Array(16).fill(7), ...new Uint8Array(16).fill(253)]), new Uint8Array(0))
    })
    await raw.close()

    const { keyStore, close } = localStores({ directory })
    for (const first of [...damaged, 254, 255]) {
      await expect(keyStore.get([{ type: 'node', ref: node(first).ref }])).rejects.toMatchObject({ code: 'decrypt_failed' })
    }
    await expect(keyStore.scan({ type: 'node', tenantRef: new Uint8Array(16).fill(7), limit: 1 })).rejects.toEqual(
      code('key_store_unavailable'),
    )
    expect(await keyStore.get([{ type: 'node', ref: node(1).ref }])).toEqual([node(1)])
    await close()
  })

  test('what no record can hold is refused before anything is written', async () => {
    const { keyStore, close } = localStores({ directory: await fresh() })
    for (const wrong of [
      { ...node(1), label: 5n },
      { ...node(1), label: () => 1 },
      { ...node(1), region: '\ud800' },
    ]) {
      await expect(keyStore.put(wrong as unknown as KeyStoreRecord)).rejects.toThrow(StrongroomError)
    }
    expect(await keyStore.scan({ type: 'node', limit: 1 })).toEqual([])
    await close()
  })
})
