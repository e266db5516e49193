// `tenant.unlockMany`: for each name what `unlock` of it gives, whether its key is in memory, in the store, or nowhere yet.
import { type Access, type KeyStore, openVault, StrongroomError, type UnlockedKeys, type UnlockOptions, type Vault } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { alice, bob, BOUND, email, held, nodesOf, openGround, outcome, refusalOf } from './support.ts'

const READ: UnlockOptions = { readOnly: true }
const people = (count: number): string[] => Array.from({ length: count }, (_, i) => `person ${i}`)

const unlock = (vault: Vault, names: readonly string[], options?: UnlockOptions) => vault.tenant('acme').unlockMany(names, options)

async function unlocked(vault: Vault, names: readonly string[], options?: UnlockOptions): Promise<readonly UnlockedKeys[]> {
  const all = await unlock(vault, names, options)
  return all.map((keys) => {
    if (keys instanceof StrongroomError) throw keys
    return keys
  })
}

/** What becomes of each: `keys`, or the code. */
const outcomes = async (vault: Vault, names: readonly string[], options?: UnlockOptions): Promise<readonly string[]> =>
  (await unlock(vault, names, options)).map((keys) => (keys instanceof StrongroomError ? keys.code : 'keys'))

const encryptAll = (vault: Vault, names: readonly string[]) =>
  Promise.all(names.map((name) => vault.tenant('acme').subject(name).encrypt(email, name)))

describe('what it gives', () => {
  test('the keys of each, in the order of the names, a name that comes twice twice', async () => {
    const { vault } = await openGround()
    const names = ['alice', 'bob', 'alice', 'carol']
    const keys = await unlocked(vault, names)
    expect(new Set(keys).size).toBe(4)
    const stored = keys.map((own, i) => own.encrypt(email, `of ${names[i]}`))
    for (const [i, name] of names.entries()) {
      expect(
        await vault
          .tenant('acme')
          .subject(name)
          .decrypt(email, stored[i] as Uint8Array),
      ).toBe(`of ${name}`)
      for (const [j, own] of keys.entries())
        expect(await outcome(() => own.decrypt(email, stored[i] as Uint8Array))).toBe(names[j] === name ? 'done' : 'decrypt_failed')
    }
    keys[0]?.dispose()
    expect(await outcome(() => keys[0]?.encrypt(email, 'x'))).toBe('handle_expired')
    expect(keys[2]?.decrypt(email, stored[0] as Uint8Array)).toBe('of alice')
  })

  test('of no names nothing', async () => {
    const { vault } = await openGround()
    expect(await unlock(vault, [])).toEqual([])
  })

  test('for reading: no key is made, and there is none to encrypt with', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).encrypt(email, 'ada')
    const before = held(made)
    for (const vault of [made.vault, await openVault(made.options)]) {
      const [hers, nobodys] = (await unlocked(vault, ['alice', 'nobody'], READ)) as [UnlockedKeys, UnlockedKeys]
      expect(hers.decrypt(email, stored)).toBe('ada')
      expect(await outcome(() => nobodys.decrypt(email, stored))).toBe('decrypt_failed')
      for (const keys of [hers, nobodys]) expect(await outcome(() => keys.encrypt(email, 'x'))).toBe('unsupported_operation')
    }
    expect(held(made)).toEqual(before)
  })

  test('else one key is made for each who has none', async () => {
    const made = await openGround()
    await alice(made.vault).encrypt(email, 'x')
    const before = nodesOf(made.keyStore).length
    expect(await outcomes(made.vault, ['alice', 'bob', 'bob', 'carol'])).toEqual(['keys', 'keys', 'keys', 'keys'])
    expect(nodesOf(made.keyStore).length).toBe(before + 2)
  })
})

