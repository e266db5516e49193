/** What an update says that it has changed, in declared paths: what it writes beneath an encrypted value is that value. */

import { isTree, type Tree } from '../../values/resolve.ts'
import { type Layout, type Place, placeOf } from '../layout.ts'

/** Where a path of an update leads to: the encrypted value that it is in, or what it names itself. */
export interface Landing {
  readonly path: string
  readonly place: Place
  /** What it names within the stored form of a value: `c`, `i`, or a position in `i`. */
  readonly within: string | undefined
}

export function landingOf(layout: Layout, path: string): Landing {
  const steps = path.split('.')
  for (let count = 1; count < steps.length; count++) {
    const above = steps.slice(0, count).join('.')
    const place = placeOf(layout, above)
    // Of an array the next step is a position, and leads to one of its values.
    if (place.kind === 'sealed' && !place.array) return { path: above, place, within: steps[count] }
  }
  return { path, place: placeOf(layout, path), within: undefined }
}

/** A part of a document that an update has written. */
export interface Written extends Pick<Landing, 'path' | 'place'> {
  /** As it is stored. */
  readonly value: unknown
}

/**
 * What an update has written. Of an index value that is another now there is nothing to be said: its value is the same.
 *
 * @param fields - paths and what is stored there now
 */
export function writtenBy(layout: Layout, fields: Tree): readonly Written[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const { path, place, within } = landingOf(layout, name)
    return within === undefined || within === 'c' ? [{ path, place, value }] : []
  })
}

/** Paths that an update has removed. */
export function removedBy(layout: Layout, paths: readonly string[]): readonly string[] {
  const removed = paths.flatMap((name) => {
    const { path, within } = landingOf(layout, name)
    return within === undefined || within === 'c' ? [path] : []
  })
  return [...new Set(removed)]
}

/** Arrays that an update has cut off, without those of index values. */
export function truncatedBy(layout: Layout, arrays: readonly unknown[]): readonly unknown[] {
  return arrays.filter((each) => isTree(each) && landingOf(layout, String(each['field'])).within === undefined)
}
