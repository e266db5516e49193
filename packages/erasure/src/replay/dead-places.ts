/** Who is dead, as the key store and the open erasures of a vault say it: for resources that look through data that was put back. */

import { type DeadPlaces, type Item, type NamedPlace, openErasureKey, type PlaceFate, StrongroomError, type Vault } from '@strongroom/core'

/** The namespace of the state store that erasures are in. */
const ERASURES = 'strongroom/erasures'
// So many are looked up together.
const AT_ONCE = 100

export function deadPlaces(vault: Vault): DeadPlaces {
  return {
    async fates(places) {
      const fates: PlaceFate[] = []
      for (let i = 0; i < places.length; i += AT_ONCE)
        fates.push(...(await Promise.all(places.slice(i, i + AT_ONCE).map((place) => fateOf(vault, place)))))
      return fates
    },
  }
}

async function fateOf(vault: Vault, place: NamedPlace): Promise<PlaceFate> {
  try {
    switch (await stateOf(vault, place)) {
      case 'absent':
      case 'active':
        return 'alive'
      case 'gone':
      case 'shredded':
        return 'dead'
      case 'suspended':
        return (await isLeaving(vault, place)) ? 'leaving' : 'suspended'
      case 'unknown':
        return 'unknown'
    }
  } catch (error) {
    // No such tenant, or a name that no vault takes.
    if (error instanceof StrongroomError && ['not_found', 'invalid_argument'].includes(error.code)) return 'unknown'
    throw error
  }
}

async function stateOf(vault: Vault, place: NamedPlace): Promise<Awaited<ReturnType<Item['state']>> | 'unknown'> {
  if (!isOfTenant(place)) return handleOf(vault, place).state()
  return (await vault.tenants.get(place.tenant))?.state ?? 'unknown'
}

function isOfTenant({ subject, item, self }: NamedPlace): boolean {
  return subject === undefined && item === undefined && self === undefined
}

/** Whether an erasure of it is open, or of anything that it is in. */
async function isLeaving(vault: Vault, place: NamedPlace): Promise<boolean> {
  const references = await handleOf(vault, place).references()
  const own = isOfTenant(place) ? references.slice(0, 1) : references
  const open = await Promise.all(own.map((_, i) => vault.stateStore.get(ERASURES, openErasureKey(vault.id, own.slice(0, i + 1)))))
  return open.some((entry) => entry !== undefined)
}

/** Of a tenant, what is its own: the first of its references is the tenant's. */
function handleOf(vault: Vault, { tenant, subject, item }: NamedPlace): Item {
  const owner = subject === undefined ? vault.tenant(tenant).self() : vault.tenant(tenant).subject(subject)
  return item === undefined ? owner : owner.item(item)
}
