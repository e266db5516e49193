// Saving, asking, listing, ending.
import { inspect } from 'node:util'

import type { Material } from '@strongroom/credentials'
import { describe, expect, test } from 'vitest'

import { BEHIND_ALL_PAUSES, outcome, tokenOf, world } from './support.ts'

describe('save', () => {
  test.each<[string, unknown]>([
    ['a password', { access_token: 'x', password: 'hunter2-CANARY' }],
    ['a password of another name', { access_token: 'x', userPassword: 'hunter2-CANARY' }],
    ['no token', { refresh_token: 'CANARY' }],
    ['an empty token', { access_token: '' }],
    ['a token that is no text', { access_token: 7 }],
    ['nothing', undefined],
    ['a text', 'CANARY'],
  ])('%s: refused, named, and nothing is stored', async (_, material) => {
    const { connection, stateStore, keyStore } = await world()
    const before = [stateStore.snapshot(), keyStore.snapshot()]
    const thrown = await connection.save(material as Material).catch((error: unknown) => error)
    expect((thrown as { code?: string }).code).toBe('invalid_argument')
    expect(inspect(thrown, { depth: 9 })).not.toContain('CANARY')
    expect([stateStore.snapshot(), keyStore.snapshot()]).toEqual(before)
  })

  test('stores no token, no account and no name as they are', async () => {
    const { connection, server, stateStore, keyStore, events } = await world()
    const granted = server.grant()
    await connection.save(granted, { account: 'ada-CANARY@example.com' })
    const bytes = JSON.stringify(stateStore.snapshot().map((entry) => ({ ...entry, value: Buffer.from(entry.value).toString('latin1') })))
    for (const hidden of ['CANARY', 'alice', 'acme', granted.access_token]) expect(bytes).not.toContain(hidden)
    expect(inspect([keyStore.snapshot(), events, connection], { depth: 9 })).not.toContain('CANARY')
    expect(await connection.status()).toMatchObject({
      name: 'crm',
      account: 'ada-CANARY@example.com',
      state: 'live',
      kind: 'oauth2',
      provider: 'crm',
    })
  })

  test('where something is there: replaced, and the other process hears of it by its next look', async () => {
    const { connection, server, another } = await world()
    await connection.save(server.grant())
    const second = server.grant()
    await (await another()).connection.save(second)
    expect(await tokenOf((await another()).connection)).toBe(second.access_token)
  })
})

describe('the longest of what may be saved', () => {
  const CONTROL = '\u0001'
  test.each<[string, unknown, object]>([
    ['an API key', { secret: '\u{1f511}'.repeat(50_000) }, {}],
    ['an account and scopes', { secret: 'x' }, { account: CONTROL.repeat(1000), scopes: [CONTROL.repeat(9999)] }],
    ['an account that is longer', { secret: 'x' }, { account: 'x'.repeat(600_000) }],
    ['scopes that are longer', { secret: 'x' }, { scopes: ['x'.repeat(600_000)] }],
  ])('%s: is read again, or is refused', async (_, material, options) => {
    const { alice, another } = await world()
    const { credentials } = await another({ providers: { mail: { kind: 'apiKey' } } })
    const connection = credentials.connection(alice, 'mail')
    const saved = await outcome(() => connection.save(material as Material, options))
    expect(['done', 'invalid_argument']).toContain(saved)
    expect(await connection.status()).toEqual(saved === 'done' ? expect.objectContaining({ state: 'live' }) : undefined)
    for await (const { name } of credentials.disconnectAll(alice)) expect(name).toBe('mail')
  })

  test("a customer's client, and a token response", async () => {
    const { alice, another, server } = await world()
    const { credentials } = await another({ providers: { sync: { kind: 'clientCredentials', tokenEndpoint: `${server.origin}/token` } } })
    const connections = [credentials.connection(alice, 'sync'), credentials.connection(alice, 'crm')] as const
    const materials: Material[][] = [
      [CONTROL, '"'].map((one) => ({ client_id: one.repeat(100_000), client_secret: one.repeat(100_000) })),
      [{ access_token: 'x'.repeat(100_000), refresh_token: 'y'.repeat(100_000), scope: '\u20ac '.repeat(50_000) }],
    ]
    for (const [i, connection] of connections.entries())
      for (const material of materials[i] ?? []) {
        const saved = await outcome(() => connection.save(material))
        expect(await connection.status()).toEqual(saved === 'done' ? expect.objectContaining({ state: 'live' }) : undefined)
      }
  })
})

