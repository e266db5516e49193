/** A collection as something that holds values of people: what rotation and erasure ask of it. */

import { invalidArgument } from '@strongroom/core'

import { ownerName } from '../schema/owner-path.ts'
import type { Source } from './source.ts'

/** What a collection tells of one person. */
export interface CollectionResource {
  /** The logical name. */
  readonly name: string
  /** How many documents of a person there are, whatever state their keys are in. */
  countDocuments(owner: { readonly tenant: unknown; readonly subject: unknown }): Promise<number>
  /** Removes the documents of a person; the keys are the vault's. @returns how many */
  deleteDocuments(owner: { readonly tenant: unknown; readonly subject: unknown }): Promise<number>
}

export function resourceOf({ collection, layout }: Source): CollectionResource {
  const filterOf = ({ tenant, subject }: { readonly tenant: unknown; readonly subject: unknown }): Record<string, unknown> => {
    if (ownerName(layout.tenant.type, tenant) === undefined) throw invalidArgument('tenant', `must be of type ${layout.tenant.type}`)
    if (ownerName(layout.subject.type, subject) === undefined) throw invalidArgument('subject', `must be of type ${layout.subject.type}`)
    return {
      $and: [{ [layout.tenant.path]: tenant }, { [layout.subject.path]: subject }],
    }
  }
  return {
    name: collection.collectionName,
    countDocuments: async (owner) => collection.countDocuments(filterOf(owner)),
    async deleteDocuments(owner) {
      return (await collection.deleteMany(filterOf(owner))).deletedCount
    },
  }
}
