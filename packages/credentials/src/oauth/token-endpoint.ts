/** Asking an authorisation server for tokens, through `oauth4webapi`. Nothing that it answered leaves here but the tokens: its errors hold bodies. */

import { StrongroomError } from '@strongroom/core'
import * as oauth from 'oauth4webapi'

import { checkMaterial } from '../kinds/kinds.ts'
import { type CheckedProvider, isInsecure } from '../providers/provider.ts'
import type { AuthorizationServers } from './authorization-servers.ts'
import type { OAuthFailureCode, TokenOutcome } from './outcome.ts'

export type Fetch = typeof globalThis.fetch

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

/** The client that a provider was configured with. */
export async function configuredClient(provider: CheckedProvider): Promise<Asking> {
  const client = { client_id: provider.clientId ?? '' }
  if (provider.clientAuthentication === 'none') return { client, authentication: oauth.None() }
  let secret: unknown
  try {
    secret = await provider.clientSecret?.()
  } catch {
    // What it threw may hold the secret, or what it takes to get it.
    throw noSecret(provider, 'threw')
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

/** Uses a refresh token (RFC 6749, section 6). */
export function refreshTokens(provider: CheckedProvider, refreshToken: string, options: TokenEndpointOptions): Promise<TokenOutcome> {
  return ask(
    provider,
    options,
    () => configuredClient(provider),
    (server, { client, authentication }, request) => oauth.refreshTokenGrantRequest(server, client, authentication, refreshToken, request),
  )
}

/** Asks for an access token with the customer's own client (RFC 6749, section 4.4). */
export function clientCredentialsTokens(
  provider: CheckedProvider,
  customer: { client_id: string; client_secret: string },
  options: TokenEndpointOptions,
): Promise<TokenOutcome> {
  const parameters = new URLSearchParams(provider.scopes === undefined ? {} : { scope: provider.scopes.join(' ') })
  return ask(
    provider,
    options,
    async () => customersClient(provider, customer),
    (server, { client, authentication }, request) =>
      oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, request),
  )
}

/** Exchanges a code (RFC 6749, section 4.1.3; RFC 7636, section 4.5). */
export function exchangeCode(
  provider: CheckedProvider,
  { code, redirectUri, verifier }: { readonly code: URLSearchParams; readonly redirectUri: string; readonly verifier: string },
  options: TokenEndpointOptions,
): Promise<TokenOutcome> {
  return ask(
    provider,
    options,
    () => configuredClient(provider),
    (server, { client, authentication }, request) =>
      oauth.authorizationCodeGrantRequest(server, client, authentication, code, redirectUri, verifier, request),
  )
}

type Request = NonNullable<Parameters<typeof oauth.refreshTokenGrantRequest>[4]>

async function ask(
  provider: CheckedProvider,
  options: TokenEndpointOptions,
  asking: () => Promise<Asking>,
  send: (server: oauth.AuthorizationServer, asking: Asking, request: Request) => Promise<Response>,
): Promise<TokenOutcome> {
  const { now } = options
  const progress = { sent: false, answered: false, failed: undefined as unknown }
  const signal = AbortSignal.timeout(options.timeout)
  try {
    // Neither of them has the token: what fails here has changed nothing.
    const [server, who] = [await options.servers.of(provider, signal), await asking()]
    const response = await send(server, who, {
      signal,
      [oauth.allowInsecureRequests]: isInsecure(server.token_endpoint),
      [oauth.customFetch]: async (url: string, init: RequestInit) => {
        progress.sent = true
        try {
          const answer = await options.fetch(url, { ...init, redirect: 'manual' })
          progress.answered = true
          return answer
        } catch (error) {
          progress.failed = error
          throw error
        }
      },
    })
    return await read(provider, server, who.client, response, signal, now)
  } catch (error) {
    if (error instanceof StrongroomError && !progress.sent) throw error
    if (signal.aborted) return { outcome: progress.sent ? 'unknown' : 'failed', error: failure('authorisation_server_timeout') }
    const unsent = !progress.sent || (!progress.answered && neverConnected(progress.failed))
    return { outcome: unsent ? 'failed' : 'unknown', error: failure('authorisation_server_unavailable') }
  }
}

async function read(
  provider: CheckedProvider,
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  response: Response,
  signal: AbortSignal,
  now: () => number,
): Promise<TokenOutcome> {
  const retryAt = retryAfter(response, now())
  // Said of the request as such, before anything was done with it (RFC 6585, section 4).
  if (response.status === 429) return { outcome: 'failed', error: { code: 'authorisation_server_throttled', retryAt } }
  // 503: it is not being served (RFC 9110, section 15.6.4). Any other failure may have come behind the rotation, unless the provider says not.
  if (response.status >= 500) {
    const isWithoutEffect = response.status === 503 || provider.quirks?.serverErrorsWithoutEffect === true
    return { outcome: isWithoutEffect ? 'failed' : 'unknown', error: { code: 'authorisation_server_unavailable', retryAt } }
  }
  let body: unknown
  try {
    body = JSON.parse(await response.text())
  } catch {
    // Cut off, or no JSON. What is no success did nothing.
    const code: OAuthFailureCode = signal.aborted ? 'authorisation_server_timeout' : 'authorisation_server_malformed'
    return { outcome: response.ok ? 'unknown' : 'failed', error: failure(code) }
  }
  const adapted = adapt(provider, body, response.status)
  try {
    const answer = Response.json(adapted.body, { status: adapted.status, headers: { 'content-type': 'application/json' } })
    const tokens = await oauth.processGenericTokenEndpointResponse(server, client, answer)
    return { outcome: 'tokens', material: checkMaterial('oauth2', tokens) }
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError)
      return error.error === 'invalid_grant'
        ? { outcome: 'refused' }
        : { outcome: 'failed', error: failure('authorisation_server_refused') }
    return { outcome: adapted.status === 200 ? 'unknown' : 'failed', error: failure('authorisation_server_malformed') }
  }
}

