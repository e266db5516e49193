/** Asking a provider to revoke a token (RFC 7009), through `oauth4webapi`. */

import * as oauth from 'oauth4webapi'

import { type Answer, exchange, responseOf } from '../oauth/exchange.ts'
import { type Asking, configuredClient, type TokenEndpointOptions } from '../oauth/token-endpoint.ts'
import { type CheckedProvider, isInsecure, type ProviderQuirks } from '../providers/provider.ts'

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
  let answer: Answer | undefined
  try {
    const server = await servers.of(provider, 'revocation_endpoint', signal)
    if (server.revocation_endpoint === undefined) return 'unsupported'
    const { client, authentication } = await asking(provider, signal)
    await oauth.revocationRequest(server, client, authentication, token, {
      signal,
      additionalParameters: { token_type_hint: hint },
      [oauth.allowInsecureRequests]: isInsecure(server.revocation_endpoint),
      [oauth.customFetch]: async (url: string, init: RequestInit) => {
        answer = await exchange(fetch, url, init, signal)
        return responseOf({ ...answer, text: '' })
      },
    })
    return answer === undefined ? 'retry' : meaningOf(answer, provider.quirks ?? {})
  } catch {
    // Errors of others may hold what was sent or answered, and go no further.
    return 'retry'
  }
}

async function asking(provider: CheckedProvider, signal: AbortSignal): Promise<Asking> {
  if (provider.quirks?.revokesWithoutClient !== true) return configuredClient(provider, signal)
  return { client: { client_id: provider.clientId ?? '' }, authentication: () => undefined }
}

function meaningOf({ status, text }: Answer, { okMember, goneErrors = [] }: ProviderQuirks): RevocationAnswer {
  const { ok, error } = membersOf(text)
  if (status >= 200 && status < 300 && !(okMember === true && ok !== true)) return 'revoked'
  if (status >= 500 || status === 429 || typeof error !== 'string') return 'retry'
  if (GONE.includes(error) || goneErrors.includes(error)) return 'already_gone'
  return error === 'unsupported_token_type' ? 'unsupported' : 'retry'
}

function membersOf(text: string | undefined): { readonly ok?: unknown; readonly error?: unknown } {
  try {
    return (JSON.parse(text ?? '') as { readonly ok?: unknown; readonly error?: unknown } | null) ?? {}
  } catch {
    return {}
  }
}
