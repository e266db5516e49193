/** Providers: the systems that customers connect, as configuration. */

import { invalidArgument, readOptions } from '@strongroom/core'

import type { Kind } from '../kinds/kinds.ts'

/** How this service shows the provider who it is (RFC 6749, section 2.3). */
export type ClientAuthentication = 'client_secret_basic' | 'client_secret_post' | 'none'

/**
 * What becomes of a refresh token that was used (RFC 9700, section 4.14.2). It decides what may be done when nobody knows whether a request
 * was carried out:
 * - `single-use`: it is spent, and using it again may end the whole family. After an unknown outcome the customer must connect again. The default.
 * - `{ reuseWindow }`: it may be used again for so many milliseconds.
 * - `reusable`: it stays valid; asking again is harmless.
 */
export type RefreshTokens = 'single-use' | 'reusable' | { readonly reuseWindow: number }

/**
 * What an error of a provider means for a request for tokens.
 *
 * - `invalid_grant`: the token is no longer good.
 * - `throttled`, `unavailable`: nothing was done; to be asked again later.
 * - `unknown`: it may have been done all the same.
 */
export type ErrorMeaning = 'invalid_grant' | 'throttled' | 'unavailable' | 'unknown'

/** What a provider does otherwise than the RFCs say. */
export interface ProviderQuirks {
  /** Values of the members `error` or `status` of an answer that RFC 6749 does not have. */
  readonly errors?: Readonly<Record<string, ErrorMeaning>>
  /** Token types that mean `bearer`. */
  readonly bearerTypes?: readonly string[]
  /** Errors come with status 200 and `ok: false`. */
  readonly okMember?: boolean
  /** The revocation endpoint takes access tokens, and no refresh tokens. */
  readonly revokesAccessTokensOnly?: boolean
  /** The revocation endpoint is shown the token alone, and not who asks. */
  readonly revokesWithoutClient?: boolean
  /** Errors of the revocation endpoint that mean that the token is gone already. */
  readonly goneErrors?: readonly string[]
  /** A server error of the token endpoint never comes after it has used up the refresh token. */
  readonly serverErrorsWithoutEffect?: boolean
}

/** A provider. Endpoints are https; plain http only for loopback hosts. */
export interface Provider {
  /** What its connections are; `oauth2` unless given. */
  readonly kind?: Kind
  /** The issuer identifier (RFC 8414): endpoints that are not given are discovered there, and answers that name another are refused (RFC 9207). */
  readonly issuer?: string
  readonly authorizationEndpoint?: string
  readonly tokenEndpoint?: string
  /** RFC 7009. Without one, disconnecting revokes nothing upstream, and says so. */
  readonly revocationEndpoint?: string
  readonly clientId?: string
  /** Called each time it is needed, so that it can come from where secrets are kept. */
  readonly clientSecret?: () => string | Promise<string>
  /** `client_secret_basic` unless given. */
  readonly clientAuthentication?: ClientAuthentication
  /** Asked for by `authorizationUrl` unless a call says otherwise. */
  readonly scopes?: readonly string[]
  /** Further parameters of the authorisation request, such as `access_type=offline`. */
  readonly authorizationParameters?: Readonly<Record<string, string>>
  readonly refreshTokens?: RefreshTokens
  /** The origins that `fetch` sends tokens to, such as `https://api.hubapi.com`; without it `fetch` is refused. */
  readonly apiOrigins?: readonly string[]
  /** The header of an API key; in `authorization` it is sent as `Bearer`. For OAuth it is `Authorization: Bearer`. */
  readonly apiKeyHeader?: string
  readonly quirks?: ProviderQuirks
}

/** A provider, complete. */
export interface CheckedProvider extends Provider {
  readonly name: string
  readonly kind: Kind
  readonly clientAuthentication: ClientAuthentication
  readonly refreshTokens: RefreshTokens
}

const NAMES = [
  'kind',
  'issuer',
  'authorizationEndpoint',
  'tokenEndpoint',
  'revocationEndpoint',
  'clientId',
  'clientSecret',
  'clientAuthentication',
  'scopes',
  'authorizationParameters',
  'refreshTokens',
  'apiOrigins',
  'apiKeyHeader',
  'quirks',
] as const
const KINDS: readonly unknown[] = ['oauth2', 'clientCredentials', 'apiKey', 'webhookSecret'] satisfies readonly Kind[]
const AUTHENTICATIONS: readonly unknown[] = ['client_secret_basic', 'client_secret_post', 'none'] satisfies readonly ClientAuthentication[]
const MEANINGS: readonly unknown[] = ['invalid_grant', 'throttled', 'unavailable', 'unknown'] satisfies readonly ErrorMeaning[]
const QUIRKS = [
  'errors',
  'bearerTypes',
  'okMember',
  'revokesAccessTokensOnly',
  'revokesWithoutClient',
  'goneErrors',
  'serverErrorsWithoutEffect',
] as const
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]{1,100}$/
const PROVIDER_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/

