// The definitions of well-known providers, each used by its quirks: answers as their documentation shows them.
import { createCredentials, google, hubspot, microsoft, type ProviderDefinition, slack, zoom } from '@strongroom/credentials'
import { describe, expect, test } from 'vitest'

import { outcome, tokenOf, world } from './support.ts'

const KNOWN: Readonly<Record<string, ProviderDefinition>> = { google, hubspot, microsoft, slack, zoom }

describe.each(Object.entries(KNOWN))('%s', (name, definition) => {
  const local = (origin: string): ProviderDefinition => ({
    ...definition,
    tokenEndpoint: `${origin}/token`,
    ...(definition.revocationEndpoint === undefined ? {} : { revocationEndpoint: `${origin}/revoke` }),
  })

  test('is a provider, once it has a client', async () => {
    const { vault } = await world()
    createCredentials(vault, { providers: { [name]: { ...definition, clientId: 'x', clientSecret: () => 'y' } } })
  })

  test('refreshes, and a reset ends as its refresh tokens allow', async () => {
    const { connection, server } = await worldOf(local)
    server.reusable = definition.refreshTokens === 'reusable'
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push('reset')
    const first = await outcome(() => tokenOf(connection))
    expect(first).toBe(definition.refreshTokens === 'reusable' ? 'authorisation_server_unavailable' : 'reauthorisation_required')
    if (definition.refreshTokens === 'reusable') expect(server.isLive(await tokenOf(connection))).toBe(true)
  })

  test('disconnecting revokes what its endpoint takes, or says that it has none', async () => {
    const { connection, server } = await worldOf(local)
    const granted = server.grant()
    await connection.save(granted)
    const { revocation } = await connection.disconnect()
    if (definition.revocationEndpoint === undefined) expect([revocation, server.revoked]).toEqual(['unsupported', []])
    else
      expect([revocation, server.revoked]).toEqual([
        'revoked',
        [definition.quirks?.revokesAccessTokensOnly === true ? granted.access_token : granted.refresh_token],
      ])
  })

  async function worldOf(make: (origin: string) => ProviderDefinition) {
    const w = await world()
    const providers = { [name]: { ...make(w.server.origin), clientId: 'our-service', clientSecret: () => 'secret' } }
    const { credentials, vault } = await w.another({ providers })
    return { ...w, connection: credentials.connection(vault.tenant('acme').subject('alice'), name) }
  }
})

describe('answers that RFC 6749 does not have', () => {
  test('HubSpot: BAD_REFRESH_TOKEN is invalid_grant', async () => {
    const { connection, server } = await world({ provider: { quirks: hubspot.quirks ?? {} } })
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push({ status: 400, body: { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' } })
    expect(await outcome(() => tokenOf(connection))).toBe('reauthorisation_required')
  })

  test('Slack: an error with status 200, and a token of the type bot', async () => {
    const { connection, server } = await world({ provider: { quirks: slack.quirks ?? {} } })
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push(
      { status: 200, body: { ok: false, error: 'ratelimited' } },
      {
        status: 200,
        body: { ok: true, access_token: 'xoxb-new', token_type: 'bot', refresh_token: 'xoxe-new', expires_in: 43_200, team: { id: 'T1' } },
      },
      { status: 200, body: { ok: false, error: 'invalid_refresh_token' } },
    )
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_refused')
    expect(await tokenOf(connection)).toBe('xoxb-new')
    await connection.save({ access_token: 'x', refresh_token: 'y', expires_in: 0 })
    expect(await outcome(() => tokenOf(connection))).toBe('reauthorisation_required')
  })
})
