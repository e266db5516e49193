/** What members of an organisation see of each other, and what each changes of their own. */

import { SHREDDED } from '@strongroom/mongo-adapter'
import type { z } from 'zod'

import { Account, Organisation } from './documents.ts'
import { Refusal } from './errors.ts'
import type { ProfileChange } from './requests.ts'
import { addressesAreUnique } from './sign-up.ts'
import type { Store } from './store.ts'
import { whole } from './whole.ts'

/** An account without its password: whoever has logged in. */
export const Member = Account.pick({ _id: true, orgId: true, email: true, name: true, role: true })
export type Member = z.output<typeof Member>

export const PROFILE = { orgId: 1, email: 1, name: 1, role: 1 } as const
/** Not one that is being deleted. */
export const LIVING = { deletionAsked: { $exists: false } } as const

const shown = ({ _id, email, name, role }: Member) => ({ id: _id, email, name, role })

// Not one whose key is destroyed, such as a restore may bring back.
const isReadable = ({ name }: { readonly name: unknown }): boolean => name !== SHREDDED

export async function profileOf({ organisations }: Store, me: Member) {
  const organisation = await organisations.findOne({ _id: me.orgId })
  return { ...shown(me), organisation: whole(Organisation, organisation).name }
}

export async function changeProfile({ accounts }: Store, { _id, orgId }: Member, change: ProfileChange): Promise<void> {
  await addressesAreUnique(() => accounts.updateOne({ _id, orgId, ...LIVING }, { $set: change }))
}

// Every search of the team is narrowed to the caller's own organisation, whose keys open no other's values.
const teamOf = ({ accounts }: Store, { orgId }: Member) => accounts.for({ tenant: orgId })

export async function team(store: Store, me: Member) {
  const members = await teamOf(store, me).find(LIVING).project(PROFILE).toArray()
  return members.filter(isReadable).map((each) => shown(whole(Member, each)))
}

/** @throws Refusal 404, the same for an id of another organisation and for one that there is not */
export async function colleague(store: Store, me: Member, id: string) {
  const found = await teamOf(store, me).findOne({ _id: id, ...LIVING }, { projection: PROFILE })
  if (found === null) throw new Refusal(404, 'not_found')
  return shown(whole(Member, found))
}
