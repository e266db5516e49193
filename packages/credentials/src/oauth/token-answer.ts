/** What a token endpoint has answered, and what it means. */

import * as oauth from 'oauth4webapi'

import { checkMaterial, MOST_SCOPE_CHARACTERS } from '../kinds/kinds.ts'
import type { CheckedProvider, ErrorMeaning } from '../providers/provider.ts'
import type { Answer } from './exchange.ts'
import type { OAuthFailure, OAuthFailureCode, TokenOutcome } from './outcome.ts'

/** Errors with one meaning everywhere (RFC 6749, sections 4.1.2.1 and 5.2; RFC 8628, section 3.5). */
const MEANINGS: Readonly<Record<string, ErrorMeaning>> = {
  invalid_grant: 'invalid_grant',
  slow_down: 'throttled',
  temporarily_unavailable: 'unavailable',
  server_error: 'unknown',
}

/** Of a client that the customer has made: it is he who has taken it back, or has given it no right to this. */
const CUSTOMERS_CLIENT = ['invalid_client', 'unauthorized_client']

/** @param now - UTC milliseconds */
export async function outcomeOf(
  provider: CheckedProvider,
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  answer: Answer,
  now: number,
): Promise<TokenOutcome> {
  const { status, text } = answer
  const wait = retryAfter(answer, now)
  const ended = (outcome: 'failed' | 'unknown', code: OAuthFailureCode): TokenOutcome => ({ outcome, error: { code, retryAfter: wait } })
  // Said of the request as such, before anything was done with it (RFC 6585, section 4).
  if (status === 429) return ended('failed', 'authorisation_server_throttled')
  // 503: it is not being served (RFC 9110, section 15.6.4). Any other failure may have come behind the rotation, unless the provider says not.
  if (status >= 500)
    return ended(
      status === 503 || provider.quirks?.serverErrorsWithoutEffect === true ? 'failed' : 'unknown',
      'authorisation_server_unavailable',
    )
  const isSuccess = status >= 200 && status < 300
  const body = parsed(text)
  // Cut off, or no JSON. What is no success did nothing.
  if (body === undefined) return ended(isSuccess ? 'unknown' : 'failed', 'authorisation_server_malformed')
  if (!isSuccess || (provider.quirks?.okMember === true && body['ok'] === false)) return refusal(provider, body, wait, isSuccess)
  try {
    const tokens = await oauth.processGenericTokenEndpointResponse(server, client, Response.json(understood(provider, body)))
    // RFC 6749, section 7.1: of a type that one does not understand no token may be used.
    if (tokens.token_type !== 'bearer') return ended('unknown', 'authorisation_server_malformed')
    return { outcome: 'tokens', material: checkMaterial('oauth2', tokens) }
  } catch {
    return ended('unknown', 'authorisation_server_malformed')
  }
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function refusal(
  { kind, quirks = {} }: CheckedProvider,
  body: Readonly<Record<string, unknown>>,
  wait: OAuthFailure['retryAfter'],
  isSuccess: boolean,
): TokenOutcome {
  const says = [body['error'], body['status']].filter((value) => typeof value === 'string')
  if (kind === 'clientCredentials' && says.some((one) => CUSTOMERS_CLIENT.includes(one))) return { outcome: 'refused' }
  const meanings = [quirks.errors ?? {}, MEANINGS]
  const meaning = says.flatMap((one) => meanings.flatMap((each) => (Object.hasOwn(each, one) ? [each[one]] : [])))[0]
  if (meaning === 'invalid_grant') return { outcome: 'refused' }
  const failed = (outcome: 'failed' | 'unknown', code: OAuthFailureCode): TokenOutcome => ({ outcome, error: { code, retryAfter: wait } })
  if (meaning === 'throttled') return failed('failed', 'authorisation_server_throttled')
  if (meaning === 'unavailable') return failed('failed', 'authorisation_server_unavailable')
  if (meaning === 'unknown') return failed('unknown', 'authorisation_server_unavailable')
  if (typeof body['error'] === 'string' || says.length > 0) return failed('failed', 'authorisation_server_refused')
  return failed(isSuccess ? 'unknown' : 'failed', 'authorisation_server_malformed')
}

/**
 * The members that are used here, as RFC 6749 has them. New tokens must not be lost because of something beside them: what is not understood
 * of the others counts as not said, and an ID token is not looked at.
 */
function understood({ quirks = {} }: CheckedProvider, body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { access_token, refresh_token, token_type: type = 'bearer', scope } = body
  const scopes: unknown = Array.isArray(scope) ? scope.join(' ') : scope
  const seconds = lifetimeOf(body['expires_in'])
  return {
    access_token,
    token_type: type === null || (typeof type === 'string' && quirks.bearerTypes?.includes(type) === true) ? 'bearer' : type,
    ...(typeof refresh_token === 'string' && TOKEN.test(refresh_token) ? { refresh_token } : {}),
    ...(seconds === undefined ? {} : { expires_in: seconds }),
    ...(typeof scopes === 'string' && scopes.length <= MOST_SCOPE_CHARACTERS ? { scope: scopes } : {}),
  }
}

// `1*VSCHAR` of RFC 6749, appendix A.
const TOKEN = /^[\x20-\x7e]+$/
// Ten years: some providers give tokens that do not expire, and say so with a large number.
const MOST_SECONDS = 315_360_000

function lifetimeOf(said: unknown): number | undefined {
  const seconds = typeof said === 'string' && /^\d{1,15}(?:\.\d{1,15})?$/.test(said) ? Number(said) : said
  return typeof seconds === 'number' && seconds >= 0 ? Math.min(seconds, MOST_SECONDS) : undefined
}

/**
 * The field Retry-After (RFC 9110, section 10.2.3), in milliseconds. An instant is measured by the server's own clock, where it tells that.
 *
 * @param now - UTC milliseconds
 */
export function retryAfter({ headers }: Pick<Answer, 'headers'>, now: number): number | undefined {
  const said = headers.get('retry-after')
  if (said === null) return undefined
  if (/^\d{1,9}$/.test(said)) return Number(said) * 1000
  const [at, date] = [said, headers.get('date') ?? ''].map(instantOf)
  return at === undefined ? undefined : Math.max(0, at - (date ?? now))
}

// The one form that is still written; `Date.parse` would find an instant in almost anything.
const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/

function instantOf(text: string): number | undefined {
  const at = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}
