// What the tests of credentials stand on: a vault on memory stores, a server that does as it is told, and whoever listens.
import { initVault, openVault, type Subject, type Vault, type VaultOptions } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import {
  type Connection,
  createCredentials,
  type CredentialEvent,
  type Credentials,
  type CredentialsOptions,
  type Provider,
} from '@strongroom/credentials'
import { onTestFinished } from 'vitest'

export { outcome, swept } from '../../core/test/vault/support.ts'

import { type FakeServer, startFakeServer } from './servers/fake-server.ts'

export interface World {
  readonly vault: Vault
  readonly vaultOptions: VaultOptions
  readonly keyStore: ReturnType<typeof memoryKeyStore>
  readonly stateStore: ReturnType<typeof memoryStateStore>
  readonly server: FakeServer
  readonly events: CredentialEvent[]
  readonly alice: Subject
  /** Her connection, as this process sees it. */
  readonly connection: Connection
  readonly credentials: Credentials
  readonly provider: Provider
  /** From now on it is later, by so many milliseconds, for all of them. */
  later(ms: number): void
  /** The same connection as another process sees it. */
  another(changes?: Changes): Promise<{ readonly vault: Vault; readonly connection: Connection; readonly credentials: Credentials }>
}

export interface Changes extends Partial<CredentialsOptions> {
  readonly provider?: Partial<Provider>
  readonly vaultOptions?: Partial<VaultOptions>
}

/** For what waits until nobody waits any more. A server that answers needs longer, on a machine that does other things. */
export const IMPATIENT = { timeout: 500, lease: 1000 } as const

/** Longer than anybody is left alone after failures, unless his server has said so. */
export const BEHIND_ALL_PAUSES = 6 * 60_000

export const SECRET = 'client-secret-CANARY'

export async function world(changes: Changes = {}): Promise<World> {
  const [keyStore, stateStore, keyProvider, server] = [memoryKeyStore(), memoryStateStore(), memoryKeyProvider(), await startFakeServer()]
  let offset = 0
  const clock = { now: () => Date.now() + offset, monotonic: () => performance.now() + offset }
  const vaultOptions = { keyProviders: { eu: keyProvider }, defaultRegion: 'eu', keyStore, stateStore, clock }
  await initVault({ ...vaultOptions, ...changes.vaultOptions })
  const events: CredentialEvent[] = []
  const provider: Provider = {
    tokenEndpoint: `${server.origin}/token`,
    revocationEndpoint: `${server.origin}/revoke`,
    clientId: 'our-service',
    clientSecret: () => SECRET,
    apiOrigins: [server.origin],
    ...changes.provider,
  }
  const another = async ({ provider: more, vaultOptions: others, ...options }: Changes = {}) => {
    const vault = await openVault({ ...vaultOptions, ...changes.vaultOptions, ...others })
    const { provider: _, vaultOptions: __, ...first } = changes
    const credentials = createCredentials(vault, {
      onEvent: (event) => void events.push(event),
      timeout: 5000,
      lease: 10_000,
      ...first,
      ...options,
      providers: { crm: { ...provider, ...more }, ...options.providers },
    })
    return { vault, credentials, connection: credentials.connection(vault.tenant('acme').subject('alice'), 'crm') }
  }
  const { vault, connection, credentials } = await another()
  await vault.tenants.create('acme')
  await vault.tenants.create('rival')
  onTestFinished(() => server.close())
  const alice = vault.tenant('acme').subject('alice')
  const later = (ms: number): void => void (offset += ms)
  return { vault, vaultOptions, keyStore, stateStore, server, events, alice, connection, credentials, provider, later, another }
}

/** The token that a connection works with. */
export function tokenOf(connection: Connection): Promise<string> {
  return connection.use((token) => token.reveal())
}