/** @throws StrongroomError `invalid_argument` naming provider and member */
export function checkProvider(name: string, given: Provider): CheckedProvider {
  if (!PROVIDER_NAME.test(name)) throw invalidArgument('providers', 'must be keyed by names of 1 to 64 of a-z, 0-9, - and _')
  const provider = readOptions(given, NAMES)
  const at = (member: string): string => `providers.${name}.${member}`
  const { kind = 'oauth2', clientAuthentication = 'client_secret_basic', refreshTokens = 'single-use' } = provider
  if (!KINDS.includes(kind)) throw invalidArgument(at('kind'), `must be one of ${KINDS.join(', ')}`)
  if (!AUTHENTICATIONS.includes(clientAuthentication))
    throw invalidArgument(at('clientAuthentication'), `must be one of ${AUTHENTICATIONS.join(', ')}`)
  for (const member of ['issuer', 'authorizationEndpoint', 'tokenEndpoint', 'revocationEndpoint'] as const)
    if (provider[member] !== undefined && !isEndpoint(provider[member]))
      throw invalidArgument(at(member), 'must be an https URL; plain http only for loopback hosts')
  for (const origin of provider.apiOrigins ?? [])
    if (!isEndpoint(origin) || new URL(origin).origin !== origin)
      throw invalidArgument(at('apiOrigins'), 'must be origins such as https://api.example.com; plain http only for loopback hosts')
  if (kind === 'oauth2') {
    if (typeof provider.clientId !== 'string' || provider.clientId === '')
      throw invalidArgument(at('clientId'), 'must be the id of your client')
    if (clientAuthentication !== 'none' && typeof provider.clientSecret !== 'function')
      throw invalidArgument(at('clientSecret'), "must be a function that gives it; for a public client say clientAuthentication: 'none'")
  }
  if ((kind === 'oauth2' || kind === 'clientCredentials') && provider.issuer === undefined && provider.tokenEndpoint === undefined)
    throw invalidArgument(at('tokenEndpoint'), 'must be given, or an issuer at which it is discovered')
  if (typeof refreshTokens === 'object') {
    const { reuseWindow } = readOptions(refreshTokens, ['reuseWindow'])
    if (reuseWindow === undefined || !Number.isSafeInteger(reuseWindow) || reuseWindow < 1)
      throw invalidArgument(at('refreshTokens.reuseWindow'), 'must be a whole number of milliseconds')
  } else if (refreshTokens !== 'single-use' && refreshTokens !== 'reusable')
    throw invalidArgument(at('refreshTokens'), "must be 'single-use', 'reusable' or { reuseWindow }")
  if (provider.scopes !== undefined && !isTexts(provider.scopes)) throw invalidArgument(at('scopes'), 'must be a list of strings')
  const { authorizationParameters: parameters = {}, apiKeyHeader } = provider
  if (typeof parameters !== 'object' || !isTexts(Object.values(parameters)))
    throw invalidArgument(at('authorizationParameters'), 'must map names to strings')
  if (apiKeyHeader !== undefined && !(typeof apiKeyHeader === 'string' && HEADER_NAME.test(apiKeyHeader)))
    throw invalidArgument(at('apiKeyHeader'), 'must be the name of a header')
  checkQuirks(provider.quirks, at)
  return {
    ...provider,
    name,
    kind,
    clientAuthentication,
    refreshTokens,
    ...(apiKeyHeader === undefined ? {} : { apiKeyHeader: apiKeyHeader.toLowerCase() }),
  }
}

function checkQuirks(quirks: ProviderQuirks | undefined, at: (member: string) => string): void {
  const { errors = {}, bearerTypes = [], goneErrors = [], ...flags } = readOptions(quirks, QUIRKS)
  if (typeof errors !== 'object' || !Object.values(errors).every((meaning) => MEANINGS.includes(meaning)))
    throw invalidArgument(at('quirks.errors'), `must map errors to ${MEANINGS.join(', ')}`)
  for (const [member, list] of Object.entries({ bearerTypes, goneErrors }))
    if (!isTexts(list)) throw invalidArgument(at(`quirks.${member}`), 'must be a list of strings')
  for (const [member, flag] of Object.entries(flags))
    if (flag !== undefined && typeof flag !== 'boolean') throw invalidArgument(at(`quirks.${member}`), 'must be true or false')
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

/** Whether a token may be sent there. */
export function isEndpoint(url: unknown): boolean {
  if (typeof url !== 'string' || !URL.canParse(url)) return false
  const { protocol, hostname, username, password } = new URL(url)
  if (username !== '' || password !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}

/** Whether plain http is allowed to a URL. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** Plain http to a loopback host, which the configuration has allowed. */
export function isInsecure(endpoint: string | undefined): boolean {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false
  const { protocol, hostname } = new URL(endpoint)
  return protocol === 'http:' && isLoopback(hostname)
}

/** Whether a request for tokens may be repeated at any time, whatever became of the one before. */
export function isRepeatable({ kind, refreshTokens }: Pick<CheckedProvider, 'kind'> & Pick<Provider, 'refreshTokens'>): boolean {
  return kind === 'clientCredentials' || refreshTokens === 'reusable'
}
