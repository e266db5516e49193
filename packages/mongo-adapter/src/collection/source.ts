/** What all calls on one collection share, and how a filter of theirs becomes one that can be sent. */

import { invalidArgument, StrongroomError, type Vault } from '@strongroom/core'
import { Binary, type BSONSerializeOptions, type Collection, type CollationOptions } from 'mongodb'

import { ownerName, type OwnerPath } from '../schema/owner-path.ts'
import type { Validation } from '../schema/validation.ts'
import { bsonScalar } from '../values/bson-scalar.ts'
import { isTree, resolveDocument, type Tree } from '../values/resolve.ts'
import { valueAt } from './documents.ts'
import { type Sought, translateFilter } from './filters/filter.ts'
import { type Pins, pinsOf } from './filters/pins.ts'
import { withKeys, type NeededIndex, type Owner } from './keys.ts'
import type { Layout, SealedPath } from './layout.ts'
import type { OnShredded } from './open.ts'
import { refusedOperation } from './operations.ts'
import { indexValueOf, neededIndex } from './seal.ts'
import { SUBTYPE } from './stored-form.ts'

/** The values that a scope fixes. */
export interface Scope {
  readonly tenant: unknown
  readonly subject?: unknown
}

export interface Source {
  readonly vault: Vault
  readonly collection: Collection
  readonly layout: Layout
  /** `undefined`: single documents throw, lists mark. */
  readonly shredded: OnShredded | undefined
  /** `undefined`: what is written is not compared with the schema. */
  readonly validation: Validation | undefined
  readonly scope: Scope | undefined
  /** Collections of the same database that pipelines may read, by their names; `undefined` where nothing in one is encrypted. */
  readonly others?: ReadonlyMap<string, Source | undefined>
}

/** A filter that was checked, and what it takes to send it. */
export interface FilterPlan {
  /** As it was given, with what a scope adds, in declared paths. */
  readonly filter: Tree
  readonly pins: Pins
  readonly searched: readonly SealedPath[]
  /** Lists of values, of each of which every hit holds at least one. */
  readonly required: readonly (readonly Sought[])[]
  readonly touches: boolean
  /** As it is sent; asks the key store for index keys, and makes none. */
  readonly physical: () => Promise<Tree>
}

/** A comparison that takes nothing for equal but the very same. */
const EXACT: CollationOptions = { locale: 'simple' }

/** @throws StrongroomError `unsupported_operation`, `tenant_required`, `invalid_argument` */
export function planFilter(source: Source, given: unknown, options: BSONSerializeOptions = {}): FilterPlan {
  const { layout, vault } = source
  const resolved = resolveDocument(given, { argument: 'filter', operators: true, ignoreUndefined: ignoresUndefined(source, options) })
  const filter = scoped(source, resolved)
  const pins = pinsOf(layout, filter)
  const needs: NeededIndex[] = []
  const { searched, required, touches } = translateFilter(layout, filter, (sealed) => {
    for (const tenant of tenantsOf(sealed, pins)) if (sealed.index !== undefined) needs.push(neededIndex(sealed.index, tenant))
    return []
  })
  return {
    filter,
    pins,
    searched,
    required,
    touches,
    async physical() {
      return withKeys(
        vault,
        { owners: [], indexes: needs, mint: false },
        (keys) =>
          translateFilter(layout, filter, (sealed, value) =>
            tenantsOf(sealed, pins).flatMap((tenant) => {
              const bytes = indexValueOf(sealed, bsonScalar(value, sealed.path), tenant, keys)
              return bytes === undefined ? [] : [new Binary(bytes, SUBTYPE)]
            }),
          ).filter,
      )
    },
  }
}

/** The tenants whose index values a search needs. @throws StrongroomError `tenant_required` */
export function tenantsOf({ index, path }: SealedPath, pins: Pins): readonly string[] {
  // For an index of the application the tenant does not count.
  if (index?.scope === 'application') return ['']
  if (pins.tenants !== undefined) return pins.tenants
  throw new StrongroomError(
    'tenant_required',
    `${path} has an index for each tenant: the filter must say which, by equality or by $in of at most 32, or the collection by for(); nothing was sent`,
  )
}

