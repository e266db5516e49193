/**
 * New tokens, asked for once however many processes want them.
 *
 * A refresh token that rotates is used up by one request: who sends it twice may end the whole family (RFC 9700, section 4.14.2), who loses the
 * answer has nothing left. So the intent is stored before the request, with the version of the tokens it is about; whoever finds one waits; and
 * what is answered is stored by that version alone, before anybody sees it.
 */

import { type Clock, randomBytes, StrongroomError } from '@strongroom/core'
import pRetry from 'p-retry'

import { itemOf, type ConnectionPlace, requireOf } from '../connection/place.ts'
import { notConnected, reauthorisationRequired } from '../errors.ts'
import type { CredentialEvent } from '../events.ts'
import { type CheckedMaterial, clientOf, type Secrets } from '../kinds/kinds.ts'
import { growingPause } from '../oauth/growing-pause.ts'
import { isFailureCode, type OAuthFailure, oauthError } from '../oauth/outcome.ts'
import { Pauses, type Turn } from '../oauth/pauses.ts'
import { clientCredentialsTokens, refreshTokens, type TokenEndpointOptions, type TokenRequest } from '../oauth/token-endpoint.ts'
import type { CheckedCredentialsOptions } from '../options.ts'
import { isRepeatable } from '../providers/provider.ts'
import { type ConnectionStore, isConflict, referenceOf, type StoredConnection } from '../records/connection-store.ts'
import type { Doubt, Intent, ReauthorisationReason } from '../records/record.ts'
import { openSecrets, sealSecrets } from '../records/sealed.ts'
import { doubtAfter, isPaused, withFailure, withIntent, withoutIntent, withReauthorisation, withTokens } from './token-state.ts'

export interface RefreshOptions {
  readonly store: ConnectionStore
  readonly clock: Clock
  readonly options: CheckedCredentialsOptions
  readonly endpoint: TokenEndpointOptions
  readonly tell: (event: CredentialEvent) => void
  /** Sees to it that tokens are revoked whose connection is gone. */
  readonly revokeLater: (place: ConnectionPlace, secrets: Secrets) => Promise<void>
}

type Claimed = StoredConnection & { readonly record: { readonly intent: Intent } }

// Between two looks at what another process is doing.
const [LEAST_WAIT_MS, MOST_WAIT_MS] = [20, 250]
// Requests with one refresh token whose outcome nobody knows, where the provider allows more than one, and the time between them.
const MOST_UNRESOLVED = 3
const [FIRST_BETWEEN_MS, MOST_BETWEEN_MS] = [400, 2000]
// In which one connection is not asked about again after failures in a row; and as long as a server may say so (`Retry-After`).
const [FIRST_PAUSE_MS, MOST_PAUSE_MS] = [1000, 5 * 60_000]
const MOST_SAID_MS = 3_600_000
// For which what was answered is tried to be stored.
const STORING_LEASES = 10

export class Refresh {
  readonly #with: RefreshOptions
  readonly #pauses: Pauses
  readonly #underWay = new Map<string, Promise<StoredConnection>>()

  constructor(options: RefreshOptions) {
    this.#with = options
    this.#pauses = new Pauses(() => options.clock.monotonic())
  }

  /**
   * The connection once its tokens are newer than a version. All who ask in this process wait for one run, and get its answer.
   *
   * @throws StrongroomError `reauthorisation_required`, `not_found`, `authorisation_server_…`, and what stores and keys throw
   */
  newerThan(place: ConnectionPlace, version: number): Promise<StoredConnection> {
    const name = `${place.key}/${version}`
    let run = this.#underWay.get(name)
    if (run === undefined) {
      run = this.#run(place, version).finally(() => this.#underWay.delete(name))
      this.#underWay.set(name, run)
    }
    return run
  }

  /**
   * For a connection that cannot be refreshed, and whose token is no longer good.
   *
   * @returns the connection, where there are newer tokens by now
   * @throws StrongroomError `reauthorisation_required`, `not_found`, and what stores throw
   */
  async expired(place: ConnectionPlace, version: number): Promise<StoredConnection> {
    await this.#giveUp(place, version, undefined, 'expired')
    return this.#with.store.readConnected(place.key)
  }

  /** For a request that a process has left behind: nobody will write down how it ended. */
  async abandoned({ key, record }: StoredConnection): Promise<'done'> {
    const { store, clock, options, tell } = this.#with
    const isHarmless = isRepeatable({ ...options.providers.get(record.provider), kind: record.kind })
    const intent = record.intent?.id
    let isOurs = false
    await store.change(key, (now) => {
      isOurs = now.state === 'live' && now.version === record.version && now.intent?.id === intent
      if (!isOurs) return undefined
      return isHarmless ? withoutIntent(now, clock.now()) : withReauthorisation(now, 'unknown_outcome', clock.now())
    })
    if (isOurs && !isHarmless)
      tell({ type: 'reauthorisation_required', reason: 'unknown_outcome', reference: referenceOf(key), provider: record.provider })
    return 'done'
  }

