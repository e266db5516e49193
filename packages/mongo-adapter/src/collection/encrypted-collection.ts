/** A collection whose declared paths are encrypted: each call does what the driver's would do on plaintext, or is refused before anything is sent. */

import { invalidArgument, type Progress, readOptions } from '@strongroom/core'
import type {
  BulkWriteResult,
  Collection,
  DeleteResult,
  Document,
  DropCollectionOptions,
  EstimatedDocumentCountOptions,
  InsertManyResult,
  InsertOneResult,
  OperationOptions,
  OptionalUnlessRequiredId,
  UpdateResult,
  WithId,
} from 'mongodb'
import type { z } from 'zod'

import { ownerName } from '../schema/owner-path.ts'
import { guarded, resolveValue } from '../values/resolve.ts'
import { aggregate, type EncryptedAggregateOptions } from './aggregation/aggregate.ts'
import type { EncryptedAggregationCursor } from './aggregation/aggregation-cursor.ts'
import type { EncryptedChangeStream } from './changes/change-stream.ts'
import { type EncryptedChange, type EncryptedWatchOptions, watch } from './changes/watch.ts'
import { countDocuments, type EncryptedCountOptions } from './count.ts'
import { distinct, type EncryptedDistinctOptions } from './distinct.ts'
import { enforce, unenforce } from './enforce/enforce.ts'
import { type EncryptedFindOptions, find, findOne } from './find.ts'
import type { EncryptedFindCursor } from './find-cursor.ts'
import type { Found } from './found.ts'
import { IndexedCollection } from './indexes/indexed-collection.ts'
import type { OnShredded } from './open.ts'
import { COLLECTION, refusedMethod } from './operations.ts'
import { DROP_OPTIONS, ESTIMATED_COUNT_OPTIONS, IS_CAPPED_OPTIONS, readDriverOptions } from './options.ts'
import { reencrypt, type ReencryptOptions, type ReencryptPhase } from './reencrypt.ts'
import { type CollectionResource, type CollectionResourceOptions, resourceOf } from './resource/resource.ts'
import { requireUnscoped, type Scope, type Source } from './source.ts'
import type { EncryptedFilter, EncryptedKey, EncryptedUpdate, Replacement } from './typed.ts'
import type { EncryptedBulkOperation } from './writes/bulk/bulk-operation.ts'
import { bulkWrite, type EncryptedBulkWriteOptions } from './writes/bulk/bulk-write.ts'
import {
  type EncryptedFindOneAndDeleteOptions as DeleteAnd,
  type EncryptedFindOneAndReplaceOptions as ReplaceAnd,
  type EncryptedFindOneAndUpdateOptions as UpdateAnd,
  findOneAndDelete,
  findOneAndReplace,
  findOneAndUpdate,
} from './writes/find-one-and.ts'
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
type FindByDefault<S extends z.ZodType> = EncryptedFindOptions<S> & { readonly shredded?: never }

/**
 * What `encryptedCollection` makes.
 *
 * `T` is a document as it is written, `Marked` one in which shredded values may be marked, `Shredded` what the collection does about those
 * unless a call says otherwise. `S` is the schema, from which the compiler knows what can be asked and written: what cannot work does not
 * compile. Without it the driver's types hold. `Owner` are the paths of tenant and subject, which no update changes.
 */
export class EncryptedCollection<
  T,
  Marked = T,
  Shredded extends OnShredded | undefined = undefined,
  S extends z.ZodType = z.ZodType<T>,
  Owner extends string = never,
