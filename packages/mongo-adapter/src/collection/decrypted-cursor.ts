/** What all cursors over decrypted documents have: reading them, a batch at a time. */

import { Readable } from 'node:stream'

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'
import {
  type Collection,
  type CursorFlag,
  type Long,
  MongoCursorExhaustedError,
  ReadConcern,
  type ReadConcernLike,
  ReadPreference,
  type ReadPreferenceLike,
} from 'mongodb'

import type { Tree } from '../values/resolve.ts'
import type { Batches, CursorOptions } from './decrypted-batches.ts'
import { refusedOperation } from './operations.ts'
import { wholeFrom } from './whole-numbers.ts'

/** Nothing is sent before it is iterated, and memory holds one batch. */
export abstract class DecryptedCursor<T> {
  readonly #options: CursorOptions = {}
  #transform: ((document: unknown) => unknown) | undefined
  #batches: Batches | undefined
  /** Of runs that were rewound: closed before anything else is sent. */
  #stale: Batches[] = []
  /** The next one last: whatever is taken from the front of a long array moves all the rest. */
  #ready: Tree[] = []
  #closed = false

  /** @internal */
  protected abstract get collection(): Collection

  /** @internal */
  protected abstract begin(): Batches

  // No member of its own: whoever prints a cursor does not see them.
  /** @internal */
  protected get options(): CursorOptions {
    return this.#options
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
    return ReadConcern.fromOptions(this.options) ?? this.collection.readConcern
  }

  get readPreference(): ReadPreference {
    return ReadPreference.fromOptions(this.options) ?? this.collection.readPreference ?? ReadPreference.primary
  }

  batchSize(value: number): this {
    return this.set('batchSize', wholeFrom(0, 'batchSize', value))
  }

  maxTimeMS(value: number): this {
    return this.set('maxTimeMS', wholeFrom(0, 'maxTimeMS', value))
  }

  withReadConcern(readConcern: ReadConcernLike): this {
    return this.set('readConcern', readConcern)
  }

  withReadPreference(readPreference: ReadPreferenceLike): this {
    return this.set('readPreference', readPreference)
  }

  addCursorFlag(flag: CursorFlag, value: boolean): this {
    if (flag !== 'noCursorTimeout')
      throw refusedOperation(`addCursorFlag of ${shownName(flag)}`, 'the flag noCursorTimeout, and the option allowPartialResults of find')
    return this.set('noCursorTimeout', value)
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

  next(): Promise<T | null> {
    return this.#next(false)
  }

  async hasNext(): Promise<boolean> {
    this.options.signal?.throwIfAborted()
    if (this.killed) return false
    await this.#fill(false)
    return this.#ready.length > 0
  }

  /** As `next`: cursors that wait for more are not given. */
  tryNext(): Promise<T | null> {
    return this.next()
  }

  async toArray(): Promise<T[]> {
    const all: T[] = []
    for await (const document of this.#each(true)) {
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

  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return this.#each(false)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal */
  protected set<K extends keyof CursorOptions>(name: K, value: CursorOptions[K]): this {
    this.requireUnsent()
    this.options[name] = value
    return this
  }

  /** @internal Runs on what was decrypted, and after what it was given before. */
  protected transform(transform: (document: never) => unknown): void {
    this.requireUnsent()
    if (typeof transform !== 'function') throw invalidArgument('transform', 'must be a function')
    const before = this.#transform
    this.#transform = (document) => transform((before === undefined ? document : before(document)) as never)
  }

  /** @internal */
  protected requireUnsent(): void {
    if (this.#batches !== undefined)
      throw new StrongroomError('unsupported_operation', 'the cursor has begun: change it before it is iterated, or rewind it')
  }

  async *#each(all: boolean): AsyncGenerator<T, void, void> {
    this.options.signal?.throwIfAborted()
    if (this.closed || this.killed) return
    try {
      for (let next = await this.#next(all); next !== null; next = await this.#next(all)) yield next
    } finally {
      await this.close()
    }
  }

  async #next(all: boolean): Promise<T | null> {
    this.options.signal?.throwIfAborted()
    if (this.killed) throw new MongoCursorExhaustedError()
    await this.#fill(all)
    const document = this.#ready.pop()
    if (document === undefined) return null
    try {
      return this.#transformed(document)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async #fill(all: boolean): Promise<void> {
    while (this.#ready.length === 0 && !this.#closed) {
      await this.#closeStale()
      this.#batches ??= this.begin()
      try {
        const batch = await this.#batches.next(all)
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
