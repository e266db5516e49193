/** One connection: what a customer's system has given to this service. */

import { invalidArgument, readOptions, type Secret, StrongroomError, type Subject } from '@strongroom/core'

import type { CredentialEvent } from '../events.ts'
import { type CheckedMaterial, checkMaterial, type Kind, type Material, MOST_SCOPE_CHARACTERS, type Secrets } from '../kinds/kinds.ts'
import type { CheckedCredentialsOptions } from '../options.ts'
import type { CheckedProvider } from '../providers/provider.ts'
import { isConflict, referenceOf, type StoredConnection } from '../records/connection-store.ts'
import type { ConnectionRecord, ConnectionState, ReauthorisationReason } from '../records/record.ts'
import { type About, openAbout, sealAbout, sealSecrets } from '../records/sealed.ts'
import { timesOf } from '../refresh/token-state.ts'
import type { Disconnected } from '../revoke/disconnect.ts'
import { newId } from '../records/new-id.ts'
import { isNotConnected } from '../errors.ts'
import { liveToken, type LiveTokenOptions } from './live-token.ts'
import { type ConnectionPlace, itemOf } from './place.ts'
import { isUnauthorised } from './unauthorised.ts'
import { fetchWith } from './fetch.ts'

const MOST_ACCOUNT_CHARACTERS = 1000

/** Options of `save`. */
export interface SaveOptions {
  /** Whose account it is in the other system, to be shown to people: an address, a workspace. */
  readonly account?: string
  /** What was granted, where the token response does not say. */
  readonly scopes?: readonly string[]
}

/** Options of `use`. */
export interface UseOptions {
  /** Whether what the work threw or resolved to means that the token was refused. Unless given: a `Response` or an error with status 401. */
  readonly isUnauthorised?: (result: { readonly thrown: unknown } | { readonly returned: unknown }) => boolean
}

/** What is known of a connection without opening a token. Instants are UTC milliseconds. */
export interface ConnectionStatus extends About {
  readonly provider: string
  readonly kind: Kind
  readonly state: Exclude<ConnectionState, 'disconnecting'>
  readonly reason: ReauthorisationReason | undefined
  readonly created: number
  readonly updated: number
  /** When the access token ends; `undefined` where there is none, or the provider did not say. */
  readonly expires: number | undefined
}

/** A connection by whose it is and its name. Making the handle reads nothing. */
export interface Connection {
  /**
   * Keeps what the provider has answered, or a key that the customer has entered; replaces what was there. Durable when it resolves.
   *
   * @param material - for `oauth2` the token response, as `oauth4webapi` returns it; for `clientCredentials` `{ client_id, client_secret }`;
   *   for `apiKey` and `webhookSecret` `{ secret }`
   * @throws StrongroomError `invalid_argument` (naming the member), and what stores and keys throw
   */
  save(material: Material, options?: SaveOptions): Promise<void>
  /**
   * Does work with a live token: refreshed ahead of its end, once for all processes; and where the work says that it was refused, asked for
   * anew and the work done a second time. Let the token go nowhere else: its end is not announced.
   *
   * @throws StrongroomError `not_found` (not connected), `reauthorisation_required`, `authorisation_server_…`, and what stores and keys
   *   throw; and whatever the work throws
   */
  use<T>(work: (token: Secret<string>) => Promise<T> | T, options?: UseOptions): Promise<T>
  /**
   * As `globalThis.fetch`, with the token in its header, for the provider's `apiOrigins` alone. The body must be one that can be sent twice.
   *
   * @throws StrongroomError as `use`, and `invalid_argument` (another origin, a header of your own in place of the token's, a stream as body)
   */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>
  /** `undefined` where there is none. @throws StrongroomError what stores and keys throw */
  status(): Promise<ConnectionStatus | undefined>
  /**
   * Ends it: its keys are destroyed, and the provider is asked to revoke its tokens, now and, where that fails, by sweeping.
   *
   * @throws StrongroomError `not_found`, `held` (a legal hold stands on whose it is), and what stores and keys throw; repeat it then: it goes on where it stopped
   */
  disconnect(): Promise<Disconnected>
  /** What events call it by: no name is in it. It begins with the `ref` of its tenant, as `vault.tenants.list` gives it. @throws StrongroomError `not_found` (no such tenant), and what stores and keys throw */
  reference(): Promise<string>
}

