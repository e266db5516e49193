/** A tenant, a subject or an item, by the names of a command line. */

import type { Item, PlaceState, Subject, Tenant, Vault } from '@strongroom/core'

import { tenantInfo } from './tenant-info.ts'

export interface NamedPlace {
  readonly tenant: string
  readonly subject?: string
  readonly item?: string
}

export const NO_KEY = 'there is no key at that place, and never was: check the spelling of the name'

/** @throws StrongroomError `not_found` */
export async function stateOf(vault: Vault, place: NamedPlace): Promise<PlaceState> {
  if (place.subject === undefined) return (await tenantInfo(vault, place.tenant)).state
  return (handleOf(vault, place) as Item).state()
}

export function handleOf(vault: Vault, { tenant, subject, item }: NamedPlace): Tenant | Subject | Item {
  if (subject === undefined) return vault.tenant(tenant)
  const whose = vault.tenant(tenant).subject(subject)
  return item === undefined ? whose : whose.item(item)
}

/** As people read it, with what is beneath it. */
export function whole({ tenant, subject, item }: NamedPlace): string {
  if (subject === undefined) return `tenant ${tenant}, every subject and item of it`
  return item === undefined
    ? `subject ${subject} of tenant ${tenant}, every item of it`
    : `item ${item} of subject ${subject} of tenant ${tenant}`
}
