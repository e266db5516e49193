/** A collection whose declared paths are encrypted: each call does what the driver's would do on plaintext, or is refused before anything is sent. */

import { invalidArgument, readOptions } from '@strongroom/core'
import type {
  BSONSerializeOptions,
  Collection,
  DeleteResult,
  Document,
  DropCollectionOptions,
  DropIndexesOptions,
  EstimatedDocumentCountOptions,
  Filter,
  IndexDescription,
  IndexDescriptionCompact,
  IndexDescriptionInfo,
  IndexInformationOptions,
  IndexSpecification,
  InsertManyResult,
  InsertOneResult,
  ListIndexesCursor,
  ListIndexesOptions,
  OperationOptions,
  OptionalUnlessRequiredId,
  ReadConcern,
  ReadPreference,
  UpdateFilter,
  UpdateResult,
  WithId,
  WriteConcern,
} from 'mongodb'

import { ownerName } from '../schema/owner-path.ts'
import { guarded, resolveValue } from '../values/resolve.ts'
import { aggregate, type EncryptedAggregateOptions } from './aggregation/aggregate.ts'
import type { EncryptedAggregationCursor } from './aggregation/aggregation-cursor.ts'
import { countDocuments, type EncryptedCountOptions } from './count.ts'
import { distinct, type EncryptedDistinctOptions } from './distinct.ts'
import { type EncryptedFindOptions, find, findOne } from './find.ts'
import type { EncryptedFindCursor } from './find-cursor.ts'
import {
  createIndex,
  createIndexes,
  dropIndex,
  dropIndexes,
  type EncryptedCreateIndexesOptions,
  type EncryptedCreateIndexOptions,
  indexes,
  indexExists,
  listIndexes,
} from './indexes/manage-indexes.ts'
import type { OnShredded } from './open.ts'
import { COLLECTION, refusedMethod, refusedOperation } from './operations.ts'
import { DROP_OPTIONS, ESTIMATED_COUNT_OPTIONS, IS_CAPPED_OPTIONS, readDriverOptions } from './options.ts'
import { type CollectionResource, type CollectionResourceOptions, resourceOf } from './resource/resource.ts'
import type { Scope, Source } from './source.ts'
import { type EncryptedInsertManyOptions, type EncryptedInsertOneOptions, insertMany, insertOne } from './writes/insert.ts'
import { type EncryptedDeleteOptions, remove } from './writes/remove.ts'
import {
  type EncryptedReplaceOptions,
  type EncryptedUpdateManyOptions,
  type EncryptedUpdateOneOptions,
  replaceOne,
  update,
} from './writes/update.ts'

/** Options of a call that leaves to the collection what becomes of shredded values. */
type FindByDefault = EncryptedFindOptions & { readonly shredded?: never }

/**
 * What `encryptedCollection` makes.
 *
 * `T` is a document as it is written, `Marked` one in which shredded values may be marked, `Shredded` what the collection does about those
 * unless a call says otherwise.
 */
