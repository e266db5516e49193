/** A collection as something that holds values of people: what rotation and erasure ask of it. */

import { invalidArgument, readOptions, requireErasedPlace, requireNamelessPlace, type Resource, type ValueHolder } from '@strongroom/core'

import type { Source } from '../source.ts'
import { countRetiring } from './count-retiring.ts'
import { countValues, eraseDocuments, eraseValues } from './erase.ts'
import { replay } from './replay.ts'
import { survivorsOf } from './survivors.ts'
import { documentsOf, READING } from './whose.ts'

/** Options of {@link EncryptedCollection.resource}. */
export interface CollectionResourceOptions {
  /**
   * What of people goes with them, and is counted: their `documents`, unless given; or `values`, all that is encrypted in them, with its index
   * values, so that the documents stay, and in them the names of tenant and person.
   */
  readonly erase?: 'documents' | 'values'
}

/** What a collection tells of people, and of key versions. Reads the primary, and only what a majority has. */
export interface CollectionResource extends Required<Resource>, ValueHolder {}

/** @throws StrongroomError `invalid_argument` */
export function resourceOf(source: Source, options: CollectionResourceOptions | undefined): CollectionResource {
  const { collection, layout } = source
  const { erase = 'documents' } = readOptions(options, ['erase'])
  if (erase !== 'documents' && erase !== 'values') throw invalidArgument('erase', "must be 'documents' or 'values'")
  const count: Resource['count'] = async (place) => {
    const theirs = documentsOf(layout, requireErasedPlace(place))
    if (theirs === undefined) return 0
    return erase === 'values' ? countValues(source, theirs) : collection.countDocuments(theirs, READING)
  }
  return {
    // It stands in certificates: whose documents stay must not read as if they were gone.
    name: erase === 'values' ? `${layout.context} (values)` : layout.context,
    count,
    async erase(place, how) {
      const theirs = documentsOf(layout, requireErasedPlace(place))
      const { signal } = readOptions(how, ['signal'])
      signal?.throwIfAborted()
      if (theirs === undefined) return 0
      return erase === 'values' ? eraseValues(source, theirs, signal) : eraseDocuments(source, theirs)
    },
    verify: count,
    survivors: async (place) => survivorsOf(layout, requireNamelessPlace(place)),
    async replay(dead, how) {
      const { signal } = readOptions(how, ['signal'])
      return replay(source, erase, dead, signal)
    },
    countValues: (retiring) => countRetiring(source, retiring),
  }
}