describe('who is refused', () => {
  test.each(['in memory', 'in the store'])('a shredded and a suspended one, and what is no name, beside others, %s', async (where) => {
    const made = await openGround()
    const names = ['alice', 'bob', '', 'carol', 'x'.repeat(513)]
    await encryptAll(made.vault, ['alice', 'bob', 'carol'])
    await alice(made.vault).shred()
    await bob(made.vault).suspend()
    const vault = where === 'in memory' ? made.vault : await openVault(made.options)
    if (where === 'in memory') for (const name of ['alice', 'bob', 'carol']) await outcome(() => unlocked(vault, [name]))
    expect(await outcomes(vault, names)).toEqual(['shredded', 'suspended', 'invalid_argument', 'keys', 'invalid_argument'])
    // As for one: a handle for reading says that she is shredded when it is used.
    expect(await outcomes(vault, names, READ)).toEqual(['keys', 'suspended', 'invalid_argument', 'keys', 'invalid_argument'])
  })

  test('everybody of a tenant that is suspended, and the call itself for one that is not there, or shredded', async () => {
    const { vault } = await openGround()
    await encryptAll(vault, ['alice', 'bob'])
    await vault.tenant('acme').suspend()
    for (const options of [READ, {}]) expect(await outcomes(vault, ['alice', 'bob'], options)).toEqual(['suspended', 'suspended'])
    await vault.tenant('acme').shred()
    expect(await outcome(() => unlock(vault, ['alice']))).toBe('shredded')
    expect(await outcome(() => vault.tenant('nowhere').unlockMany(['alice']))).toBe('not_found')
    const tenant = vault.tenant('rival')
    await vault.close()
    expect(await outcome(() => tenant.unlockMany(['alice']))).toBe('vault_closed')
  })

  test('who cannot be read from the store: that one alone where the others are in memory, and it is asked again', async () => {
    const made = await openGround()
    const names = people(5)
    await encryptAll(made.vault, names)
    let isDown = false
    const keyStore: KeyStore = {
      ...made.keyStore,
      get: (keys) => (isDown ? Promise.reject(new Error('no route to host')) : made.keyStore.get(keys)),
    }
    const vault = await openVault({ ...made.options, keyStore })
    await unlocked(vault, names.slice(1), READ)
    isDown = true
    expect(await outcomes(vault, names, READ)).toEqual(['key_store_unavailable', 'keys', 'keys', 'keys', 'keys'])
    isDown = false
    expect(await outcomes(vault, names, READ)).toEqual(Array.from(names, () => 'keys'))
  })
})

describe('onAccess', () => {
  async function watched() {
    const made = await openGround()
    const seen: Access[] = []
    const state = { denied: '' }
    const vault = await openVault({
      ...made.options,
      onAccess(access) {
        seen.push(access)
        if (access.subject === state.denied) throw new Error('not today')
      },
    })
    return { ...made, first: made.vault, vault, seen, state }
  }

  test.each(['in memory', 'in the store'])('is told once of each, in the order of the names, %s', async (where) => {
    const { first, vault, seen } = await watched()
    await encryptAll(first, ['alice', 'bob'])
    if (where === 'in memory') await unlocked(vault, ['alice', 'bob'])
    seen.length = 0
    await unlocked(vault, ['alice', 'bob', 'alice'])
    expect(seen.map(({ operation, tenant, subject, region }) => [operation, tenant, subject, region])).toEqual([
      ['unlock', 'acme', 'alice', 'eu'],
      ['unlock', 'acme', 'bob', 'eu'],
      ['unlock', 'acme', 'alice', 'eu'],
    ])
  })

  test.each(['in memory', 'in the store'])('denies one and lets the others pass, and no key was made for that one, %s', async (where) => {
    const { vault, state, ...made } = await watched()
    if (where === 'in memory') await unlocked(vault, ['alice', 'bob', 'carol'])
    state.denied = 'bob'
    const before = nodesOf(made.keyStore).length
    expect(await outcomes(vault, ['alice', 'bob', 'carol'])).toEqual(['keys', 'denied', 'keys'])
    expect(nodesOf(made.keyStore).length - before).toBe(where === 'in memory' ? 0 : 2)
  })

  test('is not told of what is no name', async () => {
    const { vault, seen } = await watched()
    expect(await outcomes(vault, ['', '\ud800'])).toEqual(['invalid_argument', 'invalid_argument'])
    expect(seen).toEqual([])
  })
})

