/** Making an encrypted collection: what is wrong with its declaration is said now or never. */

import { invalidArgument, readOptions, StrongroomError, type Vault } from '@strongroom/core'
import { Collection, type Document } from 'mongodb'
import type { z } from 'zod'

import { validationOf } from '../schema/validation.ts'
import { EncryptedCollection } from './encrypted-collection.ts'
import { layoutOf } from './layout.ts'
import { type OnShredded, requireOnShredded } from './open.ts'
import type { Shreddable } from './shreddable.ts'
import type { Source } from './source.ts'

/** Options of {@link encryptedCollection}. */
export interface EncryptedCollectionOptions<
  S extends z.ZodType,
  Shredded extends OnShredded | undefined = OnShredded | undefined,
  Tenant extends string = string,
  Subject extends string = string,
> {
  /** What a document holds; `encrypted()` marks what is encrypted. */
  readonly schema: S
  /** The path of the tenant's name: a plain string, integer, ObjectId or UUID. */
  readonly tenant: Tenant
  /** The path of the name of the person whose key encrypts the document. */
  readonly subject: Subject
  /** The logical name of the collection, which is part of every value; the collection's own name unless given. It can never change. */
  readonly context?: string
  /** `record`: a value opens only in the document with the `_id` that it was written in, which is the default. */
  readonly bind?: 'record' | 'none'
  /** Values whose keys are destroyed: `throw`, or stand as `SHREDDED`. Without it, single documents throw and lists mark. */
  readonly shredded?: Shredded
  /** Whether what is inserted, replaced, set or pushed has to fit the schema: else `schema_mismatch`, before any key is made. */
  readonly validate?: boolean
}

/**
 * The type of a collection, by its schema. `Shredded` and `Owner` are as of {@link EncryptedCollection}.
 *
 * @example
 * ```ts
 * import { encrypted, type EncryptedCollectionOf } from '@strongroom/mongo-adapter'
 * import { z } from 'zod'
 *
 * const User = z.object({ _id: z.string(), orgId: z.string(), email: encrypted(z.email(), { index: { scope: 'application' } }) })
 *
 * const byEmail = (users: EncryptedCollectionOf<typeof User>, email: string) => users.findOne({ email })
 * ```
 */
export type EncryptedCollectionOf<
  S extends z.ZodType,
  Shredded extends OnShredded | undefined = undefined,
  Owner extends string = string,
> = EncryptedCollection<z.output<S>, Shreddable<S>, Shredded, S, Owner>

/**
 * The encrypted view of a collection.
 *
 * @param collection - the driver's, of whatever type: the schema says what documents are
 * @throws StrongroomError `invalid_argument`; `unsupported_operation` for a schema in which an `encrypted()` could be overlooked
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
 * import { type Db } from 'mongodb'
 * import { z } from 'zod'
 *
 * const User = z.object({
 *   _id: z.string(),
 *   orgId: z.string(),
 *   email: encrypted(z.email(), { index: { scope: 'application', unique: true, normalize: 'email' } }),
 * })
 *
 * async function example(vault: Vault, db: Db) {
 *   const users = encryptedCollection(vault, db.collection('users'), { schema: User, tenant: 'orgId', subject: '_id' })
 *   await users.createIndexes()
 *   await users.insertOne({ _id: 'alice', orgId: 'acme', email: 'ada@example.com' })
 *   return users.findOne({ email: 'Ada@Example.com' })
 * }
 * ```
 */
export function encryptedCollection<
  S extends z.ZodType,
  Shredded extends OnShredded | undefined = undefined,
  Stored extends Document = Document,
  Tenant extends string = string,
  Subject extends string = string,
>(
  vault: Vault,
  collection: Collection<Stored>,
  options: EncryptedCollectionOptions<S, Shredded, Tenant, Subject>,
): EncryptedCollection<z.output<S>, Shreddable<S>, Shredded, S, Tenant | Subject> {
  // Whatever its type says of documents: what is stored is of another.
  return new EncryptedCollection(sourceOf(vault, collection as unknown as Collection, options))
}

/** @throws StrongroomError as {@link encryptedCollection} */
export function sourceOf(vault: Vault, collection: Collection, options: EncryptedCollectionOptions<z.ZodType>): Source {
  requireVault(vault)
  // A collection of another copy of the driver has values of BSON that are none to this one.
  if (!(collection instanceof Collection))
    throw invalidArgument('collection', 'must be a Collection of the driver, as db.collection(name) of the one mongodb package there is')
  const {
    schema,
    tenant,
    subject,
    context = collection.collectionName,
    bind = 'record',
    shredded,
    validate = false,
  } = readOptions(options, ['schema', 'tenant', 'subject', 'context', 'bind', 'shredded', 'validate'])
  if (shredded !== undefined) requireOnShredded(shredded)
  if (typeof validate !== 'boolean') throw invalidArgument('validate', 'must be true or false')
  requireParsed(collection)
  const declared = schema as z.ZodType
  const layout = layoutOf({ schema: declared, tenant: tenant as string, subject: subject as string, context, bind })
  const validation = validate ? validationOf(declared, layout.root) : undefined
  return { vault, collection, layout, shredded, validation, scope: undefined }
}

/** @throws StrongroomError `invalid_argument` */
export function requireVault(vault: Vault): void {
  if (typeof vault?.tenant !== 'function') throw invalidArgument('vault', 'must be an open vault: await openVault(…)')
}

/** What comes raw could not be decrypted. @throws StrongroomError `unsupported_operation` */
export function requireParsed(collection: Collection): void {
  const { raw, fieldsAsRaw } = collection.bsonOptions
  if (raw === true || (fieldsAsRaw !== undefined && Object.keys(fieldsAsRaw).length > 0))
    throw new StrongroomError(
      'unsupported_operation',
      'a collection with the option raw or fieldsAsRaw cannot be encrypted: make it without, and set neither for its database and client',
    )
}
