// What reviews found, each as the attack that showed it.
import { field, initVault, type KeyProvider, openVault, type VaultOptions } from '@strongroom/core'
import { downProvider, manualClock, memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

const email = field('users', 'email', z.string())

function base() {
  const providers = { eu: memoryKeyProvider({ region: 'eu' }), us: memoryKeyProvider({ region: 'us' }) }
  const keyStore = memoryKeyStore()
  return { keyProviders: providers, defaultRegion: 'eu', keyStore, stateStore: memoryStateStore() }
}

async function made(extra: Partial<VaultOptions> = {}) {
  const options = { ...base(), ...extra }
  await initVault(options)
  return { options, keyStore: options.keyStore as ReturnType<typeof memoryKeyStore>, vault: await openVault(options) }
}

const code = (call: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(call)
    .then(
      () => 'done',
      (error: { code?: unknown }) => error.code ?? error,
    )

describe('root keys', () => {
  test('a process with another root key for a region is refused, and harms nobody', async () => {
    const { options, vault } = await made()
    await vault.tenants.create('one', { region: 'us' })
    const stored = await vault.tenant('one').subject('a').encrypt(email, 'x')
    const wrong = await openVault({ ...options, keyProviders: { ...options.keyProviders, us: memoryKeyProvider({ region: 'us' }) } })
    expect(await code(() => wrong.tenants.create('two', { region: 'us' }))).toBe('wrong_root_key')
    expect(await code(() => wrong.tenant('one').shred())).toBe('wrong_root_key')
    const again = await openVault(options)
    expect(await again.tenant('one').subject('a').decrypt(email, stored)).toBe('x')
    expect(await code(() => again.tenants.create('two', { region: 'us' }))).toBe('done')
    expect(await code(() => again.tenant('one').shred())).toBe('done')
  })

  test('the region of a tenant that is shredded is the one its key is bound to, not the one its record says', async () => {
    const { options, keyStore, vault } = await made()
    await vault.tenants.create('acme', { region: 'eu' })
    await vault.tenants.create('other', { region: 'us' })
    const record = keyStore.snapshot().find((one) => one.type === 'node' && one.kind === 1 && one.region === 'eu')
    if (record?.type !== 'node') throw new Error('no tenant')
    keyStore.edit({ type: 'node', ref: record.ref }, (one) => ({ ...one, region: 'us' }) as typeof one)
    expect(await code(async () => (await openVault(options)).tenant('acme').shred())).toBe('decrypt_failed')
    keyStore.edit({ type: 'node', ref: record.ref }, () => record)
    expect(await code(async () => (await openVault(options)).tenant('acme').shred())).toBe('done')
  })
})

describe('making and restoring', () => {
  test('a store that sends its write again, because the answer was lost, does not undo the vault', async () => {
    const options = base()
    let lost = true
    const keyStore: VaultOptions['keyStore'] = {
      ...options.keyStore,
      async put(record) {
        await options.keyStore.put(record)
        if (lost && record.type === 'vault') {
          lost = false
          await options.keyStore.put(record)
        }
      },
    }
    await initVault({ ...options, keyStore })
    expect(await code(() => openVault(options))).toBe('done')
    expect(await code(() => initVault(options))).toBe('already_exists')
  })

  test('no vault is made over keys whose vault record is missing', async () => {
    const { options, keyStore, vault } = await made()
    await vault.tenants.create('acme')
    const record = keyStore.snapshot().find((one) => one.type === 'vault')
    keyStore.edit({ type: 'vault' }, () => undefined)
    expect(await code(() => initVault(options))).toBe('already_exists')
    expect(await code(() => openVault(options))).toBe('vault_not_initialised')
    keyStore.edit({ type: 'vault' }, () => record)
    expect(await code(() => openVault(options))).toBe('done')
  })

  test('a key store restored beneath a process that reconciles does not count as put right', async () => {
    const { options, keyStore, vault } = await made()
    await vault.tenants.create('acme')
    const alice = vault.tenant('acme').subject('a')
    const stored = await alice.encrypt(email, 'x')
    const backup = keyStore.snapshot()
    await alice.shred()
    let armed = true
    const restored: VaultOptions['keyStore'] = {
      ...keyStore,
      async put(record) {
        if (armed && record.type === 'vault') {
          armed = false
          keyStore.restore(backup)
        }
        return keyStore.put(record)
      },
    }
    await (await openVault({ ...options, keyStore: restored })).tenant('acme').subject('b').shred()
    const after = await openVault(options)
    expect(await code(() => after.tenant('acme').subject('a').decrypt(email, stored))).toBe('shredded')
    expect(await code(() => after.tenant('acme').subject('b').encrypt(email, 'x'))).toBe('shredded')
  })
})

describe('the gate', () => {
  test('a hook that returns a promise refuses, and its rejection brings nothing down', async () => {
    const rejections: unknown[] = []
    const listen = (reason: unknown): void => void rejections.push(reason)
    process.on('unhandledRejection', listen)
    const { options, vault } = await made()
    await vault.tenants.create('acme')
    const onAccess = (async () => {
      throw new Error('the audit is down')
    }) as unknown as () => void
    const audited = await openVault({ ...options, onAccess })
    expect(await code(() => audited.tenant('acme').subject('a').encrypt(email, 'x'))).toBe('denied')
    expect(await code(() => vault.tenant('acme').subject('a').encrypt(email, 'x'))).toBe('done')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    expect(rejections).toEqual([])
  })

  test('a hook that takes its time does not lengthen the life of a handle', async () => {
    const clock = manualClock(Date.UTC(2030, 0))
    let slow = false
    const { vault } = await made({ clock, cacheBound: 1000, onAccess: () => void (slow && clock.advance(5000)) })
    await vault.tenants.create('acme')
    const alice = vault.tenant('acme').subject('a')
    const stored = await alice.encrypt(email, 'x')
    const keys = await alice.unlock()
    expect(keys.decrypt(email, stored)).toBe('x')
    slow = true
    expect(await code(() => keys.decrypt(email, stored))).toBe('handle_expired')
  })

  test('a list of tenants that was begun ends when the vault is closed', async () => {
    const { options, vault } = await made()
    for (const name of ['a', 'b', 'c']) await vault.tenants.create(name)
    const list = vault.tenants.list()[Symbol.asyncIterator]()
    expect((await list.next()).done).toBe(false)
    await vault.close()
    const unwraps = options.keyProviders['eu']
    const before = JSON.stringify(unwraps)
    expect(await code(() => list.next())).toBe('vault_closed')
    expect(JSON.stringify(unwraps)).toBe(before)
  })

  test('a load that goes stale under way is begun again, not reported', async () => {
    const options = base()
    let changed: (keys: undefined) => void = () => undefined
    const keyStore: VaultOptions['keyStore'] = { ...options.keyStore, watch: (onChange) => ((changed = onChange), () => undefined) }
    const eu: KeyProvider = {
      ...options.keyProviders.eu,
      unwrap: async (wrapped, how) => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        return options.keyProviders.eu.unwrap(wrapped, how)
      },
    }
    const watched = { ...options, keyStore, keyProviders: { eu } }
    await initVault(watched)
    const vault = await openVault(watched)
    await vault.tenants.create('acme')
    const alice = vault.tenant('acme').subject('a')
    const stored = await alice.encrypt(email, 'x')
    changed(undefined)
    const reading = alice.decrypt(email, stored)
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      changed(undefined)
    }
    expect(await reading).toBe('x')
  })
})

