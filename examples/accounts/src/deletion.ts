/** Deleting an account: her key first, so that nothing of it can be read whatever happens next; then her documents. */

import { Account } from './documents.ts'
import { Refusal } from './errors.ts'
import { passwordMatches } from './passwords.ts'
import type { Member } from './profile.ts'
import type { Store } from './store.ts'
import { whole } from './whole.ts'

/** Asks for the password again: it is for good. @throws Refusal 403 */
export async function deleteAccount(store: Store, { _id, orgId }: Member, password: string): Promise<void> {
  const { accounts } = store
  const account = await accounts.findOne({ _id, orgId })
  if (account === null) throw new Refusal(401, 'not_logged_in')
  if (!(await passwordMatches(password, whole(Account, account).password))) throw new Refusal(403, 'wrong_password')
  await accounts.updateOne({ _id, orgId }, { $set: { deleting: true } })
  await finish(store, { _id, orgId })
}

/** Goes on with deletions that something has interrupted. Safe in several processes at once: each step can be repeated. */
export async function finishDeletions(store: Store): Promise<void> {
  for await (const account of store.accounts.find({ deleting: true }).project({ orgId: 1 })) await finish(store, account)
}

async function finish({ vault, accounts, sessions }: Store, { _id, orgId }: Pick<Member, '_id' | 'orgId'>): Promise<void> {
  await vault.tenant(orgId).subject(_id).shred({ reason: 'accountDeleted' })
  // The unique index counts her address until her document is gone: it is the last to go, since it says what is left to do.
  for (const collection of [sessions, accounts]) await collection.resource().erase({ tenant: orgId, subject: _id })
}
