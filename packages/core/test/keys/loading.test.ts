// How keys are loaded: how many calls it takes, what is kept, and what is not.
import { openVault, type Vault } from '@strongroom/core'
import { downProvider } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { alice, bob, BOUND, email, type Ground, ground, held, openGround, optionsAround, outcome } from '../vault/support.ts'

function resetCalls({ keyStore, stateStore }: Ground): void {
  Object.assign(keyStore.calls, { get: 0, put: 0, scan: 0 })
  Object.assign(stateStore.calls, { get: 0, put: 0, delete: 0, due: 0, scan: 0 })
}

/** A second process: its own vault object on the same stores. */
const second = ({ options }: Ground, changes = {}): Promise<Vault> => openVault({ ...options, ...changes })

describe('number of calls', () => {
  test('3,000 concurrent cold decrypts of one key are one read of it and one call of the provider', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).encrypt(email, 'ada@example.com')
    const cold = await second(made)
    // The vault's own node is warm from opening. What is left: the tenant (one get, one scan, one unwrap), then she (one get).
    resetCalls(made)
    const unwraps = made.provider.calls.unwrap
    const all = await Promise.all(Array.from({ length: 3000 }, () => alice(cold).decrypt(email, stored)))
    expect(new Set(all)).toEqual(new Set(['ada@example.com']))
    expect(all.length).toBe(3000)
    expect(made.keyStore.calls).toEqual({ get: 2, put: 0, scan: 1 })
    expect(made.provider.calls.unwrap - unwraps).toBe(1)
    expect(made.stateStore.calls).toEqual({ get: 0, put: 0, delete: 0, due: 0, scan: 0 })
  })

  test('3,000 concurrent decrypts of one key by one handle are the same', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).encrypt(email, 'ada@example.com')
    const her = alice(await second(made))
    resetCalls(made)
    await Promise.all(Array.from({ length: 3000 }, () => her.decrypt(email, stored)))
    expect(made.keyStore.calls).toEqual({ get: 2, put: 0, scan: 1 })
  })

  test('a whole path of a warm tenant, subject and item, is one store query', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).item('hubspot').encrypt(email, 'token')
    const other = await bob(made.vault).encrypt(email, 'b')
    const cold = await second(made)
    await bob(cold).decrypt(email, other)
    resetCalls(made)
    expect(await alice(cold).item('hubspot').decrypt(email, stored)).toBe('token')
    expect(made.keyStore.calls).toEqual({ get: 1, put: 0, scan: 0 })
  })

  test('an item whose subject is cached is one store query, and a warm path is none', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).item('hubspot').encrypt(email, 'token')
    const hers = await alice(made.vault).encrypt(email, 'hers')
    const cold = await second(made)
    await alice(cold).decrypt(email, hers)
    resetCalls(made)
    await alice(cold).item('hubspot').decrypt(email, stored)
    expect(made.keyStore.calls).toEqual({ get: 1, put: 0, scan: 0 })
    await alice(cold).item('hubspot').decrypt(email, stored)
    expect(made.keyStore.calls).toEqual({ get: 1, put: 0, scan: 0 })
  })

  test('1,000 subjects unlocked together for reading are one store query', async () => {
    const made = await openGround()
    const names = Array.from({ length: 1000 }, (_, i) => `person ${i}`)
    const acme = made.vault.tenant('acme')
    const stored = await Promise.all(names.map((name) => acme.subject(name).encrypt(email, name)))
    const marker = await acme.subject('marker').encrypt(email, 'x')
    const cold = await second(made)
    await cold.tenant('acme').subject('marker').decrypt(email, marker)
    resetCalls(made)
    const unwraps = made.provider.calls.unwrap
    const unlocked = await Promise.all(names.map((name) => cold.tenant('acme').subject(name).unlock({ readOnly: true })))
    expect(made.keyStore.calls).toEqual({ get: 1, put: 0, scan: 0 })
    expect(made.provider.calls.unwrap).toBe(unwraps)
    expect(unlocked.map((keys, i) => keys.decrypt(email, stored[i] as Uint8Array))).toEqual(names)
  })

  test('10,000 encrypts over 1,000 subjects of one tenant are one call of the provider', async () => {
    const made = await openGround()
    const acme = (await second(made)).tenant('acme')
    const before = { ...made.provider.calls }
    const all = await Promise.all(Array.from({ length: 10_000 }, (_, i) => acme.subject(`person ${i % 1000}`).encrypt(email, `value ${i}`)))
    expect(all.length).toBe(10_000)
    expect({ ...made.provider.calls, unwrap: made.provider.calls.unwrap - before.unwrap }).toEqual({ ...before, unwrap: 1 })
    expect(await acme.subject('person 999').decrypt(email, all[9999] as Uint8Array)).toBe('value 9999')
  })

  test('many writers that make one key at once in two processes end with one', async () => {
    const made = await openGround()
    const other = await second(made)
    const stored = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        alice(i % 2 === 0 ? made.vault : other)
          .item('new')
          .encrypt(email, `value ${i}`),
      ),
    )
    expect(new Set(stored.map((bytes) => Buffer.from(bytes.subarray(0, 17)).toString('hex'))).size).toBe(1)
    const third = await second(made)
    const read = await Promise.all(stored.map((bytes) => alice(third).item('new').decrypt(email, bytes)))
    expect(read).toEqual(Array.from({ length: 200 }, (_, i) => `value ${i}`))
  })
})

