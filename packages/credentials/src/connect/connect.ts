/**
 * Having a customer connect: the authorisation code flow (RFC 6749, section 4.1) with PKCE (RFC 7636). What has to be remembered until the
 * customer comes back travels in `state`, encrypted, and opens in the customer's own session alone, once (RFC 9700, section 4.7).
 */

import {
  type Clock,
  encryptedToText,
  field,
  type Field,
  invalidArgument,
  type PeriodKey,
  StrongroomError,
  type Subject,
  type Vault,
} from '@strongroom/core'
import * as oauth from 'oauth4webapi'
import { z } from 'zod'

import { isConflict } from '../records/connection-store.ts'
import { newId } from '../records/new-id.ts'
import { oauthError } from '../oauth/outcome.ts'
import { exchangeCode, type TokenEndpointOptions } from '../oauth/token-endpoint.ts'
import type { CheckedMaterial } from '../kinds/kinds.ts'
import { type CheckedProvider, isEndpoint } from '../providers/provider.ts'

/** What travels in `state`. */
interface Journey {
  /** Random. */
  readonly id: string
  readonly tenant: string
  readonly subject?: string | undefined
  readonly name: string
  readonly provider: string
  readonly redirectUri: string
  readonly verifier: string
  readonly scopes?: readonly string[] | undefined
  readonly at: number
}

/** A journey that has come to its end: whose it was, and what it brought. */
export interface Arrival {
  readonly owner: Subject
  readonly name: string
  readonly provider: CheckedProvider
  readonly material: CheckedMaterial
  readonly scopes: readonly string[] | undefined
}

export interface ConnectOptions {
  readonly vault: Vault
  readonly providers: ReadonlyMap<string, CheckedProvider>
  readonly endpoint: TokenEndpointOptions
}

const HOUR = 3_600_000
/** As long as somebody may look at the provider's page. */
const MOST_AGE = 15 * 60_000

const journeyForm: z.ZodType<Journey> = z.strictObject({
  id: z.string(),
  tenant: z.string(),
  subject: z.string().optional(),
  name: z.string(),
  provider: z.string(),
  redirectUri: z.string(),
  verifier: z.string(),
  scopes: z.array(z.string()).optional(),
  at: z.number(),
})
/** Those that have come to their end, for as long as anybody's clock may hold them for fresh. */
const NAMESPACE = 'strongroom/connect-ended'
const MOST_AT_ONCE = 500

const STATE: Field<Journey> = field('strongroom/connect', 'state', journeyForm)

export class Connect {
  readonly #with: ConnectOptions
  readonly #clock: Clock

  constructor(options: ConnectOptions) {
    this.#with = options
    this.#clock = options.vault.clock
  }

  /** @throws StrongroomError `invalid_argument`, `unsupported_operation`, `authorisation_server_…` (discovery), and what stores and keys throw */
  async url(
    owner: Subject,
    name: string,
    provider: CheckedProvider,
    { redirectUri, session, scopes = provider.scopes }: { redirectUri: string; session: string; scopes: readonly string[] | undefined },
  ): Promise<URL> {
    // RFC 6749, section 3.1.2.
    if (!isEndpoint(redirectUri) || redirectUri.includes('#'))
      throw invalidArgument('redirectUri', 'must be an https URL without a fragment; plain http only for loopback hosts')
    requireSession(session)
    requireOAuth(provider)
    const server = await this.#server(provider)
    if (server.authorization_endpoint === undefined)
      throw invalidArgument(`providers.${provider.name}.authorizationEndpoint`, 'must be given, or an issuer at which it is discovered')
    const verifier = oauth.generateRandomCodeVerifier()
    const { tenant = '', subject } = owner.names()
    const at = this.#clock.now()
    const journey: Journey = {
      id: newId(),
      tenant,
      name,
      provider: provider.name,
      redirectUri,
      verifier,
      at,
      ...(subject === undefined ? {} : { subject }),
      ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    }
    const key = this.#keyAt(at + MOST_AGE)
    const url = new URL(server.authorization_endpoint)
    for (const [parameter, value] of Object.entries(provider.authorizationParameters ?? {})) url.searchParams.set(parameter, value)
    const parameters = {
      response_type: 'code',
      client_id: provider.clientId ?? '',
      redirect_uri: redirectUri,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: encryptedToText(await key.encrypt(STATE, journey, { record: session })),
      ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
    }
    for (const [parameter, value] of Object.entries(parameters)) url.searchParams.set(parameter, value)
    return url
  }

