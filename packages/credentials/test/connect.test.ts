// The flow by which a customer connects, against a real authorisation server whose customer has agreed already.
import { google, type Provider } from '@strongroom/credentials'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type AuthorizationServer, startAuthorizationServer } from './processes/support.ts'
import { outcome, tokenOf, world } from './support.ts'

const SESSION = 'session-of-the-browser'
const REDIRECT = 'http://127.0.0.1:1/callback'

let server: AuthorizationServer
beforeAll(async () => void (server = await startAuthorizationServer()))
afterAll(() => server.stop())

/** What the browser comes back with. */
async function agreed(url: URL): Promise<URL> {
  const response = await fetch(`${server.issuer}/test/agree`, { method: 'POST', body: url.href })
  return new URL(await response.text())
}

function realProvider(): Provider {
  const clientSecret = (): string => 'our-service-secret-of-the-tests'
  return { issuer: server.issuer, clientId: 'our-service', clientSecret, scopes: ['openid', 'offline_access'] }
}

async function ground(changes: Parameters<typeof world>[0] = {}) {
  const w = await world(changes)
  const { credentials, vault } = await w.another({
    providers: { real: realProvider() },
  })
  return { ...w, credentials, vault, alice: vault.tenant('acme').subject('alice') }
}

describe('authorizationUrl and callback', () => {
  test('the customer comes back connected, by discovery, PKCE and a sealed state', async () => {
    const { credentials, alice } = await ground()
    const url = await credentials.authorizationUrl(alice, 'real', { redirectUri: REDIRECT, session: SESSION })
    expect([url.searchParams.get('code_challenge_method'), url.searchParams.get('state')?.slice(0, 4)]).toEqual(['S256', 'sr1.'])
    for (const hidden of ['alice', 'acme', SESSION]) expect(decodeURIComponent(url.href)).not.toContain(hidden)
    const connection = await credentials.callback(await agreed(url), { session: SESSION })
    expect(await server.isLive(await tokenOf(connection))).toBe(true)
    expect(await connection.status()).toMatchObject({ name: 'real', provider: 'real', state: 'live', scopes: ['openid', 'offline_access'] })
    expect(await server.isLive(await tokenOf(credentials.connection(alice, 'real')))).toBe(true)
  })

  test('a connection of the tenant itself', async () => {
    const { credentials, vault } = await ground()
    const self = vault.tenant('acme').self()
    const url = await credentials.authorizationUrl(self, 'real', { redirectUri: REDIRECT, session: SESSION })
    await credentials.callback((await agreed(url)).href, { session: SESSION })
    expect((await credentials.connection(self, 'real').status())?.state).toBe('live')
  })

  test('of another session, altered, twice, too old, or with no state: refused, and no code is exchanged', async () => {
    let offset = 0
    const clock = { now: () => Date.now() + offset, monotonic: () => performance.now() }
    const { credentials, alice } = await ground({ vaultOptions: { clock } })
    const back = await agreed(await credentials.authorizationUrl(alice, 'real', { redirectUri: REDIRECT, session: SESSION }))
    const before = await server.count()
    const changed = (change: (url: URL) => void): URL => {
      const url = new URL(back)
      change(url)
      return url
    }
    const state = back.searchParams.get('state') ?? ''
    const wrong: readonly [URL, string][] = [
      [back, 'session-of-another-browser'],
      [back, 'short'],
      [changed((url) => url.searchParams.set('state', `${state.slice(0, -2)}AA`)), SESSION],
      [changed((url) => url.searchParams.append('state', state)), SESSION],
      [changed((url) => url.searchParams.delete('state')), SESSION],
    ]
    for (const [url, session] of wrong) expect(await outcome(() => credentials.callback(url, { session }))).toBe('invalid_argument')
    offset = 16 * 60_000
    expect(await outcome(() => credentials.callback(back, { session: SESSION }))).toBe('invalid_argument')
    offset = 0
    expect(await server.count()).toEqual(before)
    await credentials.callback(back, { session: SESSION })
    expect(await outcome(() => credentials.callback(back, { session: SESSION }))).toBe('invalid_argument')
  })

  test('the page that the browser came back to, loaded again, or twice at once: the connection lives on', async () => {
    const { credentials, alice } = await ground()
    const back = await agreed(await credentials.authorizationUrl(alice, 'real', { redirectUri: REDIRECT, session: SESSION }))
    const [before, ended] = [await server.count(), 'invalid_argument']
    const atOnce = await Promise.all([1, 2, 3].map(() => outcome(() => credentials.callback(back, { session: SESSION }))))
    expect(atOnce.toSorted()).toEqual(['done', ended, ended])
    expect(await outcome(() => credentials.callback(back, { session: SESSION }))).toBe(ended)
    // A server ends the tokens of a code that is shown twice.
    expect(await server.isLive(await tokenOf(credentials.connection(alice, 'real')))).toBe(true)
    expect((await server.count()).refused).toBe(before.refused)
    await credentials.sweep()
    expect(await outcome(() => credentials.callback(back, { session: SESSION }))).toBe(ended)
  })

  test('at another address than the one that was sent: refused, and no code is exchanged', async () => {
    const { credentials, alice } = await ground()
    const back = await agreed(await credentials.authorizationUrl(alice, 'real', { redirectUri: REDIRECT, session: SESSION }))
    const before = await server.count()
    for (const at of ['http://127.0.0.1:1/callback/of-another-provider', 'http://127.0.0.1:2/callback', 'https://127.0.0.1:1/callback']) {
      const url = new URL(at)
      url.search = back.search
      expect(await outcome(() => credentials.callback(url, { session: SESSION }))).toBe('invalid_argument')
    }
    expect(await server.count()).toEqual(before)
    await credentials.callback(back, { session: SESSION })
  })

  test('a process whose clock is an hour ahead keeps nobody from connecting', async () => {
    const { credentials, alice, another } = await ground()
    const url = await credentials.authorizationUrl(alice, 'real', { redirectUri: REDIRECT, session: SESSION })
    const ahead = await another({ vaultOptions: { clock: { now: () => Date.now() + 3_600_000, monotonic: () => performance.now() } } })
    await ahead.credentials.sweep()
    // One that has no keys in memory.
    const other = await another({ providers: { real: realProvider() } })
    await other.credentials.callback(await agreed(url), { session: SESSION })
    const owner = other.vault.tenant('acme').subject('alice')
    expect(await outcome(() => other.credentials.authorizationUrl(owner, 'real', { redirectUri: REDIRECT, session: SESSION }))).toBe('done')
  })

  test('of a provider that is not asked for tokens: said, and nothing is sent', async () => {
    const { alice, another } = await ground()
    const { credentials } = await another({ providers: { mail: { kind: 'apiKey' } } })
    const thrown = await credentials
      .authorizationUrl(alice, 'mail', { redirectUri: REDIRECT, session: SESSION })
      .catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'unsupported_operation' })
  })

  test('the customer says no', async () => {
    const { credentials, alice } = await ground()
    const url = await credentials.authorizationUrl(alice, 'real', { redirectUri: REDIRECT, session: SESSION })
    const back = new URL(REDIRECT)
    for (const [name, value] of [
      ['error', 'access_denied'],
      ['iss', server.issuer],
      ['state', url.searchParams.get('state') ?? ''],
    ] as const)
      back.searchParams.set(name, value)
    expect(await outcome(() => credentials.callback(back, { session: SESSION }))).toBe('authorisation_denied')
    back.searchParams.set('iss', 'https://another.example')
    expect(await outcome(() => credentials.callback(back, { session: SESSION }))).toBe('authorisation_server_malformed')
  })
})

