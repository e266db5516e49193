// Blind indexes: which values are equal to whom, when keys are made, and how long a handle lives.
import { type BlindIndex, type BlindIndexOptions, NodeKind, openVault, type Vault } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { toEnd, world } from '../epochs/support.ts'
import { BOUND, email, ground, hex, nodesOf, openGround, outcome, refusalOf } from './support.ts'

const EMAIL: BlindIndexOptions = { domain: 'users.email', normalize: 'email' }

type Owner = Pick<Vault, 'blindIndex' | 'findBlindIndex'>
const OWNERS: readonly [string, (vault: Vault) => Owner][] = [
  ['a tenant', (vault) => vault.tenant('acme')],
  ['the vault', (vault) => vault],
]

async function valueOf(owner: Owner, options: BlindIndexOptions, value: string | number): Promise<string> {
  const index = await owner.blindIndex(options)
  try {
    return hex(index.value(value))
  } finally {
    index.dispose()
  }
}

const services = (made: Awaited<ReturnType<typeof openGround>>): number =>
  nodesOf(made.keyStore).filter(({ kind }) => kind === NodeKind.service).length

describe.each(OWNERS)('the index of %s', (_, ownerOf) => {
  test('equal values give equal bytes in every process, 21 of them; what the normaliser takes for equal too', async () => {
    const { vault, options } = await openGround()
    const other = await openVault(options)
    const value = await valueOf(ownerOf(vault), EMAIL, 'Ada@Example.com')
    expect(value).toMatch(/^01[0-9a-f]{40}$/)
    expect(await valueOf(ownerOf(other), EMAIL, 'ada@example.com ')).toBe(value)
    expect(await valueOf(ownerOf(vault), EMAIL, 'bob@example.com')).not.toBe(value)
  })

  test('domains, normalisers and generations are never equal, and domains and generations have keys of their own', async () => {
    const made = await openGround()
    const owner = ownerOf(made.vault)
    const before = services(made)
    const values = [
      await valueOf(owner, EMAIL, 'ada@example.com'),
      await valueOf(owner, { ...EMAIL, domain: 'orders.email' }, 'ada@example.com'),
      await valueOf(owner, { ...EMAIL, generation: 2 }, 'ada@example.com'),
      await valueOf(owner, { domain: 'users.email' }, 'ada@example.com'),
      await valueOf(owner, { domain: 'users.email', normalize: 'text' }, 'ada@example.com'),
    ]
    expect(new Set(values).size).toBe(values.length)
    expect(services(made) - before).toBe(3)
    // Tags tell the keys apart: the three of one domain and generation share theirs.
    const tags = values.map((value) => value.slice(2, 10))
    expect(new Set(tags).size).toBe(3)
    expect(tags[3]).toBe(tags[0])
    expect(await valueOf(owner, { ...EMAIL, generation: 1 }, 'ada@example.com')).toBe(values[0])
  })

  test('whoever only searches makes no key, and finds it once a writer has made it', async () => {
    const made = await openGround()
    const owner = ownerOf(made.vault)
    const before = nodesOf(made.keyStore).length
    expect(await owner.findBlindIndex(EMAIL)).toBeUndefined()
    expect(nodesOf(made.keyStore).length).toBe(before)
    const value = await valueOf(owner, EMAIL, 'ada@example.com')
    expect(nodesOf(made.keyStore).length).toBe(before + 1)
    const found = (await owner.findBlindIndex(EMAIL)) as BlindIndex
    expect(hex(found.value('ADA@example.com'))).toBe(value)
    // Another generation is another key.
    expect(await owner.findBlindIndex({ ...EMAIL, generation: 2 })).toBeUndefined()
  })

  test('of many that write at once one makes the key', async () => {
    const made = await openGround()
    const vaults = await Promise.all(Array.from({ length: 5 }, () => openVault(made.options)))
    const before = nodesOf(made.keyStore).length
    const values = await Promise.all([...vaults, ...vaults, ...vaults].map((vault) => valueOf(ownerOf(vault), EMAIL, 'ada@example.com')))
    expect(new Set(values).size).toBe(1)
    expect(nodesOf(made.keyStore).length).toBe(before + 1)
  })

  test('a handle ends with the cache bound, when it is disposed, and with the vault', async () => {
    const { vault, clock } = await openGround()
    const owner = ownerOf(vault)
    const index = await owner.blindIndex(EMAIL)
    clock.advance(BOUND - 1)
    expect(await outcome(() => index.value('x'))).toBe('done')
    clock.advance(1)
    const error = await refusalOf(() => index.value('x'))
    expect(error.code).toBe('handle_expired')
    expect(error.message).toContain('blindIndex()')

    const second = await owner.blindIndex(EMAIL)
    expect(await outcome(() => second.value('x'))).toBe('done')
    second.dispose()
    second.dispose()
    expect(await outcome(() => second.value('x'))).toBe('handle_expired')

    const third = await owner.blindIndex(EMAIL)
    await vault.close()
    expect(await outcome(() => third.value('x'))).toBe('vault_closed')
    expect(await outcome(() => owner.blindIndex(EMAIL))).toBe('vault_closed')
  })

  test('a fresh handle has at least half of the bound before it', async () => {
    const { vault, clock } = await openGround()
    await ownerOf(vault).blindIndex(EMAIL)
    clock.advance(BOUND * 0.75)
    const index = await ownerOf(vault).blindIndex(EMAIL)
    clock.advance(BOUND / 2 - 1)
    expect(await outcome(() => index.value('x'))).toBe('done')
  })

  test.each<[string, unknown, string]>([
    ['no options', undefined, 'domain'],
    ['no domain', {}, 'domain'],
    ['an empty domain', { domain: '' }, 'domain'],
    ['a long domain', { domain: 'ä'.repeat(129) }, 'domain'],
    ['a domain that is no text', { domain: 5 }, 'domain'],
    ['a domain with half a character', { domain: '\ud800' }, 'domain'],
    ['a normaliser that there is not', { domain: 'a', normalize: 'e-mail' }, 'normalize'],
    ['generation 0', { domain: 'a', generation: 0 }, 'generation'],
    ['half a generation', { domain: 'a', generation: 1.5 }, 'generation'],
    ['a generation that is text', { domain: 'a', generation: '1' }, 'generation'],
    ['a misspelt option', { domain: 'a', normalise: 'email' }, 'options'],
  ])('%s is refused before anything is read or made', async (__, options, argument) => {
    const made = await openGround()
    const owner = ownerOf(made.vault)
    const before = nodesOf(made.keyStore).length
    for (const call of [() => owner.blindIndex(options as never), () => owner.findBlindIndex(options as never)]) {
      const error = await refusalOf(call)
      expect([error.code, error.argument]).toEqual(['invalid_argument', argument])
    }
    expect(nodesOf(made.keyStore).length).toBe(before)
    expect(await outcome(() => owner.blindIndex({ domain: 'ä'.repeat(128) }))).toBe('done')
  })

  test('a value that is none is refused, and never printed', async () => {
    const { vault } = await openGround()
    const index = await ownerOf(vault).blindIndex({ domain: 'users.phone', normalize: 'phone' })
    const error = await refusalOf(() => index.value('0151 secret'))
    expect([error.code, error.argument]).toEqual(['invalid_argument', 'value'])
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('secret')
    expect(await outcome(() => index.value({} as never))).toBe('invalid_argument')
    expect(await outcome(() => index.value('+4915112345678'))).toBe('done')
  })
})

