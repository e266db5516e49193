/** The cursor of `find`. */

import { invalidArgument } from '@strongroom/core'
import type { Collection, CollationOptions, Hint } from 'mongodb'
import type { z } from 'zod'

import type { Batches, CursorOptions } from './decrypted-batches.ts'
import { DecryptedCursor } from './decrypted-cursor.ts'
import { type CursorSource, FindBatches } from './find-batches.ts'
import { FIND_CURSOR, refusedMethod } from './operations.ts'
import type { EncryptedFilter, EncryptedProjection, EncryptedSort } from './typed.ts'
import { whole, wholeFrom } from './whole-numbers.ts'

const OF_A_CURSOR = ' of a cursor'

/**
 * As the driver's cursor of `find`: nothing is sent before it is iterated, and memory holds one batch.
 *
 * @example
 * ```ts
 * import { encrypted, type EncryptedCollectionOf } from '@strongroom/mongo-adapter'
 * import { z } from 'zod'
 *
 * const User = z.object({ plan: z.string(), name: encrypted(z.string()) })
 *
 * async function names(users: EncryptedCollectionOf<typeof User>) {
 *   for await (const user of users.find({ plan: 'pro' }).sort({ plan: 1 }).limit(10)) console.log(user.name)
 * }
 * ```
 */
export class EncryptedFindCursor<T, S extends z.ZodType = z.ZodType<T>> extends DecryptedCursor<T> {
  #source: CursorSource

  /** @internal */
  constructor(source: CursorSource, options: CursorOptions) {
    super()
    this.#source = source
    const { limit, skip, batchSize, maxTimeMS, ...rest } = options
    Object.assign(this.options, rest)
    if (limit !== undefined) this.limit(limit)
    if (skip !== undefined) this.skip(skip)
    if (batchSize !== undefined) this.batchSize(batchSize)
    if (maxTimeMS !== undefined) this.maxTimeMS(maxTimeMS)
  }

  protected override get collection(): Collection {
    return this.#source.collection
  }

  protected override begin(): Batches {
    return new FindBatches(this.#source, this.options)
  }

  get namespace(): never {
    throw refusedMethod(FIND_CURSOR, 'namespace', OF_A_CURSOR)
  }

  /** By plain paths. */
  sort(sort: EncryptedSort<S>, direction?: 1 | -1): this {
    this.requireUnsent()
    const given = typeof sort === 'string' && direction !== undefined ? { [sort]: direction } : sort
    const checked = this.#source.sort(given)
    if (checked === undefined) delete this.options.sort
    else this.options.sort = checked
    return this
  }

  limit(value: number): this {
    return this.set('limit', whole('limit', value))
  }

  skip(value: number): this {
    return this.set('skip', wholeFrom(0, 'skip', value))
  }

  comment(value: string): this {
    return this.set('comment', value)
  }

  allowDiskUse(allow = true): this {
    if (this.options.sort === undefined) throw invalidArgument('allowDiskUse', 'needs a sort')
    return this.set('allowDiskUse', allow)
  }

  /** In place of the filter that `find` was given. */
  filter(filter: EncryptedFilter<S>): this {
    this.requireUnsent()
    const source = this.#source.filter(filter)
    source.collation(this.options.collation)
    this.#source = source
    return this
  }

  project<U = T>(projection: EncryptedProjection<S>): EncryptedFindCursor<U, S> {
    this.requireUnsent()
    this.#source = this.#source.project(projection)
    return this as unknown as EncryptedFindCursor<U, S>
  }

  /** An index by its name, or by its key in declared paths. */
  hint(hint: Hint): this {
    return this.set('hint', this.#source.hint(hint))
  }

  /** For filters on plain paths. */
  collation(value: CollationOptions): this {
    this.#source.collation(value)
    return this.set('collation', value)
  }

  /** Runs on what was decrypted, and after what `map` was given before. */
  map<U>(transform: (document: T) => U): EncryptedFindCursor<U, S> {
    this.transform(transform)
    return this as unknown as EncryptedFindCursor<U, S>
  }

  /** Another cursor of the same filter and options, without the session and what `map` was given. */
  clone(): EncryptedFindCursor<T, S> {
    const options = { ...this.options }
    delete options.session
    return new EncryptedFindCursor<T, S>(this.#source, options)
  }

  readonly addQueryModifier: () => never = refused('addQueryModifier')
  readonly count: () => never = refused('count')
  readonly explain: () => never = refused('explain')
  readonly max: () => never = refused('max')
  readonly maxAwaitTimeMS: () => never = refused('maxAwaitTimeMS')
  readonly min: () => never = refused('min')
  readonly returnKey: () => never = refused('returnKey')
  readonly showRecordId: () => never = refused('showRecordId')
}

function refused(name: string): () => never {
  return () => {
    throw refusedMethod(FIND_CURSOR, name, OF_A_CURSOR)
  }
}
