/** The vault and the data: all that the rest of the service reads and writes. */

import { openVault, type Vault, type VaultOptions } from '@strongroom/core'
import type { Erasure } from '@strongroom/erasure'
import { localKeyProvider } from '@strongroom/kms-local'
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'

import type { Configuration } from './configuration.ts'
import type { Data } from './data.ts'
import { erasureOf, POLICY } from './erasure.ts'

export interface Store extends Data {
  readonly vault: Vault
  readonly erasure: Erasure
}

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
export async function openStore(configuration: Configuration): Promise<Store> {
  const client = connect(configuration)
  const vault = await openVault(await vaultOptions(client, configuration))
  const { dataOn } = await (configuration.mongoose ? import('./models/data.ts') : import('./collections/data.ts'))
  const data = await dataOn(vault, client, configuration.DATABASE)
  return { ...data, vault, erasure: erasureOf(vault, data) }
}
