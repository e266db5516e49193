/**
 * Well-known providers: what is the same for everyone, as their documentation says it. Yours are `clientId`, `clientSecret` and `scopes`:
 * `{ ...google, clientId, clientSecret, scopes }`. The documents were read in November 2026; providers change.
 */

import type { Provider } from './provider.ts'

/** What is the same for everyone who connects to a provider. */
export type ProviderDefinition = Omit<Provider, 'clientId' | 'clientSecret' | 'scopes'>

/** Google. Source of each value: https://developers.google.com/identity/protocols/oauth2/web-server */
export const google: ProviderDefinition = {
  // https://developers.google.com/identity/openid-connect/reference, "Discovery document": answers name it (RFC 9207).
  issuer: 'https://accounts.google.com',
  authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
  tokenEndpoint: 'https://oauth2.googleapis.com/token',
  // "Revoking a token": takes refresh tokens too, and answers 400 for one that is gone.
  revocationEndpoint: 'https://oauth2.googleapis.com/revoke',
  clientAuthentication: 'client_secret_post',
  // "Step 1: Set authorization parameters": without `offline` there is no refresh token, without `consent` only at the first time.
  authorizationParameters: { access_type: 'offline', prompt: 'consent' },
  // "Refresh token expiration": valid until revoked, unused for six months, or pushed out by too many; refreshing returns no new one.
  refreshTokens: 'reusable',
  apiOrigins: ['https://www.googleapis.com'],
}

/** Microsoft identity platform, accounts of any organisation; for one of them put its id in place of `common`. */
export const microsoft: ProviderDefinition = {
  // https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow. Ask for the scope `offline_access` too.
  authorizationEndpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
  tokenEndpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
  // The same document, "Redeem a code for an access token": in the body.
  clientAuthentication: 'client_secret_post',
  // https://learn.microsoft.com/entra/identity-platform/refresh-tokens, "Token lifetime": the old one is not revoked when it is used.
  refreshTokens: 'reusable',
  apiOrigins: ['https://graph.microsoft.com'],
  // There is no revocation endpoint: people take their consent back at https://myapps.microsoft.com.
}

/** HubSpot. Source: https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens */
export const hubspot: ProviderDefinition = {
  authorizationEndpoint: 'https://app.hubspot.com/oauth/authorize',
  // In place of `/oauth/v1/…`, which ends on 2027-02-16: https://developers.hubspot.com/changelog/v1-oauth-api-deprecation
  tokenEndpoint: 'https://api.hubapi.com/oauth/2026-03/token',
  // "Revoke an OAuth token": in the form of RFC 7009; takes refresh tokens, and leaves the access tokens that they gave to end by themselves.
  revocationEndpoint: 'https://api.hubapi.com/oauth/2026-03/token/revoke',
  // Of "Refresh an access token": client id and secret are form fields.
  clientAuthentication: 'client_secret_post',
  // The same: one refresh token gives any number of access tokens.
  refreshTokens: 'reusable',
  apiOrigins: ['https://api.hubapi.com'],
  // https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses: `status` beside the RFC's `error`.
  quirks: { errors: { BAD_REFRESH_TOKEN: 'invalid_grant' } },
}

/** Slack, with token rotation. */
export const slack: ProviderDefinition = {
  // https://docs.slack.dev/authentication/installing-with-oauth
  authorizationEndpoint: 'https://slack.com/oauth/v2/authorize',
  tokenEndpoint: 'https://slack.com/api/oauth.v2.access',
  clientAuthentication: 'client_secret_basic',
  // https://docs.slack.dev/reference/methods/auth.revoke: "revokes an access token", which is a parameter of the request; of refresh tokens
  // it says nothing.
  revocationEndpoint: 'https://slack.com/api/auth.revoke',
  // https://docs.slack.dev/authentication/using-token-rotation: "The refresh token is then revoked".
  refreshTokens: 'single-use',
  apiOrigins: ['https://slack.com'],
  // https://docs.slack.dev/reference/methods/oauth.v2.access: errors come with status 200; tokens are of the type `bot` or `user`.
  quirks: {
    okMember: true,
    bearerTypes: ['bot', 'user'],
    errors: {
      invalid_refresh_token: 'invalid_grant',
      token_revoked: 'invalid_grant',
      token_expired: 'invalid_grant',
      account_inactive: 'invalid_grant',
      ratelimited: 'throttled',
      service_unavailable: 'unavailable',
      // Of both it says: "It's possible some aspect of the operation succeeded before the error was raised".
      internal_error: 'unknown',
      fatal_error: 'unknown',
    },
    revokesAccessTokensOnly: true,
    revokesWithoutClient: true,
    // Errors of `auth.revoke`: of a token that is deleted, expired or revoked, or of a workspace or person who is gone.
    goneErrors: ['token_revoked', 'token_expired', 'account_inactive', 'invalid_auth'],
  },
}

/** Zoom. Source: https://developers.zoom.us/docs/integrations/oauth/ */
export const zoom: ProviderDefinition = {
  authorizationEndpoint: 'https://zoom.us/oauth/authorize',
  tokenEndpoint: 'https://zoom.us/oauth/token',
  // "Revoke an access token": it takes access tokens.
  revocationEndpoint: 'https://zoom.us/oauth/revoke',
  clientAuthentication: 'client_secret_basic',
  // "Refreshing an access token": the newest refresh token has to be used.
  refreshTokens: 'single-use',
  apiOrigins: ['https://api.zoom.us'],
  quirks: { revokesAccessTokensOnly: true },
}