describe('values', () => {
  test('the plaintext of a refused call does not stay in the pool that all Buffers share', async () => {
    const { vault } = await made()
    await vault.tenants.create('acme')
    const [alice, bob] = [vault.tenant('acme').subject('a'), vault.tenant('acme').subject('b')]
    const pool = (): Buffer => Buffer.from(Buffer.from('x').buffer)
    await alice.encrypt(email, 'first')
    await alice.suspend()
    const keys = await bob.unlock()
    keys.dispose()
    expect(await code(() => alice.encrypt(email, ['canary', 'refused'].join('-')))).toBe('suspended')
    expect(await code(() => keys.encrypt(email, ['canary', 'expired'].join('-')))).toBe('handle_expired')
    expect(await code(() => bob.encrypt(email, ['canary', 'stored'].join('-')))).toBe('done')
    for (const last of ['refused', 'expired', 'stored']) expect(pool().includes(['canary', last].join('-'))).toBe(false)
  })

  test('a codec that keeps a view, throws, or answers nonsense loses nothing and prints nothing', async () => {
    const { vault } = await made()
    await vault.tenants.create('acme')
    const alice = vault.tenant('acme').subject('a')
    const raw = {
      encode: (value: unknown) => ({ type: 0x05, body: value as Uint8Array }),
      decode: ({ body }: { body: Uint8Array }) => body,
    }
    const bytes = field('c', 'bytes', z.instanceof(Uint8Array), { codec: raw })
    expect(await alice.decrypt(bytes, await alice.encrypt(bytes, Uint8Array.of(1, 2, 3)))).toEqual(Uint8Array.of(1, 2, 3))
    const throws = (value: unknown): never => {
      throw new Error(`cannot encode ${String(value)}`)
    }
    const bad = field('c', 'bad', z.string(), { codec: { encode: throws, decode: throws } })
    const error = await alice.encrypt(bad, 'canary-in-codec').catch((thrown: unknown) => thrown)
    expect([(error as { code: string }).code, inspect(error).includes('canary-in-codec')]).toEqual(['invalid_argument', false])
    const nonsense = field('c', 'nonsense', z.string(), { codec: { encode: () => ({ type: 2 }) as never, decode: () => 'x' } })
    expect(await code(() => alice.encrypt(nonsense, 'x'))).toBe('invalid_argument')
  })

  test('a small value that is endless as text is refused', async () => {
    const { vault } = await made()
    await vault.tenants.create('acme')
    const anything = field('c', 'f', z.any())
    let laughs: unknown[] = ['ha']
    for (let i = 0; i < 60; i++) laughs = [laughs, laughs]
    expect(await code(() => vault.tenant('acme').subject('a').encrypt(anything, laughs))).toBe('invalid_argument')
    expect(
      await code(() =>
        vault
          .tenant('acme')
          .subject('a')
          .encrypt(anything, [['ha'], ['ha']]),
      ),
    ).toBe('done')
  })

  test('a record id that is undefined is refused: it would bind to nothing', async () => {
    const { vault } = await made()
    await vault.tenants.create('acme')
    const alice = vault.tenant('acme').subject('a')
    expect(await code(() => alice.encrypt(email, 'x', { record: undefined } as never))).toBe('invalid_argument')
    expect(await code(() => alice.encrypt(email, 'x', {}))).toBe('done')
  })

  test('a handle prints neither the name of a person nor what is behind it', async () => {
    const { vault } = await made()
    const alice = vault.tenant('acme').subject('ada@example.com')
    for (const text of [inspect(alice, { depth: 9, showHidden: true }), JSON.stringify(alice), inspect(alice.item('x'), { depth: 9 })]) {
      expect(text).not.toContain('ada@example.com')
    }
  })
})

test('a suspension that is noted while its provider is away holds in the next process, whatever the key store says was applied', async () => {
  const { options, keyStore, vault } = await made()
  await vault.tenants.create('acme', { region: 'us' })
  const stored = await vault.tenant('acme').subject('a').encrypt(email, 'x')
  const us = downProvider(options.keyProviders['us'] as KeyProvider)
  us.isDown = false
  const away = await openVault({ ...options, keyProviders: { ...options.keyProviders, us } })
  expect(await away.tenant('acme').subject('a').decrypt(email, stored)).toBe('x')
  us.isDown = true
  expect(await code(() => away.tenant('acme').suspend())).toBe('key_provider_unavailable')
  const applied = keyStore.snapshot().find((one) => one.type === 'vault')
  keyStore.edit({ type: 'vault' }, (one) => ({ ...one, applied: 1e9 }) as typeof one)
  expect(await code(() => openVault(options))).toBe('decrypt_failed')
  keyStore.edit({ type: 'vault' }, () => applied)
  const next = await openVault(options)
  expect(await code(() => next.tenant('acme').subject('a').decrypt(email, stored))).toBe('suspended')
})