describe('reads never make keys', () => {
  test('decrypts that fail, and unlocking for reading, leave both stores as they were', async () => {
    const made = await openGround()
    const { vault } = made
    const stored = await alice(vault).encrypt(email, 'ada@example.com')
    const before = held(made)
    const cold = await second(made)
    const acme = cold.tenant('acme')
    const failing = [
      () => acme.subject('nobody').decrypt(email, stored),
      () => acme.subject('nobody').item('nothing').decrypt(email, stored),
      () => alice(cold).item('nothing').decrypt(email, stored),
      () => acme.self().decrypt(email, stored),
      () => acme.self().item('nothing').decrypt(email, stored),
    ]
    for (const call of failing) expect(await outcome(call)).toBe('decrypt_failed')
    expect(await outcome(() => cold.tenant('nowhere').subject('alice').decrypt(email, stored))).toBe('not_found')
    for (const subject of [acme.subject('nobody'), acme.self()]) {
      const keys = await subject.unlock({ readOnly: true })
      expect(await outcome(() => keys.decrypt(email, stored))).toBe('decrypt_failed')
      expect(await outcome(() => keys.encrypt(email, 'x'))).toBe('unsupported_operation')
    }
    expect(held(made)).toEqual(before)
    expect(await alice(cold).decrypt(email, stored)).toBe('ada@example.com')
  })
})

describe('what is not kept', () => {
  test('a provider that was down: the next call asks it again', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).encrypt(email, 'ada@example.com')
    const provider = downProvider(made.provider)
    provider.isDown = false
    const cold = await second(made, { keyProviders: { eu: provider } })
    provider.isDown = true
    for (let i = 0; i < 3; i++) expect(await outcome(() => alice(cold).decrypt(email, stored))).toBe('key_provider_unavailable')
    provider.isDown = false
    expect(await alice(cold).decrypt(email, stored)).toBe('ada@example.com')
  })

  test('a key store that was down: all that waited for one read are refused, and the next read works', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).encrypt(email, 'ada@example.com')
    let isDown = false
    const cold = await openVault(optionsAround(made, (_, proceed) => (isDown ? Promise.reject(new Error('no route to host')) : proceed())))
    isDown = true
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(() => alice(cold).decrypt(email, stored))))
    expect(new Set(outcomes)).toEqual(new Set(['key_store_unavailable']))
    isDown = false
    expect(await alice(cold).decrypt(email, stored)).toBe('ada@example.com')
  })

  test('that there is no key: one that is made elsewhere is there at the next read', async () => {
    const made = await openGround()
    const reader = await second(made)
    const foreign = await bob(made.vault).encrypt(email, 'bob')
    expect(await outcome(() => alice(reader).decrypt(email, foreign))).toBe('decrypt_failed')
    expect(await outcome(() => alice(reader).item('hubspot').decrypt(email, foreign))).toBe('decrypt_failed')
    const stored = await alice(made.vault).encrypt(email, 'alice')
    const token = await alice(made.vault).item('hubspot').encrypt(email, 'token')
    expect(await alice(reader).decrypt(email, stored)).toBe('alice')
    expect(await alice(reader).item('hubspot').decrypt(email, token)).toBe('token')
  })

  test('that there is no tenant: one that is made elsewhere is there at the next read', async () => {
    const made = await openGround()
    const reader = await second(made)
    expect(await outcome(() => reader.tenant('late').subject('x').encrypt(email, 'x'))).toBe('not_found')
    await made.vault.tenants.create('late')
    expect(await outcome(() => reader.tenant('late').subject('x').encrypt(email, 'x'))).toBe('done')
  })

  test('that there is no key, in a handle: at the bound it expires like any other', async () => {
    const made = await openGround()
    const reader = await second(made)
    const keys = await alice(reader).unlock({ readOnly: true })
    const stored = await alice(made.vault).encrypt(email, 'alice')
    expect(await outcome(() => keys.decrypt(email, stored))).toBe('decrypt_failed')
    made.clock.advance(BOUND - 1)
    expect(await outcome(() => keys.decrypt(email, stored))).toBe('decrypt_failed')
    made.clock.advance(1)
    expect(await outcome(() => keys.decrypt(email, stored))).toBe('handle_expired')
    expect((await alice(reader).unlock({ readOnly: true })).decrypt(email, stored)).toBe('alice')
  })
})

