/** find and findOne. */

import type { Abortable, BSONSerializeOptions, CollationOptions, FindOptions } from 'mongodb'
import type { z } from 'zod'

import type { CursorSource } from './find-batches.ts'
import { EncryptedFindCursor } from './find-cursor.ts'
import { hintOf } from './indexes/index-keys.ts'
import { openDocuments, type OnShredded, requireOnShredded } from './open.ts'
import { type BsonReading, FIND_OPTIONS, readDriverOptions } from './options.ts'
import { planProjection } from './projection.ts'
import { sortOf } from './sort.ts'
import { collationOf, type FilterPlan, planFilter, type Source } from './source.ts'
import type { EncryptedProjection, EncryptedSort } from './typed.ts'

/** Options of find and findOne: the driver's that work on what is encrypted, and what to do about shredded values. */
export interface EncryptedFindOptions<S extends z.ZodType = z.ZodType>
  extends
    Pick<
      FindOptions,
      | 'session'
      | 'readConcern'
      | 'readPreference'
      | 'limit'
      | 'skip'
      | 'batchSize'
      | 'hint'
      | 'comment'
      | 'collation'
      | 'maxTimeMS'
      | 'timeoutMS'
      | 'allowDiskUse'
      | 'allowPartialResults'
      | 'noCursorTimeout'
      | 'ignoreUndefined'
      | BsonReading
    >,
    Abortable {
  /** Values whose keys are destroyed: `throw`, or stand as `SHREDDED`. Without it, single documents throw and lists mark. */
  readonly shredded?: OnShredded
  readonly sort?: EncryptedSort<S>
  readonly projection?: EncryptedProjection<S>
}

/** @throws StrongroomError at once for what is refused */
export function find<T, S extends z.ZodType = z.ZodType<T>>(
  source: Source,
  filter: unknown,
  options: EncryptedFindOptions | undefined,
  byDefault: OnShredded,
): EncryptedFindCursor<T, S> {
  const read = readDriverOptions(options, FIND_OPTIONS)
  const { projection, shredded = source.shredded ?? byDefault, sort, hint, collation, ...sent } = read
  requireOnShredded(shredded)
  const plan = planFilter(source, filter, sent)
  const asked: Asked = { source, bson: sent, shredded }
  const cursor = new EncryptedFindCursor<T, S>(cursorSource(asked, plan, projection), sent)
  if (sort !== undefined) cursor.sort(sort as EncryptedSort<S>)
  if (hint !== undefined) cursor.hint(hint)
  if (collation !== undefined) cursor.collation(collation)
  return cursor
}

export async function findOne<T>(source: Source, filter: unknown, options: EncryptedFindOptions | undefined): Promise<T | null> {
  const cursor = find<T>(source, filter, options, 'throw').limit(-1)
  try {
    return await cursor.next()
  } finally {
    await cursor.close()
  }
}

/** What a cursor is asked for, whatever its filter and projection. */
interface Asked {
  readonly source: Source
  readonly bson: BSONSerializeOptions
  readonly shredded: OnShredded
}

function cursorSource(asked: Asked, plan: FilterPlan, projection: unknown): CursorSource {
  const { source, shredded, bson } = asked
  const { layout, vault, collection } = source
  const planned = planProjection(layout, projection, plan.searched)
  const reading = readingAs(source, bson)
  return {
    collection,
    compares: plan.searched.length > 0,
    collation: (given: CollationOptions | undefined) => collationOf(source, plan, given),
    sort: (given) => sortOf(layout, given),
    hint: (given) => hintOf(layout, given),
    filter: (other) => cursorSource(asked, planFilter(source, other, bson), projection),
    project: (other) => cursorSource(asked, plan, other),
    async open(options) {
      return collection.find(await plan.physical(), {
        ...options,
        promoteBuffers: false,
        ...(planned.projection === undefined ? {} : { projection: planned.projection }),
      })
    },
    async decrypt(documents) {
      const opened = await openDocuments(vault, layout, documents, { bson: reading, shredded, verify: plan })
      return opened.map((document) => (document === undefined ? undefined : planned.strip(document)))
    },
  }
}

/** Options that BSON is read with, as the driver would. */
export function readingAs({ collection }: Source, options: BSONSerializeOptions): BSONSerializeOptions {
  const { promoteLongs, promoteValues, promoteBuffers, useBigInt64, bsonRegExp } = { ...collection.bsonOptions, ...options }
  const all = { promoteLongs, promoteValues, promoteBuffers, useBigInt64, bsonRegExp }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}
