// What a token endpoint may answer beside what the RFC says: no tokens are lost for a trifle, and none are used that cannot be.
import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { inspect } from 'node:util'

import type { Material } from '@strongroom/credentials'
import { describe, expect, onTestFinished, test } from 'vitest'

import { BEHIND_ALL_PAUSES, IMPATIENT, outcome, tokenOf, world } from './support.ts'

describe('new tokens are kept', () => {
  test.each<Record<string, unknown>>([
    { expires_in: null },
    { expires_in: '3600' },
    { expires_in: 'soon' },
    { expires_in: -1 },
    { expires_in: 1e300 },
    { expires_in: {} },
    { scope: null },
    { scope: ['a', 'b'] },
    { scope: 7 },
    { token_type: undefined },
    { token_type: null },
    { token_type: 'BEARER' },
    { mustChangePassword: true, password: null, bypass: 1 },
    { id_token: 7 },
    JSON.parse('{"__proto__":{"access_token":"x"},"constructor":1}') as Record<string, unknown>,
  ])('beside %j', async (odd) => {
    const { connection, server } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push({ with: odd })
    expect(server.isLive(await tokenOf(connection))).toBe(true)
    expect([server.isLive(await tokenOf(connection)), server.asked]).toEqual([true, 1])
    expect((await connection.status())?.state).toBe('live')
  })

  test('that come with another status of success', async () => {
    const { connection, server } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push({ status: 201, body: { access_token: 'made', token_type: 'bearer', refresh_token: 'y', expires_in: 3600 } })
    expect(await tokenOf(connection)).toBe('made')
  })

  test.each([null, '', 7])('the old refresh token stays where the new one is %j', async (refresh_token) => {
    const { connection, server, later } = await world()
    server.reusable = true
    const granted = server.grant()
    await connection.save({ ...granted, expires_in: 0 })
    server.next.push({ with: { refresh_token } })
    await tokenOf(connection)
    later(2 * 3_600_000)
    await tokenOf(connection)
    expect(server.used).toEqual([granted.refresh_token, granted.refresh_token])
  })
})

describe('tokens that cannot be used', () => {
  test.each<Record<string, unknown>>([
    { token_type: 'DPoP' },
    { token_type: 'mac' },
    { token_type: 7 },
    { access_token: '' },
    { access_token: undefined },
    { access_token: 'CANARY\r\nx-injected: 1' },
    { access_token: 'CANARY\ud800' },
    { access_token: 'C'.repeat(200_000) },
  ])('%j: the customer must connect again', async (odd) => {
    const { connection, server } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push({ with: odd })
    const thrown: unknown = await tokenOf(connection).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'reauthorisation_required' })
    expect(inspect(thrown, { depth: 9, showHidden: true })).not.toMatch(/CANARY|CCCC/)
  })

  test.each<Record<string, unknown>>([
    { access_token: 'x', token_type: 'DPoP' },
    { access_token: 'CANARY\nx' },
    { access_token: 'x', refresh_token: 'CANARY\u{1f511}' },
  ])('nor are they saved: %j', async (material) => {
    const { connection, stateStore } = await world()
    const thrown: unknown = await connection.save(material as Material).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'invalid_argument' })
    expect(inspect(thrown, { depth: 9 })).not.toContain('CANARY')
    expect(stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/connections')).toEqual([])
  })
})

