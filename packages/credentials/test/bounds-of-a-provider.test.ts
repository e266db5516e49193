// The tokens of one provider go to that provider alone, whoever mistakes it, and whoever writes the store.
import { inspect } from 'node:util'

import type { Connection } from '@strongroom/credentials'
import { describe, expect, test } from 'vitest'

import { startFakeServer } from './servers/fake-server.ts'
import { outcome, swept, tokenOf, world } from './support.ts'

async function twoProviders() {
  const w = await world()
  const other = await startFakeServer()
  const provider = {
    tokenEndpoint: `${other.origin}/token`,
    revocationEndpoint: `${other.origin}/revoke`,
    clientId: 'ours-there',
    clientSecret: () => 'secret-there',
    apiOrigins: [other.origin],
  }
  const there = await w.another({
    providers: { other: provider, key: { kind: 'apiKey', apiKeyHeader: 'X-Key', apiOrigins: [other.origin] } },
  })
  return { ...w, other, there }
}

async function rewrite(
  w: Awaited<ReturnType<typeof world>>,
  namespace: string,
  change: (entry: Record<string, unknown>) => object,
): Promise<void> {
  for (const { namespace: its, key, value } of w.stateStore.snapshot()) {
    if (its !== namespace) continue
    const now = await w.stateStore.get(its, key)
    const entry = change(JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>)
    await w.stateStore.put(its, key, Buffer.from(JSON.stringify(entry)), { expected: now?.version ?? 'absent', due: Date.now() })
  }
}

describe('a connection asked for as one of another provider', () => {
  test('gives no token, refreshes nothing, and is disconnected where it is connected; warm or not', async () => {
    const { there, server, other } = await twoProviders()
    const owner = there.vault.tenant('acme').subject('alice')
    const right = there.credentials.connection(owner, 'eu', { provider: 'crm' })
    await right.save({ ...server.grant(), expires_in: 0 })
    const wrong = ['other', 'key'].map((provider) => there.credentials.connection(owner, 'eu', { provider }))
    const all = async (one: Connection): Promise<string[]> => [
      await outcome(() => tokenOf(one)),
      await outcome(() => one.fetch(`${other.origin}/api`)),
    ]
    for (const one of wrong) expect(await all(one)).toEqual(['invalid_argument', 'invalid_argument'])
    expect(server.isLive(await tokenOf(right))).toBe(true)
    for (const one of wrong) expect(await all(one)).toEqual(['invalid_argument', 'invalid_argument'])
    expect((await (wrong[0] as Connection).disconnect()).revocation).toBe('revoked')
    expect([other.asked, other.revoked, server.revoked]).toEqual([0, [], server.used.map(() => 'fake-refresh-CANARY-2')])
  })
})

describe('whoever writes the store', () => {
  test('gives a connection to another provider: its tokens do not open', async () => {
    const w = await twoProviders()
    const owner = w.there.vault.tenant('acme').subject('alice')
    await w.there.credentials.connection(owner, 'eu', { provider: 'crm' }).save({ ...w.server.grant(), expires_in: 0 })
    await rewrite(w, 'strongroom/connections', (entry) => ({ ...entry, provider: 'other' }))
    const moved = w.there.credentials.connection(owner, 'eu', { provider: 'other' })
    expect(await outcome(() => tokenOf(moved))).toBe('decrypt_failed')
    for await (const { revocation } of w.there.credentials.disconnectAll(owner)) expect(revocation).toBe('unconfirmed')
    await w.there.credentials.sweep()
    expect([w.other.asked, w.other.revoked]).toEqual([0, []])
  })

  test('takes the access token away, so that the refresh token is sent in its place: nothing is sent', async () => {
    const w = await world()
    const granted = w.server.grant()
    await w.connection.save(granted)
    await rewrite(w, 'strongroom/connections', (entry) => ({ ...entry, access: undefined, kind: 'apiKey' }))
    expect(await outcome(async () => tokenOf((await w.another()).connection))).toBe('invalid_argument')
  })

  test('gives a token that waits for its revocation to another provider: it is not sent there', async () => {
    const w = await twoProviders()
    const owner = w.there.vault.tenant('acme').subject('alice')
    const connection = w.there.credentials.connection(owner, 'eu', { provider: 'crm' })
    await connection.save(w.server.grant())
    w.server.revocation = { status: 503 }
    expect((await connection.disconnect()).revocation).toBe('pending')
    await rewrite(w, 'strongroom/revocations', (entry) => ({ ...entry, provider: 'other' }))
    w.later(3_600_000)
    w.events.length = 0
    expect(await w.there.credentials.sweep()).toEqual(swept({ done: 1 }))
    expect([w.other.revoked, w.events]).toEqual([[], [expect.objectContaining({ type: 'revocation', outcome: 'unconfirmed' })]])
  })
})

describe('fetch', () => {
  test.each([
    'https://evil.example/api',
    'http://127.0.0.1:1/api',
    'blob:ORIGIN/x',
    'ORIGIN.evil.example/api',
    'http://user:pass@HOST/api',
    'http://user@HOST/api',
    '//HOST/api',
    '/api',
    'ftp://HOST/api',
    'data:text/plain,x',
  ])('%s: refused before a token is opened', async (url) => {
    const { connection, server } = await world()
    await connection.save(server.grant())
    const target = url.replace('ORIGIN', server.origin).replace('HOST', new URL(server.origin).host)
    expect(await outcome(() => connection.fetch(target))).toBe('invalid_argument')
  })

  test('a URL that says another thing each time it is read is read once', async () => {
    const { connection, server } = await world()
    await connection.save(server.grant())
    let reads = 0
    const url = { toString: () => (reads++ === 0 ? `${server.origin}/api` : 'https://evil.example/') } as unknown as URL
    expect([(await connection.fetch(url)).status, reads]).toEqual([200, 1])
  })

  test('a secret that no header takes is in no error', async () => {
    const { alice, server, another } = await world()
    for (const apiKeyHeader of ['x-api-key', 'Authorization']) {
      const { credentials } = await another({ providers: { mail: { kind: 'apiKey', apiKeyHeader, apiOrigins: [server.origin] } } })
      const connection = credentials.connection(alice, 'mail')
      for (const secret of ['CANARY\nsecond line', 'CANARY\u201c', 'CANARY\0']) {
        await connection.save({ secret })
        const thrown: unknown = await connection.fetch(`${server.origin}/api`).catch((error: unknown) => error)
        expect(thrown).toMatchObject({ code: 'unsupported_operation' })
        expect(inspect(thrown, { depth: 9, showHidden: true })).not.toContain('CANARY')
      }
    }
  })

  test.each([
    ['a stream', () => new Blob(['x']).stream()],
    [
      'an iterator',
      () =>
        (async function* () {
          yield Buffer.from('x')
        })(),
    ],
  ])('%s as body: refused, since it cannot be sent twice', async (_, body) => {
    const { connection, server } = await world()
    await connection.save(server.grant())
    const init = { method: 'POST', body: body() as never, duplex: 'half' } as RequestInit
    expect(await outcome(() => connection.fetch(`${server.origin}/api`, init))).toBe('invalid_argument')
  })
})
