/** Asking an authorisation server for tokens, through `oauth4webapi`. Nothing that it answered leaves here but the tokens: its errors hold bodies. */

import { StrongroomError } from '@strongroom/core'
import * as oauth from 'oauth4webapi'

import { type CheckedProvider, isInsecure } from '../providers/provider.ts'
import type { AuthorizationServers } from './authorization-servers.ts'
import { type Answer, exchange, type Fetch, responseOf } from './exchange.ts'
import { inTime } from './in-time.ts'
import { oauthError, type OAuthFailureCode, type TokenOutcome } from './outcome.ts'
import { outcomeOf } from './token-answer.ts'

export interface TokenEndpointOptions {
  readonly servers: AuthorizationServers
  readonly fetch: Fetch
  /** Milliseconds for one request. */
  readonly timeout: number
  /** UTC milliseconds. */
  readonly now: () => number
}

/** Who asks: the provider's own client of this service, or the customer's. */
export interface Asking {
  readonly client: oauth.Client
  readonly authentication: oauth.ClientAuth
}

/**
 * A request for which all is there that it takes: endpoint and client secret, but not yet the answer. What fails before has sent nothing.
 *
 * @returns how it ended; never rejects
 */
export type TokenRequest = () => Promise<TokenOutcome>

/** The client that a provider was configured with. @throws StrongroomError `invalid_argument` naming what gives no secret */
export async function configuredClient(provider: CheckedProvider, signal: AbortSignal): Promise<Asking> {
  const client = { client_id: provider.clientId ?? '' }
  if (provider.clientAuthentication === 'none') return { client, authentication: oauth.None() }
  let secret: unknown
  try {
    secret = await inTime(Promise.resolve(provider.clientSecret?.()), signal)
  } catch {
    // What it threw may hold the secret, or what it takes to get it.
    throw noSecret(provider, signal.aborted ? 'must give a secret within timeout' : 'threw')
  }
  if (typeof secret !== 'string' || secret === '') throw noSecret(provider, 'must give a secret')
  return { client, authentication: authenticationOf(provider, secret) }
}

function noSecret({ name }: CheckedProvider, what: string): StrongroomError {
  return new StrongroomError('invalid_argument', `providers.${name}.clientSecret ${what}`, { argument: `providers.${name}.clientSecret` })
}

/** A client that a customer has made for us. */
export function customersClient(
  provider: CheckedProvider,
  { client_id, client_secret }: { client_id: string; client_secret: string },
): Asking {
  return { client: { client_id }, authentication: authenticationOf(provider, client_secret) }
}

function authenticationOf(provider: CheckedProvider, secret: string): oauth.ClientAuth {
  return provider.clientAuthentication === 'client_secret_post' ? oauth.ClientSecretPost(secret) : oauth.ClientSecretBasic(secret)
}

/** Uses a refresh token (RFC 6749, section 6). @throws StrongroomError `invalid_argument`, `authorisation_server_…`; nothing was sent */
export function refreshTokens(provider: CheckedProvider, refreshToken: string, options: TokenEndpointOptions): Promise<TokenRequest> {
  return prepared(
    provider,
    options,
    (signal) => configuredClient(provider, signal),
    (server, { client, authentication }, request) => oauth.refreshTokenGrantRequest(server, client, authentication, refreshToken, request),
  )
}

/** Asks for an access token with the customer's own client (RFC 6749, section 4.4). @throws StrongroomError `authorisation_server_…`; nothing was sent */
export function clientCredentialsTokens(
  provider: CheckedProvider,
  customer: { client_id: string; client_secret: string },
  options: TokenEndpointOptions,
): Promise<TokenRequest> {
  const parameters = new URLSearchParams(provider.scopes === undefined ? {} : { scope: provider.scopes.join(' ') })
  return prepared(
    provider,
    options,
    async () => customersClient(provider, customer),
    (server, { client, authentication }, request) =>
      oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, request),
  )
}

/** Exchanges a code (RFC 6749, section 4.1.3; RFC 7636, section 4.5). @throws StrongroomError `invalid_argument`, `authorisation_server_…`; nothing was sent */
export function exchangeCode(
  provider: CheckedProvider,
  { code, redirectUri, verifier }: { readonly code: URLSearchParams; readonly redirectUri: string; readonly verifier: string },
  options: TokenEndpointOptions,
): Promise<TokenRequest> {
  return prepared(
    provider,
    options,
    (signal) => configuredClient(provider, signal),
    (server, { client, authentication }, request) =>
      oauth.authorizationCodeGrantRequest(server, client, authentication, code, redirectUri, verifier, request),
  )
}

type Request = NonNullable<Parameters<typeof oauth.refreshTokenGrantRequest>[4]>

async function prepared(
  provider: CheckedProvider,
  options: TokenEndpointOptions,
  asking: (signal: AbortSignal) => Promise<Asking>,
  send: (server: oauth.AuthorizationServer, asking: Asking, request: Request) => Promise<Response>,
): Promise<TokenRequest> {
  const signal = AbortSignal.timeout(options.timeout)
  const [server, who] = [await options.servers.of(provider, 'token_endpoint', signal), await asking(signal)]
  if (server.token_endpoint === undefined) throw oauthError('authorisation_server_malformed')
  return () => sent(provider, options, server, who, send)
}

async function sent(
  provider: CheckedProvider,
  options: TokenEndpointOptions,
  server: oauth.AuthorizationServer,
  who: Asking,
  send: (server: oauth.AuthorizationServer, asking: Asking, request: Request) => Promise<Response>,
): Promise<TokenOutcome> {
  const signal = AbortSignal.timeout(options.timeout)
  let isSent = false
  let answer: Answer | undefined
  try {
    await send(server, who, {
      signal,
      [oauth.allowInsecureRequests]: isInsecure(server.token_endpoint),
      [oauth.customFetch]: async (url: string, init: RequestInit) => {
        isSent = true
        answer = await exchange(options.fetch, url, init, signal)
        return responseOf({ ...answer, text: '' })
      },
    })
  } catch (error) {
    if (!isSent) return failure('failed', 'authorisation_server_unavailable')
    if (answer === undefined) return noAnswer(error, signal)
  }
  if (answer === undefined) return failure('unknown', 'authorisation_server_unavailable')
  if (answer.text === undefined && signal.aborted && answer.status < 300) return failure('unknown', 'authorisation_server_timeout')
  return outcomeOf(provider, server, who.client, answer, options.now())
}

function noAnswer(error: unknown, signal: AbortSignal): TokenOutcome {
  if (signal.aborted) return failure('unknown', 'authorisation_server_timeout')
  return failure(neverConnected(error) ? 'failed' : 'unknown', 'authorisation_server_unavailable')
}

function failure(outcome: 'failed' | 'unknown', code: OAuthFailureCode): TokenOutcome {
  return { outcome, error: { code, retryAfter: undefined } }
}

const NEVER_CONNECTED = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  // Ours refused what the server showed, before anything was said: https://nodejs.org/api/tls.html#x509-certificate-error-codes
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
]
// What Node says of a socket that ended during the handshake, under a code that it shares with those that ended later.
const NO_HANDSHAKE = 'Client network socket disconnected before secure TLS connection was established'

// Of a connection that was never made nothing can have been used up.
function neverConnected(error: unknown): boolean {
  for (let each: unknown = error; typeof each === 'object' && each !== null; each = (each as { readonly cause?: unknown }).cause) {
    const { code, message } = each as { readonly code?: unknown; readonly message?: unknown }
    if (NEVER_CONNECTED.includes(String(code)) || message === NO_HANDSHAKE) return true
  }
  return false
}
