/** What a service holds for its customers' connected systems. */

import {
  invalidArgument,
  readOptions,
  type Resource,
  StrongroomError,
  type Subject,
  type Sweepable,
  type Tenant,
  type Vault,
} from '@strongroom/core'

import { type Connection, ConnectionHandle, type ConnectionOptions, type ConnectionStatus, statusOf } from './connection/connection.ts'
import type { ConnectionPlace } from './connection/place.ts'
import { Connect } from './connect/connect.ts'
import { WarmConnections } from './connection/warm.ts'
import { resourceOf } from './erasure/resource.ts'
import type { CredentialEvent } from './events.ts'
import { importPlaintext, type ImportOptions, type ImportResult, type PlaintextCredential } from './import-plaintext.ts'
import type { Secrets } from './kinds/kinds.ts'
import { AuthorizationServers } from './oauth/authorization-servers.ts'
import type { TokenEndpointOptions } from './oauth/token-endpoint.ts'
import { checkCredentialsOptions, type CredentialsOptions } from './options.ts'
import type { CheckedProvider } from './providers/provider.ts'
import { ConnectionStore } from './records/connection-store.ts'
import { Refresh } from './refresh/refresh.ts'
import { disconnect, type DisconnectOptions, revokeOrphans } from './revoke/disconnect.ts'
import { disconnectListed, type Disconnection } from './revoke/disconnect-listed.ts'
import { leavingByName } from './revoke/leaving.ts'
import { RevocationOutbox } from './revoke/outbox.ts'
import { Revocations } from './revoke/revocations.ts'
import { shredGuard } from './revoke/shred-guard.ts'
import { sweep } from './sweep.ts'

/** Options of `connection`. */
export interface ConnectionChoice {
  /** One of the providers; the connection's own name unless given. */
  readonly provider?: string
}

/** Options of `authorizationUrl`. */
export interface AuthorizationOptions extends ConnectionChoice {
  readonly redirectUri: string
  readonly session: string
  /** The provider's own unless given. */
  readonly scopes?: readonly string[]
}

/** The connections of a vault. One for each process. */
export interface Credentials extends Sweepable {
  /**
   * A connection of a person, or of a tenant itself (`tenant.self()`). Reads nothing yet.
   *
   * @param name - what it is called among the owner's connections: `hubspot`, or `hubspot-eu` with `{ provider: 'hubspot' }`
   * @throws StrongroomError `invalid_argument`
   */
  connection(owner: Subject, name: string, options?: ConnectionChoice): Connection
  /**
   * Where to send a customer's browser so that a connection is made. Everything that has to be known when it comes back travels in it, encrypted.
   *
   * @param options - `redirectUri`: where the provider sends the browser back to; `session`: what this browser alone has, such as its session id
   * @throws StrongroomError `invalid_argument`, `unsupported_operation` (not of the kind `oauth2`), `authorisation_server_…` (discovery), and what
   *   stores and keys throw
   * @example
   * ```ts
   * import { type Vault } from '@strongroom/core'
   * import { type Credentials } from '@strongroom/credentials'
   *
   * const redirectUri = 'https://app.example/connected'
   *
   * // GET /connect: redirect to it. GET /connected: the request's whole URL.
   * function begin(vault: Vault, credentials: Credentials, session: string) {
   *   return credentials.authorizationUrl(vault.tenant('acme').subject('alice'), 'crm', { redirectUri, session })
   * }
   * async function end(credentials: Credentials, session: string, url: string) {
   *   const connection = await credentials.callback(url, { session })
   *   return connection.status()
   * }
   * ```
   */
  authorizationUrl(owner: Subject, name: string, options: AuthorizationOptions): Promise<URL>
  /**
   * Ends what `authorizationUrl` began: checks the answer, exchanges the code and saves the tokens.
   *
   * @param url - the whole URL that the browser came back to
   * @throws StrongroomError `invalid_argument` (not of this session, altered, older than 15 minutes, there for the second time, or at another
   *   address than `redirectUri`; or `providers.….issuer` is missing), `authorisation_denied`,
   *   `authorisation_server_…`, and what stores and keys throw
   */
  callback(url: string | URL, options: { readonly session: string }): Promise<Connection>
  /**
   * Disconnects all that a person has, or everybody in a tenant and the tenant itself, one after the other, as `disconnect` of each. Repeating it
   * goes on where it stopped. Shredding whose they are puts their tokens by as well, and asks no provider: sweeping does.
   *
   * @param owner - a subject, `tenant.self()`, or a tenant
   * @throws StrongroomError as `disconnect`
   */
  disconnectAll(owner: Subject | Tenant): AsyncGenerator<Disconnection>
  /**
   * Brings in what a service holds in the clear today, one after the other, and says of each what became of it. What is there already stays, so
   * that it can be repeated. Where tokens are refreshed elsewhere meanwhile, stop that first: a refresh token of single use has one owner.
   *
   * @throws StrongroomError `invalid_argument` for the options; iterated, what stores and keys throw
   */
  importPlaintext(
    rows: Iterable<PlaintextCredential> | AsyncIterable<PlaintextCredential>,
    options?: ImportOptions,
  ): AsyncGenerator<ImportResult>
  /**
   * What an erasure asks of connections, as one of its `resources`: those of whoever is erased are counted and ended, tokens that wait to be
   * revoked are among its survivors, and after a restore `replay` removes what is of the dead. Give it to `createErasure`, and sweep both.
   */
  resource(): Required<Resource>
  /** All connections of a person, or of the tenant itself. Reads by pages; opens no token. @throws StrongroomError what stores and keys throw */
  list(owner: Subject): AsyncIterable<ConnectionStatus>
}

