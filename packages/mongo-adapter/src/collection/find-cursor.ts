/** The cursor of `find`. */

import { Readable } from 'node:stream'

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'
import {
  type CollationOptions,
  type CursorFlag,
  type Filter,
  type Hint,
  type Long,
  MongoCursorExhaustedError,
  ReadConcern,
  type ReadConcernLike,
  ReadPreference,
  type ReadPreferenceLike,
  type Sort,
} from 'mongodb'

import type { Tree } from '../values/resolve.ts'
import { type CursorOptions, type CursorSource, DecryptedBatches } from './decrypted-batches.ts'
import { FIND_CURSOR, refusedMethod, refusedOperation } from './operations.ts'
import { whole, wholeFrom } from './whole-numbers.ts'

const OF_A_CURSOR = ' of a cursor'

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
  readonly #options: CursorOptions
  #transform: ((document: unknown) => unknown) | undefined
  #batches: DecryptedBatches | undefined
  /** Of runs that were rewound: closed before anything else is sent. */
  #stale: DecryptedBatches[] = []
  /** The next one last: whatever is taken from the front of a long array moves all the rest. */
  #ready: Tree[] = []
  #closed = false

  /** @internal */
  constructor(source: CursorSource, options: CursorOptions) {
    this.#source = source
    this.#options = {}
    const { limit, skip, batchSize, maxTimeMS, ...rest } = options
    Object.assign(this.#options, rest)
    if (limit !== undefined) this.limit(limit)
    if (skip !== undefined) this.skip(skip)
    if (batchSize !== undefined) this.batchSize(batchSize)
    if (maxTimeMS !== undefined) this.maxTimeMS(maxTimeMS)
  }

  get closed(): boolean {
    return this.#closed && this.#ready.length === 0
  }

  get killed(): boolean {
    return this.#batches?.killed ?? false
  }

  get id(): Long | undefined {
    return this.#batches?.id
  }

  get readConcern(): ReadConcern | undefined {
    return ReadConcern.fromOptions(this.#options) ?? this.#source.collection.readConcern
  }

  get readPreference(): ReadPreference {
    return ReadPreference.fromOptions(this.#options) ?? this.#source.collection.readPreference ?? ReadPreference.primary
  }

  get namespace(): never {
    throw refusedMethod(FIND_CURSOR, 'namespace', OF_A_CURSOR)
  }

  /** By plain paths. */
  sort(sort: Sort, direction?: 1 | -1): this {
    this.#requireUnsent()
    const given = typeof sort === 'string' && direction !== undefined ? { [sort]: direction } : sort
    const checked = this.#source.sort(given)
    if (checked === undefined) delete this.#options.sort
    else this.#options.sort = checked
    return this
  }

  limit(value: number): this {
    return this.#set('limit', whole('limit', value))
  }

  skip(value: number): this {
    return this.#set('skip', wholeFrom(0, 'skip', value))
  }

  batchSize(value: number): this {
    return this.#set('batchSize', wholeFrom(0, 'batchSize', value))
  }

  maxTimeMS(value: number): this {
    return this.#set('maxTimeMS', wholeFrom(0, 'maxTimeMS', value))
  }

  comment(value: string): this {
    return this.#set('comment', value)
  }

  allowDiskUse(allow = true): this {
    if (this.#options.sort === undefined) throw invalidArgument('allowDiskUse', 'needs a sort')
    return this.#set('allowDiskUse', allow)
  }

  /** In place of the filter that `find` was given. */
  filter(filter: Filter<T>): this {
    this.#requireUnsent()
    const source = this.#source.filter(filter)
    source.collation(this.#options.collation)
    this.#source = source
    return this
  }

  project<U = T>(projection: Readonly<Record<string, unknown>>): EncryptedFindCursor<U> {
    this.#requireUnsent()
    this.#source = this.#source.project(projection)
    return this as unknown as EncryptedFindCursor<U>
  }

  /** An index by its name, or by its key in declared paths. */
  hint(hint: Hint): this {
    return this.#set('hint', this.#source.hint(hint))
  }

  /** For filters on plain paths. */
  collation(value: CollationOptions): this {
    this.#source.collation(value)
    return this.#set('collation', value)
  }

  withReadConcern(readConcern: ReadConcernLike): this {
    return this.#set('readConcern', readConcern)
  }

  withReadPreference(readPreference: ReadPreferenceLike): this {
    return this.#set('readPreference', readPreference)
  }

  addCursorFlag(flag: CursorFlag, value: boolean): this {
    if (flag !== 'noCursorTimeout')
      throw refusedOperation(`addCursorFlag of ${shownName(flag)}`, 'the flag noCursorTimeout, and the option allowPartialResults of find')
    return this.#set('noCursorTimeout', value)
  }

  /** Runs on what was decrypted, and after what `map` was given before. */
  map<U>(transform: (document: T) => U): EncryptedFindCursor<U> {
    this.#requireUnsent()
    if (typeof transform !== 'function') throw invalidArgument('transform', 'must be a function')
    const before = this.#transform
    this.#transform = (document) => transform((before === undefined ? document : before(document)) as T)
    return this as unknown as EncryptedFindCursor<U>
  }

  /** Another cursor of the same filter and options, without the session and what `map` was given. */
  clone(): EncryptedFindCursor<T> {
    const options = { ...this.#options }
    delete options.session
    return new EncryptedFindCursor<T>(this.#source, options)
  }

  /** Back to the beginning: what comes then is asked for anew. */
  rewind(): void {
    if (this.#batches !== undefined) this.#stale.push(this.#batches)
    this.#batches = undefined
    this.#ready = []
    this.#closed = false
  }

  bufferedCount(): number {
    return this.#ready.length
  }

  /** What was decrypted and not given yet; never asks the server. */
  readBufferedDocuments(number: number = this.#ready.length): T[] {
    return this.#ready.splice(Math.max(0, this.#ready.length - number)).reverse() as T[]
  }

  async next(): Promise<T | null> {
    this.#options.signal?.throwIfAborted()
    if (this.killed) throw new MongoCursorExhaustedError()
    await this.#fill()
    const document = this.#ready.pop()
    if (document === undefined) return null
    try {
      return this.#transformed(document)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async hasNext(): Promise<boolean> {
    this.#options.signal?.throwIfAborted()
    if (this.killed) return false
    await this.#fill()
    return this.#ready.length > 0
  }

  /** As `next`: cursors that wait for more are not given. */
  tryNext(): Promise<T | null> {
    return this.next()
  }

  async toArray(): Promise<T[]> {
    const all: T[] = []
    for await (const document of this) {
      all.push(document)
      // What came with it need not be waited for.
      for (let next = this.#ready.pop(); next !== undefined; next = this.#ready.pop()) all.push(this.#transformed(next))
    }
    return all
  }

  /** Ends early where `iterator` returns false. */
  async forEach(iterator: (document: T) => boolean | void): Promise<void> {
    if (typeof iterator !== 'function') throw invalidArgument('iterator', 'must be a function')
    for await (const document of this) if (iterator(document) === false) return
  }

  stream(): Readable {
    return Readable.from(this, { highWaterMark: 1 })
  }

  /** What was decrypted already can still be had. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#closeStale()
    await this.#batches?.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    this.#options.signal?.throwIfAborted()
    if (this.closed || this.killed) return
    try {
      for (let next = await this.next(); next !== null; next = await this.next()) yield next
    } finally {
      await this.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  readonly addQueryModifier: () => never = refused('addQueryModifier')
  readonly count: () => never = refused('count')
  readonly explain: () => never = refused('explain')
  readonly max: () => never = refused('max')
  readonly maxAwaitTimeMS: () => never = refused('maxAwaitTimeMS')
  readonly min: () => never = refused('min')
  readonly returnKey: () => never = refused('returnKey')
  readonly showRecordId: () => never = refused('showRecordId')

  #set<K extends keyof CursorOptions>(name: K, value: CursorOptions[K]): this {
    this.#requireUnsent()
    this.#options[name] = value
    return this
  }

  #requireUnsent(): void {
    if (this.#batches !== undefined)
      throw new StrongroomError('unsupported_operation', 'the cursor has begun: change it before it is iterated, or rewind it')
  }

  async #fill(): Promise<void> {
    while (this.#ready.length === 0 && !this.#closed) {
      await this.#closeStale()
      this.#batches ??= new DecryptedBatches(this.#source, this.#options)
      try {
        const batch = await this.#batches.next()
        if (batch === undefined) return await this.close()
        this.#ready = batch.reverse()
      } catch (error) {
        await this.close()
        throw error
      }
    }
  }

  async #closeStale(): Promise<void> {
    const stale = this.#stale
    this.#stale = []
    await Promise.all(stale.map((batches) => batches.close()))
  }

  #transformed(document: Tree): T {
    if (this.#transform === undefined) return document as T
    const transformed = this.#transform(document)
    if (transformed === null) throw invalidArgument('transform', 'must not return null, which would mean that there is no more')
    return transformed as T
  }
}

function refused(name: string): () => never {
  return () => {
    throw refusedMethod(FIND_CURSOR, name, OF_A_CURSOR)
  }
}
