/** The models, and what of them is encrypted. */

import type { Vault } from '@strongroom/core'
import { encryptedFields } from '@strongroom/mongo-adapter/mongoose'
import { type Connection, Schema } from 'mongoose'

import { ROLES } from '../documents.ts'

const organisationSchema = new Schema({
  _id: { type: String, required: true },
  name: { type: String, required: true, encrypted: true },
})

// One address is one account, whichever organisation it is in: hence `application`.
const accountSchema = new Schema({
  _id: { type: String, required: true },
  orgId: { type: String, required: true, index: true },
  email: { type: String, required: true, unique: true, encrypted: { index: { scope: 'application', normalize: 'email' } } },
  name: { type: String, required: true, encrypted: true },
  role: { type: String, required: true, enum: ROLES, encrypted: true },
  password: { type: String, required: true, encrypted: true },
})

const sessionSchema = new Schema({
  _id: { type: String, required: true },
  orgId: { type: String, required: true },
  accountId: { type: String, required: true },
  expires: { type: Date, required: true, encrypted: true },
  removeAt: { type: Date, required: true, expires: 0 },
}).index({ orgId: 1, accountId: 1 })

const invitationSchema = new Schema({
  _id: { type: String, required: true },
  orgId: { type: String, required: true, index: true },
  role: { type: String, required: true, enum: ROLES, encrypted: true },
  expires: { type: Date, required: true, encrypted: true },
  removeAt: { type: Date, required: true, expires: 0 },
})

const recoverySchema = new Schema({
  _id: { type: String, required: true },
  orgId: { type: String, required: true, index: true },
  account: { type: String, required: true, encrypted: true },
  removeAt: { type: Date, required: true, expires: 0 },
})

export type Models = ReturnType<typeof modelsOf>

// A schema has the plugin once; its copies are for this vault.
export function modelsOf(vault: Vault, connection: Connection) {
  return {
    organisations: connection.model(
      'Organisation',
      organisationSchema.clone().plugin(encryptedFields, { vault, tenant: '_id', subject: '_id' }),
    ),
    accounts: connection.model('Account', accountSchema.clone().plugin(encryptedFields, { vault, tenant: 'orgId', subject: '_id' })),
    sessions: connection.model('Session', sessionSchema.clone().plugin(encryptedFields, { vault, tenant: 'orgId', subject: 'accountId' })),
    invitations: connection.model(
      'Invitation',
      invitationSchema.clone().plugin(encryptedFields, { vault, tenant: 'orgId', subject: 'orgId' }),
    ),
    recoveries: connection.model('Recovery', recoverySchema.clone().plugin(encryptedFields, { vault, tenant: 'orgId', subject: 'orgId' })),
  }
}