  async #run(place: ConnectionPlace, version: number): Promise<StoredConnection> {
    const { clock, options } = this.#with
    // Measured from when this process first saw an intent: whose clock is wrong does not matter then.
    let waiting: { readonly intent: string; readonly since: number } | undefined
    for (;;) {
      const found = await this.#with.store.readConnected(place.key)
      requireOf(place, found.record)
      if (found.record.version !== version) return found
      const { intent, failure, doubt } = found.record
      if (failure !== undefined && isFailureCode(failure.code)) {
        const isOurs = failure.intent === waiting?.intent
        if (isOurs || (intent === undefined && isPaused(found.record, clock.now(), MOST_SAID_MS))) throw oauthError(failure.code)
      }
      if (intent !== undefined && waiting?.intent !== intent.id) waiting = { intent: intent.id, since: clock.monotonic() }
      if (intent !== undefined && waiting !== undefined && clock.monotonic() - waiting.since < options.lease) {
        await pause()
        continue
      }
      // Whoever began it has not come back.
      const doubted = intent === undefined ? doubt : doubtAfter(found.record, intent)
      if (!this.#mayAsk(place, doubted)) await this.#giveUp(place, version, intent?.id, 'unknown_outcome')
      else {
        const asked = await this.#ask(place, found, doubted)
        if (asked !== undefined) return asked
      }
    }
  }

