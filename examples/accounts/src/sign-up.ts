/** By invitation into an organisation. */

import { randomUUID } from 'node:crypto'

import { MongoServerError } from 'mongodb'

import { Invitation, type Role } from './documents.ts'
import { Refusal } from './errors.ts'
import { hashPassword } from './passwords.ts'
import type { SignUp } from './requests.ts'
import type { Store } from './store.ts'
import { hashOf, inDays, newToken } from './tokens.ts'
import { whole } from './whole.ts'

const DUPLICATE_KEY = 11_000

/** @returns the code to hand over */
export async function invite({ invitations }: Store, orgId: string, role: Role): Promise<string> {
  const invitation = newToken()
  const expires = inDays(7)
  await invitations.add({ _id: hashOf(invitation), orgId, role, expires, removeAt: expires })
  return invitation
}

/** Uses the invitation up and makes the account, both or neither. @returns its id */
export async function signUp(store: Store, { invitation, email, name, password }: SignUp): Promise<string> {
  const invited = await store.invitations.find(hashOf(invitation))
  if (invited === null) throw new Refusal(403, 'invitation_invalid')
  const { _id, orgId, role, expires } = whole(Invitation, invited)
  if (expires < new Date()) throw new Refusal(403, 'invitation_invalid')
  const account = { _id: randomUUID(), orgId, email, name, role, password: await hashPassword(password) }
  // Another may have used it meanwhile.
  if (!(await addressesAreUnique(() => store.makeAccount(_id, account)))) throw new Refusal(403, 'invitation_invalid')
  return account._id
}

/** The unique index decides between any number of processes. @throws Refusal 409 */
export async function addressesAreUnique<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) throw new Refusal(409, 'email_taken')
    throw error
  }
}
