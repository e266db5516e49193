/** The vault, the connections in it, and the access keys: all that the service keeps. */

import { openVault, type VaultOptions } from '@strongroom/core'
import { createCredentials } from '@strongroom/credentials'
import { createErasure } from '@strongroom/erasure'
import { localKeyProvider } from '@strongroom/kms-local'
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'

import type { AccessKey } from './access-keys.ts'
import type { Configuration } from './configuration.ts'
import { POLICY } from './erasure.ts'
import { providers } from './providers.ts'
import { type Mapping, resourceOf, type SyncLog } from './rows.ts'

export type Store = Awaited<ReturnType<typeof openStore>>

export function connect({ MONGODB_URI }: Configuration): MongoClient {
  return new MongoClient(MONGODB_URI, {
    serverSelectionTimeoutMS: 5000,
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority' },
  })
}

/** Keys and state in databases of their own, so that each has backups of its own. */
export async function vaultOptions(client: MongoClient, { DATABASE, ROOT_KEY_FILE, passphrase }: Configuration): Promise<VaultOptions> {
  const provider = await localKeyProvider({ file: ROOT_KEY_FILE, passphrase, copiesLife: POLICY.copies })
  return {
    keyProviders: { eu: provider },
    defaultRegion: 'eu',
    keyStore: mongoKeyStore({ db: client.db(`${DATABASE}_keys`) }),
    stateStore: mongoStateStore({ db: client.db(`${DATABASE}_state`) }),
    async close() {
      provider.close()
      await client.close()
    },
  }
}

/** `store.vault.close()` closes all of it. @throws StrongroomError where there is no vault, or no database that answers */
export async function openStore(configuration: Configuration) {
  const client = connect(configuration)
  const vault = await openVault(await vaultOptions(client, configuration))
  const credentials = createCredentials(vault, {
    providers: providers(configuration),
    // Events name connections and codes, never a secret: they can go into a log.
    onEvent: (event) => console.log(JSON.stringify(event)),
  })
  const db = client.db(configuration.DATABASE)
  const accessKeys = db.collection<AccessKey>('access_keys')
  const mappings = db.collection<Mapping>('mappings')
  const syncLogs = db.collection<SyncLog>('sync_logs')
  const erasure = createErasure(vault, {
    policy: POLICY,
    resources: [
      credentials.resource(),
      resourceOf('access-keys', accessKeys),
      resourceOf('mappings', mappings),
      resourceOf('sync-logs', syncLogs),
    ],
    onEvent: (event) => console.log(JSON.stringify(event)),
  })
  return { vault, credentials, erasure, accessKeys, mappings, syncLogs }
}
