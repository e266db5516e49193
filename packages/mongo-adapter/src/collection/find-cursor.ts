/** The cursor of `find`: decrypts a batch of the server at a time, with one query to the key store for each. */

import { Readable } from 'node:stream'

import { StrongroomError } from '@strongroom/core'
import type { FindCursor, FindOptions, Sort } from 'mongodb'

import type { Tree } from '../values/resolve.ts'
import { refusedOperation } from './operations.ts'

/** Where a cursor's documents come from. */
export interface CursorSource {
  /** The driver's cursor, with these options; the first thing that is sent. */
  readonly open: (options: FindOptions) => Promise<FindCursor>
  /** @throws StrongroomError */
  readonly checkSort: (sort: unknown) => unknown
  /** Planned anew with another projection. @throws StrongroomError */
  readonly project: (projection: unknown) => CursorSource
  readonly decrypt: (documents: readonly Tree[]) => Promise<readonly (Tree | undefined)[]>
}

/**
 * As the driver's cursor of `find`: nothing is sent before it is iterated, and memory holds one batch.
 *
 * @example
 * ```ts
 * import { type EncryptedCollection } from '@strongroom/mongo-adapter'
 *
 * async function names(users: EncryptedCollection<{ name: string }>) {
 *   for await (const user of users.find({ plan: 'pro' }).sort({ plan: 1 }).limit(10)) console.log(user.name)
 * }
 * ```
 */
export class EncryptedFindCursor<T> {
  #source: CursorSource
  readonly #options: FindOptions
  #cursor: FindCursor | undefined
  #ready: Tree[] = []
  #closed = false

  /** @internal */
  constructor(source: CursorSource, options: FindOptions) {
    this.#source = source
    this.#options = { ...options }
  }

  get closed(): boolean {
    return this.#closed
  }

  sort(sort: Sort, direction?: 1 | -1): this {
    this.#options.sort = this.#source.checkSort(typeof sort === 'string' && direction !== undefined ? { [sort]: direction } : sort) as Sort
    return this.#unsent()
  }

  limit(value: number): this {
    this.#options.limit = value
    return this.#unsent()
  }

  skip(value: number): this {
    this.#options.skip = value
    return this.#unsent()
  }

  project(projection: Readonly<Record<string, unknown>>): this {
    this.#source = this.#source.project(projection)
    return this.#unsent()
  }

  batchSize(value: number): this {
    this.#options.batchSize = value
    return this.#unsent()
  }

  comment(value: string): this {
    this.#options.comment = value
    return this.#unsent()
  }

  maxTimeMS(value: number): this {
    this.#options.maxTimeMS = value
    return this.#unsent()
  }

  allowDiskUse(allow = true): this {
    this.#options.allowDiskUse = allow
    return this.#unsent()
  }

  async next(): Promise<T | null> {
    await this.#fill()
    return (this.#ready.shift() as T | undefined) ?? null
  }

  async hasNext(): Promise<boolean> {
    await this.#fill()
    return this.#ready.length > 0
  }

  /** As `next`: cursors that wait for more are not given. */
  tryNext(): Promise<T | null> {
    return this.next()
  }

  async toArray(): Promise<T[]> {
    const all: T[] = []
    for await (const document of this) all.push(document)
    return all
  }

  /** Ends early where `iterator` returns false. */
  async forEach(iterator: (document: T) => boolean | void): Promise<void> {
    for await (const document of this) if (iterator(document) === false) return
  }

  stream(): Readable {
    return Readable.from(this)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#ready = []
    await this.#cursor?.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    try {
      for (let next = await this.next(); next !== null; next = await this.next()) yield next
    } finally {
      await this.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  readonly addCursorFlag: () => never = refused('addCursorFlag')
  readonly addQueryModifier: () => never = refused('addQueryModifier')
  readonly bufferedCount: () => never = refused('bufferedCount')
  readonly clone: () => never = refused('clone')
  readonly collation: () => never = refused('collation')
  readonly count: () => never = refused('count')
  readonly explain: () => never = refused('explain')
  readonly filter: () => never = refused('filter')
  readonly hint: () => never = refused('hint')
  readonly map: () => never = refused('map')
  readonly max: () => never = refused('max')
  readonly maxAwaitTimeMS: () => never = refused('maxAwaitTimeMS')
  readonly min: () => never = refused('min')
  readonly readBufferedDocuments: () => never = refused('readBufferedDocuments')
  readonly returnKey: () => never = refused('returnKey')
  readonly rewind: () => never = refused('rewind')
  readonly showRecordId: () => never = refused('showRecordId')
  readonly withReadConcern: () => never = refused('withReadConcern')
  readonly withReadPreference: () => never = refused('withReadPreference')

  #unsent(): this {
    if (this.#cursor !== undefined)
      throw new StrongroomError('unsupported_operation', 'the cursor has begun: change it before it is iterated')
    return this
  }

  async #fill(): Promise<void> {
    while (this.#ready.length === 0 && !this.#closed) {
      this.#cursor ??= await this.#source.open(this.#options)
      if (!(await this.#cursor.hasNext())) return this.close()
      const batch = this.#cursor.readBufferedDocuments() as Tree[]
      try {
        this.#ready = (await this.#source.decrypt(batch)).filter((document) => document !== undefined)
      } catch (error) {
        await this.close()
        throw error
      }
    }
  }
}

function refused(name: string): () => never {
  return () => {
    throw refusedOperation(`${name} of a cursor`)
  }
}
