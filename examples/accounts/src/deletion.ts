/** Leaving: an account can be had back for a while, a whole organisation cannot. What is left to do then, sweeping does. */

import { StrongroomError } from '@strongroom/core'
import type { ErasureRequest } from '@strongroom/erasure'

import { Account, type Member, Recovery } from './documents.ts'
import { Refusal } from './errors.ts'
import { passwordMatches } from './passwords.ts'
import { colleague } from './profile.ts'
import { POLICY } from './erasure.ts'
import type { Store } from './store.ts'
import { hashOf, newToken } from './tokens.ts'
import { whole } from './whole.ts'

/** What whoever leaves is told: `erasure` is the number of the certificate that there will be. */
export interface Leaving {
  readonly erasure: string
  readonly until: Date
}

/** Asks for the password again. @returns the code that brings the account back. @throws Refusal 401, 403; DocumentError */
export async function deleteAccount(store: Store, me: Member, password: string): Promise<Leaving & { readonly recovery: string }> {
  await requirePassword(store, me, password)
  // Before it is suspended: from then on nothing says of a code that it is hers.
  const recovery = newToken()
  const until = new Date(Date.now() + POLICY.grace)
  await store.recoveries.add({ _id: hashOf(recovery), orgId: me.orgId, account: me._id, removeAt: until })
  const request = await store.erasure.request(store.vault.tenant(me.orgId).subject(me._id), { reason: 'accountDeleted' })
  return { recovery, ...leaving(request) }
}

/** Brings an account back, with all that it had. @throws Refusal 403, the same for a code that nobody has and for one that is too late */
export async function recover(store: Store, code: string): Promise<void> {
  const { recoveries, erasure, vault } = store
  const found = await recoveries.find(hashOf(code))
  if (found === null) throw new Refusal(403, 'recovery_invalid')
  const { _id, orgId, account } = whole(Recovery, found)
  const request = await erasure.find(vault.tenant(orgId).subject(account))
  await request?.cancel().catch((error: unknown) => {
    if (error instanceof StrongroomError && ['grace_over', 'shredded', 'not_found'].includes(error.code))
      throw new Refusal(403, 'recovery_invalid')
    throw error
  })
  await recoveries.remove(_id)
  if (request === undefined) throw new Refusal(403, 'recovery_invalid')
}

/** For an owner, whose organisation answers for its members: at once. @throws Refusal 404, also for who is in another organisation */
export async function deleteMember(store: Store, me: Member, id: string): Promise<Leaving> {
  await colleague(store, me, id)
  return leaving(await store.erasure.request(store.vault.tenant(me.orgId).subject(id), { reason: 'subjectRequest', grace: 0 }))
}

/** The whole organisation, at once: with its own key everything of everybody in it. @throws Refusal 401, 403; DocumentError */
export async function cancelOrganisation(store: Store, me: Member, password: string): Promise<Leaving> {
  await requirePassword(store, me, password)
  return leaving(await store.erasure.request(store.vault.tenant(me.orgId), { reason: 'contractEnded', grace: 0 }))
}

/** @returns the certificate, or nothing before there is one. @throws Refusal 404 */
export async function certificateOf({ erasure }: Store, id: string): Promise<string | undefined> {
  const known = await erasure.get(id)
  if (known === undefined) throw new Refusal(404, 'not_found')
  return erasure.certificate(id)
}

function leaving({ id, due }: ErasureRequest): Leaving {
  return { erasure: id, until: new Date(due ?? Date.now()) }
}

async function requirePassword({ accounts }: Store, { _id, orgId }: Member, password: string): Promise<void> {
  const account = await accounts.find({ _id, orgId })
  if (account === null) throw new Refusal(401, 'not_logged_in')
  if (!(await passwordMatches(password, whole(Account, account).password))) throw new Refusal(403, 'wrong_password')
}
