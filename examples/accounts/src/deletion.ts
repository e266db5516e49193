/** Deleting an account: her key first, so that nothing of it can be read whatever happens next; then her documents. */

import { StrongroomError } from '@strongroom/core'
import { z } from 'zod'

import { Account } from './documents.ts'
import { log, Refusal } from './errors.ts'
import { passwordMatches } from './passwords.ts'
import type { Member } from './profile.ts'
import type { Store } from './store.ts'
import { whole } from './whole.ts'

/** Asks for the password again: it is for good. @throws Refusal 401, 403; DocumentError */
export async function deleteAccount(store: Store, { _id, orgId }: Member, password: string): Promise<void> {
  const { accounts } = store
  const account = await accounts.findOne({ _id, orgId })
  if (account === null) throw new Refusal(401, 'not_logged_in')
  if (!(await passwordMatches(password, whole(Account, account).password))) throw new Refusal(403, 'wrong_password')
  await accounts.updateOne({ _id, orgId }, { $set: { deletionAsked: new Date(), deleting: true } })
  await shred(store, { _id, orgId })
  await erase(store, { _id, orgId })
}

/**
 * Goes on with deletions that something has interrupted. Safe in several processes at once: each step can be repeated. One that cannot be gone
 * on with is told to the log, and stays for the next time.
 */
export async function finishDeletions(store: Store): Promise<void> {
  for await (const found of store.marked.find({ deleting: true }, { projection: { orgId: 1 } }))
    await finish(store, found).catch((error: unknown) => log('deletion', error))
}

// Plain, so anybody's word: what it names is deleted only if the account itself, under its own key, says that it is asked for.
const Person = Account.pick({ _id: true, orgId: true })
type Person = z.output<typeof Person>

const Asked = z.object({ deletionAsked: z.date() })

async function finish(store: Store, found: unknown): Promise<void> {
  const person = whole(Person, found)
  const { _id, orgId } = person
  try {
    const account = await store.accounts.for({ tenant: orgId, subject: _id }).findOne({ _id }, { projection: { deletionAsked: 1 } })
    whole(Asked, account)
    await shred(store, person)
  } catch (error) {
    // Her key is gone already, or that of the whole organisation: only documents are left.
    if (!(error instanceof StrongroomError && error.code === 'shredded')) throw error
  }
  await erase(store, person)
}

async function shred({ vault }: Store, { _id, orgId }: Person): Promise<void> {
  await vault.tenant(orgId).subject(_id).shred({ reason: 'accountDeleted' })
}

// The unique index counts her address until her document is gone: it is the last to go, since it says what is left to do.
async function erase({ accounts, sessions }: Store, { _id, orgId }: Person): Promise<void> {
  for (const collection of [sessions, accounts]) await collection.resource().erase({ tenant: orgId, subject: _id })
}
