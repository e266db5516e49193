/** The endpoints of providers: as configured, or discovered at their issuer and kept. */

import * as oauth from 'oauth4webapi'

import { type CheckedProvider, isEndpoint, isInsecure } from '../providers/provider.ts'
import { exchange, type Fetch, responseOf } from './exchange.ts'
import { oauthError } from './outcome.ts'

// A discovery document changes rarely; one that was fetched is used for an hour.
const KEPT_MS = 3_600_000

// An issuer that nobody has told.
const STAND_IN = 'https://issuer.invalid'

/** What of a server is going to be asked. */
export type Endpoint = 'authorization_endpoint' | 'token_endpoint' | 'revocation_endpoint'

/** OpenID Connect Discovery 1.0, section 4, and RFC 8414, section 3: servers have the one, the other, or both. */
const PLACES = ['oidc', 'oauth2'] as const

export class AuthorizationServers {
  readonly #fetch: Fetch
  readonly #monotonic: () => number
  readonly #known = new Map<string, { readonly at: number; readonly server: Promise<oauth.AuthorizationServer> }>()

  constructor(fetch: Fetch, monotonic: () => number) {
    this.#fetch = fetch
    this.#monotonic = monotonic
  }

  /**
   * What is configured goes before what is discovered, and nothing is discovered that is not needed.
   *
   * @returns without the endpoint, where there is none
   * @throws StrongroomError `authorisation_server_unavailable`, `_timeout`, `_malformed`
   */
  async of(provider: CheckedProvider, endpoint: Endpoint, signal: AbortSignal): Promise<oauth.AuthorizationServer> {
    const configured = {
      token_endpoint: provider.tokenEndpoint,
      revocation_endpoint: provider.revocationEndpoint,
      authorization_endpoint: provider.authorizationEndpoint,
    }
    const given = Object.fromEntries(Object.entries(configured).filter(([, url]) => url !== undefined))
    const { issuer } = provider
    const discovered = issuer === undefined || configured[endpoint] !== undefined ? undefined : await this.#discovered(issuer, signal)
    // `oauth4webapi` wants one; nothing is compared with a stand-in.
    return { issuer: issuer ?? STAND_IN, ...discovered, ...given }
  }

  async #discovered(issuer: string, signal: AbortSignal): Promise<oauth.AuthorizationServer> {
    const known = this.#known.get(issuer)
    if (known !== undefined && this.#monotonic() - known.at < KEPT_MS) return known.server
    const server = this.#discover(issuer, signal)
    this.#known.set(issuer, { at: this.#monotonic(), server })
    // A failure is not kept.
    server.catch(() => this.#known.delete(issuer))
    return server
  }

  async #discover(issuer: string, signal: AbortSignal): Promise<oauth.AuthorizationServer> {
    const server = await this.#found(issuer, signal)
    for (const endpoint of [server.token_endpoint, server.revocation_endpoint, server.authorization_endpoint])
      // What is somewhere else says nothing of hosts that only this machine reaches.
      if (endpoint !== undefined && (!isEndpoint(endpoint) || (isInsecure(endpoint) && !isInsecure(issuer))))
        throw oauthError('authorisation_server_malformed')
    return server
  }

  async #found(issuer: string, signal: AbortSignal): Promise<oauth.AuthorizationServer> {
    const url = new URL(issuer)
    const options = {
      signal,
      [oauth.allowInsecureRequests]: isInsecure(issuer),
      [oauth.customFetch]: async (at: string, { headers }: { readonly headers: Record<string, string> }) =>
        responseOf(await exchange(this.#fetch, at, { headers }, signal)),
    }
    let isThere = false
    for (const algorithm of PLACES) {
      try {
        const response = await oauth.discoveryRequest(url, { ...options, algorithm })
        if (response.status >= 500) continue
        isThere = true
        if (response.status === 200) return await oauth.processDiscoveryResponse(url, response)
      } catch {
        // Its errors hold what was answered, and go no further.
        if (signal.aborted) throw oauthError('authorisation_server_timeout')
      }
    }
    throw oauthError(isThere ? 'authorisation_server_malformed' : 'authorisation_server_unavailable')
  }
}