  // With a token that may have been used up: only where the provider has said so, and while it holds.
  #mayAsk({ provider }: ConnectionPlace, doubt: Doubt | undefined): boolean {
    if (doubt === undefined || isRepeatable(provider)) return true
    const { refreshTokens: may } = provider
    if (typeof may === 'string' || doubt.requests >= MOST_UNRESOLVED) return false
    const age = this.#with.clock.now() - doubt.since
    return age >= 0 && age + this.#with.options.timeout < may.reuseWindow
  }

  /** @returns `undefined` where another was first: look again */
  async #ask(place: ConnectionPlace, found: StoredConnection, doubt: Doubt | undefined): Promise<StoredConnection | undefined> {
    const { store, clock, options, endpoint } = this.#with
    // Before the intent: what fails here is no request.
    const secrets = await openSecrets(itemOf(place, found.record), found.record)
    if (secrets.lasting === undefined) return this.#giveUp(place, found.record.version, found.record.intent?.id, 'expired')
    const turn = this.#pauses.turn(place.provider.name, 2 * options.timeout, doubt !== undefined)
    const send = await prepared(place, secrets.lasting, endpoint, turn)
    // All of that took its time.
    if (!this.#mayAsk(place, doubt)) return undefined
    const begun = { now: clock.now(), monotonic: clock.monotonic() }
    const record = withIntent(found.record, isRepeatable(place.provider) ? undefined : doubt, begun.now)
    let claimed: Claimed
    try {
      claimed = { ...(await store.put(place.key, record, found.stored)), record }
    } catch (error) {
      if (isConflict(error)) return undefined
      // It may have been stored all the same, and nothing was sent: what was there before is put back.
      await store.change(place.key, (now) => (now.intent?.id === record.intent.id ? found.record : undefined)).catch(() => undefined)
      throw error
    }
    await options.failpoint('refresh.intended')
    // A process that has slept meanwhile: another may have used the token within its window, which may be over.
    const slept = Math.max(clock.now() - begun.now, clock.monotonic() - begun.monotonic)
    if (typeof place.provider.refreshTokens === 'object' && slept >= options.lease - options.timeout) return undefined
    const outcome = await send()
    if ('error' in outcome) turn.failed(outcome.error.code)
    else turn.answered()
    await options.failpoint('refresh.answered')
    if (outcome.outcome === 'tokens') return this.#accept(place, claimed.record, secrets, outcome.material)
    if (outcome.outcome === 'refused') return this.#giveUp(place, claimed.record.version, claimed.record.intent.id, 'invalid_grant')
    return this.#failed(place, claimed, outcome.outcome, outcome.error)
  }

  /** @returns `undefined` where it is to be asked again @throws StrongroomError `authorisation_server_…`, `reauthorisation_required` */
  async #failed(
    place: ConnectionPlace,
    { record }: Claimed,
    outcome: 'failed' | 'unknown',
    { code, retryAfter }: OAuthFailure,
  ): Promise<StoredConnection | undefined> {
    const { store, clock, tell } = this.#with
    const { intent, version } = record
    const isHarmless = outcome === 'failed' || isRepeatable(place.provider)
    const doubt = doubtAfter(record, intent)
    // Whoever looks again may repeat the request, as long as the provider allows it.
    if (!isHarmless && this.#mayAsk(place, doubt)) {
      await new Promise((resolve) => setTimeout(resolve, growingPause(doubt.requests, FIRST_BETWEEN_MS, MOST_BETWEEN_MS)))
      const now = await store.read(place.key)
      if (now?.record.intent?.id !== intent.id || now.record.version !== version) return undefined
      if (this.#mayAsk(place, doubt)) return this.#ask(place, now, doubt)
    }
    if (!isHarmless) return this.#giveUp(place, version, intent.id, 'unknown_outcome')
    const pauseAfter = (failures: number): number =>
      Math.max(growingPause(failures, FIRST_PAUSE_MS, MOST_PAUSE_MS), Math.min(retryAfter ?? 0, MOST_SAID_MS))
    await store.change(place.key, (now) =>
      now.version === version && now.intent?.id === intent.id ? withFailure(now, code, pauseAfter, clock.now()) : undefined,
    )
    tell({ type: 'refresh_failed', code, ...place.about })
    throw oauthError(code)
  }

  // Durable before anybody sees it, and tried through an outage of the store in which nobody else gets anywhere: there is no second answer.
  async #accept(
    place: ConnectionPlace,
    record: StoredConnection['record'],
    before: Secrets,
    material: CheckedMaterial,
  ): Promise<StoredConnection | undefined> {
    const { store, clock, options } = this.#with
    const secrets: Secrets = { access: material.access, lasting: material.lasting ?? before.lasting }
    const at = { provider: record.provider, item: record.item, version: record.version + 1 }
    let isOurs = false
    const stored = await insistently(STORING_LEASES * options.lease, async () => {
      let sealed
      try {
        sealed = await sealSecrets(itemOf(place, record), at, secrets)
      } catch (error) {
        if (isGone(error)) return undefined
        throw error
      }
      await options.failpoint('refresh.sealed')
      return store.change(place.key, (now) => {
        isOurs = now.version === record.version && now.item === record.item && now.state !== 'disconnecting'
        return isOurs ? withTokens(now, sealed, { ...material, lasting: secrets.lasting }, clock.now(), options.refreshAhead) : undefined
      })
    })
    if (!isOurs && (stored === undefined || stored.record.item !== record.item || stored.record.state === 'disconnecting')) {
      await this.#with.revokeLater(place, { access: material.access, lasting: material.lasting })
      throw notConnected()
    }
    await options.failpoint('refresh.stored')
    if (isOurs) this.#with.tell({ type: 'refreshed', ...place.about })
    return stored
  }

  /** @throws StrongroomError `reauthorisation_required`, unless there are newer tokens by now: then `undefined` */
  async #giveUp(place: ConnectionPlace, version: number, intent: string | undefined, reason: ReauthorisationReason): Promise<undefined> {
    const { store, clock, tell } = this.#with
    let isOurs = false
    await store.change(place.key, (now) => {
      isOurs = now.state === 'live' && now.version === version && now.intent?.id === intent
      return isOurs ? withReauthorisation(now, reason, clock.now()) : undefined
    })
    if (!isOurs) return undefined
    tell({ type: 'reauthorisation_required', reason, ...place.about })
    throw reauthorisationRequired()
  }
}

async function prepared(place: ConnectionPlace, lasting: string, endpoint: TokenEndpointOptions, turn: Turn): Promise<TokenRequest> {
  const { provider } = place
  try {
    return provider.kind === 'clientCredentials'
      ? await clientCredentialsTokens(provider, clientOf(lasting), endpoint)
      : await refreshTokens(provider, lasting, endpoint)
  } catch (error) {
    if (error instanceof StrongroomError && isFailureCode(error.code)) turn.failed(error.code)
    throw error
  }
}

// The key is gone for good: nothing can be stored under it.
function isGone(error: unknown): boolean {
  return error instanceof StrongroomError && ['shredded', 'not_found'].includes(error.code)
}

async function insistently<T>(forMs: number, work: () => Promise<T>): Promise<T> {
  const shouldRetry = ({ error }: { readonly error: Error }): boolean =>
    !(error instanceof StrongroomError && error.code === 'vault_closed')
  return pRetry(work, { retries: 1000, minTimeout: 50, maxTimeout: 1000, randomize: true, maxRetryTime: forMs, shouldRetry })
}

// Spread, so that those who wait do not all ask the store at once.
function pause(): Promise<void> {
  const [random = 0] = randomBytes(1)
  return new Promise((resolve) => setTimeout(resolve, LEAST_WAIT_MS + (random / 255) * (MOST_WAIT_MS - LEAST_WAIT_MS)))
}
