/** Which documents are whose, by the names that the vault has. */

import { type ErasedPlace, invalidArgument } from '@strongroom/core'
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

/** @throws StrongroomError `invalid_argument` for what is no name: a person that was left out by mistake would be her whole tenant */
export function requirePlace(place: ErasedPlace): ErasedPlace {
  if (typeof place !== 'object' || place === null || !isName(place.tenant)) throw invalidArgument('place', 'must say the name of a tenant')
  for (const member of ['subject', 'item'] as const)
    if (member in place && place[member] !== undefined && !isName(place[member]))
      throw invalidArgument('place', `must have as ${member} a name, or nothing`)
  if (place.self !== undefined && place.self !== true) throw invalidArgument('place', 'must have as self true, or nothing')
  // What is about a tenant has its reference alone; a subject's has two.
  if (!Array.isArray(place.references)) throw invalidArgument('place', 'must have references')
  const depth = 1 + (place.subject === undefined && place.self === undefined ? 0 : 1) + (place.item === undefined ? 0 : 1)
  if (place.references.length !== depth) throw invalidArgument('place', 'must have a reference for each name, from the tenant down')
  return place
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== ''
}
