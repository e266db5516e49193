/** What a service holds for its customers' connected systems. */

import { invalidArgument, readOptions, type Subject, type Sweepable, type Vault } from '@strongroom/core'

import { type Connection, ConnectionHandle, type ConnectionOptions, type ConnectionStatus, statusOf } from './connection/connection.ts'
import type { ConnectionPlace } from './connection/place.ts'
import { WarmConnections } from './connection/warm.ts'
import type { CredentialEvent } from './events.ts'
import type { Secrets } from './kinds/kinds.ts'
import { AuthorizationServers } from './oauth/authorization-servers.ts'
import type { TokenEndpointOptions } from './oauth/token-endpoint.ts'
import { checkCredentialsOptions, type CredentialsOptions } from './options.ts'
import { ConnectionStore } from './records/connection-store.ts'
import { Refresh } from './refresh/refresh.ts'
import { disconnect, type DisconnectOptions, revokeOrphans } from './revoke/disconnect.ts'
import { RevocationOutbox } from './revoke/outbox.ts'
import { Revocations } from './revoke/revocations.ts'
import { sweep } from './sweep.ts'

/** Options of `connection`. */
export interface ConnectionChoice {
  /** One of the providers; the connection's own name unless given. */
  readonly provider?: string
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
  /** All connections of a person, or of the tenant itself. Reads by pages; opens no token. @throws StrongroomError what stores and keys throw */
  list(owner: Subject): AsyncIterable<ConnectionStatus>
}

const WEEK = 7 * 86_400_000

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
    try {
      checked.onEvent(event)
    } catch {
      // Said behind what has happened: there is nothing to undo, and nobody to tell.
    }
  }
  const endpoint: TokenEndpointOptions = {
    servers: new AuthorizationServers(checked.fetch, () => clock.monotonic()),
    fetch: checked.fetch,
    timeout: checked.timeout,
    now: () => clock.now(),
  }
  const outbox = new RevocationOutbox(vault, WEEK)
  const revocations = new Revocations({ outbox, clock, options: checked, endpoint, tell })
  const leaving: DisconnectOptions = { store, clock, revocations, options: checked, tell }
  const revokeLater = (place: ConnectionPlace, secrets: Secrets): Promise<void> => revokeOrphans(place, secrets, leaving)
  const refresh = new Refresh({ store, clock, options: checked, endpoint, tell, revokeLater })
  const warm = new WarmConnections(checked.maxWarm)
  const parts: ConnectionOptions = {
    store,
    clock,
    refresh,
    warm,
    options: checked,
    tell,
    disconnect: (place) => disconnect(place, leaving),
  }

  return {
    connection(owner, name, choice) {
      requireOwner(owner)
      const { provider = name } = readOptions(choice, ['provider'])
      const configured = checked.providers.get(provider)
      if (configured === undefined)
        throw invalidArgument(choice === undefined ? 'name' : 'provider', 'must be one of the providers that createCredentials was given')
      owner.item(name)
      return new ConnectionHandle(owner, name, configured, parts)
    },
    async sweep(given) {
      const { signal } = readOptions(given, ['signal'])
      if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
      return sweep({ vault, clock, options: checked, store, outbox, revocations, refresh }, signal === undefined ? {} : { signal })
    },
    async *list(owner) {
      requireOwner(owner)
      for await (const { record } of store.list(await store.prefixOf(owner))) {
        const status = await statusOf(owner, record)
        if (status !== undefined) yield status
      }
    },
  }
}

function requireOwner(owner: unknown): asserts owner is Subject {
  if (typeof owner !== 'object' || owner === null || !('item' in owner) || !('references' in owner))
    throw invalidArgument('owner', 'must be a subject: vault.tenant(…).subject(…), or vault.tenant(…).self()')
}