  /** @throws StrongroomError `invalid_argument`, `authorisation_denied`, `authorisation_server_…`, and what stores and keys throw */
  async arrive(callback: URL, session: string): Promise<Arrival> {
    requireSession(session)
    const state = callback.searchParams.getAll('state')
    const journey = await this.#open(state.length === 1 ? (state[0] as string) : '', session)
    const provider = this.#with.providers.get(journey.provider)
    if (provider === undefined) throw invalidArgument('callback', 'must be of a provider that createCredentials was given')
    requireOAuth(provider)
    requireSameUri(callback, journey.redirectUri)
    // RFC 9207, section 2.4: one cannot compare with what one does not know.
    if (provider.issuer === undefined && callback.searchParams.has('iss'))
      throw invalidArgument(`providers.${provider.name}.issuer`, 'must be given: this provider names its issuer in its answers')
    const server = await this.#server(provider)
    const client = { client_id: provider.clientId ?? '' }
    const code = answered(() => oauth.validateAuthResponse(server, client, callback.searchParams, state[0]))
    const { redirectUri, verifier } = journey
    const exchange = await exchangeCode(provider, { code, redirectUri, verifier }, this.#with.endpoint)
    await this.#endOnce(journey)
    const outcome = await exchange()
    // The code is used up in any case: the customer begins anew.
    if (outcome.outcome === 'refused') throw oauthError('authorisation_server_refused')
    if (outcome.outcome !== 'tokens') throw oauthError(outcome.error.code)
    const { vault } = this.#with
    const owner =
      journey.subject === undefined ? vault.tenant(journey.tenant).self() : vault.tenant(journey.tenant).subject(journey.subject)
    return { owner, name: journey.name, provider, material: outcome.material, scopes: journey.scopes }
  }

  /** Forgets journeys that are over. @returns how many */
  async sweep(): Promise<number> {
    const { stateStore, id } = this.#with.vault
    let forgotten = 0
    for (const { key, version } of await stateStore.due(NAMESPACE, this.#clock.now(), MOST_AT_ONCE)) {
      if (!key.startsWith(`${id}/`)) continue
      await stateStore.delete(NAMESPACE, key, { expected: version }).catch(unlessConflict)
      forgotten++
    }
    return forgotten
  }

  // Before the code is sent: a server to which one comes twice ends the tokens that it gave for it (RFC 6749, section 4.1.2).
  async #endOnce({ id, at }: Journey): Promise<void> {
    const { stateStore, id: vaultId } = this.#with.vault
    try {
      await stateStore.put(NAMESPACE, `${vaultId}/${id}`, new Uint8Array([1]), { expected: 'absent', due: at + 2 * HOUR })
    } catch (error) {
      if (isConflict(error)) throw notThisTime()
      throw error
    }
  }

  #keyAt(at: number): PeriodKey {
    return this.#with.vault.periodKey({ use: 'connect', at })
  }

  async #open(state: string, session: string): Promise<Journey> {
    const now = this.#clock.now()
    // The key is that of its latest end: of this hour, or of the next.
    for (const instant of [now, now + MOST_AGE]) {
      try {
        const journey = await this.#keyAt(instant).decrypt(STATE, state, { record: session })
        if (now - journey.at <= MOST_AGE && journey.at <= now + MOST_AGE) return journey
      } catch (error) {
        if (
          !(error instanceof StrongroomError) ||
          !['decrypt_failed', 'shredded', 'invalid_argument', 'schema_mismatch'].includes(error.code)
        )
          throw error
      }
    }
    throw notThisTime()
  }

  async #server(provider: CheckedProvider): Promise<oauth.AuthorizationServer> {
    try {
      return await this.#with.endpoint.servers.of(provider, 'authorization_endpoint', AbortSignal.timeout(this.#with.endpoint.timeout))
    } catch (error) {
      throw error instanceof StrongroomError ? error : oauthError('authorisation_server_unavailable')
    }
  }
}

function requireSession(session: unknown): void {
  if (typeof session !== 'string' || session.length < 16)
    throw invalidArgument('session', "must be what this customer's browser alone has, such as its session id: at least 16 characters")
}

function requireOAuth({ name, kind }: CheckedProvider): void {
  if (kind !== 'oauth2')
    throw new StrongroomError('unsupported_operation', `providers.${name} is not of the kind oauth2: save what the customer enters`)
}

// RFC 9700, section 4.4.2: where each provider has a redirect URI of its own, the answer of one is not taken for that of another.
function requireSameUri({ origin, pathname }: URL, redirectUri: string): void {
  const sent = new URL(redirectUri)
  if (sent.origin !== origin || sent.pathname !== pathname)
    throw invalidArgument('callback', 'must be at the redirectUri that authorizationUrl was given: the whole URL, as the browser has it')
}

function notThisTime(): StrongroomError {
  return invalidArgument(
    'callback',
    'must have the state that authorizationUrl gave to this very session, at most 15 minutes ago, and for the first time',
  )
}

function unlessConflict(error: unknown): void {
  if (!isConflict(error)) throw error
}

function answered(validate: () => URLSearchParams): URLSearchParams {
  try {
    return validate()
  } catch (error) {
    if (error instanceof oauth.AuthorizationResponseError && error.error === 'access_denied')
      throw new StrongroomError('authorisation_denied', 'the customer, or the provider, has not agreed to the connection')
    if (error instanceof oauth.AuthorizationResponseError && ['temporarily_unavailable', 'server_error'].includes(error.error))
      throw oauthError('authorisation_server_unavailable')
    throw oauthError(error instanceof oauth.AuthorizationResponseError ? 'authorisation_server_refused' : 'authorisation_server_malformed')
  }
}