/**
 * The credentials of a vault's customers.
 *
 * @throws StrongroomError `invalid_argument` naming the option
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { createCredentials } from '@strongroom/credentials'
 *
 * async function contacts(vault: Vault) {
 *   const credentials = createCredentials(vault, {
 *     providers: {
 *       crm: {
 *         tokenEndpoint: 'https://crm.example/oauth/token',
 *         revocationEndpoint: 'https://crm.example/oauth/revoke',
 *         clientId: 'our-client',
 *         clientSecret: () => process.env['CRM_SECRET'] ?? '',
 *         apiOrigins: ['https://api.crm.example'],
 *       },
 *     },
 *   })
 *   const connection = credentials.connection(vault.tenant('acme').subject('alice'), 'crm')
 *   return connection.fetch('https://api.crm.example/contacts')
 * }
 * ```
 */
export function createCredentials(vault: Vault, options: CredentialsOptions): Credentials {
  const checked = checkCredentialsOptions(options)
  const { clock } = vault
  const store = new ConnectionStore(vault.stateStore, vault.id)
  const tell = (event: CredentialEvent): void => {
    // Said behind what has happened: there is nothing to undo, and nobody to tell.
    try {
      const answer: unknown = checked.onEvent(event)
      if (answer instanceof Promise) answer.catch(() => undefined)
    } catch {
      return
    }
  }
  const endpoint: TokenEndpointOptions = {
    servers: new AuthorizationServers(checked.fetch, () => clock.monotonic()),
    fetch: checked.fetch,
    timeout: checked.timeout,
    now: () => clock.now(),
  }
  const outbox = new RevocationOutbox(vault)
  const revocations = new Revocations({ outbox, clock, options: checked, endpoint, tell })
  const leaving: DisconnectOptions = { vault, store, clock, revocations, options: checked, tell }
  const revokeLater = (place: ConnectionPlace, secrets: Secrets): Promise<void> => revokeOrphans(place, place.provider, secrets, leaving)
  const refresh = new Refresh({ store, clock, options: checked, endpoint, tell, revokeLater })
  const warm = new WarmConnections(checked.maxWarm)
  const parts: ConnectionOptions = {
    store,
    clock,
    refresh,
    warm,
    options: checked,
    tell,
    disconnect: (place) => disconnect(leavingByName(place), leaving),
    revokeLater,
  }

  vault.guardShreds('strongroom/connections', shredGuard(vault, leaving))

  const connect = new Connect({ vault, providers: checked.providers, endpoint })
  const handle = (owner: Subject, name: string, provider: CheckedProvider): ConnectionHandle =>
    new ConnectionHandle(owner, name, provider, parts)
  const configured = (owner: unknown, name: string, provider: string | undefined): CheckedProvider => {
    requireOwner(owner)
    // Whether it can be a name at all.
    owner.item(name)
    const found = checked.providers.get(provider ?? name)
    if (found === undefined)
      throw invalidArgument(provider === undefined ? 'name' : 'provider', 'must be one of the providers that createCredentials was given')
    return found
  }

  return {
    name: 'credentials',
    connection(owner, name, choice) {
      const { provider } = readOptions(choice, ['provider'])
      return handle(owner, name, configured(owner, name, provider))
    },
    async authorizationUrl(owner, name, how) {
      const { provider, redirectUri = '', session = '', scopes } = readOptions(how, ['provider', 'redirectUri', 'session', 'scopes'])
      return connect.url(owner, name, configured(owner, name, provider), { redirectUri, session, scopes })
    },
    async callback(url, how) {
      const { session = '' } = readOptions(how, ['session'])
      if (!URL.canParse(String(url))) throw invalidArgument('url', 'must be the whole URL that the browser came back to')
      const { owner, name, provider, material, scopes } = await connect.arrive(new URL(url), session)
      const connection = handle(owner, name, provider)
      try {
        await connection.keep(material, scopes === undefined ? {} : { scopes })
      } catch (error) {
        // Suspended or destroyed while he was away: the code is used up, and nobody else has what it gave.
        if (error instanceof StrongroomError && ['suspended', 'shredded'].includes(error.code))
          await connection.disown(material).catch(() => undefined)
        throw error
      }
      return connection
    },
    async sweep(given) {
      return sweep({ vault, clock, options: checked, store, outbox, revocations, refresh, connect, leaving }, given)
    },
    importPlaintext(rows, how) {
      const { dryRun = false, signal } = readOptions(how, ['dryRun', 'signal'])
      if (typeof dryRun !== 'boolean') throw invalidArgument('dryRun', 'must be true or false')
      if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
      if (typeof rows !== 'object' || rows === null || !(Symbol.iterator in rows || Symbol.asyncIterator in rows))
        throw invalidArgument('rows', 'must be an iterable of credentials')
      return importPlaintext(rows, { dryRun, signal }, ({ owner, name, provider }) =>
        handle(owner, name, configured(owner, name, provider)),
      )
    },
    async *disconnectAll(owner) {
      if (!isTenant(owner)) requireOwner(owner)
      for await (const connection of store.list(await store.prefixOf(owner))) {
        warm.drop(connection.key)
        const done = await disconnectListed(vault, owner, connection, leaving)
        if (done !== undefined) yield done
      }
    },
    resource: () => resourceOf(vault, outbox, leaving),
    async *list(owner) {
      requireOwner(owner)
      for await (const { record } of store.list(await store.prefixOf(owner))) {
        const status = await statusOf(owner, record)
        if (status !== undefined) yield status
      }
    },
  }
}

function isTenant(owner: unknown): owner is Tenant {
  return typeof owner === 'object' && owner !== null && 'self' in owner
}

function requireOwner(owner: unknown): asserts owner is Subject {
  if (typeof owner !== 'object' || owner === null || !('item' in owner) || !('references' in owner))
    throw invalidArgument('owner', 'must be a subject: vault.tenant(…).subject(…), or vault.tenant(…).self()')
}
