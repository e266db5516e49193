/** distinct: of plain paths, and of encrypted ones that have an index. */

import { invalidArgument } from '@strongroom/core'
import type { DistinctOptions } from 'mongodb'

import { bsonKey } from '../values/bson-key.ts'
import { isTree, type Tree } from '../values/resolve.ts'
import { type EncryptedFindOptions, find } from './find.ts'
import { hintOf } from './indexes/index-keys.ts'
import { placeOf, requireDeclared, unsupported } from './layout.ts'
import type { OnShredded } from './open.ts'
import { type BsonReading, DISTINCT_OPTIONS, readDriverOptions } from './options.ts'
import { SHREDDED } from './shredded-mark.ts'
import { collationOf, planFilter, type Source } from './source.ts'

/** Options of distinct. */
export type EncryptedDistinctOptions = Pick<
  DistinctOptions,
  | 'session'
  | 'comment'
  | 'maxTimeMS'
  | 'timeoutMS'
  | 'readConcern'
  | 'readPreference'
  | 'collation'
  | 'hint'
  | 'ignoreUndefined'
  | BsonReading
> & {
  /** Values whose keys are destroyed: `throw`, or stand once as `SHREDDED`, which is the default. */
  readonly shredded?: OnShredded
}

export async function distinct(
  source: Source,
  key: unknown,
  filter: unknown = {},
  options: EncryptedDistinctOptions | undefined,
): Promise<unknown[]> {
  const { shredded, collation, hint, ...sent } = readDriverOptions(options, DISTINCT_OPTIONS)
  if (typeof key !== 'string') throw invalidArgument('key', 'must be a path')
  const path = key
  const place = placeOf(source.layout, path)
  requireDeclared(place, path, 'key')
  const plan = planFilter(source, filter, sent)
  if (place.kind === 'within' || place.kind === 'holder') throw unsupported('distinct', path, 'name a single path')
  if (place.kind === 'sealed' && place.sealed.index === undefined)
    throw unsupported('distinct', path, 'it has no index; encrypted(…, { index }) gives it one')
  const exactly = collationOf(source, { ...plan, touches: plan.touches || place.kind === 'sealed' }, collation)
  if (place.kind === 'plain' && plan.searched.length === 0)
    return source.collection.distinct(path, await plan.physical(), {
      ...sent,
      ...exactly,
      ...(hint === undefined ? {} : { hint: hintOf(source.layout, hint) }),
    })
  const steps = path.split('.')
  if (steps.some((step) => /^\d+$/u.test(step))) throw unsupported('distinct by a position', path, 'name the array')
  const reading: EncryptedFindOptions = {
    ...sent,
    ...(hint === undefined ? {} : { hint }),
    ...(shredded === undefined ? {} : { shredded }),
    projection: { [path]: 1, ...(path === '_id' ? {} : { _id: 0 }) },
  }
  const found = new Map<string, unknown>()
  for await (const document of find<Tree>(source, filter, reading, 'mark'))
    for (const value of valuesAt(document, steps)) found.set(identity(value), value)
  return [...found.values()]
}

function identity(value: unknown): string {
  return value === SHREDDED ? 'shredded' : bsonKey(value)
}

// As the server: arrays on the way and at the end count by their elements, but not by those of an array among them.
function valuesAt(value: unknown, steps: readonly string[]): readonly unknown[] {
  if (Array.isArray(value))
    return value.flatMap((each: unknown) => (steps.length === 0 ? [each] : Array.isArray(each) ? [] : valuesAt(each, steps)))
  const [first, ...rest] = steps
  if (first === undefined) return [value]
  return isTree(value) && Object.hasOwn(value, first) ? valuesAt(value[first], rest) : []
}
