/** The vault and the collections: all that the rest of the service reads and writes. */

import { openVault, type Vault, type VaultOptions } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { encryptedCollection, mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { type Db, MongoClient } from 'mongodb'

import type { Configuration } from './configuration.ts'
import { Account, Invitation, Organisation, Recovery, Session } from './documents.ts'
import { erasureOf, POLICY } from './erasure.ts'

export type Store = Awaited<ReturnType<typeof openStore>>
/** All that holds personal data, outside of the vault's own stores. */
export type Collections = ReturnType<typeof collectionsOf>

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
  const collections = collectionsOf(vault, client.db(configuration.DATABASE))
  return { client, vault, ...collections, erasure: erasureOf(vault, collections) }
}

function collectionsOf(vault: Vault, db: Db) {
  return {
    organisations: encryptedCollection(vault, db.collection('organisations'), { schema: Organisation, tenant: '_id', subject: '_id' }),
    accounts: encryptedCollection(vault, db.collection('accounts'), { schema: Account, tenant: 'orgId', subject: '_id' }),
    sessions: encryptedCollection(vault, db.collection('sessions'), { schema: Session, tenant: 'orgId', subject: 'accountId' }),
    invitations: encryptedCollection(vault, db.collection('invitations'), { schema: Invitation, tenant: 'orgId', subject: 'orgId' }),
    recoveries: encryptedCollection(vault, db.collection('recoveries'), { schema: Recovery, tenant: 'orgId', subject: 'orgId' }),
  }
}
