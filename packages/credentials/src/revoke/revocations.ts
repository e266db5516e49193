/** Revoking tokens, now and again later: the outbox and the providers' answers. */

import type { Clock } from '@strongroom/core'

import type { CredentialEvent, EventPlace, RevocationOutcome } from '../events.ts'
import type { Secrets } from '../kinds/kinds.ts'
import type { TokenEndpointOptions } from '../oauth/token-endpoint.ts'
import type { CheckedCredentialsOptions } from '../options.ts'
import type { CheckedProvider } from '../providers/provider.ts'
import { isConflict } from '../records/connection-store.ts'
import { isUnreadable, type RevocationOutbox, type StoredRevocation } from './outbox.ts'
import { revokeToken } from './revocation-endpoint.ts'

export interface RevocationsOptions {
  readonly outbox: RevocationOutbox
  readonly clock: Clock
  readonly options: CheckedCredentialsOptions
  readonly endpoint: TokenEndpointOptions
  readonly tell: (event: CredentialEvent) => void
}

/** Whose tokens are put by. */
export interface WhoseTokens {
  /** From the tenant's down to the connection's. */
  readonly references: readonly string[]
  /** The same twice is one revocation. */
  readonly id: string
  /** The key of the connection's entry. */
  readonly connection: string
}

const MINUTE = 60_000
// Doubled each time: a provider that is down for a day is asked some ten times.
const MOST_BETWEEN = 6 * 60 * MINUTE

export class Revocations {
  readonly #with: RevocationsOptions

  constructor(options: RevocationsOptions) {
    this.#with = options
  }

  /**
   * Puts tokens by that are to be revoked: the refresh token, which takes the access tokens with it (RFC 7009, section 2.1), or else the access token.
   *
   * @returns `undefined` where the provider revokes nothing
   */
  async putBy(
    provider: CheckedProvider,
    { access, lasting }: Secrets,
    { references, id, connection }: WhoseTokens,
  ): Promise<StoredRevocation | undefined> {
    if (provider.kind !== 'oauth2' || (provider.revocationEndpoint === undefined && provider.issuer === undefined)) return undefined
    const hint = lasting === undefined || provider.quirks?.revokesAccessTokensOnly === true ? 'access_token' : 'refresh_token'
    const token = hint === 'access_token' ? access : lasting
    if (token === undefined) return undefined
    const { outbox, clock, options } = this.#with
    // Not before whoever puts it by may have asked himself.
    return outbox.add(references, id, { connection, provider: provider.name, hint }, token, clock.now() + options.lease)
  }

  find(references: readonly string[], id: string): Promise<StoredRevocation | undefined> {
    return this.#with.outbox.find(references, id)
  }

  /** Asks the provider, unless somebody else does. */
  async attempt(waiting: StoredRevocation, about: EventPlace): Promise<RevocationOutcome | 'pending'> {
    const { outbox, clock, options, endpoint } = this.#with
    const provider = options.providers.get(waiting.pending.provider)
    if (provider === undefined) return 'pending'
    const pause = Math.max(options.lease, Math.min(MINUTE * 2 ** waiting.pending.attempts, MOST_BETWEEN))
    let claimed: StoredRevocation
    try {
      claimed = await outbox.claim(waiting, clock.now() + pause)
    } catch (error) {
      if (isConflict(error)) return 'pending'
      throw error
    }
    await options.failpoint('revoke.claimed')
    const token = await this.#tokenOf(claimed)
    if (token === undefined) {
      await this.giveUp(claimed, about)
      return 'unconfirmed'
    }
    const answer = await revokeToken(provider, token, claimed.pending.hint, endpoint)
    await options.failpoint('revoke.answered')
    if (answer === 'retry') return 'pending'
    await this.#end(claimed, answer, about)
    return answer
  }

  async #tokenOf(waiting: StoredRevocation): Promise<string | undefined> {
    try {
      return await this.#with.outbox.tokenOf(waiting)
    } catch (error) {
      if (isUnreadable(error)) return undefined
      throw error
    }
  }

  /** For what nobody can ask about any more. */
  async giveUp(waiting: StoredRevocation, about: EventPlace): Promise<void> {
    await this.#end(waiting, 'unconfirmed', about)
  }

  async #end(waiting: StoredRevocation, outcome: RevocationOutcome, about: EventPlace): Promise<void> {
    try {
      await this.#with.outbox.remove(waiting)
    } catch (error) {
      // Somebody else has asked meanwhile, and will say so.
      if (isConflict(error)) return
      throw error
    }
    await this.#with.options.failpoint('revoke.noted')
    this.#with.tell({ type: 'revocation', outcome, ...about })
  }
}