describe('how long the keys may be used', () => {
  test.each([READ, {}])('at most the cache bound, whatever became of them meanwhile: %o', async (options) => {
    const made = await openGround()
    const names = people(3)
    const stored = await encryptAll(made.vault, names)
    const other = await openVault(made.options)
    for (const _ of ['in the store', 'in memory']) {
      const keys = await unlocked(other, names, options)
      made.clock.advance(BOUND - 1)
      expect(keys.map((own, i) => own.decrypt(email, stored[i] as Uint8Array))).toEqual(names)
      made.clock.advance(1)
      for (const [i, own] of keys.entries()) expect(await outcome(() => own.decrypt(email, stored[i] as Uint8Array))).toBe('handle_expired')
    }
  })

  test('a key that has used up half of its life is read again', async () => {
    const made = await openGround()
    const [stored] = await encryptAll(made.vault, ['alice'])
    const other = await openVault(made.options)
    await unlocked(other, ['alice'])
    made.clock.advance(BOUND / 2)
    const [keys] = (await unlocked(other, ['alice'])) as [UnlockedKeys]
    made.clock.advance(BOUND - 1)
    expect(keys.decrypt(email, stored as Uint8Array)).toBe('alice')
  })

  test('a shred in this process ends them at once, those of others go on', async () => {
    const { vault } = await openGround()
    const [hers, his] = (await unlocked(vault, ['alice', 'bob'])) as [UnlockedKeys, UnlockedKeys]
    await alice(vault).shred()
    expect(await outcome(() => hers.encrypt(email, 'x'))).toBe('handle_expired')
    expect(await outcome(() => his.encrypt(email, 'x'))).toBe('done')
  })

  test('news in the middle of the call ends those that were given by then, and the others are read anew', async () => {
    const made = await openGround()
    const names = people(10)
    const stored = await encryptAll(made.vault, names)
    let tell: Parameters<NonNullable<KeyStore['watch']>>[0] = () => undefined
    let at = ''
    const vault = await openVault({
      ...made.options,
      keyStore: { ...made.keyStore, watch: (news) => ((tell = news), () => undefined) },
      onAccess: ({ operation, subject }) => void (operation === 'unlock' && subject === at && tell(undefined)),
    })
    await unlocked(vault, names)
    at = 'person 5'
    const keys = await unlocked(vault, names)
    at = ''
    const used = await Promise.all(keys.map((own, i) => outcome(() => own.decrypt(email, stored[i] as Uint8Array))))
    expect(used).toEqual(names.map((_, i) => (i < 5 ? 'handle_expired' : 'done')))
  })

  test.each([1, 2, 5])('a cache of %i keys, and a memory for few more names: 50 people at once can be used', async (maxCachedKeys) => {
    const made = await openGround()
    const names = people(50)
    const small = await openVault({ ...made.options, maxCachedKeys, maxCachedTenants: 2 })
    for (const options of [{}, READ]) {
      const keys = await unlocked(small, names, options)
      const stored = await encryptAll(made.vault, names)
      // Of what was evicted only what nobody holds is wiped.
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(keys.map((own, i) => own.decrypt(email, stored[i] as Uint8Array))).toEqual(names)
      for (const own of keys) own.dispose()
    }
  })
})

describe('number of calls', () => {
  test('1,000 from the store are one query, in memory none, and one more is one', async () => {
    const made = await openGround()
    const names = people(1000)
    await encryptAll(made.vault, [...names, 'last', 'marker'])
    const cold = await openVault(made.options)
    // What the tenant costs once.
    await unlocked(cold, ['marker'], READ)
    for (const [asked, queries] of [
      [names, 1],
      [names, 0],
      [[...names, 'last'], 1],
    ] as const) {
      const before = { ...made.keyStore.calls }
      await unlocked(cold, asked, READ)
      expect({ ...made.keyStore.calls, get: made.keyStore.calls.get - before.get }).toEqual({ ...before, get: queries })
    }
  })
})

test('a list that changes while it is being read, and a name that has none, ask nothing of anyone', async () => {
  const made = await openGround()
  const names = ['alice']
  const asked = unlock(made.vault, names)
  names.push('bob')
  expect(await asked).toHaveLength(1)
  const error = await refusalOf(() => unlock(made.vault, 'alice' as never))
  expect([error.code, error.argument]).toEqual(['invalid_argument', 'subjects'])
})
