/** What the service keeps of its own about an organisation: which of its contacts are known by which id here, what was synced, and its access keys. */

import { type ErasedPlace, requireErasedPlace, type Resource } from '@strongroom/core'
import type { Collection } from 'mongodb'

/** Every row says whose it is. */
export interface Row {
  readonly orgId: string
}

/** A contact, by its number in the CRM and by its id here. */
export interface Mapping extends Row {
  readonly _id: string
  readonly ours: string
}

export interface SyncLog extends Row {
  readonly at: Date
  readonly connection: string
  readonly contacts: number
}

/** The rows of a collection as something that goes when their organisation does. */
export function resourceOf<T extends Row>(name: string, collection: Collection<T>): Resource {
  const rows = collection as unknown as Collection<Row>
  const count = async (place: ErasedPlace): Promise<number> => {
    const orgId = organisationOf(place)
    return orgId === undefined ? 0 : rows.countDocuments({ orgId })
  }
  return {
    name,
    count,
    async erase(place) {
      const orgId = organisationOf(place)
      return orgId === undefined ? 0 : (await rows.deleteMany({ orgId })).deletedCount
    },
    verify: count,
    async replay(dead, { signal } = {}) {
      const organisations = await rows.distinct('orgId')
      const fates = await dead.fates(organisations.map((tenant) => ({ tenant })))
      const found = { looked: 0, removed: 0, suspended: 0 }
      for (const [i, orgId] of organisations.entries()) {
        signal?.throwIfAborted()
        const its = await rows.countDocuments({ orgId })
        found.looked += its
        if (fates[i] === 'suspended') found.suspended += its
        if (fates[i] === 'dead') found.removed += (await rows.deleteMany({ orgId })).deletedCount
      }
      return found
    },
  }
}

// There is nothing here of one person, or of the organisation's own alone.
function organisationOf(place: ErasedPlace): string | undefined {
  const { tenant, subject, self } = requireErasedPlace(place)
  return subject === undefined && self === undefined ? tenant : undefined
}