test('whoever listens to events and throws, or rejects, stops nothing', async () => {
  for (const onEvent of [
    () => {
      throw new Error('no')
    },
    (async () => {
      throw new Error('no')
    }) as () => void,
  ]) {
    const { connection, server } = await world({ onEvent })
    await connection.save({ ...server.grant(), expires_in: 0 })
    expect(server.isLive(await tokenOf(connection))).toBe(true)
  }
})

describe('what is stored', () => {
  test('a token that is moved to another connection, version or member does not open', async () => {
    const { vault, connection, credentials, server, stateStore, another } = await world()
    await connection.save(server.grant())
    const bob = credentials.connection(vault.tenant('acme').subject('bob'), 'crm')
    await bob.save(server.grant())
    const entries = stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/connections')
    const [one, other] = entries.map((entry) => JSON.parse(Buffer.from(entry.value).toString()) as Record<string, string>)
    const put = async (index: number, record: unknown): Promise<void> => {
      const { namespace, key } = entries[index] as (typeof entries)[number]
      const now = await stateStore.get(namespace, key)
      await stateStore.put(namespace, key, Buffer.from(JSON.stringify(record)), { expected: now?.version ?? 'absent' })
    }
    const swaps = [
      { ...one, access: other?.['access'] },
      { ...one, access: one?.['lasting'] },
      { ...one, version: 2 },
      { ...other },
      { ...one, unknown: 1 },
    ]
    for (const swap of swaps) {
      await put(0, swap)
      const fresh = await another()
      const owners = [fresh.connection, fresh.credentials.connection(fresh.vault.tenant('acme').subject('bob'), 'crm')]
      const seen = await Promise.all(owners.map((each) => outcome(() => tokenOf(each))))
      expect(seen.filter((each) => each === 'decrypt_failed')).toHaveLength(1)
    }
  })
})

describe('other kinds', () => {
  test('an API key and a webhook secret are used as they are', async () => {
    const { credentials, alice, another } = await world()
    void credentials
    const { credentials: others } = await another({ providers: { mail: { kind: 'apiKey' }, hook: { kind: 'webhookSecret' } } })
    for (const name of ['mail', 'hook']) {
      const connection = others.connection(alice, name)
      await connection.save({ secret: `key-of-${name}` })
      expect(await tokenOf(connection)).toBe(`key-of-${name}`)
      expect(await outcome(() => connection.save({ secret: 'x', also: 'y' } as Material))).toBe('invalid_argument')
    }
  })

  test("a customer's client gets its access tokens by itself", async () => {
    const { alice, another, server, later } = await world()
    const { credentials } = await another({
      providers: { sync: { kind: 'clientCredentials', tokenEndpoint: `${server.origin}/token` } },
    })
    const connection = credentials.connection(alice, 'sync')
    await connection.save({ client_id: 'theirs', client_secret: 'their-secret-CANARY' })
    server.next.push('reset')
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_unavailable')
    later(BEHIND_ALL_PAUSES)
    expect(server.isLive(await tokenOf(connection))).toBe(true)
  })
})

