/** The encrypted collections. */

import type { Vault } from '@strongroom/core'
import { encryptedCollection } from '@strongroom/mongo-adapter'
import type { Db, IndexDescription } from 'mongodb'

import type { Indexed } from '../data.ts'
import { EncryptedAccount, EncryptedInvitation, EncryptedOrganisation, EncryptedRecovery, EncryptedSession } from './marks.ts'

export type Collections = ReturnType<typeof collectionsOf>

export function collectionsOf(vault: Vault, db: Db) {
  return {
    organisations: encryptedCollection(vault, db.collection('organisations'), {
      schema: EncryptedOrganisation,
      tenant: '_id',
      subject: '_id',
    }),
    accounts: encryptedCollection(vault, db.collection('accounts'), { schema: EncryptedAccount, tenant: 'orgId', subject: '_id' }),
    sessions: encryptedCollection(vault, db.collection('sessions'), { schema: EncryptedSession, tenant: 'orgId', subject: 'accountId' }),
    invitations: encryptedCollection(vault, db.collection('invitations'), {
      schema: EncryptedInvitation,
      tenant: 'orgId',
      subject: 'orgId',
    }),
    recoveries: encryptedCollection(vault, db.collection('recoveries'), { schema: EncryptedRecovery, tenant: 'orgId', subject: 'orgId' }),
  }
}

/** Beside those that the marks declare. */
export const INDEXES = {
  accounts: [{ key: { orgId: 1 } }],
  sessions: [{ key: { orgId: 1, accountId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
  invitations: [{ key: { orgId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
  recoveries: [{ key: { orgId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
} as const satisfies Readonly<Record<Indexed, readonly IndexDescription[]>>
