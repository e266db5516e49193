// What may be configured of a provider, and what a document of discovery may say.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { createCredentials, type Provider } from '@strongroom/credentials'
import { describe, expect, onTestFinished, test } from 'vitest'

import { outcome, tokenOf, world } from './support.ts'

const GOOD: Provider = { tokenEndpoint: 'https://as.example/token', clientId: 'x', clientSecret: () => 'y' }

test.each<[argument: string, change: object]>([
  ['providers.crm.scopes', { scopes: 'a b' }],
  ['providers.crm.authorizationParameters', { authorizationParameters: { prompt: 1 } }],
  ['providers.crm.apiKeyHeader', { apiKeyHeader: 'x key' }],
  ['providers.crm.apiKeyHeader', { apiKeyHeader: 'x\r\ny' }],
  ['providers.crm.quirks.errors', { quirks: { errors: { a: 'refused' } } }],
  ['providers.crm.quirks.bearerTypes', { quirks: { bearerTypes: 'bot' } }],
  ['providers.crm.quirks.goneErrors', { quirks: { goneErrors: 'gone' } }],
  ['providers.crm.quirks.okMember', { quirks: { okMember: 'yes' } }],
  ['options', { quirks: { okmember: true } }],
  ['providers.crm.tokenEndpoint', { tokenEndpoint: 'http://as.example/token' }],
  ['providers.crm.tokenEndpoint', { tokenEndpoint: 'https://user:secret@as.example/token' }],
  ['providers.crm.issuer', { issuer: 'http://localhost.evil.example' }],
  ['providers.crm.apiOrigins', { apiOrigins: ['https://API.example.com'] }],
  ['providers.crm.apiOrigins', { apiOrigins: ['https://api.example.com:443'] }],
  ['providers.crm.apiOrigins', { apiOrigins: ['https://api.example.com/v1'] }],
])('%s is refused, named: %j', async (argument, change) => {
  const { vault } = await world()
  const create = (): unknown => createCredentials(vault, { providers: { crm: { ...GOOD, ...change } } })
  expect(create).toThrow(expect.objectContaining({ code: 'invalid_argument', argument }) as Error)
})

describe('a document of discovery', () => {
  /** An issuer that has its document where one of the specifications has it. */
  async function issuerWith(
    place: string,
    members: (origin: string) => object,
  ): Promise<{ readonly issuer: string; readonly asked: string[] }> {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(String(request.url))
      const isThere = request.url === place
      response.writeHead(isThere ? 200 : 404, { 'content-type': 'application/json' })
      response.end(isThere ? JSON.stringify(members(issuer)) : '{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { issuer, asked }
  }

  async function used(issuer: string, fetch?: typeof globalThis.fetch, more: Partial<Provider> = {}) {
    const { server, another } = await world()
    const far = { issuer, clientId: 'x', clientSecret: () => 'y', ...more }
    const { credentials, vault } = await another({ providers: { far }, ...(fetch === undefined ? {} : { fetch }) })
    const connection = credentials.connection(vault.tenant('acme').subject('alice'), 'far')
    await connection.save({ ...server.grant(), expires_in: 0 })
    return { server, connection }
  }

  test.each(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'])('is found at %s', async (place) => {
    let tokens = ''
    const { issuer } = await issuerWith(place, (origin) => ({ issuer: origin, token_endpoint: tokens }))
    const { server, connection } = await used(issuer)
    tokens = `${server.origin}/token`
    expect(server.isLive(await tokenOf(connection))).toBe(true)
  })

  test.each([
    ['names another issuer', (): object => ({ issuer: 'https://other.example', token_endpoint: 'https://other.example/token' })],
    ['names plain http', (origin: string): object => ({ issuer: origin, token_endpoint: 'http://as.example/token' })],
    ['names none', (origin: string): object => ({ issuer: origin })],
    ['names what is no URL', (origin: string): object => ({ issuer: origin, token_endpoint: 'x' })],
  ])('that %s: not followed', async (_, members) => {
    const { issuer } = await issuerWith('/.well-known/openid-configuration', members)
    const { connection } = await used(issuer)
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_malformed')
  })

  test('from elsewhere that names a host that only this machine reaches: nothing is sent there', async () => {
    const sent: string[] = []
    const document = { issuer: 'https://as.example', token_endpoint: 'http://127.0.0.1:6379/', revocation_endpoint: 'http://localhost:1/' }
    const { connection } = await used('https://as.example', (url) => {
      sent.push(String(url))
      return Promise.resolve(Response.json(document))
    })
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_malformed')
    expect(sent.filter((url) => !url.startsWith('https://as.example/.well-known/'))).toEqual([])
  })

  test('is asked for what is not configured, and for nothing else', async () => {
    const { issuer, asked } = await issuerWith('/.well-known/openid-configuration', (origin) => ({
      issuer: origin,
      token_endpoint: 'https://elsewhere.example/token',
      revocation_endpoint: `${origin}/revoke`,
    }))
    const { server: own } = await world()
    const { connection } = await used(issuer, undefined, { tokenEndpoint: `${own.origin}/token` })
    await connection.save({ ...own.grant(), expires_in: 0 })
    expect([own.isLive(await tokenOf(connection)), asked]).toEqual([true, []])
    await connection.disconnect()
    expect(asked).toEqual(['/.well-known/openid-configuration', '/revoke'])
  })
})
