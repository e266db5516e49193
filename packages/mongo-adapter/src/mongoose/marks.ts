/** What a path of a Mongoose schema says of its encryption. */

import { invalidArgument, StrongroomError } from '@strongroom/core'

import { type Mark, readMark } from '../schema/encrypted.ts'
import type { MongooseType } from './internals.ts'

/**
 * @param path - for errors
 * @returns `undefined` for a path that is plain
 * @throws StrongroomError `invalid_argument`; `unsupported_operation` where Mongoose is to make an index that there is not
 */
export function markOf({ options, _index: own }: MongooseType, path: string): Mark | undefined {
  const given = options['encrypted']
  if (given === undefined || given === false) return undefined
  if (given === null || (given !== true && typeof given !== 'object'))
    throw invalidArgument(`encrypted of ${path}`, 'must be true, or { index, padded }')
  const mark = readMark(given === true ? undefined : given)
  if (own === undefined || own === null || own === false) return mark
  if (mark.index === undefined)
    throw new StrongroomError(
      'unsupported_operation',
      `${path}: has index or unique, and is encrypted without an index: say encrypted: { index: { scope } }, or take index and unique away`,
    )
  const unique = typeof own === 'object' && (own as { readonly unique?: unknown }).unique === true
  return unique ? { ...mark, index: { ...mark.index, unique } } : mark
}
