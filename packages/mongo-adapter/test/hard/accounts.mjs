// Accounts whose addresses and nicks are unique, on a vault whose stores are on a server: for tests of one process and of several.
import { openVault } from '@strongroom/core'
import { localKeyProvider } from '@strongroom/kms-local'
import { encrypted, encryptedCollection, mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'
import { z } from 'zod'

const Account = z.object({
  _id: z.string(),
  orgId: z.string(),
  n: z.number().optional(),
  email: encrypted(z.string(), { index: { scope: 'application', unique: true, normalize: 'email' } }).optional(),
  nick: encrypted(z.string(), { index: { scope: 'tenant', unique: true, normalize: 'text' } }).optional(),
  note: encrypted(z.string(), { index: { scope: 'tenant' } }).optional(),
  list: z.array(encrypted(z.string(), { index: { scope: 'tenant' } })).optional(),
})

/** What opens the vault, and what is to be closed with it. `timeout`: how long a server that is away is waited for. */
export async function vaultOptions({ uri, database, rootKeyFile, timeout = 60_000 }) {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: timeout })
  return {
    client,
    keyProviders: { eu: await localKeyProvider({ file: rootKeyFile, rawKey: new Uint8Array(32).fill(7) }) },
    defaultRegion: 'eu',
    keyStore: mongoKeyStore({ db: client.db(`${database}-keys`), timeout }),
    stateStore: mongoStateStore({ db: client.db(`${database}-state`), timeout }),
    close: () => client.close(),
  }
}

/** The accounts, by a vault that was made before. `stored`: as the server has them. */
export async function openAccounts(where) {
  const { client, ...options } = await vaultOptions(where)
  const vault = await openVault(options)
  const stored = client.db(where.database).collection('accounts')
  return { vault, stored, accounts: encryptedCollection(vault, stored, { schema: Account, tenant: 'orgId', subject: '_id' }) }
}
