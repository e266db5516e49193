import type { openVault, Vault } from '@strongroom/core'
import type { EncryptedCollection } from '@strongroom/mongo-adapter'
import type { Collection, MongoClient } from 'mongodb'

/** A server, the names of the databases on it, and the file of the root key. */
export interface Where {
  readonly uri: string
  readonly database: string
  readonly rootKeyFile: string
  /** Milliseconds. */
  readonly timeout?: number
}

export interface Account {
  _id: string
  orgId: string
  n?: number
  email?: string
  nick?: string
  note?: string
  list?: string[]
}

export interface Stored {
  _id: string
  [name: string]: unknown
}

export interface Accounts {
  readonly vault: Vault
  readonly accounts: EncryptedCollection<Account>
  readonly stored: Collection<Stored>
}

export function vaultOptions(where: Where): Promise<Parameters<typeof openVault>[0] & { readonly client: MongoClient }>
export function openAccounts(where: Where): Promise<Accounts>
