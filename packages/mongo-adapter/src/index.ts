export { encrypted, type EncryptedMark, type EncryptedOptions, type IndexOptions } from './schema/encrypted.ts'
export { type MongoKeyStore, mongoKeyStore } from './stores/key-store.ts'
export { type MongoStateStore, mongoStateStore } from './stores/state-store.ts'
export type { MongoStoreOptions } from './stores/options.ts'
export { EncryptedCollection } from './collection/encrypted-collection.ts'
export { encryptedCollection, type EncryptedCollectionOf, type EncryptedCollectionOptions } from './collection/make-collection.ts'
export { type CollectionDeclaration, type EncryptedDb, encryptedDb, plain, type PlainCollection } from './collection/encrypted-db.ts'
export { EncryptedFindCursor } from './collection/find-cursor.ts'
export type { EncryptedAggregateOptions } from './collection/aggregation/aggregate.ts'
export type { EncryptedBulkOperation } from './collection/writes/bulk/bulk-operation.ts'
export { EncryptedAggregationCursor } from './collection/aggregation/aggregation-cursor.ts'
export { EncryptedChangeStream } from './collection/changes/change-stream.ts'
export type { EncryptedChange, EncryptedWatchOptions } from './collection/changes/watch.ts'
export type { EncryptedCountOptions } from './collection/count.ts'
export type { EncryptedDistinctOptions } from './collection/distinct.ts'
export type { EncryptedFindOptions } from './collection/find.ts'
export type { EncryptedCreateIndexesOptions, EncryptedCreateIndexOptions } from './collection/indexes/manage-indexes.ts'
export type { OnShredded } from './collection/open.ts'
export type { ReencryptOptions, ReencryptPhase } from './collection/reencrypt.ts'
export type { CollectionResource, CollectionResourceOptions } from './collection/resource/resource.ts'
export type { Shreddable } from './collection/shreddable.ts'
export type { EncryptedBulkWriteOptions } from './collection/writes/bulk/bulk-write.ts'
export type {
  EncryptedFindOneAndDeleteOptions,
  EncryptedFindOneAndReplaceOptions,
  EncryptedFindOneAndUpdateOptions,
} from './collection/writes/find-one-and.ts'
export type { EncryptedInsertManyOptions, EncryptedInsertOneOptions } from './collection/writes/insert.ts'
export { type PartialResult, partialResult } from './collection/writes/partial-result.ts'
export type {
  EncryptedBulkFilter,
  EncryptedFilter,
  EncryptedIndexKey,
  EncryptedKey,
  EncryptedProjection,
  EncryptedSort,
  EncryptedUpdate,
} from './collection/typed.ts'
export type { EncryptedDeleteOptions } from './collection/writes/remove.ts'
export type { EncryptedReplaceOptions, EncryptedUpdateManyOptions, EncryptedUpdateOneOptions } from './collection/writes/update.ts'
export { SHREDDED, ShreddedMark } from './collection/shredded-mark.ts'