function scoped({ layout, scope }: Source, filter: Tree): Tree {
  if (scope === undefined) return filter
  const pins: Tree[] = []
  for (const [{ path, type }, value] of [
    [layout.tenant, scope.tenant],
    [layout.subject, scope.subject],
  ] as const) {
    const said = Object.hasOwn(filter, path) && !isTree(filter[path]) ? ownerName(type, filter[path]) : undefined
    // An upsert must not say it twice.
    if (value !== undefined && said !== ownerName(type, value)) pins.push({ [path]: value })
  }
  if (pins.length === 0) return filter
  // Conditions stay at the top, where `$` in an update looks for the element that they found.
  const { $and: joined = [], ...rest } = filter
  return Array.isArray(joined) ? { ...rest, $and: [...(joined as readonly unknown[]), ...pins] } : { $and: [filter, ...pins] }
}

/**
 * The collation to send. A collection may have one by which `ADA` is `ada`: where a filter says whose documents it means, it means no others.
 * A search by an index of a tenant has his key: of documents of another it would find none, and exclude none.
 *
 * @param pinned - whether values are encrypted for whom the filter names
 * @throws StrongroomError `unsupported_operation`
 */
export function collationOf(
  { scope }: Source,
  { touches, searched }: Pick<FilterPlan, 'touches' | 'searched'>,
  given: CollationOptions | undefined,
  pinned = false,
): { readonly collation?: CollationOptions } {
  if (given !== undefined && (touches || pinned || scope !== undefined))
    throw new StrongroomError(
      'unsupported_operation',
      'the option collation works only for filters on plain paths, outside of for(), and where nothing is encrypted: leave it out; nothing was sent',
    )
  if (pinned || scope !== undefined || searched.some(({ index }) => index?.scope === 'tenant')) return { collation: EXACT }
  return given === undefined ? {} : { collation: given }
}

/** A document of a scope says the scope's tenant and subject: filled in where they are missing, refused where they are others. */
export function fillScope({ layout, scope }: Source, document: Tree): void {
  if (scope === undefined) return
  for (const [owner, value] of [
    [layout.tenant, scope.tenant],
    [layout.subject, scope.subject],
  ] as const) {
    if (value === undefined) continue
    const there = valueAt(document, owner.steps)
    if (there === undefined) putAt(document, owner, value)
    else if (ownerName(owner.type, there) !== ownerName(owner.type, value)) throw invalidArgument(owner.path, "must be the scope's own")
  }
}

/** Indexes and drops are of the whole collection, and so is what the server estimates. @throws StrongroomError `unsupported_operation` */
export function requireUnscoped({ scope }: Source, name: string): void {
  if (scope !== undefined) throw refusedOperation(`${name} of a scope`, 'the collection that for() was called on')
}

function putAt(document: Tree, { path, steps }: OwnerPath, value: unknown): void {
  let at = document
  for (const step of steps.slice(0, -1)) {
    if (!Object.hasOwn(at, step)) at[step] = {}
    const inner = at[step]
    if (!isTree(inner)) throw invalidArgument(path, "must be the scope's own")
    at = inner
  }
  at[steps.at(-1) as string] = value
}

/** Whose the one document is that a filter lets through; `undefined` where it does not say. */
export function pinnedOwner({ layout }: Source, { tenants, subject, id }: Pins): Owner | undefined {
  const [tenant] = tenants ?? []
  if (tenants?.length !== 1 || tenant === undefined || subject === undefined || (layout.boundToRecord && id === undefined)) return undefined
  return { tenant, subject }
}

export function ignoresUndefined({ collection }: Source, options: BSONSerializeOptions): boolean {
  return options.ignoreUndefined ?? collection.bsonOptions.ignoreUndefined ?? false
}
