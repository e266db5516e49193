/** The indexes of a collection, in declared paths. */

import type {
  Document,
  DropIndexesOptions,
  IndexDescription,
  IndexDescriptionCompact,
  IndexDescriptionInfo,
  IndexInformationOptions,
  ListIndexesCursor,
  ListIndexesOptions,
} from 'mongodb'
import type { z } from 'zod'

import { CollectionFacts } from '../collection-facts.ts'
import { requireUnscoped, type Source } from '../source.ts'
import type { EncryptedIndexKey } from '../typed.ts'
import {
  createIndex,
  createIndexes,
  dropIndex,
  dropIndexes,
  type EncryptedCreateIndexesOptions,
  type EncryptedCreateIndexOptions,
  indexes,
  indexExists,
  listIndexes,
} from './manage-indexes.ts'

export class IndexedCollection<S extends z.ZodType> extends CollectionFacts {
  readonly #source: Source

  /** @internal */
  constructor(source: Source) {
    super(source)
    this.#source = source
  }

  /** Builds an index over plain paths, and at most one encrypted one that is declared with an index. @returns its name */
  async createIndex(
    spec: EncryptedIndexKey<S>,
    options?: EncryptedCreateIndexOptions,
    commandOptions?: EncryptedCreateIndexesOptions,
  ): Promise<string> {
    return createIndex(this.#source, spec, options, commandOptions)
  }

  /** Builds the indexes of all paths that are declared with one, or those that are given. @returns their names */
  async createIndexes(specs?: readonly IndexDescription[], options?: EncryptedCreateIndexesOptions): Promise<string[]> {
    return createIndexes(this.#source, specs, options)
  }

  /** @param name - as `indexes` shows it */
  async dropIndex(name: string, options?: DropIndexesOptions): Promise<Document> {
    requireUnscoped(this.#source, 'dropIndex')
    return dropIndex(this.#source, name, options)
  }

  async dropIndexes(options?: DropIndexesOptions): Promise<boolean> {
    requireUnscoped(this.#source, 'dropIndexes')
    return dropIndexes(this.#source, options)
  }

  /** In declared paths. */
  listIndexes(options?: ListIndexesOptions): ListIndexesCursor {
    return listIndexes(this.#source, options)
  }

  /** In declared paths. */
  indexes(options: IndexInformationOptions & { full: false }): Promise<IndexDescriptionCompact>
  indexes(options?: IndexInformationOptions & { full?: true }): Promise<IndexDescriptionInfo[]>
  async indexes(options?: IndexInformationOptions): Promise<never> {
    return (await indexes(this.#source, options, true)) as never
  }

  /** In declared paths. */
  indexInformation(options: IndexInformationOptions & { full: true }): Promise<IndexDescriptionInfo[]>
  indexInformation(options?: IndexInformationOptions & { full?: false }): Promise<IndexDescriptionCompact>
  async indexInformation(options?: IndexInformationOptions): Promise<never> {
    return (await indexes(this.#source, options, false)) as never
  }

  async indexExists(names: string | string[], options?: ListIndexesOptions): Promise<boolean> {
    return indexExists(this.#source, names, options)
  }
}
