/** Which documents are whose, by the names that the vault has. */

import type { ErasedPlace } from '@strongroom/core'
import type { CollationOptions, Document, FindOptions } from 'mongodb'

import { type OwnerPath, ownerValue } from '../../schema/owner-path.ts'
import type { Layout } from '../layout.ts'

// A name is one person's, whatever a collection takes for equal.
export const EXACT: CollationOptions = { locale: 'simple' }
/** What a majority has, on the primary. */
export const READING: FindOptions = { readPreference: 'primary', readConcern: 'majority', promoteBuffers: false, collation: EXACT }
export const WRITING = { writeConcern: { w: 'majority', journal: true } } as const

/** Names of whoever's documents are meant. */
export type Names = Pick<ErasedPlace, 'tenant' | 'subject' | 'item' | 'self'>

/**
 * @returns `undefined` where there can be none: what belongs to items or to the tenant itself is not in a collection, and no document has a
 *   name of another type
 */
export function documentsOf({ tenant, subject }: Layout, names: Names): Document | undefined {
  if (names.item !== undefined || names.self === true) return undefined
  const ofTenant = isNamed(tenant, names.tenant)
  if (ofTenant === undefined || names.subject === undefined) return ofTenant
  const ofSubject = isNamed(subject, names.subject)
  return ofSubject && { $and: [ofTenant, ofSubject] }
}

function isNamed({ path, type }: OwnerPath, name: string): Document | undefined {
  const value = ownerValue(type, name)
  return value === undefined ? undefined : { [path]: value }
}
