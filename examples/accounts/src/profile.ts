/** What members of an organisation see of each other, and what each changes of their own. */

import { StrongroomError } from '@strongroom/core'

import type { Key } from './data.ts'
import { Member, Organisation } from './documents.ts'
import { isLeaving, nobodyIfLeaving, Refusal } from './errors.ts'
import type { ProfileChange } from './requests.ts'
import { addressesAreUnique } from './sign-up.ts'
import type { Store } from './store.ts'
import { whole } from './whole.ts'

const shown = ({ _id, email, name, role }: Member) => ({ id: _id, email, name, role })

export async function profileOf({ organisations }: Store, me: Member) {
  const organisation = await organisations.find(me.orgId)
  return { ...shown(me), organisation: whole(Organisation, organisation).name }
}

export async function changeProfile({ accounts }: Store, { _id, orgId }: Key, change: ProfileChange): Promise<void> {
  await addressesAreUnique(() => accounts.change({ _id, orgId }, change))
}

/** For an owner, whose organisation answers for its members. @throws Refusal 404, also for who is in another organisation */
export async function correctMember(store: Store, me: Member, id: string, change: ProfileChange): Promise<void> {
  await colleague(store, me, id)
  await changeProfile(store, { _id: id, orgId: me.orgId }, change)
}

export async function team(store: Store, me: Member) {
  const ids = await notLeaving(store, me, await store.accounts.ids(me.orgId))
  const members = await store.accounts.findMembers(me.orgId, ids)
  return members.map((each) => shown(whole(Member, each)))
}

/** @throws Refusal 404, the same for an id of another organisation, for one that there is not, and for who is leaving or has left */
export async function colleague(store: Store, me: Member, id: string) {
  const found = await store.accounts.findMember({ _id: id, orgId: me.orgId }).catch(nobodyIfLeaving)
  if (found === null) throw new Refusal(404, 'not_found')
  return shown(whole(Member, found))
}

/** A list would be refused as a whole for one who is leaving: her values are not readable, and not destroyed either. */
async function notLeaving({ vault }: Store, { orgId }: Member, ids: readonly string[]): Promise<string[]> {
  const keys = await vault.tenant(orgId).unlockMany(ids, { readOnly: true })
  return ids.filter((_, i) => {
    const opened = keys[i]
    if (opened instanceof StrongroomError && !isLeaving(opened)) throw opened
    if (opened instanceof StrongroomError) return false
    opened?.dispose()
    return true
  })
}