export class EncryptedCollection<T, Marked = T, Shredded extends OnShredded | undefined = undefined> {
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
   * The collection of one tenant, or of one person: every filter is narrowed to it, and every document that is inserted belongs to it. A
   * scope can be narrowed, and not left.
   *
   * @param scope - the values as documents hold them, `tenant` and, for a person, `subject`, which is not `undefined` where it is named
   * @throws StrongroomError `invalid_argument`
   */
  for(scope: { readonly tenant: unknown; readonly subject?: unknown }): EncryptedCollection<T, Marked, Shredded> {
    const given = readOptions(scope, ['tenant', 'subject'])
    const [tenant, subject] = (['tenant', 'subject'] as const).map((argument) =>
      resolveValue(given[argument], { argument, operators: false, ignoreUndefined: true }),
    )
    const { layout } = this.#source
    if (ownerName(layout.tenant.type, tenant) === undefined) throw invalidArgument('tenant', `must be of type ${layout.tenant.type}`)
    // Named, and missing: of everybody is not what was meant.
    const ofPerson = guarded('subject', () => 'subject' in scope)
    if (ofPerson && ownerName(layout.subject.type, subject) === undefined)
      throw invalidArgument('subject', `must be of type ${layout.subject.type}, or not be there at all`)
    const within = this.#source.scope
    if (within !== undefined && ownerName(layout.tenant.type, within.tenant) !== ownerName(layout.tenant.type, tenant))
      throw invalidArgument('tenant', "must be the scope's own")
    if (within?.subject !== undefined && ownerName(layout.subject.type, within.subject) !== ownerName(layout.subject.type, subject))
      throw invalidArgument('subject', "must be the scope's own")
    const narrowed: Scope = subject === undefined ? { tenant } : { tenant, subject }
    return new EncryptedCollection({ ...this.#source, scope: narrowed })
  }

  /** What rotation and erasure ask. @throws StrongroomError `invalid_argument`; `unsupported_operation` of a scope: it tells of everyone */
  resource(options?: CollectionResourceOptions): CollectionResource {
    this.#requireUnscoped('resource')
    return resourceOf(this.#source, options)
  }

  /** The driver's collection, which shows what is stored: whatever is written through it is plaintext. */
  dangerouslyUnwrap(): Collection {
    return this.#source.collection
  }

  find(filter?: Filter<T>, options?: FindByDefault): EncryptedFindCursor<WithId<Shredded extends 'throw' ? T : Marked>>
  find(filter: Filter<T> | undefined, options: EncryptedFindOptions & { readonly shredded: 'throw' }): EncryptedFindCursor<WithId<T>>
  find(filter: Filter<T> | undefined, options: EncryptedFindOptions): EncryptedFindCursor<WithId<Marked>>
  find(filter: Filter<T> = {}, options?: EncryptedFindOptions): EncryptedFindCursor<never> {
    return find(this.#source, filter, options, 'mark')
  }

  findOne(filter?: Filter<T>, options?: FindByDefault): Promise<WithId<Shredded extends 'mark' ? Marked : T> | null>
  findOne(filter: Filter<T> | undefined, options: EncryptedFindOptions & { readonly shredded: 'throw' }): Promise<WithId<T> | null>
  findOne(filter: Filter<T> | undefined, options: EncryptedFindOptions): Promise<WithId<Marked> | null>
  async findOne(filter: Filter<T> = {}, options?: EncryptedFindOptions): Promise<never> {
    return (await findOne(this.#source, filter, options)) as never
  }

  /** By the stages of docs/operations.md; of other collections those that `encryptedDb` names. What is encrypted can be moved, and not computed with. */
  aggregate<R = Document>(pipeline: readonly Document[] = [], options?: EncryptedAggregateOptions): EncryptedAggregationCursor<R> {
    return aggregate<R>(this.#source, pipeline, options)
  }

  async insertOne(document: Readonly<OptionalUnlessRequiredId<T>>, options?: EncryptedInsertOneOptions): Promise<InsertOneResult<T>> {
    return insertOne<T>(this.#source, document, options)
  }

  async insertMany(
    documents: readonly Readonly<OptionalUnlessRequiredId<T>>[],
    options?: EncryptedInsertManyOptions,
  ): Promise<InsertManyResult<T>> {
    return insertMany<T>(this.#source, documents, options)
  }

  async updateOne(filter: Filter<T>, change: UpdateFilter<T>, options?: EncryptedUpdateOneOptions): Promise<UpdateResult> {
    return update(this.#source, false, filter, change, options)
  }

  async updateMany(filter: Filter<T>, change: UpdateFilter<T>, options?: EncryptedUpdateManyOptions): Promise<UpdateResult> {
    return update(this.#source, true, filter, change, options)
  }

  async replaceOne(filter: Filter<T>, replacement: Readonly<Partial<T>>, options?: EncryptedReplaceOptions): Promise<UpdateResult> {
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
    this.#requireUnscoped('estimatedDocumentCount')
    return this.#source.collection.estimatedDocumentCount(readDriverOptions(options, ESTIMATED_COUNT_OPTIONS))
  }

  async distinct(key: string, filter: Filter<T> = {}, options?: EncryptedDistinctOptions): Promise<unknown[]> {
    return distinct(this.#source, key, filter, options)
  }

  /** Builds an index over plain paths, and at most one encrypted one that is declared with an index. @returns its name */
  async createIndex(
    spec: IndexSpecification,
    options?: EncryptedCreateIndexOptions,
    commandOptions?: EncryptedCreateIndexesOptions,
  ): Promise<string> {
    return createIndex(this.#source, spec, options, commandOptions)
  }

  /** Builds the indexes of all paths that are declared with one, or those that are given. @returns their names */
  async createIndexes(specs?: readonly IndexDescription[], options?: EncryptedCreateIndexesOptions): Promise<string[]> {
    return createIndexes(this.#source, specs, options)
  }

  /** @param name - as `indexes` shows it */
  async dropIndex(name: string, options?: DropIndexesOptions): Promise<Document> {
    this.#requireUnscoped('dropIndex')
    return dropIndex(this.#source, name, options)
  }

  async dropIndexes(options?: DropIndexesOptions): Promise<boolean> {
    this.#requireUnscoped('dropIndexes')
    return dropIndexes(this.#source, options)
  }

  /** In declared paths. */
  listIndexes(options?: ListIndexesOptions): ListIndexesCursor {
    return listIndexes(this.#source, options)
  }

  /** In declared paths. */
  indexes(options: IndexInformationOptions & { full: false }): Promise<IndexDescriptionCompact>
  indexes(options?: IndexInformationOptions & { full?: true }): Promise<IndexDescriptionInfo[]>
  async indexes(options?: IndexInformationOptions): Promise<never> {
    return (await indexes(this.#source, options, true)) as never
  }

  /** In declared paths. */
  indexInformation(options: IndexInformationOptions & { full: true }): Promise<IndexDescriptionInfo[]>
  indexInformation(options?: IndexInformationOptions & { full?: false }): Promise<IndexDescriptionCompact>
  async indexInformation(options?: IndexInformationOptions): Promise<never> {
    return (await indexes(this.#source, options, false)) as never
  }

  async indexExists(names: string | string[], options?: ListIndexesOptions): Promise<boolean> {
    return indexExists(this.#source, names, options)
  }

  async isCapped(options?: OperationOptions): Promise<boolean> {
    return this.#source.collection.isCapped(readDriverOptions(options, IS_CAPPED_OPTIONS))
  }

  async drop(options?: DropCollectionOptions): Promise<boolean> {
    this.#requireUnscoped('drop')
    return this.#source.collection.drop(readDriverOptions(options, DROP_OPTIONS))
  }

  get hint(): never {
    throw refusedMethod(COLLECTION, 'hint')
  }

  readonly bulkWrite: () => never = refused('bulkWrite')
  readonly count: () => never = refused('count')
  readonly createSearchIndex: () => never = refused('createSearchIndex')
  readonly createSearchIndexes: () => never = refused('createSearchIndexes')
  readonly dropSearchIndex: () => never = refused('dropSearchIndex')
  readonly findOneAndDelete: () => never = refused('findOneAndDelete')
  readonly findOneAndReplace: () => never = refused('findOneAndReplace')
  readonly findOneAndUpdate: () => never = refused('findOneAndUpdate')
  readonly initializeOrderedBulkOp: () => never = refused('initializeOrderedBulkOp')
  readonly initializeUnorderedBulkOp: () => never = refused('initializeUnorderedBulkOp')
  readonly listSearchIndexes: () => never = refused('listSearchIndexes')
  readonly options: () => never = refused('options')
  readonly rename: () => never = refused('rename')
  readonly updateSearchIndex: () => never = refused('updateSearchIndex')
  readonly watch: () => never = refused('watch')

  // Indexes and drops are of the whole collection, and so is what the server estimates.
  #requireUnscoped(name: string): void {
    if (this.#source.scope !== undefined) throw refusedOperation(`${name} of a scope`, 'the collection that for() was called on')
  }
}

function refused(name: string): () => never {
  return () => {
    throw refusedMethod(COLLECTION, name)
  }
}
