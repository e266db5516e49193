/** What a collection says of itself: as the driver's. */

import type { BSONSerializeOptions, ReadConcern, ReadPreference, WriteConcern } from 'mongodb'

import type { Source } from './source.ts'

export class CollectionFacts {
  readonly #source: Source

  /** @internal */
  constructor(source: Source) {
    this.#source = source
  }

  get dbName(): string {
    return this.#source.collection.dbName
  }

  get collectionName(): string {
    return this.#source.collection.collectionName
  }

  get namespace(): string {
    return this.#source.collection.namespace
  }

  get readConcern(): ReadConcern | undefined {
    return this.#source.collection.readConcern
  }

  get readPreference(): ReadPreference | undefined {
    return this.#source.collection.readPreference
  }

  get writeConcern(): WriteConcern | undefined {
    return this.#source.collection.writeConcern
  }

  get bsonOptions(): BSONSerializeOptions {
    return this.#source.collection.bsonOptions
  }

  get timeoutMS(): number | undefined {
    return this.#source.collection.timeoutMS
  }
}