describe('an answer that names its issuer (RFC 9207)', () => {
  test.each([
    ['as Google does', 'https://accounts.google.com', 'done'],
    ['of another', 'https://issuer.example', 'authorisation_server_malformed'],
  ])('%s', async (_, iss, expected) => {
    const { alice, another, server: fake } = await world()
    const provider = { ...google, tokenEndpoint: `${fake.origin}/token`, clientId: 'x', clientSecret: () => 'y' }
    const { credentials } = await another({ providers: { google: provider } })
    const url = await credentials.authorizationUrl(alice, 'google', { redirectUri: REDIRECT, session: SESSION })
    const back = new URL(REDIRECT)
    back.search = String(new URLSearchParams({ code: 'c', iss, state: url.searchParams.get('state') ?? '' }))
    expect(await outcome(() => credentials.callback(back, { session: SESSION }))).toBe(expected)
    expect(fake.asked).toBe(expected === 'done' ? 1 : 0)
  })

  test('where no issuer was configured: said which option is missing, and no code is exchanged', async () => {
    const { alice, credentials, server: fake, another } = await world()
    void credentials
    const others = await another({ provider: { authorizationEndpoint: `${fake.origin}/authorize` } })
    const url = await others.credentials.authorizationUrl(alice, 'crm', { redirectUri: REDIRECT, session: SESSION })
    const back = new URL(REDIRECT)
    back.search = String(new URLSearchParams({ code: 'c', iss: fake.origin, state: url.searchParams.get('state') ?? '' }))
    const thrown = await others.credentials.callback(back, { session: SESSION }).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'invalid_argument', argument: 'providers.crm.issuer' })
    expect(fake.asked).toBe(0)
  })
})