> extends IndexedCollection<S> {
  readonly #source: Source

  /** @internal */
  constructor(source: Source) {
    super(source)
    this.#source = source
  }

  /**
   * The collection of one tenant, or of one person: every filter is narrowed to it, and every document that is inserted belongs to it. A
   * scope can be narrowed, and not left.
   *
   * @param scope - the values as documents hold them, `tenant` and, for a person, `subject`, which is not `undefined` where it is named
   * @throws StrongroomError `invalid_argument`
   */
  for(scope: { readonly tenant: unknown; readonly subject?: unknown }): EncryptedCollection<T, Marked, Shredded, S, Owner> {
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
    requireUnscoped(this.#source, 'resource')
    return resourceOf(this.#source, options)
  }

  /**
   * Writes again, under the key that `rotateSubjectKey` made, what older keys of one person have encrypted, so that `retireVersion` can end
   * those. What others write meanwhile stays as they wrote it. Whatever ends it early, run it again; nothing happens before it is iterated.
   *
   * @param whose - the values as documents hold them
   * @throws StrongroomError `invalid_argument`; `not_found`, `shredded`, `suspended`; `decrypt_failed` or `retired`, once everything else is written, where
   *   something does not open; and for stores and provider their `…_unavailable`
   * @example
   * ```ts
   * import { type Vault } from '@strongroom/core'
   * import { encrypted, type EncryptedCollectionOf } from '@strongroom/mongo-adapter'
   * import { z } from 'zod'
   *
   * const User = z.object({ name: encrypted(z.string()) })
   *
   * async function replaceKey(vault: Vault, users: EncryptedCollectionOf<typeof User>) {
   *   for await (const { phase } of vault.rotateSubjectKey(vault.tenant('acme').subject('alice'))) console.error(phase)
   *   for await (const { phase, done, total } of users.reencrypt({ tenant: 'acme', subject: 'alice' })) console.error(phase, done, total)
   * }
   * ```
   */
  reencrypt(
    whose: { readonly tenant: unknown; readonly subject: unknown },
    options?: ReencryptOptions,
  ): AsyncGenerator<Progress<ReencryptPhase>, void> {
    const { layout, scope } = this.for(whose).#source
    const [tenant, subject] = [ownerName(layout.tenant.type, scope?.tenant), ownerName(layout.subject.type, scope?.subject)]
    if (tenant === undefined || subject === undefined) throw invalidArgument('subject', 'must be there: keys are replaced person by person')
    return reencrypt(this.#source, { tenant, subject }, readOptions(options, ['signal']))
  }

  /**
   * Has the database refuse whatever does not look like an encrypted value where one belongs, whoever writes it: by conditions beside those
   * that the collection's validator has of its own, which stay. Run it again after a change of the schema, or of the validator. Whoever may
   * bypass document validation, or change the validator, passes it.
   *
   * @throws StrongroomError `schema_mismatch`: something else is stored, at the paths that it names in so many documents, and nothing was
   *   changed; `not_found` where the collection does not exist yet; `unsupported_operation` where its validator only warns, and of a scope
   * @example
   * ```ts
   * import { encrypted, type EncryptedCollectionOf } from '@strongroom/mongo-adapter'
   * import { z } from 'zod'
   *
   * const User = z.object({ name: encrypted(z.string()) })
   *
   * async function setUp(users: EncryptedCollectionOf<typeof User>) {
   *   await users.createIndexes()
   *   await users.enforce()
   * }
   * ```
   */
  async enforce(): Promise<void> {
    requireUnscoped(this.#source, 'enforce')
    return enforce(this.#source)
  }

  /** Undoes `enforce`: the validator is what it was without it. @throws StrongroomError `not_found`, `unsupported_operation` of a scope */
  async unenforce(): Promise<void> {
    requireUnscoped(this.#source, 'unenforce')
    return unenforce(this.#source)
  }

  /** The driver's collection, which shows what is stored: whatever is written through it is plaintext. */
  dangerouslyUnwrap(): Collection {
    return this.#source.collection
  }

  find(filter?: EncryptedFilter<S>, options?: FindByDefault<S>): EncryptedFindCursor<WithId<Shredded extends 'throw' ? T : Marked>, S>
  find(
    filter: EncryptedFilter<S> | undefined,
    options: EncryptedFindOptions<S> & { readonly shredded: 'throw' },
  ): EncryptedFindCursor<WithId<T>, S>
  find(filter: EncryptedFilter<S> | undefined, options: EncryptedFindOptions<S>): EncryptedFindCursor<WithId<Marked>, S>
  find(filter: unknown = {}, options?: EncryptedFindOptions<S>): EncryptedFindCursor<never, S> {
    return find(this.#source, filter, options, 'mark')
  }

  findOne(filter?: EncryptedFilter<S>, options?: FindByDefault<S>): Promise<WithId<Shredded extends 'mark' ? Marked : T> | null>
  findOne(
    filter: EncryptedFilter<S> | undefined,
    options: EncryptedFindOptions<S> & { readonly shredded: 'throw' },
  ): Promise<WithId<T> | null>
  findOne(filter: EncryptedFilter<S> | undefined, options: EncryptedFindOptions<S>): Promise<WithId<Marked> | null>
  async findOne(filter: unknown = {}, options?: EncryptedFindOptions<S>): Promise<never> {
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

  async updateOne(
    filter: EncryptedFilter<S>,
    change: EncryptedUpdate<S, Owner>,
    options?: EncryptedUpdateOneOptions<S>,
  ): Promise<UpdateResult> {
    return update(this.#source, false, filter, change, options)
  }

  async updateMany(
    filter: EncryptedFilter<S>,
    change: EncryptedUpdate<S, Owner>,
    options?: EncryptedUpdateManyOptions,
  ): Promise<UpdateResult> {
    return update(this.#source, true, filter, change, options)
  }

  async replaceOne(filter: EncryptedFilter<S>, replacement: Replacement<T>, options?: EncryptedReplaceOptions<S>): Promise<UpdateResult> {
    return replaceOne(this.#source, filter, replacement, options)
  }

  async deleteOne(filter?: EncryptedFilter<S>, options?: EncryptedDeleteOptions): Promise<DeleteResult> {
    return remove(this.#source, false, filter, options)
  }

  async deleteMany(filter?: EncryptedFilter<S>, options?: EncryptedDeleteOptions): Promise<DeleteResult> {
    return remove(this.#source, true, filter, options)
  }

  async findOneAndUpdate<const O extends UpdateAnd<S> = {}>(
    filter: EncryptedFilter<S>,
    change: EncryptedUpdate<S, Owner>,
    options?: O,
  ): Promise<Found<T, Marked, Shredded, O>> {
    return (await findOneAndUpdate(this.#source, filter, change, options)) as never
  }

  async findOneAndReplace<const O extends ReplaceAnd<S> = {}>(
    filter: EncryptedFilter<S>,
    replacement: Replacement<T>,
    options?: O,
  ): Promise<Found<T, Marked, Shredded, O>> {
    return (await findOneAndReplace(this.#source, filter, replacement, options)) as never
  }

  async findOneAndDelete<const O extends DeleteAnd<S> = {}>(
    filter: EncryptedFilter<S>,
    options?: O,
  ): Promise<Found<T, Marked, Shredded, O>> {
    return (await findOneAndDelete(this.#source, filter, options)) as never
  }

  async bulkWrite(
    operations: readonly EncryptedBulkOperation<T, S, Owner>[],
    options?: EncryptedBulkWriteOptions,
  ): Promise<BulkWriteResult> {
    return bulkWrite(this.#source, operations, options)
  }

  async countDocuments(filter?: EncryptedFilter<S>, options?: EncryptedCountOptions): Promise<number> {
    return countDocuments(this.#source, filter, options)
  }

  async estimatedDocumentCount(options?: EstimatedDocumentCountOptions): Promise<number> {
    requireUnscoped(this.#source, 'estimatedDocumentCount')
    return this.#source.collection.estimatedDocumentCount(readDriverOptions(options, ESTIMATED_COUNT_OPTIONS))
  }

  async distinct(key: EncryptedKey<S>, filter?: EncryptedFilter<S>, options?: EncryptedDistinctOptions): Promise<unknown[]> {
    return distinct(this.#source, key, filter, options)
  }

  async isCapped(options?: OperationOptions): Promise<boolean> {
    return this.#source.collection.isCapped(readDriverOptions(options, IS_CAPPED_OPTIONS))
  }

  async drop(options?: DropCollectionOptions): Promise<boolean> {
    requireUnscoped(this.#source, 'drop')
    return this.#source.collection.drop(readDriverOptions(options, DROP_OPTIONS))
  }

  /**
   * The changes of the collection, or of a scope. `$match` by what is plain in a change is the only stage that a pipeline may have.
   *
   * @throws StrongroomError `unsupported_operation`, `invalid_argument`
   */
  watch(
    pipeline: readonly Document[],
    options: EncryptedWatchOptions & { readonly shredded?: never },
  ): EncryptedChangeStream<EncryptedChange<WithId<Shredded extends 'throw' ? T : Marked>>>
  watch(
    pipeline: readonly Document[],
    options: EncryptedWatchOptions & { readonly shredded: 'throw' },
  ): EncryptedChangeStream<EncryptedChange<WithId<T>>>
  watch(pipeline: readonly Document[], options: EncryptedWatchOptions): EncryptedChangeStream<EncryptedChange<WithId<Marked>>>
  watch(pipeline: readonly Document[] = [], options?: EncryptedWatchOptions): EncryptedChangeStream<never> {
    return watch(this.#source, pipeline, options)
  }

  get hint(): never {
    throw refusedMethod(COLLECTION, 'hint')
  }

  readonly count: () => never = refused('count')
  readonly createSearchIndex: () => never = refused('createSearchIndex')
  readonly createSearchIndexes: () => never = refused('createSearchIndexes')
  readonly dropSearchIndex: () => never = refused('dropSearchIndex')
  readonly initializeOrderedBulkOp: () => never = refused('initializeOrderedBulkOp')
  readonly initializeUnorderedBulkOp: () => never = refused('initializeUnorderedBulkOp')
  readonly listSearchIndexes: () => never = refused('listSearchIndexes')
  readonly options: () => never = refused('options')
  readonly rename: () => never = refused('rename')
  readonly updateSearchIndex: () => never = refused('updateSearchIndex')
}

function refused(name: string): () => never {
  return () => {
    throw refusedMethod(COLLECTION, name)
  }
}
