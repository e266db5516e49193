/** A collection whose declared paths are encrypted: each call does what the driver's would do on plaintext, or is refused before anything is sent. */

import { invalidArgument, readOptions, StrongroomError, type Vault } from '@strongroom/core'
import type {
  BSONSerializeOptions,
  Collection,
  DeleteResult,
  EstimatedDocumentCountOptions,
  Filter,
  IndexDescription,
  InsertManyResult,
  InsertOneResult,
  ReadConcern,
  ReadPreference,
  UpdateFilter,
  UpdateResult,
  WriteConcern,
} from 'mongodb'
import type { z } from 'zod'

import { ownerName } from '../schema/owner-path.ts'
import type { EncryptedFindCursor } from './find-cursor.ts'
import { declaredIndexes, shownIndexes } from './indexes.ts'
import { layoutOf } from './layout.ts'
import type { OnShredded } from './open.ts'
import { refusedOperation } from './operations.ts'
import {
  countDocuments,
  distinct,
  type EncryptedCountOptions,
  type EncryptedDistinctOptions,
  type EncryptedFindOptions,
  find,
  findOne,
} from './reads.ts'
import { resourceOf, type CollectionResource } from './resource.ts'
import type { Scope, Source } from './source.ts'
import {
  type EncryptedDeleteOptions,
  type EncryptedInsertOptions,
  type EncryptedUpdateOptions,
  insertMany,
  insertOne,
  remove,
  replaceOne,
  update,
} from './writes.ts'

/** Options of {@link encryptedCollection}. */
export interface EncryptedCollectionOptions<S extends z.ZodType> {
  /** What a document holds; `encrypted()` marks what is encrypted. */
  readonly schema: S
  /** The path of the tenant's name: a plain string, integer, ObjectId or UUID. */
  readonly tenant: string
  /** The path of the name of the person whose key encrypts the document. */
  readonly subject: string
  /** The logical name of the collection, which is part of every value; the collection's own name unless given. It can never change. */
  readonly context?: string
  /** `record`: a value opens only in the document with the `_id` that it was written in, which is the default. */
  readonly bind?: 'record' | 'none'
  /** Values whose keys are destroyed: `throw`, or stand as `SHREDDED`. Without it, single documents throw and lists mark. */
  readonly shredded?: OnShredded
}

/**
 * The encrypted view of a collection.
 *
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
export function encryptedCollection<S extends z.ZodType>(
  vault: Vault,
  collection: Collection,
  options: EncryptedCollectionOptions<S>,
): EncryptedCollection<z.output<S>> {
  const {
    schema,
    tenant,
    subject,
    context = collection.collectionName,
    bind = 'record',
    shredded,
  } = readOptions(options, ['schema', 'tenant', 'subject', 'context', 'bind', 'shredded'])
  if (shredded !== undefined && shredded !== 'throw' && shredded !== 'mark') throw invalidArgument('shredded', "must be 'throw' or 'mark'")
  const { raw, fieldsAsRaw } = collection.bsonOptions
  if (raw === true || (fieldsAsRaw !== undefined && Object.keys(fieldsAsRaw).length > 0))
    throw new StrongroomError('unsupported_operation', 'a collection with raw or fieldsAsRaw cannot be encrypted')
  const layout = layoutOf({ schema: schema as z.ZodType, tenant: tenant as string, subject: subject as string, context, bind })
  return new EncryptedCollection({ vault, collection, layout, shredded, scope: undefined })
}

/** What {@link encryptedCollection} makes. `T` is a document as the application sees it. */
export class EncryptedCollection<T> {
  readonly #source: Source

  /** @internal */
  constructor(source: Source) {
    this.#source = source
  }

  get dbName(): string {
    return this.#source.collection.dbName
  }

  get collectionName(): string {
    return this.#source.collection.collectionName
  }

  get namespace(): string {
    return this.#source.collection.namespace
  }

  get readConcern(): ReadConcern | undefined {
    return this.#source.collection.readConcern
  }

  get readPreference(): ReadPreference | undefined {
    return this.#source.collection.readPreference
  }

  get writeConcern(): WriteConcern | undefined {
    return this.#source.collection.writeConcern
  }

  get bsonOptions(): BSONSerializeOptions {
    return this.#source.collection.bsonOptions
  }

  get timeoutMS(): number | undefined {
    return this.#source.collection.timeoutMS
  }

