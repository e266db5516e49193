/** What of the documents is encrypted. */

import { encrypted } from '@strongroom/mongo-adapter'

import { Account, Invitation, Organisation, Recovery, Session } from '../documents.ts'

export const EncryptedOrganisation = Organisation.extend({ name: encrypted(Organisation.shape.name) })

/** One address is one account, whichever organisation it is in: hence `application`. */
export const EncryptedAccount = Account.extend({
  email: encrypted(Account.shape.email, { index: { scope: 'application', unique: true, normalize: 'email' } }),
  name: encrypted(Account.shape.name),
  role: encrypted(Account.shape.role),
  password: encrypted(Account.shape.password),
})

export const EncryptedSession = Session.extend({ expires: encrypted(Session.shape.expires) })

export const EncryptedInvitation = Invitation.extend({
  role: encrypted(Invitation.shape.role),
  expires: encrypted(Invitation.shape.expires),
})

export const EncryptedRecovery = Recovery.extend({ account: encrypted(Recovery.shape.account) })
