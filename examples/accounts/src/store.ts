/** The vault and the collections: all that the rest of the service reads and writes. */

import { openVault, type Vault, type VaultOptions } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { encryptedCollection, mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { type Db, MongoClient } from 'mongodb'

import type { Configuration } from './configuration.ts'
import { Account, Invitation, Organisation, Session } from './documents.ts'

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
  const provider = await localKeyProvider({ file: ROOT_KEY_FILE, passphrase })
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
  return { client, vault, ...collectionsOf(vault, client.db(configuration.DATABASE)) }
}

function collectionsOf(vault: Vault, db: Db) {
  return {
    organisations: encryptedCollection(vault, db.collection('organisations'), { schema: Organisation, tenant: '_id', subject: '_id' }),
    accounts: encryptedCollection(vault, db.collection('accounts'), { schema: Account, tenant: 'orgId', subject: '_id' }),
    /** As the driver gives them: no key is opened to find those that are marked. */
    marked: db.collection<{ readonly _id: string; readonly deleting?: true }>('accounts'),
    sessions: encryptedCollection(vault, db.collection('sessions'), { schema: Session, tenant: 'orgId', subject: 'accountId' }),
    invitations: encryptedCollection(vault, db.collection('invitations'), { schema: Invitation, tenant: 'orgId', subject: 'orgId' }),
  }
}
