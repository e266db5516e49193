/** What members of an organisation see of each other, and what each changes of their own. */

import { StrongroomError } from '@strongroom/core'
import { SHREDDED } from '@strongroom/mongo-adapter'
import type { z } from 'zod'

import { Account, Organisation } from './documents.ts'
import { isLeaving, nobodyIfLeaving, Refusal } from './errors.ts'
import type { ProfileChange } from './requests.ts'
import { addressesAreUnique } from './sign-up.ts'
import type { Store } from './store.ts'
import { whole } from './whole.ts'

/** An account without its password: whoever has logged in. */
export const Member = Account.pick({ _id: true, orgId: true, email: true, name: true, role: true })
export type Member = z.output<typeof Member>

export const PROFILE = { orgId: 1, email: 1, name: 1, role: 1 } as const

const shown = ({ _id, email, name, role }: Member) => ({ id: _id, email, name, role })

// Not one whose key is destroyed, such as a restore may bring back.
const isReadable = ({ name }: { readonly name: unknown }): boolean => name !== SHREDDED

export async function profileOf({ organisations }: Store, me: Member) {
  const organisation = await organisations.findOne({ _id: me.orgId })
  return { ...shown(me), organisation: whole(Organisation, organisation).name }
}

export async function changeProfile(
  { accounts }: Store,
  { _id, orgId }: Pick<Member, '_id' | 'orgId'>,
  change: ProfileChange,
): Promise<void> {
  await addressesAreUnique(() => accounts.updateOne({ _id, orgId }, { $set: change }))
}

/** For an owner, whose organisation answers for its members. @throws Refusal 404, also for who is in another organisation */
export async function correctMember(store: Store, me: Member, id: string, change: ProfileChange): Promise<void> {
  await colleague(store, me, id)
  await changeProfile(store, { _id: id, orgId: me.orgId }, change)
}

// Every search of the team is narrowed to the caller's own organisation, whose keys open no other's values.
const teamOf = ({ accounts }: Store, { orgId }: Member) => accounts.for({ tenant: orgId })

export async function team(store: Store, me: Member) {
  const all = await teamOf(store, me).find().project({ _id: 1 }).toArray()
  const ids = all.map(({ _id }) => _id)
  const _id = { $in: await notLeaving(store, me, ids) }
  const members = await teamOf(store, me).find({ _id }).project(PROFILE).toArray()
  return members.filter(isReadable).map((each) => shown(whole(Member, each)))
}

/** @throws Refusal 404, the same for an id of another organisation, for one that there is not, and for who is leaving or has left */
export async function colleague(store: Store, me: Member, id: string) {
  const found = await teamOf(store, me).findOne({ _id: id }, { projection: PROFILE }).catch(nobodyIfLeaving)
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