describe('disconnect', () => {
  test('destroys the key of the connection alone, revokes, and a new one can be made', async () => {
    const { connection, server, another, credentials, alice } = await world()
    const granted = server.grant()
    await connection.save(granted)
    const other = (await another({ providers: { mail: { kind: 'apiKey' } } })).credentials.connection(alice, 'mail')
    await other.save({ secret: 'stays' })
    const done = await connection.disconnect()
    expect([done.revocation, done.keptUntil, server.revoked]).toEqual(['revoked', undefined, [granted.refresh_token]])
    expect(await outcome(() => tokenOf(connection))).toBe('not_found')
    expect(await outcome(() => connection.disconnect())).toBe('not_found')
    expect(await connection.status()).toBeUndefined()
    expect(await tokenOf(other)).toBe('stays')
    const names: string[] = []
    for await (const { name } of credentials.list(alice)) names.push(name)
    expect(names).toEqual(['mail'])
    await connection.save(server.grant())
    expect(server.isLive(await tokenOf(connection))).toBe(true)
  })

  test('all that a person has: each by itself, and nobody else', async () => {
    const { server, another } = await world()
    const { credentials, vault } = await another({ providers: { mail: { kind: 'apiKey' } } })
    const [alice, bob] = [vault.tenant('acme').subject('alice'), vault.tenant('acme').subject('bob')]
    for (const owner of [alice, bob]) {
      await credentials.connection(owner, 'crm').save(server.grant())
      await credentials.connection(owner, 'crm-2', { provider: 'crm' }).save(server.grant())
      await credentials.connection(owner, 'mail').save({ secret: 'x' })
    }
    const done: unknown[] = []
    for await (const { name, revocation } of credentials.disconnectAll(alice)) done.push([name, revocation])
    expect(done.toSorted()).toEqual([
      ['crm', 'revoked'],
      ['crm-2', 'revoked'],
      ['mail', 'unsupported'],
    ])
    const left: string[] = []
    for (const owner of [alice, bob]) for await (const { name } of credentials.list(owner)) left.push(name)
    expect([left.toSorted(), server.revoked.length]).toEqual([['crm', 'crm-2', 'mail'], 2])
    for await (const one of credentials.disconnectAll(alice)) throw new Error(`there is one: ${one.name}`)
  })

  test.each([
    ['200', { status: 200 }, 'revoked'],
    ['204', { status: 204, body: '' }, 'revoked'],
    ['invalid_token', { status: 400, body: { error: 'invalid_token' } }, 'already_gone'],
    ['unsupported_token_type', { status: 400, body: { error: 'unsupported_token_type' } }, 'unsupported'],
    ['503', { status: 503 }, 'pending'],
  ])('the provider answers %s', async (_, revocation, expected) => {
    const { connection, server } = await world()
    await connection.save(server.grant())
    server.revocation = revocation
    expect((await connection.disconnect()).revocation).toBe(expected)
  })

  test('while a refresh is under way: the fresh token is revoked, and not stored', async () => {
    const { connection, server, another } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    let goOn = (): void => undefined
    server.onRequest = () => new Promise((resolve) => (goOn = resolve))
    const refreshing = outcome(() => tokenOf(connection))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await (await another()).connection.disconnect()
    goOn()
    expect(await refreshing).toBe('not_found')
    expect(server.revoked).toHaveLength(2)
    expect(server.revoked[1]).toBe('fake-refresh-CANARY-2')
    expect(await connection.status()).toBeUndefined()
  })

  test('put back from before: it is not there, hides no other, and the customer connects again', async () => {
    const { alice, connection, credentials, server, stateStore } = await world()
    await connection.save(server.grant())
    const before = stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/connections')
    await connection.disconnect()
    const other = credentials.connection(alice, 'crm-eu', { provider: 'crm' })
    await other.save(server.grant())
    for (const { namespace, key, value } of before) await stateStore.put(namespace, key, value, { expected: 'absent' })

    const names = []
    for await (const { name } of credentials.list(alice)) names.push(name)
    expect([names, await connection.status(), await outcome(() => tokenOf(connection))]).toEqual([['crm-eu'], undefined, 'not_found'])
    const again = server.grant()
    const results: unknown[] = []
    for (const dryRun of [true, false])
      for await (const { outcome: said } of credentials.importPlaintext([{ owner: alice, name: 'crm', material: server.grant() }], {
        dryRun,
      }))
        results.push(said)
    expect(results).toEqual(['imported', 'imported'])
    await connection.save(again)
    expect(await tokenOf(connection)).toBe(again.access_token)

    // Where it is the person whose keys are gone, that is said.
    await alice.shredWithoutRevocation()
    expect(await outcome(() => other.status())).toBe('shredded')
  })
})
