// The places of the model, by name, and their handles.
import { type Item, type Tenant, type Vault } from '@strongroom/core'

import { chainOf } from './model-facts.ts'

export const TENANTS: readonly string[] = ['acme', 'rival', 'late']

export const ALL_SUBJECTS: readonly string[] = ['acme/alice', 'acme/bob', 'rival/bob', 'late/alice']
export const ALL_ITEMS: readonly string[] = ALL_SUBJECTS.map((subject) => `${subject}/phone`)

/** The handle of a subject or an item. */
export function handleOf(vault: Vault, place: string): Item {
  const [tenant = '', subject = '', item] = place.split('/')
  const handle = vault.tenant(tenant).subject(subject)
  return item === undefined ? handle : handle.item(item)
}

/** The handle of anything that can be shredded and suspended. */
export function shreddable(vault: Vault, place: string): Pick<Tenant | Item, 'shred' | 'suspend' | 'resume'> {
  return chainOf(place).length === 1 ? vault.tenant(place) : handleOf(vault, place)
}