describe('whose values are equal', () => {
  test("a tenant's to no other tenant's, nor to the vault's", async () => {
    const { vault } = await openGround()
    const owners: readonly Owner[] = [vault.tenant('acme'), vault.tenant('rival'), vault]
    const values = await Promise.all(owners.map((owner) => valueOf(owner, EMAIL, 'ada@example.com')))
    expect(new Set(values).size).toBe(3)
  })

  test('not those of another vault', async () => {
    const [one, two] = [await openGround(), await openGround()]
    expect(await valueOf(one.vault, EMAIL, 'ada@example.com')).not.toBe(await valueOf(two.vault, EMAIL, 'ada@example.com'))
  })
})

describe('the life of the keys', () => {
  test("a shredded tenant's index is gone, and the vault's goes on", async () => {
    const { vault } = await openGround()
    const [its, ours] = [await vault.tenant('acme').blindIndex(EMAIL), await vault.blindIndex(EMAIL)]
    await vault.tenant('acme').shred()
    expect(await outcome(() => its.value('ada@example.com'))).toBe('handle_expired')
    expect(await outcome(() => vault.tenant('acme').blindIndex(EMAIL))).toBe('shredded')
    expect(await outcome(() => vault.tenant('acme').findBlindIndex(EMAIL))).toBe('shredded')
    expect(await outcome(() => ours.value('ada@example.com'))).toBe('done')
    expect(await outcome(() => vault.tenant('rival').blindIndex(EMAIL))).toBe('done')
  })

  test("a suspended tenant's index rests", async () => {
    const { vault } = await openGround()
    const acme = vault.tenant('acme')
    const value = await valueOf(acme, EMAIL, 'x')
    await acme.suspend()
    expect(await outcome(() => acme.blindIndex(EMAIL))).toBe('suspended')
    expect(await outcome(() => acme.findBlindIndex(EMAIL))).toBe('suspended')
    await acme.resume()
    expect(await valueOf(acme, EMAIL, 'x')).toBe(value)
  })

  test('values stay the same through rotations of the root key and of the tenant key', async () => {
    const { vault, options } = await world()
    const valuesOf = (opened: Vault): Promise<readonly string[]> =>
      Promise.all([opened.tenant('acme'), opened].map((owner) => valueOf(owner, EMAIL, 'x')))
    const before = await valuesOf(vault)
    // With a shred, a rotation moves the tenant to another wrapping key.
    await vault.tenant('acme').subject('bob').shred()
    await toEnd(vault.rotateRootKey())
    await toEnd(vault.rotateTenantKey(vault.tenant('acme')))
    expect(await valuesOf(await openVault(options))).toEqual(before)
  })

  test('no such tenant is not_found', async () => {
    const { vault } = await openGround()
    expect(await outcome(() => vault.tenant('nobody').blindIndex(EMAIL))).toBe('not_found')
    expect(await outcome(() => vault.tenant('nobody').findBlindIndex(EMAIL))).toBe('not_found')
  })

  test('a person of the name of a domain has another key', async () => {
    const { vault, keyStore } = await openGround()
    await vault.tenant('acme').blindIndex(EMAIL)
    const before = nodesOf(keyStore).length
    await vault.tenant('acme').subject('users.email').encrypt(email, 'x')
    expect(nodesOf(keyStore).length).toBe(before + 1)
  })

  test('a vault without tenants has indexes', async () => {
    const { options } = await ground()
    expect(await valueOf(await openVault(options), EMAIL, 'x')).toMatch(/^01/)
  })
})