export interface ConnectionOptions extends LiveTokenOptions {
  readonly options: CheckedCredentialsOptions
  readonly tell: (event: CredentialEvent) => void
  readonly disconnect: (place: ConnectionPlace) => Promise<Disconnected>
  /** Sees to it that tokens are revoked whose connection is gone. */
  readonly revokeLater: (place: ConnectionPlace, secrets: Secrets) => Promise<void>
}

export class ConnectionHandle implements Connection {
  readonly #with: ConnectionOptions
  readonly #owner: Subject
  readonly #name: string
  readonly #provider: CheckedProvider
  #place: ConnectionPlace | undefined

  constructor(owner: Subject, name: string, provider: CheckedProvider, options: ConnectionOptions) {
    this.#owner = owner
    this.#name = name
    this.#provider = provider
    this.#with = options
  }

  async save(material: Material, options?: SaveOptions): Promise<void> {
    const about = checkAbout(readOptions(options, ['account', 'scopes']))
    await this.keep(this.#checked(material), about)
  }

  /** `save`, of what was checked already. */
  async keep(checked: CheckedMaterial, about: SaveOptions): Promise<void> {
    const place = await this.#placed()
    for (;;) {
      const before = await this.#present(place)
      if (await this.#put(place, before, checked, about)) return
    }
  }

  /** Has tokens revoked that nobody else has, and that could not be kept. */
  async disown(secrets: Secrets): Promise<void> {
    await this.#with.revokeLater(await this.#placed(), secrets)
  }

  /** `save`, only where there is nothing. @returns whether there was nothing */
  async adopt(
    material: unknown,
    {
      account,
      scopes,
      expiresAt,
      dryRun,
    }: { [K in keyof SaveOptions]: SaveOptions[K] | undefined } & { expiresAt: number | undefined; dryRun: boolean },
  ): Promise<boolean> {
    const about = checkAbout({ account, scopes })
    const checked = this.#checked(material)
    const place = await this.#placed()
    const lifetime = expiresAt === undefined ? checked.lifetime : Math.max(0, expiresAt - this.#with.clock.now())
    for (;;) {
      const found = await this.#with.store.read(place.key)
      if (found !== undefined && !(await isOver(place, found.record))) return false
      if (dryRun) return true
      if ((await this.#present(place)) === undefined && (await this.#put(place, undefined, { ...checked, lifetime }, about))) return true
    }
  }

  /** @returns whether nobody else was first */
  async #put(
    place: ConnectionPlace,
    before: StoredConnection | undefined,
    checked: CheckedMaterial,
    { account, scopes }: SaveOptions,
  ): Promise<boolean> {
    const { store, clock, tell, warm, options } = this.#with
    const { name: provider, kind } = this.#provider
    const now = clock.now()
    const at = { provider, item: before?.record.item ?? newId(), version: (before?.record.version ?? 0) + 1 }
    const key = itemOf(place, at)
    const granted = checked.scopes ?? scopes
    const about: About = {
      name: this.#name,
      ...(account === undefined ? {} : { account }),
      ...(granted === undefined ? {} : { scopes: granted }),
    }
    const record: ConnectionRecord = {
      kind,
      ...at,
      state: 'live',
      created: before?.record.created ?? now,
      updated: now,
      ...timesOf(checked.lifetime, now, options.refreshAhead),
      refreshable: kind === 'clientCredentials' || (kind === 'oauth2' && checked.lasting !== undefined),
      about: await sealAbout(key, at, about),
      ...(await sealSecrets(key, at, checked)),
    }
    await options.failpoint('save.sealed')
    try {
      await store.put(place.key, record, before?.stored ?? 'absent')
    } catch (error) {
      if (isConflict(error)) return false
      throw error
    }
    await options.failpoint('save.stored')
    // Stored too late for whoever has shredded whose it is to see it: then nobody looks for it any more.
    if (['gone', 'shredded'].includes(await key.state())) {
      await this.#with.revokeLater(place, checked)
      await store.removeItem(place.key, at.item)
      throw new StrongroomError(
        'shredded',
        'its owner, or the connection, was destroyed while it was being saved: its tokens are being revoked',
      )
    }
    warm.drop(place.key)
    tell({ type: 'saved', ...place.about })
    return true
  }

  async use<T>(work: (token: Secret<string>) => Promise<T> | T, options?: UseOptions): Promise<T> {
    const { isUnauthorised: isRefused = isUnauthorised } = readOptions(options, ['isUnauthorised'])
    if (typeof work !== 'function') throw invalidArgument('work', 'must be a function')
    if (typeof isRefused !== 'function') throw invalidArgument('isUnauthorised', 'must be a function')
    const place = this.#place ?? (await this.#placed())
    const { version, token } = await liveToken(place, undefined, this.#with)
    let result: { readonly thrown: unknown } | { readonly returned: T }
    try {
      result = { returned: await work(token) }
    } catch (error) {
      result = { thrown: error }
    }
    if (isRefused(result) && this.#canBeRefreshed()) return work((await liveToken(place, version, this.#with)).token)
    if ('thrown' in result) throw result.thrown
    return result.returned
  }

  fetch(url: string | URL, init?: RequestInit): Promise<Response> {
    return fetchWith(this.#provider, this.#with.options.fetch, url, init, (work) => this.use(work))
  }

  async status(): Promise<ConnectionStatus | undefined> {
    const place = await this.#placed()
    const found = await this.#with.store.read(place.key)
    return found === undefined ? undefined : statusOf(this.#owner, found.record)
  }

  async disconnect(): Promise<Disconnected> {
    const place = await this.#placed()
    this.#with.warm.drop(place.key)
    return this.#with.disconnect(place)
  }

  async reference(): Promise<string> {
    return (await this.#placed()).about.reference
  }

  #checked(material: unknown): CheckedMaterial {
    const { kind, quirks } = this.#provider
    return checkMaterial(kind, material, quirks?.bearerTypes)
  }

  #canBeRefreshed(): boolean {
    const { kind } = this.#provider
    return kind === 'oauth2' || kind === 'clientCredentials'
  }

  // What is on its way out is brought there first, and what was put back from before it went: its item is never filled again.
  async #present(place: ConnectionPlace): Promise<StoredConnection | undefined> {
    const found = await this.#with.store.read(place.key)
    if (found === undefined || !(await isOver(place, found.record))) return found
    await this.#with.disconnect(place).catch((error: unknown) => {
      if (!isNotConnected(error)) throw error
    })
    return this.#with.store.read(place.key)
  }

  async #placed(): Promise<ConnectionPlace> {
    if (this.#place !== undefined) return this.#place
    const key = await this.#with.store.keyOf(this.#owner, this.#name)
    const { tenant = '', subject } = this.#owner.names()
    const about = { reference: referenceOf(key), provider: this.#provider.name, names: { tenant, subject, connection: this.#name } }
    this.#place = { owner: this.#owner, name: this.#name, provider: this.#provider, key, about }
    return this.#place
  }
}

/** `undefined` for what is on its way out, and for what was put back from before it went. */
export async function statusOf(owner: Subject, record: ConnectionRecord): Promise<ConnectionStatus | undefined> {
  const { state, provider, kind, reason, created, updated, expires } = record
  if (state === 'disconnecting') return undefined
  try {
    const about = await openAbout(itemOf({ owner }, record), record)
    return { ...about, provider, kind, state, reason, created, updated, expires }
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'shredded' && (await isShredded({ owner }, record))) return undefined
    throw error
  }
}

async function isOver(place: ConnectionPlace, record: ConnectionRecord): Promise<boolean> {
  return record.state === 'disconnecting' || isShredded(place, record)
}

/** Whether the connection's own key was destroyed, and not one above it. */
async function isShredded(place: Pick<ConnectionPlace, 'owner'>, record: ConnectionRecord): Promise<boolean> {
  return (await itemOf(place, record).state()) === 'shredded'
}

/** @throws StrongroomError `invalid_argument` */
function checkAbout({ account, scopes }: { [K in keyof SaveOptions]: SaveOptions[K] | undefined }): SaveOptions {
  if (account !== undefined && !(typeof account === 'string' && account.length <= MOST_ACCOUNT_CHARACTERS))
    throw invalidArgument('account', `must be a string of ${MOST_ACCOUNT_CHARACTERS} characters at most`)
  const areTexts = scopes === undefined || (Array.isArray(scopes) && scopes.every((one) => typeof one === 'string'))
  if (!areTexts || (scopes ?? []).join(' ').length > MOST_SCOPE_CHARACTERS)
    throw invalidArgument('scopes', `must be a list of strings, of ${MOST_SCOPE_CHARACTERS} characters together at most`)
  return { ...(account === undefined ? {} : { account }), ...(scopes === undefined ? {} : { scopes }) }
}
