/** What an authorisation server may answer, and what it means for the token that was sent. */

import { StrongroomError, type StrongroomErrorCode } from '@strongroom/core'

import type { CheckedMaterial } from '../kinds/kinds.ts'

/**
 * How a request for tokens ended.
 *
 * - `tokens`: with tokens.
 * - `refused`: the token is no longer good: `invalid_grant`.
 * - `failed`: without effect, for certain: it was not sent, or the server said that it does not serve it. The token is as it was.
 * - `unknown`: nobody knows whether the server carried it out: no whole answer came, or one that means nothing.
 */
export type TokenOutcome =
  | { readonly outcome: 'tokens'; readonly material: CheckedMaterial }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'failed' | 'unknown'; readonly error: OAuthFailure }

export type OAuthFailureCode = Extract<StrongroomErrorCode, `authorisation_server_${string}`>

/** What is thrown to whoever asked, and when it makes sense to ask again. */
export interface OAuthFailure {
  readonly code: OAuthFailureCode
  /** Milliseconds, where the server said. */
  readonly retryAfter: number | undefined
}

const MESSAGES: Readonly<Record<OAuthFailureCode, string>> = {
  authorisation_server_unavailable: 'the authorisation server did not answer, or answered that it cannot; try again later',
  authorisation_server_timeout: 'the authorisation server did not answer in time; try again later',
  authorisation_server_throttled: 'the authorisation server was asked too often; try again later',
  authorisation_server_refused:
    'the authorisation server refuses this client or this request: look at client id, client secret and endpoints of the provider; the tokens are as they were',
  authorisation_server_malformed: 'the authorisation server answered with something that is no answer to this request',
}

/** Codes that are kept in records: another process may have written something else there. */
export function isFailureCode(code: string): code is OAuthFailureCode {
  return Object.hasOwn(MESSAGES, code)
}

export function oauthError(code: OAuthFailureCode): StrongroomError {
  return new StrongroomError(code, MESSAGES[code])
}
