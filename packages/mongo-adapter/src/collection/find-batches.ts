/** The documents of one run of `find`. */

import type { Collection, CollationOptions, FindCursor, FindOptions, Hint } from 'mongodb'

import type { Tree } from '../values/resolve.ts'
import { BATCH_OF_ALL, type CursorOptions, DecryptedBatches } from './decrypted-batches.ts'

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

/** Fewer documents than this are asked for in one batch of that many. */
const MOST_AT_ONCE = 1000

export class FindBatches extends DecryptedBatches {
  readonly #source: CursorSource
  readonly #options: CursorOptions
  #toSkip = 0
  #toGive = Infinity

  constructor(source: CursorSource, options: CursorOptions) {
    super()
    this.#source = source
    this.#options = { ...options }
  }

  override async next(all: boolean): Promise<Tree[] | undefined> {
    if (this.#toGive === 0) return undefined
    const found = await super.next(all && this.#toGive === Infinity)
    if (found === undefined) return undefined
    const skipped = Math.min(this.#toSkip, found.length)
    const given = found.slice(skipped, skipped + this.#toGive)
    this.#toSkip -= skipped
    this.#toGive -= given.length
    return given
  }

  protected override decrypt(documents: readonly Tree[]): Promise<readonly (Tree | undefined)[]> {
    return this.#source.decrypt(documents)
  }

  protected override async open(all: boolean): Promise<FindCursor> {
    const { limit = 0, skip = 0, collation, ...options } = this.#options
    const sent: FindOptions = { ...options, ...this.#source.collation(collation) }
    if (all && limit === 0) sent.batchSize ??= BATCH_OF_ALL
    if (!this.#source.compares) return this.#source.open({ ...sent, ...(limit === 0 ? {} : { limit }), ...(skip === 0 ? {} : { skip }) })
    // The server does not know what is a hit.
    this.#toSkip = skip
    if (limit !== 0) this.#toGive = Math.abs(limit)
    const wanted = this.#toSkip + this.#toGive
    if (wanted < MOST_AT_ONCE) sent.batchSize ??= Math.max(2, wanted)
    return this.#source.open(sent)
  }
}
