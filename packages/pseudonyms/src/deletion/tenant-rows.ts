/** Rows with pseudonyms that go when the whole tenant does whose they are: equal addresses of one period stay equal in them without any key. */

import { invalidArgument, readOptions, type ErasedPlace, requireErasedPlace, type Resource } from '@strongroom/core'

/** What is used of a collection of the driver `mongodb`. */
export interface TenantRowsCollection {
  countDocuments(filter: object): Promise<number>
  deleteMany(filter: object): Promise<{ readonly deletedCount: number }>
  updateMany(filter: object, update: object): Promise<{ readonly modifiedCount: number }>
  distinct(field: string): Promise<readonly unknown[]>
}

/** Options of {@link mongoTenantRows}. */
export interface TenantRowsOptions {
  /** As certificates call the rows. */
  readonly name: string
  /** The field that has the tenant's name, a string. */
  readonly tenant: string
  /** The fields that have pseudonyms, where the rows are to stay without them; the rows go unless given. */
  readonly fields?: readonly string[]
}

const FIELD = /^[^$.\0][^$\0]*$/u

/**
 * What an erasure asks of rows with pseudonyms: of a tenant all of them, of one person none, since an address is nobody's by itself. What
 * stands for identifiers of a person is unlinked with her key.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { mongoTenantRows, type TenantRowsCollection } from '@strongroom/pseudonyms'
 *
 * const resourceOf = (requests: TenantRowsCollection) => mongoTenantRows(requests, { name: 'requests', tenant: 'site' })
 * ```
 */
export function mongoTenantRows(collection: TenantRowsCollection, options: TenantRowsOptions): Resource {
  const { name, tenant, fields } = readOptions(options, ['name', 'tenant', 'fields'])
  if (typeof collection !== 'object' || collection === null || typeof collection.deleteMany !== 'function')
    throw invalidArgument('collection', 'must be a collection of the MongoDB driver')
  if (typeof name !== 'string' || name === '') throw invalidArgument('name', 'must be a name')
  if (!isField(tenant)) throw invalidArgument('tenant', 'must be the name of a field')
  if (fields !== undefined && !(Array.isArray(fields) && fields.length > 0 && fields.every(isField) && !fields.includes(tenant)))
    throw invalidArgument('fields', 'must be names of other fields')
  const unset = fields && Object.fromEntries(fields.map((field: string) => [field, '']))
  const holding = fields === undefined ? {} : { $or: fields.map((field: string) => ({ [field]: { $exists: true } })) }
  const rowsOf = (of: string): object => ({ [tenant]: of, ...holding })

  const count = async (place: ErasedPlace): Promise<number> => {
    const of = tenantOf(place)
    return of === undefined ? 0 : collection.countDocuments(rowsOf(of))
  }
  const erase = async (of: string): Promise<number> => {
    if (unset === undefined) return (await collection.deleteMany(rowsOf(of))).deletedCount
    return (await collection.updateMany(rowsOf(of), { $unset: unset })).modifiedCount
  }
  return {
    name,
    count,
    async erase(place) {
      const of = tenantOf(place)
      return of === undefined ? 0 : erase(of)
    },
    verify: count,
    async replay(dead, how) {
      const { signal } = readOptions(how, ['signal'])
      const names = (await collection.distinct(tenant)).filter((each) => typeof each === 'string' && each !== '') as string[]
      const fates = await dead.fates(names.map((each) => ({ tenant: each })))
      const found = { looked: 0, removed: 0, suspended: 0 }
      for (const [i, each] of names.entries()) {
        signal?.throwIfAborted()
        const rows = await collection.countDocuments(rowsOf(each))
        found.looked += rows
        if (fates[i] === 'suspended') found.suspended += rows
        if (fates[i] === 'dead') found.removed += await erase(each)
      }
      return found
    },
  }
}

/** `undefined` for somebody in it, and for what is its own. */
function tenantOf(place: ErasedPlace): string | undefined {
  const { tenant, subject, self } = requireErasedPlace(place)
  return subject === undefined && self === undefined ? tenant : undefined
}

function isField(name: unknown): name is string {
  return typeof name === 'string' && FIELD.test(name)
}
