/** What `watch` gives: changes, decrypted as they come. */

import { Readable } from 'node:stream'

import type { ChangeStream, Document, ResumeToken } from 'mongodb'

import type { Tree } from '../../values/resolve.ts'
import { refusedOperation } from '../operations.ts'
import type { Opened } from './open-changes.ts'

/** Where changes come from. */
export interface ChangeSource {
  /** The driver's. Nothing is sent before it is asked. */
  readonly stream: ChangeStream
  /** Throws what keeps all of them from being read: they can be given again. */
  readonly open: (changes: readonly Tree[]) => Promise<readonly Opened[]>
}

/**
 * As the driver's change stream, in the way of an iterator: it goes on after an interruption by itself. A change that cannot be read is thrown
 * in its turn; `resumeToken` is then its own, and the next call goes on behind it.
 *
 * @example
 * ```ts
 * import { encrypted, type EncryptedCollectionOf } from '@strongroom/mongo-adapter'
 * import { z } from 'zod'
 *
 * const User = z.object({ name: encrypted(z.string()) })
 *
 * async function follow(users: EncryptedCollectionOf<typeof User>, after: unknown, done: (token: unknown) => Promise<void>) {
 *   const changes = users.watch([{ $match: { operationType: { $ne: 'delete' } } }], { fullDocument: 'updateLookup', resumeAfter: after })
 *   for await (const change of changes) {
 *     if (change.operationType === 'update') console.log(change.updateDescription.updatedFields?.name)
 *     await done(change._id)
 *   }
 * }
 * ```
 */
export class EncryptedChangeStream<C> {
  readonly #source: ChangeSource
  /** As they came. */
  #come: Tree[] = []
  /** Read and not given yet, the next one last. */
  #ready: Opened[] = []
  /** Of what was given last, or where these began. */
  #token: ResumeToken = undefined
  #isClosed = false

  /** @internal */
  constructor(source: ChangeSource) {
    this.#source = source
  }

  /** To go on behind what was given last: for `resumeAfter` or `startAfter`. */
  get resumeToken(): ResumeToken {
    return this.bufferedCount() === this.#source.stream.bufferedCount() ? this.#source.stream.resumeToken : this.#token
  }

  get closed(): boolean {
    return this.#source.stream.closed && this.#come.length === 0 && this.#ready.length === 0
  }

  bufferedCount(): number {
    return this.#source.stream.bufferedCount() + this.#come.length + this.#ready.length
  }

  /** Waits for the next change. @throws StrongroomError as `findOne`, of this change alone, and what stores and provider throw */
  async next(): Promise<C> {
    await this.#fill(() => this.#source.stream.next())
    return this.#given()
  }

  /** `null` where none has come. @throws StrongroomError as `next` */
  async tryNext(): Promise<C | null> {
    return (await this.#fill(() => this.#source.stream.tryNext())) ? this.#given() : null
  }

  /** Waits until one has come; `false` where none will. @throws StrongroomError what stores and provider throw */
  async hasNext(): Promise<boolean> {
    const { stream } = this.#source
    return this.#fill(async () => ((await stream.hasNext()) ? stream.next() : null))
  }

  /** It goes on after an interruption, and to destroy it closes it. */
  stream(): Readable {
    const next = (): Promise<C> => this.next()
    const close = (): Promise<void> => this.close()
    return new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        next().then(
          (change) => this.push(change),
          (error: Error) => this.destroy(error),
        )
      },
      destroy(error, ended) {
        close().then(
          () => ended(error),
          (failure: Error) => ended(error ?? failure),
        )
      },
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#come = []
    this.#ready = []
    await this.#source.stream.close()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<C, void, void> {
    if (this.closed) return
    try {
      for (;;) yield await this.next()
    } finally {
      await this.close()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  readonly on: () => never = refused('on')
  readonly once: () => never = refused('once')
  readonly addListener: () => never = refused('addListener')

  /** @returns whether something is there to be given */
  async #fill(ask: () => Promise<Document | null>): Promise<boolean> {
    while (this.#ready.length === 0) {
      // What could not be read before has come already.
      if (this.#come.length === 0 && !(await this.#take(ask))) return false
      const opened = await this.#source.open(this.#come)
      // Closed meanwhile: asking says so.
      if (this.#isClosed) continue
      this.#come = []
      this.#ready = [...opened].reverse()
    }
    return true
  }

  async #take(ask: () => Promise<Document | null>): Promise<boolean> {
    const { stream } = this.#source
    this.#token = stream.resumeToken
    const first = await ask()
    if (first === null) return false
    this.#come.push(first)
    // What came with it need not be waited for.
    while (stream.bufferedCount() > 0) this.#come.push((await stream.next()) as Document)
    return true
  }

  #given(): C {
    const { token, change, error } = this.#ready.pop() as Opened
    this.#token = token
    if (error !== undefined) throw error
    return change as C
  }
}

function refused(name: string): () => never {
  return () => {
    throw refusedOperation(`${name} of a change stream`, "for await, next(), or stream().on('data', …)")
  }
}