  /**
   * The collection of one tenant, or of one person: every filter is narrowed to it, and every document that is inserted belongs to it.
   *
   * @param scope - the values as documents hold them, `tenant` and, for a person, `subject`
   * @throws StrongroomError `invalid_argument`
   */
  for(scope: { readonly tenant: unknown; readonly subject?: unknown }): EncryptedCollection<T> {
    const { tenant, subject } = readOptions(scope, ['tenant', 'subject'])
    const { layout } = this.#source
    if (ownerName(layout.tenant.type, tenant) === undefined) throw invalidArgument('tenant', `must be of type ${layout.tenant.type}`)
    if (subject !== undefined && ownerName(layout.subject.type, subject) === undefined)
      throw invalidArgument('subject', `must be of type ${layout.subject.type}`)
    const narrowed: Scope = subject === undefined ? { tenant } : { tenant, subject }
    return new EncryptedCollection({ ...this.#source, scope: narrowed })
  }

  /** What an erasure has to know of this collection. */
  resource(): CollectionResource {
    return resourceOf(this.#source)
  }

  /** The driver's collection, which shows what is stored: whatever is written through it is plaintext. */
  dangerouslyUnwrap(): Collection {
    return this.#source.collection
  }

  find(filter: Filter<T> = {}, options?: EncryptedFindOptions): EncryptedFindCursor<T> {
    return find(this.#source, filter, options, 'mark')
  }

  async findOne(filter: Filter<T> = {}, options?: EncryptedFindOptions): Promise<T | null> {
    return findOne(this.#source, filter, options)
  }

  async insertOne(document: Readonly<T>, options?: EncryptedInsertOptions): Promise<InsertOneResult> {
    return insertOne(this.#source, document, options)
  }

  async insertMany(documents: readonly Readonly<T>[], options?: EncryptedInsertOptions): Promise<InsertManyResult> {
    return insertMany(this.#source, documents, options)
  }

  async updateOne(filter: Filter<T>, change: UpdateFilter<T>, options?: EncryptedUpdateOptions): Promise<UpdateResult> {
    return update(this.#source, false, filter, change, options)
  }

  async updateMany(filter: Filter<T>, change: UpdateFilter<T>, options?: EncryptedUpdateOptions): Promise<UpdateResult> {
    return update(this.#source, true, filter, change, options)
  }

  async replaceOne(filter: Filter<T>, replacement: Readonly<Partial<T>>, options?: EncryptedUpdateOptions): Promise<UpdateResult> {
    return replaceOne(this.#source, filter, replacement, options)
  }

  async deleteOne(filter: Filter<T> = {}, options?: EncryptedDeleteOptions): Promise<DeleteResult> {
    return remove(this.#source, false, filter, options)
  }

  async deleteMany(filter: Filter<T> = {}, options?: EncryptedDeleteOptions): Promise<DeleteResult> {
    return remove(this.#source, true, filter, options)
  }

  async countDocuments(filter: Filter<T> = {}, options?: EncryptedCountOptions): Promise<number> {
    return countDocuments(this.#source, filter, options)
  }

  async estimatedDocumentCount(options?: EstimatedDocumentCountOptions): Promise<number> {
    if (this.#source.scope !== undefined) throw refusedOperation('estimatedDocumentCount of a scope')
    return this.#source.collection.estimatedDocumentCount(
      readOptions(options, ['comment', 'maxTimeMS', 'timeoutMS', 'session', 'readPreference']),
    )
  }

  async distinct(key: string, filter: Filter<T> = {}, options?: EncryptedDistinctOptions): Promise<unknown[]> {
    return distinct(this.#source, key, filter, options)
  }

  /** Builds the indexes of all paths that are declared with one. @returns their names */
  async createIndexes(): Promise<string[]> {
    const indexes = declaredIndexes(this.#source.layout)
    return indexes.length === 0 ? [] : this.#source.collection.createIndexes([...indexes])
  }

  /** The collection's indexes, in declared paths. */
  async indexes(): Promise<IndexDescription[]> {
    return shownIndexes(this.#source.layout, await this.#source.collection.indexes())
  }

  async indexExists(indexes: string | string[]): Promise<boolean> {
    return this.#source.collection.indexExists(indexes)
  }

  async isCapped(): Promise<boolean> {
    return this.#source.collection.isCapped()
  }

  async drop(): Promise<boolean> {
    if (this.#source.scope !== undefined) throw refusedOperation('drop of a scope')
    return this.#source.collection.drop()
  }

  get hint(): never {
    throw refusedOperation('hint')
  }

  readonly aggregate: () => never = refused('aggregate')
  readonly bulkWrite: () => never = refused('bulkWrite')
  readonly count: () => never = refused('count')
  readonly createIndex: () => never = refused('createIndex')
  readonly createSearchIndex: () => never = refused('createSearchIndex')
  readonly createSearchIndexes: () => never = refused('createSearchIndexes')
  readonly dropIndex: () => never = refused('dropIndex')
  readonly dropIndexes: () => never = refused('dropIndexes')
  readonly dropSearchIndex: () => never = refused('dropSearchIndex')
  readonly findOneAndDelete: () => never = refused('findOneAndDelete')
  readonly findOneAndReplace: () => never = refused('findOneAndReplace')
  readonly findOneAndUpdate: () => never = refused('findOneAndUpdate')
  readonly indexInformation: () => never = refused('indexInformation')
  readonly initializeOrderedBulkOp: () => never = refused('initializeOrderedBulkOp')
  readonly initializeUnorderedBulkOp: () => never = refused('initializeUnorderedBulkOp')
  readonly listIndexes: () => never = refused('listIndexes')
  readonly listSearchIndexes: () => never = refused('listSearchIndexes')
  readonly options: () => never = refused('options')
  readonly rename: () => never = refused('rename')
  readonly updateSearchIndex: () => never = refused('updateSearchIndex')
  readonly watch: () => never = refused('watch')
}

function refused(name: string): () => never {
  return () => {
    throw refusedOperation(name)
  }
}