describe('small caches', () => {
  const names = Array.from({ length: 300 }, (_, i) => `person ${i}`)

  test.each([2, 5])('with maxCachedKeys %i, 300 people one after the other and an item each are still right', async (maxCachedKeys) => {
    const made = await openGround()
    const small = await second(made, { maxCachedKeys })
    for (const name of names.slice(0, 60)) {
      const subject = small.tenant('acme').subject(name)
      const stored = await subject.encrypt(email, name)
      const token = await subject.item('hubspot').encrypt(email, `${name} token`)
      expect(await subject.decrypt(email, stored)).toBe(name)
      expect(await subject.item('hubspot').decrypt(email, token)).toBe(`${name} token`)
    }
  })

  test.each([1, 2, 5])('with maxCachedKeys %i, 300 people at once are still right', async (maxCachedKeys) => {
    const made = await openGround()
    const small = await second(made, { maxCachedKeys })
    const stored = await Promise.all(names.map((name) => small.tenant('acme').subject(name).encrypt(email, name)))
    const read = await Promise.all(
      names.map((name, i) =>
        small
          .tenant('acme')
          .subject(name)
          .decrypt(email, stored[i] as Uint8Array),
      ),
    )
    expect(read).toEqual(names)
  })

  test.each([1, 2])('with maxCachedKeys %i, an item of a subject can be used', async (maxCachedKeys) => {
    const made = await openGround()
    const small = await second(made, { maxCachedKeys })
    const stored = await alice(small).item('hubspot').encrypt(email, 'token')
    expect(await alice(small).item('hubspot').decrypt(email, stored)).toBe('token')
  })

  test('with maxCachedTenants 2, 50 tenants at once are still right', async () => {
    const made = await openGround()
    const small = await second(made, { maxCachedTenants: 2 })
    const tenants = names.slice(0, 50)
    for (const name of tenants) await made.vault.tenants.create(name)
    const stored = await Promise.all(tenants.map((name) => small.tenant(name).subject('x').encrypt(email, name)))
    const read = await Promise.all(
      tenants.map((name, i) =>
        small
          .tenant(name)
          .subject('x')
          .decrypt(email, stored[i] as Uint8Array),
      ),
    )
    expect(read).toEqual(tenants)
  })
})

describe('the bound that the vault was made with', () => {
  test('a process whose cacheBound is above it is refused, one at or below it opens', async () => {
    const made = await ground({ cacheBound: 5000 })
    const error = await openVault({ ...made.options, cacheBound: 5001 }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'invalid_argument', argument: 'cacheBound' })
    for (const cacheBound of [5000, 100]) expect(await outcome(() => openVault({ ...made.options, cacheBound }))).toBe('done')
    const { cacheBound: _, ...without } = made.options
    expect(await outcome(() => openVault(without))).toBe('done')
  })

  test('without one it is 60 seconds', async () => {
    const made = await ground()
    expect(await outcome(() => openVault({ ...made.options, cacheBound: BOUND + 1 }))).toBe('invalid_argument')
    expect(await outcome(() => openVault({ ...made.options, cacheBound: BOUND }))).toBe('done')
  })
})
