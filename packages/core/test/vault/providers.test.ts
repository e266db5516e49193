// Key providers that are slow, down, elsewhere, or wrong.
import { initVault, type KeyProvider, openVault, type Vault } from '@strongroom/core'
import { downProvider, memoryKeyProvider, slowProvider, throttledProvider, wrongRegionProvider } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { alice, bob, BOUND, email, emptyGround, type Ground, held, openGround, outcome, refusalOf } from './support.ts'

/** A vault that is open and warm only for itself: the tenant needs the provider. */
async function coldWith(
  wrap: (provider: KeyProvider) => KeyProvider,
  providerTimeout?: number,
): Promise<Ground & { readonly cold: Vault; readonly hers: Uint8Array; swap(provider: KeyProvider): void }> {
  const made = await openGround()
  const hers = await alice(made.vault).encrypt(email, 'hers')
  let now: KeyProvider = made.provider
  const provider: KeyProvider = {
    versions: (o) => now.versions(o),
    wrap: (p, o) => now.wrap(p, o),
    unwrap: (w, o) => now.unwrap(w, o),
    createVersion: (n, o) => now.createVersion(n, o),
    destroyVersion: (n, o) => now.destroyVersion(n, o),
  }
  const cold = await openVault({
    ...made.options,
    keyProviders: { eu: provider },
    ...(providerTimeout === undefined ? {} : { providerTimeout }),
  })
  now = wrap(made.provider)
  return { ...made, cold, hers, swap: (other) => void (now = other) }
}

describe('a provider that does not do its work', () => {
  const BAD: readonly [string, (provider: KeyProvider) => KeyProvider, string][] = [
    ['is slow', (provider) => slowProvider(provider, { delay: 60_000 }), 'key_provider_timeout'],
    [
      'never answers and heeds no signal',
      (provider) => ({
        ...provider,
        unwrap: () => new Promise(() => undefined),
        wrap: () => new Promise(() => undefined),
        versions: () => new Promise(() => undefined),
      }),
      'key_provider_timeout',
    ],
    ['is down', (provider) => downProvider(provider), 'key_provider_unavailable'],
    ['throttles', (provider) => throttledProvider(provider), 'key_provider_throttled'],
    [
      'throws something of its own',
      (provider) => ({
        ...provider,
        unwrap: () => Promise.reject(new TypeError('x')),
        wrap: () => Promise.reject(new TypeError('x')),
        versions: () => Promise.reject(new TypeError('x')),
      }),
      'key_provider_unavailable',
    ],
    [
      'throws before it returns a promise',
      (provider) => {
        const no = () => {
          throw new TypeError('x')
        }
        return { ...provider, unwrap: no, wrap: no, versions: no }
      },
      'key_provider_unavailable',
    ],
    [
      'throws no error at all',
      (provider) => {
        const no = () => Promise.reject('no')
        return { ...provider, unwrap: no, wrap: no, versions: no }
      },
      'key_provider_unavailable',
    ],
    ...[undefined, null, 5, 'text', {}, new Uint8Array(0)].map((answer): [string, (provider: KeyProvider) => KeyProvider, string] => [
      `answers with ${typeof answer === 'object' ? JSON.stringify(answer) : String(answer)}`,
      (provider) => {
        const say = () => Promise.resolve(answer as never)
        return { ...provider, unwrap: say, wrap: say, versions: say }
      },
      'key_provider_unavailable',
    ]),
  ]

  test.each(BAD)('%s: refused with its own code, nothing is stored, and it works again when the provider does', async (name, bad, code) => {
    const { cold, hers, swap, ...made } = await coldWith(bad, 50)
    const before = held(made)
    // A key that is there but is no key of ours is a wrong answer, not an altered record.
    const codes = name.startsWith('answers with') ? [code, 'decrypt_failed', 'wrong_root_key'] : [code]
    expect(codes).toContain(await outcome(() => alice(cold).decrypt(email, hers)))
    expect(codes).toContain(await outcome(() => alice(cold).encrypt(email, 'x')))
    expect(codes).toContain(await outcome(() => cold.tenants.create('new')))
    expect(codes).toContain(await outcome(() => cold.tenant('acme').shred()))
    const marks = (state: unknown): string =>
      JSON.stringify(state)
        .replaceAll('"marked":true', '"marked":false')
        .replaceAll(/"revision":\d+/g, '')
    expect(marks(held(made))).toBe(marks(before))
    swap(made.provider)
    expect(await alice(cold).decrypt(email, hers)).toBe('hers')
    expect(await outcome(() => cold.tenants.create('new'))).toBe('done')
    expect(await outcome(() => cold.tenant('new').subject('x').encrypt(email, 'x'))).toBe('done')
  })

  test('what it wraps wrongly is never stored as a tenant that cannot be opened', async () => {
    const made = await openGround()
    const bad: KeyProvider = {
      ...made.provider,
      wrap: async () => ({ rootVersion: { number: 0, id: new Uint8Array(0) }, wrap: new Uint8Array(0) }),
    }
    const provider = { ...made.provider, wrap: bad.wrap }
    const vault = await openVault({ ...made.options, keyProviders: { eu: provider } })
    const before = held(made)
    expect(await outcome(() => vault.tenants.create('new'))).toBe('key_provider_unavailable')
    expect(held(made)).toEqual(before)
    expect(await outcome(() => made.vault.tenants.create('new'))).toBe('done')
  })

  test('warm keys work without the provider until the bound, and then not', async () => {
    const made = await openGround()
    const provider = downProvider(made.provider)
    provider.isDown = false
    const vault = await openVault({ ...made.options, keyProviders: { eu: provider } })
    const hers = await alice(vault).encrypt(email, 'hers')
    provider.isDown = true
    expect(await alice(vault).decrypt(email, hers)).toBe('hers')
    expect(await outcome(() => vault.tenant('acme').subject('someone new').encrypt(email, 'x'))).toBe('done')
    made.clock.advance(BOUND)
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('key_provider_unavailable')
    provider.isDown = false
    expect(await alice(vault).decrypt(email, hers)).toBe('hers')
  })

  test('at opening and at making a vault: refused, nothing stored', async () => {
    for (const [, bad, code] of BAD.slice(0, 7)) {
      const made = emptyGround()
      const before = held(made)
      const options = { ...made.options, keyProviders: { eu: bad(made.provider) }, providerTimeout: 50 }
      expect(await outcome(() => initVault(options))).toBe(code)
      expect(held(made)).toEqual(before)
      await initVault(made.options)
      expect(await outcome(() => openVault(options))).toBe(code)
      expect(await outcome(() => openVault(made.options))).toBe('done')
    }
  })
})

