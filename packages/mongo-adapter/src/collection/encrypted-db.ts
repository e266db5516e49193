/** Collections of one database that know of each other, so that pipelines can read several. */

import { invalidArgument, type Vault } from '@strongroom/core'
import { type Collection, Db, type Document } from 'mongodb'
import type { z } from 'zod'

import { EncryptedCollection } from './encrypted-collection.ts'
import { type EncryptedCollectionOptions, sourceOf } from './make-collection.ts'
import type { OnShredded } from './open.ts'
import type { Shreddable } from './shreddable.ts'
import type { Source } from './source.ts'

declare const DOCUMENT: unique symbol

/** What {@link plain} gives: a collection in which nothing is encrypted. */
export interface PlainCollection<T extends Document = Document> {
  readonly kind: 'plain'
  readonly [DOCUMENT]?: T
}

const PLAIN: PlainCollection<never> = Object.freeze({ kind: 'plain' })

/** For {@link encryptedDb}: a collection in which nothing is encrypted. `T` is what its documents are. */
export function plain<T extends Document = Document>(): PlainCollection<T> {
  return PLAIN
}

/** What {@link encryptedDb} is told of each collection. */
export type CollectionDeclaration = EncryptedCollectionOptions<z.ZodType> | PlainCollection

/** The collections of {@link encryptedDb}: encrypted ones, and of plain ones the driver's own. */
export type EncryptedDb<D> = {
  readonly [Name in keyof D]: D[Name] extends PlainCollection<infer T>
    ? Collection<T>
    : D[Name] extends { readonly schema: infer S extends z.ZodType; readonly tenant: string; readonly subject: string }
      ? EncryptedCollection<
          z.output<S>,
          Shreddable<S>,
          D[Name] extends { readonly shredded: infer Shredded extends OnShredded } ? Shredded : undefined,
          S,
          D[Name]['tenant'] | D[Name]['subject']
        >
      : never
}

/**
 * Encrypted collections of one database, under the names that they have there. The pipelines of each may read the others, by `$lookup` and
 * `$unionWith`, and no collection that is not named here.
 *
 * @param collections - the options of {@link encryptedCollection} for each, or `plain()`
 * @throws StrongroomError as {@link encryptedCollection}
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { encrypted, encryptedDb, plain } from '@strongroom/mongo-adapter'
 * import { type Db } from 'mongodb'
 * import { z } from 'zod'
 *
 * const User = z.object({ _id: z.string(), orgId: z.string(), email: encrypted(z.email()) })
 * const Order = z.object({ orgId: z.string(), userId: z.string(), address: encrypted(z.string()) })
 *
 * async function example(vault: Vault, db: Db) {
 *   const { users } = encryptedDb(vault, db, {
 *     users: { schema: User, tenant: 'orgId', subject: '_id' },
 *     orders: { schema: Order, tenant: 'orgId', subject: 'userId' },
 *     events: plain(),
 *   })
 *   return users
 *     .for({ tenant: 'acme' })
 *     .aggregate([{ $lookup: { from: 'orders', localField: '_id', foreignField: 'userId', as: 'orders' } }])
 *     .toArray()
 * }
 * ```
 */
export function encryptedDb<const D extends Readonly<Record<string, CollectionDeclaration>>>(
  vault: Vault,
  db: Db,
  collections: D,
): EncryptedDb<D> {
  if (!(db instanceof Db)) throw invalidArgument('db', 'must be a Db of the driver, as client.db(name) of the one mongodb package there is')
  if (typeof collections !== 'object' || collections === null)
    throw invalidArgument('collections', 'must be an object with the options of each collection by its name')
  const others = new Map<string, Source | undefined>()
  for (const [name, declaration] of Object.entries<CollectionDeclaration>(collections))
    others.set(name, isPlain(declaration) ? undefined : { ...sourceOf(vault, db.collection(name), declaration), others })
  const all = [...others].map(([name, source]) => [name, source === undefined ? db.collection(name) : new EncryptedCollection(source)])
  return Object.freeze(Object.fromEntries(all)) as EncryptedDb<D>
}

// Nothing that only looks like it: what is taken for plain would be written as it is.
function isPlain(declaration: CollectionDeclaration): declaration is PlainCollection {
  return declaration === PLAIN
}
