/** The operations of bulkWrite, in types. */

import type { AnyBulkWriteOperation, CollationOptions, Document, Hint, OptionalUnlessRequiredId } from 'mongodb'
import type { z } from 'zod'

import type { DocumentSchema, EncryptedBulkFilter, EncryptedSort, EncryptedUpdate, Replacement } from '../../typed.ts'

/** An operation of `bulkWrite`. */
export type EncryptedBulkOperation<T, S extends z.ZodType = z.ZodType<T>, Owner extends string = never> = S extends DocumentSchema
  ? BulkOperation<T, S, Owner>
  : AnyBulkWriteOperation<T & Document>

type BulkOperation<T, S extends z.ZodType, Owner extends string> =
  | { readonly insertOne: { readonly document: Readonly<OptionalUnlessRequiredId<T>> } }
  | { readonly replaceOne: BulkTarget<S> & BulkOne<S> & { readonly replacement: Replacement<T> } }
  | { readonly updateOne: BulkUpdate<S, Owner> & BulkOne<S> }
  | { readonly updateMany: BulkUpdate<S, Owner> }
  | { readonly deleteOne: BulkTarget<S> }
  | { readonly deleteMany: BulkTarget<S> }
interface BulkTarget<S extends z.ZodType> {
  readonly filter: EncryptedBulkFilter<S>
  readonly collation?: CollationOptions
  readonly hint?: Hint
}
interface BulkUpdate<S extends z.ZodType, Owner extends string> extends BulkTarget<S> {
  readonly update: EncryptedUpdate<S, Owner>
  readonly arrayFilters?: readonly Document[]
  readonly upsert?: boolean
}
interface BulkOne<S extends z.ZodType> {
  readonly sort?: EncryptedSort<S>
  readonly upsert?: boolean
}