describe('a provider of another root', () => {
  test('the root of another vault: wrong_root_key, at opening', async () => {
    const made = await openGround()
    expect(await outcome(() => openVault({ ...made.options, keyProviders: { eu: memoryKeyProvider() } }))).toBe('wrong_root_key')
    expect(await outcome(() => openVault(made.options))).toBe('done')
  })

  test('a region that it does not serve: refused at opening and at making', async () => {
    const made = await openGround()
    const options = { ...made.options, keyProviders: { eu: wrongRegionProvider(made.provider, 'us') } }
    expect(await outcome(() => openVault(options))).toBe('region_refused')
    expect(await outcome(() => initVault({ ...emptyGround().options, keyProviders: options.keyProviders }))).toBe('region_refused')
    expect(await outcome(() => openVault({ ...made.options, keyProviders: { eu: wrongRegionProvider(made.provider, 'eu') } }))).toBe('done')
  })

  test('no provider for the home region: refused at opening', async () => {
    const made = await openGround()
    expect(await outcome(() => openVault({ ...made.options, keyProviders: { us: memoryKeyProvider() }, defaultRegion: 'us' }))).toBe(
      'region_refused',
    )
  })
})

test('the default region is the one that a vault was opened with, and calls without one work on it', async () => {
  const made = await openGround()
  const us = memoryKeyProvider({ region: 'us' })
  const vault = await openVault({ ...made.options, keyProviders: { eu: made.provider, us }, defaultRegion: 'us' })
  expect([made.vault.defaultRegion, vault.defaultRegion]).toEqual(['eu', 'us'])
  await vault.tenants.create('texas')
  expect(await vault.tenants.get('texas')).toMatchObject({ region: 'us' })
})

describe('a region for which this process has no provider', () => {
  async function twoRegions() {
    const made = await openGround()
    const us = memoryKeyProvider({ region: 'us' })
    const both = await openVault({ ...made.options, keyProviders: { eu: made.provider, us } })
    await both.tenants.create('texas', { region: 'us' })
    const theirs = await both.tenant('texas').subject('alice').encrypt(email, 'theirs')
    return { ...made, us, both, theirs, here: await openVault(made.options) }
  }

  test('its tenants are refused, all others work', async () => {
    const { here, both, theirs, ...made } = await twoRegions()
    const texas = here.tenant('texas')
    const before = held(made)
    const calls = [
      () => texas.subject('alice').encrypt(email, 'x'),
      () => texas.subject('alice').decrypt(email, theirs),
      () => texas.subject('alice').unlock(),
      () => texas.subject('alice').item('x').encrypt(email, 'x'),
      () => texas.self().encrypt(email, 'x'),
      () => texas.subject('alice').shred(),
      () => texas.subject('alice').suspend(),
      () => texas.subject('alice').resume(),
      () => texas.shred(),
      () => texas.suspend(),
      () => texas.resume(),
      () => here.tenants.suspend('texas'),
      () => here.tenants.create('new', { region: 'us' }),
    ]
    for (const call of calls) expect(await outcome(call)).toBe('region_refused')
    expect(held(made)).toEqual(before)
    expect(await outcome(() => alice(here).encrypt(email, 'x'))).toBe('done')
    expect(await here.tenants.get('texas')).toMatchObject({ name: 'texas', region: 'us', state: 'active' })
    expect(await both.tenant('texas').subject('alice').decrypt(email, theirs)).toBe('theirs')
  })

  test('with its own provider down, others work; the region of a tenant is fixed', async () => {
    const { both, theirs, us, ...made } = await twoRegions()
    const vault = await openVault({ ...made.options, keyProviders: { eu: made.provider, us: downProvider(us) } })
    expect(await outcome(() => vault.tenant('texas').subject('alice').decrypt(email, theirs))).toBe('key_provider_unavailable')
    expect(await outcome(() => alice(vault).encrypt(email, 'x'))).toBe('done')
    expect(await outcome(() => both.tenants.create('texas', { region: 'eu' }))).toBe('already_exists')
  })
})