/** An answer as RFC 6749 has it. Without an ID token: nothing here uses it, and new tokens must not be lost because of it. */
function adapt({ quirks = {} }: CheckedProvider, body: unknown, status: number): { readonly body: unknown; readonly status: number } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return { body, status }
  const { id_token: _, ...rest } = body as Record<string, unknown>
  const says = [rest['error'], rest['status']].filter((value) => typeof value === 'string')
  const isError = status !== 200 || (quirks.okMember === true && rest['ok'] === false)
  if (isError && says.some((one) => quirks.invalidGrant?.includes(one) === true)) return { body: { error: 'invalid_grant' }, status: 400 }
  if (isError) return { body: rest, status: status === 200 ? 400 : status }
  const type = rest['token_type']
  if (typeof type === 'string' && quirks.bearerTypes?.includes(type) === true) rest['token_type'] = 'bearer'
  return { body: rest, status }
}

/** The field Retry-After (RFC 9110, section 10.2.3), as an instant. */
function retryAfter(response: Response, now: number): number | undefined {
  const said = response.headers.get('retry-after')
  if (said === null) return undefined
  const at = /^\d{1,9}$/.test(said) ? now + Number(said) * 1000 : Date.parse(said)
  return Number.isFinite(at) ? Math.max(now, at) : undefined
}

function failure(code: OAuthFailureCode): { readonly code: OAuthFailureCode; readonly retryAt: undefined } {
  return { code, retryAt: undefined }
}

const NEVER_CONNECTED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']

// Of a connection that was never made nothing can have been used up.
function neverConnected(error: unknown): boolean {
  for (let each: unknown = error; typeof each === 'object' && each !== null; each = (each as { readonly cause?: unknown }).cause)
    if (NEVER_CONNECTED.includes(String((each as { readonly code?: unknown }).code))) return true
  return false
}
