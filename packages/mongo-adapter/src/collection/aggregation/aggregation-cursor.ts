/** The cursor of `aggregate`. */

import type { AggregationCursor, Collection, Document, Sort } from 'mongodb'

import type { Tree } from '../../values/resolve.ts'
import { BATCH_OF_ALL, type Batches, type CursorOptions, DecryptedBatches } from '../decrypted-batches.ts'
import { DecryptedCursor } from '../decrypted-cursor.ts'
import { AGGREGATION_CURSOR, refusedMethod } from '../operations.ts'
import type { PipelineSource } from './aggregate.ts'

/**
 * As the driver's cursor of `aggregate`: nothing is sent before it is iterated, and memory holds one batch.
 *
 * @example
 * ```ts
 * import { encrypted, type EncryptedCollectionOf } from '@strongroom/mongo-adapter'
 * import { z } from 'zod'
 *
 * const User = z.object({ plan: z.string(), email: encrypted(z.email()) })
 *
 * async function addresses(users: EncryptedCollectionOf<typeof User>) {
 *   const cursor = users.aggregate<{ mail: string }>().match({ plan: 'pro' }).project({ mail: '$email' })
 *   for await (const { mail } of cursor) console.log(mail)
 * }
 * ```
 */
export class EncryptedAggregationCursor<T> extends DecryptedCursor<T> {
  #source: PipelineSource

  /** @internal */
  constructor(source: PipelineSource, options: CursorOptions) {
    super()
    this.#source = source
    const { batchSize, maxTimeMS, ...rest } = options
    Object.assign(this.options, rest)
    if (batchSize !== undefined) this.batchSize(batchSize)
    if (maxTimeMS !== undefined) this.maxTimeMS(maxTimeMS)
  }

  protected override get collection(): Collection {
    return this.#source.collection
  }

  protected override begin(): Batches {
    return new PipelineBatches(this.#source, this.options)
  }

  get namespace(): never {
    throw refusedMethod(AGGREGATION_CURSOR, 'namespace', OF_A_CURSOR)
  }

  /** Puts a stage behind the pipeline. @throws StrongroomError at once for what is refused */
  addStage<U = T>(stage: Document): EncryptedAggregationCursor<U> {
    this.requireUnsent()
    this.#source = this.#source.followed(stage)
    return this as unknown as EncryptedAggregationCursor<U>
  }

  group<U = T>(group: Document): EncryptedAggregationCursor<U> {
    return this.addStage({ $group: group })
  }

  limit(limit: number): this {
    return this.#followed({ $limit: limit })
  }

  lookup(lookup: Document): this {
    return this.#followed({ $lookup: lookup })
  }

  match(match: Document): this {
    return this.#followed({ $match: match })
  }

  project<U = Document>(project: Document): EncryptedAggregationCursor<U> {
    return this.addStage({ $project: project })
  }

  skip(skip: number): this {
    return this.#followed({ $skip: skip })
  }

  sort(sort: Sort): this {
    return this.#followed({ $sort: sort })
  }

  unwind(unwind: Document | string): this {
    return this.#followed({ $unwind: unwind })
  }

  /** Runs on what was decrypted, and after what `map` was given before. */
  map<U>(transform: (document: T) => U): EncryptedAggregationCursor<U> {
    this.transform(transform)
    return this as unknown as EncryptedAggregationCursor<U>
  }

  /** Another cursor of the same pipeline and options, without the session and what `map` was given. */
  clone(): EncryptedAggregationCursor<T> {
    const options = { ...this.options }
    delete options.session
    return new EncryptedAggregationCursor<T>(this.#source, options)
  }

  readonly explain: () => never = refused('explain')
  readonly geoNear: () => never = refused('geoNear')
  readonly out: () => never = refused('out')
  readonly redact: () => never = refused('redact')

  #followed(stage: Document): this {
    this.addStage(stage)
    return this
  }
}

const OF_A_CURSOR = ' of a cursor'

function refused(name: string): () => never {
  return () => {
    throw refusedMethod(AGGREGATION_CURSOR, name, OF_A_CURSOR)
  }
}

/** The documents of one run of a pipeline. */
class PipelineBatches extends DecryptedBatches {
  readonly #source: PipelineSource
  readonly #options: CursorOptions

  constructor(source: PipelineSource, options: CursorOptions) {
    super()
    this.#source = source
    this.#options = { ...options }
  }

  protected override open(all: boolean): Promise<AggregationCursor> {
    return this.#source.open({ ...(all ? { batchSize: BATCH_OF_ALL } : {}), ...this.#options })
  }

  protected override decrypt(documents: readonly Tree[]): Promise<readonly (Tree | undefined)[]> {
    return this.#source.decrypt(documents)
  }
}
