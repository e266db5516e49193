/** Looking for stored values by the tag of the key version that made them, without keys. */

import { equalBytes } from '@strongroom/core'
import { Binary, type Document } from 'mongodb'

import type { Tree } from '../values/resolve.ts'
import { encryptedIn } from './documents.ts'
import { dottedPath, type Layout } from './layout.ts'
import { partsOf, VERSION } from './stored-form.ts'

/** What values and index values of one key version begin with, after the version byte (docs/format.md). */
export interface Tags {
  readonly value: Uint8Array
  readonly index: Uint8Array
}

/** A filter for the documents that may hold such values: none that does is left out, and some that do not may be let through. */
export function candidates(layout: Layout, tags: Tags): Document {
  const paths = [...layout.sealed.values()]
  // No filter meets all that an array can be stored as: `{ 0: … }` after an update of a position, or an array of arrays.
  if (paths.some(({ path }) => path.includes('[]'))) return {}
  return {
    $or: paths.flatMap((sealed) => {
      const path = dottedPath(sealed)
      const values = [{ [path]: beginsWith(tags.value) }, { [`${path}.c`]: beginsWith(tags.value) }]
      return sealed.index === undefined ? values : [...values, { [`${path}.i`]: beginsWith(tags.index) }]
    }),
  }
}

/** How many values and index values with these tags a document holds. */
export function countStored(layout: Layout, document: Tree, tags: Tags): number {
  let count = 0
  for (const { value } of encryptedIn(layout.root, document)) {
    const { c, i } = partsOf(value)
    if (c !== undefined && hasTag(c, tags.value)) count++
    count += i.filter((bytes) => hasTag(bytes, tags.index)).length
  }
  return count
}

function hasTag(bytes: Uint8Array, tag: Uint8Array): boolean {
  return bytes[0] === VERSION && bytes.length > tag.length && equalBytes(bytes.subarray(1, 1 + tag.length), tag)
}

// The database compares binary by its length first, so that no range is a prefix; bits are at their places.
function beginsWith(tag: Uint8Array): Document {
  const prefix = Uint8Array.of(VERSION, ...tag)
  return { $bitsAllSet: new Binary(prefix), $bitsAllClear: new Binary(prefix.map((byte) => ~byte)) }
}
