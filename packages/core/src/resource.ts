/** Something that holds data of people outside of the key store: what has to go as well when they do. */

import { invalidArgument } from './errors.ts'

/** Whose data is to go: by the names that the vault knows, and by its own references. */
export interface ErasedPlace {
  readonly tenant: string
  /** `undefined`: the whole tenant, or with `self` what is the tenant's own and nobody's in it. */
  readonly subject?: string | undefined
  /** A part of a subject, or of the tenant's own. */
  readonly item?: string | undefined
  readonly self?: true | undefined
  /** From the tenant's down to its own, each of 32 hexadecimal digits. */
  readonly references: readonly string[]
}

const REFERENCE = /^[0-9a-f]{32}$/u

/**
 * For resources: refuses what is no place. Somebody whose name was left out by mistake would otherwise be a whole tenant.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { type ErasedPlace, requireErasedPlace } from '@strongroom/core'
 *
 * function filterOf(place: ErasedPlace) {
 *   const { tenant, subject } = requireErasedPlace(place)
 *   return subject === undefined ? { tenant } : { tenant, subject }
 * }
 * ```
 */
export function requireErasedPlace(place: ErasedPlace): ErasedPlace {
  if (typeof place !== 'object' || place === null) throw invalidArgument('place', 'must be whose data is to go')
  const { tenant, subject, item, self, references } = place
  if (!isName(tenant)) throw invalidArgument('place', 'must say the name of a tenant')
  if (![subject, item].every((name) => name === undefined || isName(name)))
    throw invalidArgument('place', 'must have as subject and item names, or nothing')
  if (![undefined, true].includes(self) || (self === true && subject !== undefined))
    throw invalidArgument('place', 'must have as self true, and no subject then, or nothing')
  if (!areReferences(references)) throw invalidArgument('place', 'must have references, each of 32 hexadecimal digits')
  const isOfTenant = subject === undefined && self === undefined
  if (references.length !== (isOfTenant ? 1 : 2) + (item === undefined ? 0 : 1) || (isOfTenant && item !== undefined))
    throw invalidArgument('place', 'must have a reference for each name, from the tenant down')
  return place
}

/** What was erased, once its names are forgotten: by the vault's own references alone. */
export interface NamelessPlace {
  /** `self`: what was the tenant's own; an item is one of that too. */
  readonly kind: 'tenant' | 'subject' | 'self' | 'item'
  /** From the tenant's down to its own, each of 32 hexadecimal digits. */
  readonly references: readonly string[]
}

const DEPTHS: Readonly<Record<NamelessPlace['kind'], number>> = { tenant: 1, subject: 2, self: 2, item: 3 }

/**
 * For resources: refuses what is no place.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { type NamelessPlace, requireNamelessPlace } from '@strongroom/core'
 *
 * function prefixOf(place: NamelessPlace): string {
 *   return requireNamelessPlace(place).references.join('/')
 * }
 * ```
 */
export function requireNamelessPlace(place: NamelessPlace): NamelessPlace {
  if (typeof place !== 'object' || place === null || !Object.hasOwn(DEPTHS, place.kind))
    throw invalidArgument('place', 'must say what was erased: a tenant, a subject, an item, or what is the tenant itself')
  const { kind, references } = place
  if (!areReferences(references) || references.length !== DEPTHS[kind])
    throw invalidArgument('place', 'must have its references from the tenant down, each of 32 hexadecimal digits')
  return place
}

function areReferences(references: readonly string[]): boolean {
  return Array.isArray(references) && references.every((one) => typeof one === 'string' && REFERENCE.test(one))
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== ''
}

/** Options of what a resource does. */
export interface ResourceOptions {
  /** Ends it between two things, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Something that holds data of people outside of the key store: an encrypted collection, connections, a search index, files. All calls may be
 * repeated, and made in several processes at once. One of a tenant is about all that is its people's too; where it holds nothing of
 * such a place it answers 0.
 *
 * @example
 * ```ts
 * import { type Resource } from '@strongroom/core'
 *
 * const logs = new Map<string, string[]>()
 * const syncLogs: Resource = {
 *   name: 'sync-logs',
 *   count: async ({ subject = '' }) => logs.get(subject)?.length ?? 0,
 *   async erase({ subject = '' }) {
 *     const { length } = logs.get(subject) ?? []
 *     logs.delete(subject)
 *     return length
 *   },
 *   verify: async ({ subject = '' }) => logs.get(subject)?.length ?? 0,
 * }
 * ```
 */
export interface Resource {
  /** Logical and stable, 1 to 256 characters that print. It stands in certificates: no personal data. */
  readonly name: string
  /** How many records there are now. */
  count(place: ErasedPlace): Promise<number>
  /**
   * Removes them all. Behind its signal it removes nothing more: others end the erasure then, and what comes behind it may be of a new life.
   *
   * @returns how many
   * @throws where it could not; it is called again then
   */
  erase(place: ErasedPlace, options?: ResourceOptions): Promise<number>
  /** How many records are left, looked for anew: an erasure ends only at 0. */
  verify(place: ErasedPlace): Promise<number>
  /** What outlives the erasure elsewhere, and until when. Asked once nothing is left here, and again when the certificate is signed. */
  survivors?(place: NamelessPlace): Promise<readonly Survivor[]>
  /** After a restore: removes what is of the dead. */
  replay?(dead: DeadPlaces, options?: ResourceOptions): Promise<Replayed>
}

/** What outlives an erasure: tokens whose revocation nobody has confirmed, or values in an index whose key is not the erased one's. */
export interface Survivor {
  readonly what: 'revocation' | 'index'
  /** The provider's name, or the index's domain: 1 to 256 characters that print. */
  readonly name: string
  readonly count?: number | undefined
  /** Whose the index's key is. */
  readonly scope?: 'tenant' | 'application' | undefined
  /** Of the index's key. */
  readonly generation?: number | undefined
  /** UTC milliseconds; `undefined`: nothing ends it by itself. */
  readonly until?: number | undefined
}

/** Of whom data is found, by name. An item without a subject is the tenant's own. */
export type NamedPlace = Pick<ErasedPlace, 'tenant' | 'subject' | 'item' | 'self'>

/**
 * What has become of a place. `alive`: nothing was destroyed, or there is a new key since. `dead`: its key was destroyed, or that of what it
 * is in. `leaving`: suspended, with a request for erasure open; `suspended`: without one. `unknown`: there is no such tenant.
 */
export type PlaceFate = 'alive' | 'leaving' | 'suspended' | 'dead' | 'unknown'

/** Who is dead. */
export interface DeadPlaces {
  /** For each place in turn. Ask for some hundreds at once: they are looked up together. */
  fates(places: readonly NamedPlace[]): Promise<readonly PlaceFate[]>
}

/** What a replay has found. */
export interface Replayed {
  /** Records that were looked at. */
  readonly looked: number
  readonly removed: number
  /** Records of whoever is suspended, with no request for erasure open: left as they are, and for an operator to look into. */
  readonly suspended: number
  /**
   * Records of whoever lives, with values of key versions that a rotation has ended: left as they are. They came from before the rotation; only a
   * newer copy of the data has them in a form that opens.
   */
  readonly retired?: number | undefined
}
