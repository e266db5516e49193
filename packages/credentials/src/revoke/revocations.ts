/** Revoking tokens, now and again later: the outbox and the providers' answers. */

import type { Clock } from '@strongroom/core'

import type { CredentialEvent, EventPlace, RevocationOutcome } from '../events.ts'
import type { Secrets } from '../kinds/kinds.ts'
import { growingPause } from '../oauth/growing-pause.ts'
import { Pauses, type Turn } from '../oauth/pauses.ts'
import type { TokenEndpointOptions } from '../oauth/token-endpoint.ts'
import type { CheckedCredentialsOptions } from '../options.ts'
import type { CheckedProvider } from '../providers/provider.ts'
import { isConflict } from '../records/connection-store.ts'
import { isNoted, isUnreadable, type RevocationOutbox, type StoredRevocation } from './outbox.ts'
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

// Doubled each time: a provider that is down for a day is asked some ten times about each.
const [FIRST_BETWEEN_MS, MOST_BETWEEN_MS] = [60_000, 6 * 3_600_000]

export class Revocations {
  readonly #with: RevocationsOptions
  readonly #pauses: Pauses

  constructor(options: RevocationsOptions) {
    this.#with = options
    this.#pauses = new Pauses(() => options.clock.monotonic())
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
    if (isNoted(waiting)) return 'unconfirmed'
    const { outbox, clock, options, endpoint } = this.#with
    const pause = Math.max(options.lease, growingPause(waiting.pending.attempts + 1, FIRST_BETWEEN_MS, MOST_BETWEEN_MS))
    let claimed: StoredRevocation
    try {
      claimed = await outbox.claim(waiting, clock.now() + pause)
    } catch (error) {
      if (isConflict(error)) return 'pending'
      throw error
    }
    // Behind the claim: what cannot be asked about now stands in nobody's way.
    const provider = options.providers.get(waiting.pending.provider)
    const turn = provider === undefined ? undefined : this.#turn(provider.name)
    if (provider === undefined || turn === undefined) return 'pending'
    await options.failpoint('revoke.claimed')
    const token = await this.#tokenOf(claimed)
    if (token === undefined) {
      await this.giveUp(claimed, about)
      return 'unconfirmed'
    }
    const answer = await revokeToken(provider, token, claimed.pending.hint, endpoint)
    await options.failpoint('revoke.answered')
    if (answer === 'retry') {
      turn.failed('authorisation_server_unavailable')
      return 'pending'
    }
    turn.answered()
    await this.#end(claimed, answer, about)
    return answer
  }

  #turn(provider: string): Turn | undefined {
    try {
      return this.#pauses.turn(provider, this.#with.options.timeout)
    } catch {
      return undefined
    }
  }

  async #tokenOf(waiting: StoredRevocation): Promise<string | undefined> {
    try {
      return await this.#with.outbox.tokenOf(waiting)
    } catch (error) {
      if (isUnreadable(error)) return undefined
      throw error
    }
  }

  /** For what nobody can ask about any more. A note stays for a year that it was not confirmed. */
  async giveUp(waiting: StoredRevocation, about: EventPlace): Promise<void> {
    if (isNoted(waiting)) await this.#with.outbox.remove(waiting)
    else await this.#end(waiting, 'unconfirmed', about)
  }

  async #end(waiting: StoredRevocation, outcome: RevocationOutcome, about: EventPlace): Promise<void> {
    try {
      await (outcome === 'unconfirmed' ? this.#with.outbox.note(waiting) : this.#with.outbox.remove(waiting))
    } catch (error) {
      // Somebody else has asked meanwhile, and will say so.
      if (isConflict(error)) return
      throw error
    }
    await this.#with.options.failpoint('revoke.noted')
    this.#with.tell({ type: 'revocation', outcome, ...about })
  }
}
