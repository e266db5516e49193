/** The endpoints of providers: as configured, or discovered at their issuer and kept. */

import * as oauth from 'oauth4webapi'

import { type CheckedProvider, isEndpoint, isInsecure } from '../providers/provider.ts'

// A discovery document changes rarely; one that was fetched is used for an hour.
const KEPT_MS = 3_600_000

export class AuthorizationServers {
  readonly #fetch: typeof globalThis.fetch
  readonly #monotonic: () => number
  readonly #known = new Map<string, { readonly at: number; readonly server: Promise<oauth.AuthorizationServer> }>()

  constructor(fetch: typeof globalThis.fetch, monotonic: () => number) {
    this.#fetch = fetch
    this.#monotonic = monotonic
  }

  /** What is configured goes before what is discovered. Throws what the request threw. */
  async of(provider: CheckedProvider, signal: AbortSignal): Promise<oauth.AuthorizationServer> {
    const { issuer, tokenEndpoint } = provider
    const discovered = issuer === undefined || tokenEndpoint !== undefined ? undefined : await this.#discovered(issuer, signal)
    const endpoints = {
      token_endpoint: tokenEndpoint,
      revocation_endpoint: provider.revocationEndpoint,
      authorization_endpoint: provider.authorizationEndpoint,
    }
    const given = Object.fromEntries(Object.entries(endpoints).filter(([, url]) => url !== undefined))
    return { issuer: issuer ?? new URL(tokenEndpoint ?? '').origin, ...discovered, ...given }
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
    const url = new URL(issuer)
    const request = { signal, [oauth.allowInsecureRequests]: isInsecure(issuer), [oauth.customFetch]: this.#fetch as never }
    const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, request))
    for (const endpoint of [server.token_endpoint, server.revocation_endpoint, server.authorization_endpoint])
      if (endpoint !== undefined && !isEndpoint(endpoint)) throw new TypeError('an endpoint that was discovered is not https')
    return server
  }
}
