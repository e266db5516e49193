/** The collection of a store: made with its indexes by `prepare`, and looked at before it is used. */

import type { Collection, IndexDescription } from 'mongodb'

import type { Failures } from './failures.ts'
import { BSON_AS_EXPECTED, type Stored } from './options.ts'

/** Makes sure of a collection. */
export interface Preparation {
  /** Makes the collection and its indexes where they are missing. Keeps what is there; safe to repeat, by several processes at once. */
  prepare(): Promise<void>
  /** Whether there is anything to read: `false` where nobody has called `prepare` yet. Throws if the collection is not as it was made. */
  isPrepared(): Promise<boolean>
  /** Throws unless the collection is there, as it was made. */
  requirePrepared(): Promise<void>
}

/** An index of a store. All are declared by name, and have the form that they were made with. */
export type DeclaredIndex = Required<Pick<IndexDescription, 'name' | 'key'>> & Pick<IndexDescription, 'partialFilterExpression'>

const NAMESPACE_EXISTS = 48

/** A collection is looked at once a process, as soon as it is there. */
export function preparationOf<T extends Stored>(
  collection: Collection<T>,
  indexes: readonly DeclaredIndex[],
  failures: Failures,
): Preparation {
  let known = false

  // The order of its strings is part of the store: a collation would make two keys equal, and pages lose records.
  async function look(): Promise<boolean> {
    // A client that is connected to one server directly reads from it whatever it is.
    const { isWritablePrimary } = await collection.db.command({ hello: 1 }, BSON_AS_EXPECTED)
    if (isWritablePrimary !== true) throw failures.unusable('the client is connected to one server directly, which is not the primary')
    const [info] = await collection.db
      .listCollections({ name: collection.collectionName }, { ...BSON_AS_EXPECTED, nameOnly: false })
      .toArray()
    if (info === undefined) return false
    if (info.type !== 'collection') throw failures.unusable('its collection is a view or a time series')
    const { capped, collation } = (info.options ?? {}) as { readonly capped?: unknown; readonly collation?: { readonly locale?: unknown } }
    if (capped === true) throw failures.unusable('its collection is capped')
    if (collation !== undefined && collation.locale !== 'simple') throw failures.unusable('its collection has a collation')
    return true
  }

  async function lookAtIndexes(): Promise<void> {
    const there = await collection.listIndexes().toArray()
    for (const { name, key, partialFilterExpression } of indexes) {
      const found = there.find((index) => (index as { readonly name?: unknown }).name === name) as IndexDescription | undefined
      const same =
        found !== undefined && JSON.stringify([found.key, found.partialFilterExpression]) === JSON.stringify([key, partialFilterExpression])
      if (!same) throw failures.unusable(`its index ${name} is missing, or another; initVault and the store's prepare() make it`)
    }
  }

  async function isPrepared(): Promise<boolean> {
    known ||= await failures.reading(async () => {
      if (!(await look())) return false
      await lookAtIndexes()
      return true
    })
    return known
  }

  return {
    isPrepared,

    async prepare() {
      await failures.writing(async () => {
        await collection.db.createCollection(collection.collectionName, { writeConcern: { w: 'majority' } }).catch((error: unknown) => {
          if ((error as { readonly code?: unknown }).code !== NAMESPACE_EXISTS) throw error
        })
        await look()
        await collection.createIndexes(indexes.map(({ name, key, ...rest }) => ({ name, key, ...rest })))
      })
      await isPrepared()
    },

    async requirePrepared() {
      if (!(await isPrepared())) throw failures.unusable("its collection is not there; initVault and the store's prepare() make it")
    },
  }
}