describe('answers without bounds', () => {
  async function serving(answer: Parameters<typeof createServer>[1]): Promise<{ server: Server; origin: string }> {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    return { server, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  test('one that never ends is not read to its end', async () => {
    let sent = 0
    const chunk = Buffer.alloc(100_000, ' ')
    const { origin } = await serving((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length
        sent += chunk.length
      }
      response.on('drain', more)
      more()
    })
    const { connection, server } = await world({ provider: { tokenEndpoint: `${origin}/token`, refreshTokens: 'reusable' } })
    await connection.save({ ...server.grant(), expires_in: 0 })
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_malformed')
    // What the network holds comes on top.
    expect(sent).toBeLessThan(20_000_000)
  })

  test('one that comes drop by drop ends in time, and so does a fetch that heeds no signal', async () => {
    const { origin } = await serving((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const drops = setInterval(() => response.write(' '), 50)
      response.on('close', () => clearInterval(drops))
    })
    const provider = { tokenEndpoint: `${origin}/token`, refreshTokens: 'reusable' } as const
    const { connection, server, later, another } = await world({ ...IMPATIENT, provider })
    await connection.save({ ...server.grant(), expires_in: 0 })
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_timeout')
    later(BEHIND_ALL_PAUSES)
    const deaf = await another({ fetch: () => new Promise(() => undefined) })
    expect(await outcome(() => tokenOf(deaf.connection))).toBe('authorisation_server_timeout')
  })

  test('a discovery document that never ends', async () => {
    const { origin } = await serving((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(100_000, ' ')));
      }
      response.on('drain', more)
      more()
    })
    const { server, another } = await world()
    const other = await another({ providers: { far: { issuer: origin, clientId: 'x', clientSecret: () => 'y' } } })
    const connection = other.credentials.connection(other.vault.tenant('acme').subject('alice'), 'far')
    await connection.save({ ...server.grant(), expires_in: 0 })
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_unavailable')
  })
})

describe('what was never sent', () => {
  test('to a server whose certificate is not good, or that hangs up during the handshake: the connection is as it was', async () => {
    const { connection, server, later, another } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    const refusing = (code: string): typeof fetch => {
      return () => Promise.reject(Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('no'), { code }) }))
    }
    const rude = createTcpServer((socket) => socket.once('data', () => socket.destroy()))
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void rude.close())
    const hangingUp = `https://127.0.0.1:${(rude.address() as AddressInfo).port}/token`
    const changes = [
      ...['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT'].map((code) => ({ fetch: refusing(code) })),
      { provider: { tokenEndpoint: hangingUp } },
    ]
    for (const change of changes) {
      later(BEHIND_ALL_PAUSES)
      expect(await outcome(async () => tokenOf((await another(change)).connection))).toBe('authorisation_server_unavailable')
    }
    later(BEHIND_ALL_PAUSES)
    expect([server.isLive(await tokenOf(connection)), server.used.length]).toEqual([true, 1])
  })

  test('a client secret that never comes: said in time, and the connection is as it was', async () => {
    const { connection, server, another } = await world(IMPATIENT)
    await connection.save({ ...server.grant(), expires_in: 0 })
    const waiting = await another({ provider: { clientSecret: () => new Promise<string>(() => undefined) } })
    const hers = outcome(() => tokenOf(waiting.connection))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(server.isLive(await tokenOf(connection))).toBe(true)
    expect([await hers, server.asked]).toEqual(['invalid_argument', 1])
  })

  test('a client secret that is no text that can be sent', async () => {
    const { connection, server, another, later } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    const wrong = await another({ provider: { clientSecret: () => 'CANARY\ud800' } })
    const thrown: unknown = await tokenOf(wrong.connection).catch((error: unknown) => error)
    expect(inspect(thrown, { depth: 9 })).not.toContain('CANARY')
    later(BEHIND_ALL_PAUSES)
    expect([server.isLive(await tokenOf(connection)), server.asked]).toEqual([true, 1])
  })
})

test("a customer's own client that the system does not know any more: the customer must connect again", async () => {
  const { alice, another, server } = await world()
  const { credentials } = await another({ providers: { sync: { kind: 'clientCredentials', tokenEndpoint: `${server.origin}/token` } } })
  const connection = credentials.connection(alice, 'sync')
  await connection.save({ client_id: 'theirs', client_secret: 'their-secret-CANARY' })
  server.next.push({ status: 401, body: { error: 'invalid_client' } })
  expect(await outcome(() => tokenOf(connection))).toBe('reauthorisation_required')
  expect(await connection.status()).toMatchObject({ state: 'reauthorisation_required', reason: 'invalid_grant' })
})