describe('a suspension that the ledger has and the key store has not', () => {
  test('noted while the provider is down: nothing of that tenant opens, and it takes effect before anything does', async () => {
    const made = await openGround()
    const hers = await alice(made.vault).encrypt(email, 'hers')
    const provider = downProvider(made.provider)
    provider.isDown = false
    const vault = await openVault({ ...made.options, keyProviders: { eu: provider } })
    const rival = await vault.tenant('rival').subject('x').encrypt(email, 'rival')
    expect(await alice(vault).decrypt(email, hers)).toBe('hers')
    provider.isDown = true
    const error = await refusalOf(() => alice(vault).suspend())
    expect(error.code).toBe('key_provider_unavailable')
    // Her keys and his are in the cache, but an order waits.
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('key_provider_unavailable')
    expect(await outcome(() => bob(vault).encrypt(email, 'x'))).toBe('key_provider_unavailable')
    expect(await outcome(() => alice(vault).unlock())).toBe('key_provider_unavailable')
    expect(await vault.tenant('rival').subject('x').decrypt(email, rival)).toBe('rival')
    provider.isDown = false
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('suspended')
    expect(await outcome(() => bob(vault).encrypt(email, 'x'))).toBe('done')
  })

  test('a process that opens later applies it first, and one without the provider of that region opens nothing of that tenant', async () => {
    const made = await openGround()
    const us = memoryKeyProvider()
    const provider = downProvider(us)
    provider.isDown = false
    const vault = await openVault({ ...made.options, keyProviders: { eu: made.provider, us: provider } })
    await vault.tenants.create('texas', { region: 'us' })
    const person = vault.tenant('texas').subject('x')
    const theirs = await person.encrypt(email, 'theirs')
    provider.isDown = true
    expect(await outcome(() => person.suspend())).toBe('key_provider_unavailable')
    const elsewhere = await openVault(made.options)
    expect(await outcome(() => elsewhere.tenant('texas').subject('x').decrypt(email, theirs))).not.toBe('done')
    expect(await outcome(() => alice(elsewhere).encrypt(email, 'x'))).toBe('done')
    const later = await openVault({ ...made.options, keyProviders: { eu: made.provider, us } })
    expect(await outcome(() => later.tenant('texas').subject('x').decrypt(email, theirs))).toBe('suspended')
    await later.tenant('texas').subject('x').resume()
    expect(await later.tenant('texas').subject('x').decrypt(email, theirs)).toBe('theirs')
  })

  test('a shred is not held up by a provider that only reads need, once its root version is known', async () => {
    const made = await openGround()
    const hers = await alice(made.vault).encrypt(email, 'hers')
    const provider: KeyProvider = { ...made.provider }
    const vault = await openVault({ ...made.options, keyProviders: { eu: provider } })
    await alice(vault).decrypt(email, hers)
    Object.assign(provider, { unwrap: () => Promise.reject(new Error('down')) })
    expect(await outcome(() => alice(vault).shred())).toBe('done')
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('shredded')
  })
})

describe('a newest root version that was made and destroyed without the vault', () => {
  const currentOf = async (vault: Vault): Promise<unknown> => (await vault.status()).regions[0]?.current

  test('does not become current by a shred: new wraps go on with the one before it', async () => {
    const { vault, provider } = await openGround({ cacheBound: 100 })
    await alice(vault).encrypt(email, 'hers')
    await provider.createVersion(2)
    await provider.destroyVersion(2)
    await alice(vault).shred()
    expect(await currentOf(vault)).toBe(1)
    await vault.tenants.create('new')
    await vault.tenant('new').subject('x').encrypt(email, 'x')
    expect((await vault.status()).regions[0]).toMatchObject({ rotation: { state: 'none' }, shreds: { waiting: { count: 1 } } })
  })

  test('its number is not given to another: the rotation makes the next, and the shred is final with the close', async () => {
    const clock = { now: () => Date.now(), monotonic: () => performance.now() }
    const { vault, provider } = await openGround({ cacheBound: 100, clock })
    await alice(vault).encrypt(email, 'hers')
    await provider.createVersion(2)
    await provider.destroyVersion(2)
    await alice(vault).shred()
    for await (const _ of vault.rotateTenantKey(vault.tenant('acme')));
    for await (const _ of vault.rotateRootKey());
    expect(await currentOf(vault)).toBe(3)
    for await (const _ of vault.closeEpoch({ dangerouslyWithoutBackup: true }));
    expect((await vault.status()).regions[0]?.shreds).toMatchObject({ final: 1, blockedBy: [] })
  })
})
