/** Logging in and out, and who it is that calls. */

import { Account, Member, Session } from './documents.ts'
import { nobodyIfLeaving, Refusal } from './errors.ts'
import { passwordMatches } from './passwords.ts'
import type { LogIn } from './requests.ts'
import type { Store } from './store.ts'
import { hashOf, inDays, newToken } from './tokens.ts'
import { whole } from './whole.ts'

/** The same answer, after the same hashing, for a wrong password and for an address that nobody has. @returns the session's token */
export async function logIn({ accounts, sessions }: Store, { email, password }: LogIn): Promise<string> {
  const found = await accounts.findByAddress(email).catch(nobodyIfLeaving)
  const account = found === null ? null : whole(Account, found)
  const matches = await passwordMatches(password, account?.password)
  if (account === null || !matches) throw new Refusal(401, 'wrong_email_or_password')
  const token = newToken()
  const expires = inDays(1)
  await sessions.add({ _id: hashOf(token), orgId: account.orgId, accountId: account._id, expires, removeAt: expires })
  return token
}

export async function logOut({ sessions }: Store, token: string): Promise<void> {
  await sessions.remove(hashOf(token))
}

/** @throws Refusal 401; StrongroomError `suspended`, `shredded`; DocumentError */
export async function whoCalls({ accounts, sessions }: Store, token: string): Promise<Member> {
  const session = await sessions.find(hashOf(token))
  if (session === null) throw new Refusal(401, 'not_logged_in')
  const { orgId, accountId, expires } = whole(Session, session)
  if (expires < new Date()) throw new Refusal(401, 'not_logged_in')
  const account = await accounts.findMember({ _id: accountId, orgId })
  if (account === null) throw new Refusal(401, 'not_logged_in')
  return whole(Member, account)
}
