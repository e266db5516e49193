// The definitions of well-known providers, each used by its quirks: answers as their documentation shows them.
import { createCredentials, google, hubspot, microsoft, type ProviderDefinition, slack, zoom } from '@strongroom/credentials'
import { describe, expect, test } from 'vitest'

import { BEHIND_ALL_PAUSES, outcome, SECRET, tokenOf, world } from './support.ts'

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
    const { connection, server, later } = await worldOf(local)
    server.reusable = definition.refreshTokens === 'reusable'
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push('reset')
    const first = await outcome(() => tokenOf(connection))
    expect(first).toBe(definition.refreshTokens === 'reusable' ? 'authorisation_server_unavailable' : 'reauthorisation_required')
    later(BEHIND_ALL_PAUSES)
    if (definition.refreshTokens === 'reusable') expect(server.isLive(await tokenOf(connection))).toBe(true)
  })

  test('disconnecting revokes what its endpoint takes, or says that it has none', async () => {
    const { connection, server } = await worldOf(local)
    server.revocation = { status: 200, body: { ok: true, revoked: true } }
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
  test.each([
    { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' },
    { error: 'invalid_grant', error_description: 'refresh token is invalid, expired or revoked', status: 'BAD_REFRESH_TOKEN' },
  ])('HubSpot, of a token that is no good: %j', async (body) => {
    const { connection, server } = await world({ provider: { quirks: hubspot.quirks ?? {} } })
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push({ status: 400, body })
    expect(await outcome(() => tokenOf(connection))).toBe('reauthorisation_required')
  })

  test('Slack: a token of the type bot', async () => {
    const { connection, server } = await world({ provider: { quirks: slack.quirks ?? {} } })
    await connection.save({ ...server.grant(), token_type: 'bot', expires_in: 0 })
    const body = {
      ok: true,
      access_token: 'xoxb-new',
      token_type: 'bot',
      refresh_token: 'xoxe-new',
      expires_in: 43_200,
      team: { id: 'T1' },
    }
    server.next.push({ status: 200, body })
    expect(await tokenOf(connection)).toBe('xoxb-new')
  })

  test.each([
    ['ratelimited', 'authorisation_server_throttled', 'done'],
    ['service_unavailable', 'authorisation_server_unavailable', 'done'],
    ['bad_client_secret', 'authorisation_server_refused', 'done'],
    ['invalid_refresh_token', 'reauthorisation_required', 'reauthorisation_required'],
    ['account_inactive', 'reauthorisation_required', 'reauthorisation_required'],
    // It may have been used up.
    ['internal_error', 'reauthorisation_required', 'reauthorisation_required'],
    ['fatal_error', 'reauthorisation_required', 'reauthorisation_required'],
  ])('Slack: %s, with status 200', async (error, first, then) => {
    const { connection, server, later } = await world({ provider: { quirks: slack.quirks ?? {} } })
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push({ status: 200, body: { ok: false, error } })
    expect(await outcome(() => tokenOf(connection))).toBe(first)
    later(BEHIND_ALL_PAUSES)
    expect(await outcome(() => tokenOf(connection))).toBe(then)
  })
})

describe('revocation', () => {
  test('HubSpot: in the form of RFC 7009, with the client in the body', async () => {
    const { connection, server } = await world({ provider: { clientAuthentication: hubspot.clientAuthentication ?? 'none' } })
    const { refresh_token: token } = server.grant()
    await connection.save({ access_token: 'x', refresh_token: token })
    expect((await connection.disconnect()).revocation).toBe('revoked')
    const form = { token, token_type_hint: 'refresh_token', client_id: 'our-service', client_secret: SECRET }
    expect(server.lastRevocation).toEqual({ form, authorization: undefined })
  })

  test.each([
    [{ ok: true, revoked: true }, 'revoked'],
    [{ ok: false, error: 'token_revoked' }, 'already_gone'],
    [{ ok: false, error: 'account_inactive' }, 'already_gone'],
    [{ ok: false, error: 'ratelimited' }, 'pending'],
    [{ ok: false, error: 'fatal_error' }, 'pending'],
    ['<html>', 'pending'],
  ])('Slack answers %j with status 200', async (body, expected) => {
    const { connection, server } = await world({ provider: { quirks: slack.quirks ?? {} } })
    const { access_token: token } = server.grant()
    await connection.save({ access_token: token, refresh_token: 'y' })
    server.revocation = { status: 200, body }
    expect((await connection.disconnect()).revocation).toBe(expected)
    // The token shows itself, and neither our secret nor the refresh token.
    expect(server.lastRevocation).toEqual({ form: { token, token_type_hint: 'access_token' }, authorization: undefined })
  })
})
