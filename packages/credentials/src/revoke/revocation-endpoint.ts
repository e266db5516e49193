/** Asking a provider to revoke a token (RFC 7009), through `oauth4webapi`. */

import * as oauth from 'oauth4webapi'

import { configuredClient, type TokenEndpointOptions } from '../oauth/token-endpoint.ts'
import { type CheckedProvider, isInsecure } from '../providers/provider.ts'

/** What is revoked; the RFC's `token_type_hint`. */
export type TokenHint = 'refresh_token' | 'access_token'

/**
 * - `revoked`: the provider says so.
 * - `already_gone`: the provider does not know the token, or no more.
 * - `unsupported`: it revokes nothing, or not such tokens.
 * - `retry`: it did not answer, or refused; nobody knows.
 */
export type RevocationAnswer = 'revoked' | 'already_gone' | 'unsupported' | 'retry'

// Of providers that answer with an error where section 2.2 of the RFC has them answer 200.
const GONE = ['invalid_token', 'invalid_grant', 'token_not_found']

export async function revokeToken(
  provider: CheckedProvider,
  token: string,
  hint: TokenHint,
  { servers, fetch, timeout }: TokenEndpointOptions,
): Promise<RevocationAnswer> {
  const signal = AbortSignal.timeout(timeout)
  try {
    const server = await servers.of(provider, signal)
    if (server.revocation_endpoint === undefined) return 'unsupported'
    const { client, authentication } = await configuredClient(provider)
    const response = await oauth.revocationRequest(server, client, authentication, token, {
      signal,
      additionalParameters: { token_type_hint: hint },
      [oauth.allowInsecureRequests]: isInsecure(server.revocation_endpoint),
      [oauth.customFetch]: (url: string, init: RequestInit) => fetch(url, { ...init, redirect: 'manual' }),
    })
    await oauth.processRevocationResponse(response)
    return 'revoked'
  } catch (error) {
    // Its errors hold what was answered, and go no further.
    if (!(error instanceof oauth.ResponseBodyError)) return 'retry'
    if (GONE.includes(error.error)) return 'already_gone'
    return error.error === 'unsupported_token_type' ? 'unsupported' : 'retry'
  }
}
