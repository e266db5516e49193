/** The documents of one run of a query or a pipeline, a batch of the server at a time, each decrypted with one query to the key store. */

import type { AggregationCursor, FindCursor, FindOptions, Long } from 'mongodb'

import type { Tree } from '../values/resolve.ts'

/** The documents of one run. */
export interface Batches {
  readonly id: Long | undefined
  readonly killed: boolean
  /** Documents, which may be none; `undefined` at the end. */
  next(): Promise<Tree[] | undefined>
  close(): Promise<void>
}

/** Those of the driver, checked. */
export type CursorOptions = FindOptions & { signal?: AbortSignal | undefined }

/** The driver's cursor is opened with the first batch. */
export abstract class DecryptedBatches implements Batches {
  #cursor: FindCursor | AggregationCursor | undefined

  /** @internal The first thing that is sent. */
  protected abstract open(): Promise<FindCursor | AggregationCursor>

  /** @internal In the same order; `undefined` for what is no hit. */
  protected abstract decrypt(documents: readonly Tree[]): Promise<readonly (Tree | undefined)[]>

  get id(): Long | undefined {
    return this.#cursor?.id
  }

  get killed(): boolean {
    return this.#cursor?.killed ?? false
  }

  async next(): Promise<Tree[] | undefined> {
    this.#cursor ??= await this.open()
    if (!(await this.#cursor.hasNext())) return undefined
    const documents = await this.decrypt(this.#cursor.readBufferedDocuments() as Tree[])
    return documents.filter((document) => document !== undefined)
  }

  async close(): Promise<void> {
    await this.#cursor?.close()
  }
}
