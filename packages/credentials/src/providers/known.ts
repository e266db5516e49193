/**
 * Well-known providers: what is the same for everyone, as their documentation says it. Yours are `clientId`, `clientSecret` and `scopes`:
 * `{ ...google, clientId, clientSecret, scopes }`. The documents were read in November 2026; providers change.
 */

import type { Provider } from './provider.ts'

/** What is the same for everyone who connects to a provider. */
export type ProviderDefinition = Omit<Provider, 'clientId' | 'clientSecret' | 'scopes'>

/** Google. Source of each value: https://developers.google.com/identity/protocols/oauth2/web-server */
export const google: ProviderDefinition = {
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

/** HubSpot. Source: https://developers.hubspot.com/docs/api-reference/auth-oauth-v1 */
export const hubspot: ProviderDefinition = {
  authorizationEndpoint: 'https://app.hubspot.com/oauth/authorize',
  tokenEndpoint: 'https://api.hubapi.com/oauth/v1/token',
  // Of "Refresh an access token": client id and secret are form fields.
  clientAuthentication: 'client_secret_post',
  // The same: one refresh token gives any number of access tokens.
  refreshTokens: 'reusable',
  apiOrigins: ['https://api.hubapi.com'],
  // Errors have `status` where RFC 6749 has `error`.
  quirks: { invalidGrant: ['BAD_REFRESH_TOKEN'] },
  // Refresh tokens are deleted by a call of HubSpot's own, and not by RFC 7009.
}

/** Slack, with token rotation. */
export const slack: ProviderDefinition = {
  // https://api.slack.com/authentication/oauth-v2
  authorizationEndpoint: 'https://slack.com/oauth/v2/authorize',
  tokenEndpoint: 'https://slack.com/api/oauth.v2.access',
  clientAuthentication: 'client_secret_basic',
  // https://api.slack.com/authentication/rotation: "The refresh token is then revoked".
  refreshTokens: 'single-use',
  apiOrigins: ['https://slack.com'],
  // https://api.slack.com/methods/oauth.v2.access: errors come with status 200; tokens are of the type `bot` or `user`.
  quirks: { okMember: true, bearerTypes: ['bot', 'user'], invalidGrant: ['invalid_refresh_token', 'token_revoked', 'token_expired'] },
  // Tokens are revoked by `auth.revoke`, a call of Slack's own.
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
