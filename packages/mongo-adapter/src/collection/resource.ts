/** A collection as something that holds values of people: what rotation and erasure ask of it. */

import { invalidArgument, readOptions, type RetiringVersion, StrongroomError, type ValueHolder } from '@strongroom/core'
import type { CollationOptions, Document, FindOptions } from 'mongodb'

import { ownerValue } from '../schema/owner-path.ts'
import type { Tree } from '../values/resolve.ts'
import { fetching } from './layout.ts'
import { countReadable } from './open.ts'
import type { Source } from './source.ts'
import { candidates, countStored } from './stored-values.ts'

/** A person, by the names that the vault knows: those of `vault.tenant(…).subject(…)`. */
export interface PersonName {
  readonly tenant: string
  readonly subject: string
}

/** What is left of a person in a collection. */
export interface Remains {
  readonly documents: number
  /** Encrypted values in them. */
  readonly values: number
  /** Those of them that still open: none once the person is shredded, or the tenant. */
  readonly readable: number
}

/** What a collection tells of people, and of key versions. Reads the primary, and only what a majority has. */
export interface CollectionResource extends ValueHolder {
  /** The logical name. */
  readonly name: string
  /** How many documents of a person there are, whatever state their keys are in. */
  count(person: PersonName): Promise<number>
  /** Removes the documents of a person; the keys are the vault's. May be repeated. @returns how many */
  erase(person: PersonName): Promise<number>
  /** What is left of a person, tried with the keys that there are: no proof for other processes, nor for backups. */
  verify(person: PersonName): Promise<Remains>
}

// A name is one person's, whatever a collection takes for equal.
const EXACT: CollationOptions = { locale: 'simple' }
const READING: FindOptions = { readPreference: 'primary', readConcern: 'majority', promoteBuffers: false, collation: EXACT }

export function resourceOf(source: Source): CollectionResource {
  const { collection, layout } = source
  return {
    name: layout.context,
    async count(person) {
      return collection.countDocuments(filterOf(source, person), READING)
    },
    async erase(person) {
      const { deletedCount } = await collection.deleteMany(filterOf(source, person), {
        collation: EXACT,
        writeConcern: { w: 'majority', journal: true },
      })
      return deletedCount
    },
    async verify(person) {
      return remainsOf(source, filterOf(source, person))
    },
    async countValues(retiring) {
      const tags = { value: retiring.valueTag(layout.context), index: retiring.indexTag }
      const owner = whose(source, retiring)
      if (owner === undefined) return 0
      const cursor = collection.find(
        { $and: [owner, candidates(layout, tags)] },
        { ...READING, projection: fetching(layout, [...layout.sealed.values()]) },
      )
      let count = 0
      for await (const document of cursor) count += countStored(layout, document, tags)
      return count
    },
  }
}

function filterOf({ layout }: Source, person: PersonName): Document {
  const { tenant, subject } = readOptions(person, ['tenant', 'subject'])
  const [ofTenant, ofSubject] = [ownerValue(layout.tenant.type, tenant), ownerValue(layout.subject.type, subject)]
  if (ofTenant === undefined) throw invalidArgument('tenant', `must be a name of type ${layout.tenant.type}`)
  if (ofSubject === undefined) throw invalidArgument('subject', `must be a name of type ${layout.subject.type}`)
  return { $and: [{ [layout.tenant.path]: ofTenant }, { [layout.subject.path]: ofSubject }] }
}

/**
 * The documents in which a version's values can be. Where its names are not known, as for `verifyKeys`, that is all of them.
 *
 * @returns `undefined` where it has none: those of items are not here, and no document has a name of another type
 */
function whose({ layout }: Source, retiring: RetiringVersion): Document | undefined {
  const names = namesOf(retiring)
  if (names === undefined) return {}
  if (names.item !== undefined) return undefined
  const tenant = ownerValue(layout.tenant.type, names.tenant)
  if (tenant === undefined) return undefined
  if (names.subject === undefined) return { [layout.tenant.path]: tenant }
  const subject = ownerValue(layout.subject.type, names.subject)
  return subject === undefined ? undefined : { $and: [{ [layout.tenant.path]: tenant }, { [layout.subject.path]: subject }] }
}

function namesOf(retiring: RetiringVersion): Pick<RetiringVersion, 'tenant' | 'subject' | 'item'> | undefined {
  try {
    const { tenant, subject, item } = retiring
    return { tenant, subject, item }
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'unsupported_operation') return undefined
    throw error
  }
}

async function remainsOf({ vault, layout, collection }: Source, filter: Document): Promise<Remains> {
  const remains = { documents: 0, values: 0, readable: 0 }
  const cursor = collection.find(filter, { ...READING, projection: fetching(layout, [...layout.sealed.values()]) })
  try {
    while (await cursor.hasNext()) {
      const batch = cursor.readBufferedDocuments() as Tree[]
      const { values, readable } = await countReadable(vault, layout, batch)
      remains.documents += batch.length
      remains.values += values
      remains.readable += readable
    }
  } finally {
    await cursor.close()
  }
  return remains
}
