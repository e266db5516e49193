/** The documents of one run of a query or a pipeline, a batch of the server at a time, each decrypted with one query to the key store. */

import { setImmediate } from 'node:timers/promises'

import type { AggregationCursor, FindCursor, FindOptions, Long } from 'mongodb'

import type { Tree } from '../values/resolve.ts'

/** The documents of one run. */
export interface Batches {
  readonly id: Long | undefined
  readonly killed: boolean
  /**
   * Documents, which may be none; `undefined` at the end.
   *
   * @param all - the caller takes them all: the server may be asked for what comes next while these are decrypted
   */
  next(all: boolean): Promise<Tree[] | undefined>
  close(): Promise<void>
}

/** Those of the driver, checked. */
export type CursorOptions = FindOptions & { signal?: AbortSignal | undefined }

/** Of all documents so many come in a batch, where nobody said how many: the server makes the next while these are decrypted. */
export const BATCH_OF_ALL = 1000

/** The driver's cursor is opened with the first batch. */
export abstract class DecryptedBatches implements Batches {
  #cursor: FindCursor | AggregationCursor | undefined
  /** Whether there is a next batch, where it was asked for already. Nothing is on its way while no call waits. */
  #more: boolean | undefined

  /** @internal The first thing that is sent. */
  protected abstract open(all: boolean): Promise<FindCursor | AggregationCursor>

  /** @internal In the same order; `undefined` for what is no hit. */
  protected abstract decrypt(documents: readonly Tree[]): Promise<readonly (Tree | undefined)[]>

  get id(): Long | undefined {
    return this.#cursor?.id
  }

  get killed(): boolean {
    return this.#cursor?.killed ?? false
  }

  async next(all: boolean): Promise<Tree[] | undefined> {
    const cursor = (this.#cursor ??= await this.open(all))
    const more = this.#more ?? (await cursor.hasNext())
    this.#more = undefined
    if (!more) return undefined
    const found = cursor.readBufferedDocuments() as Tree[]
    const documents = all && cursor.id?.isZero() === false ? await this.#decryptMeanwhile(found, cursor) : await this.decrypt(found)
    return documents.filter((document) => document !== undefined)
  }

  async close(): Promise<void> {
    await this.#cursor?.close()
  }

  async #decryptMeanwhile(found: readonly Tree[], cursor: FindCursor | AggregationCursor): Promise<readonly (Tree | undefined)[]> {
    const coming = cursor.hasNext()
    // Decrypting leaves no turn to send anything in: it is sent before.
    const decrypting = setImmediate().then(() => this.decrypt(found))
    const [documents, more] = await Promise.allSettled([decrypting, coming])
    if (documents.status === 'rejected') throw documents.reason
    if (more.status === 'rejected') throw more.reason
    this.#more = more.value
    return documents.value
  }
}
