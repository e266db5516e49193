/** The documents of one run of a query, a batch of the server at a time, each decrypted with one query to the key store. */

import type { Collection, CollationOptions, FindCursor, FindOptions, Hint, Long } from 'mongodb'

import type { Tree } from '../values/resolve.ts'

/** Where a cursor's documents come from. All that it refuses it refuses at once. */
export interface CursorSource {
  readonly collection: Collection
  /** Whether hits of an index are compared, so that what the server counts need not be what comes out. */
  readonly compares: boolean
  readonly collation: (collation: CollationOptions | undefined) => { readonly collation?: CollationOptions }
  readonly sort: (sort: unknown) => Map<string, 1 | -1> | undefined
  readonly hint: (hint: unknown) => Hint
  readonly filter: (filter: unknown) => CursorSource
  readonly project: (projection: unknown) => CursorSource
  /** The driver's cursor, with these options; the first thing that is sent. */
  readonly open: (options: FindOptions) => Promise<FindCursor>
  /** In the same order; `undefined` for what is no hit. */
  readonly decrypt: (documents: readonly Tree[]) => Promise<readonly (Tree | undefined)[]>
}

/** Those of the driver, checked. */
export type CursorOptions = FindOptions & { signal?: AbortSignal | undefined }

/** Fewer documents than this are asked for in one batch of that many. */
const MOST_AT_ONCE = 1000

export class DecryptedBatches {
  readonly #source: CursorSource
  readonly #options: CursorOptions
  #cursor: FindCursor | undefined
  #toSkip = 0
  #toGive = Infinity

  constructor(source: CursorSource, options: CursorOptions) {
    this.#source = source
    this.#options = { ...options }
  }

  get id(): Long | undefined {
    return this.#cursor?.id
  }

  get killed(): boolean {
    return this.#cursor?.killed ?? false
  }

  /** Documents, which may be none; `undefined` at the end. */
  async next(): Promise<Tree[] | undefined> {
    this.#cursor ??= await this.#begin()
    if (this.#toGive === 0 || !(await this.#cursor.hasNext())) return undefined
    const batch = this.#cursor.readBufferedDocuments() as Tree[]
    const found = (await this.#source.decrypt(batch)).filter((document) => document !== undefined)
    const skipped = Math.min(this.#toSkip, found.length)
    const given = found.slice(skipped, skipped + this.#toGive)
    this.#toSkip -= skipped
    this.#toGive -= given.length
    return given
  }

  async close(): Promise<void> {
    await this.#cursor?.close()
  }

  async #begin(): Promise<FindCursor> {
    const { limit = 0, skip = 0, collation, ...options } = this.#options
    const sent: FindOptions = { ...options, ...this.#source.collation(collation) }
    if (!this.#source.compares) return this.#source.open({ ...sent, ...(limit === 0 ? {} : { limit }), ...(skip === 0 ? {} : { skip }) })
    // The server does not know what is a hit.
    this.#toSkip = skip
    if (limit !== 0) this.#toGive = Math.abs(limit)
    const wanted = this.#toSkip + this.#toGive
    if (wanted < MOST_AT_ONCE) sent.batchSize ??= Math.max(2, wanted)
    return this.#source.open(sent)
  }
}
