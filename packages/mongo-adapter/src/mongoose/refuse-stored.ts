/** What is stored in the place of a value is none: as text it would be a value like any other. */

import { invalidArgument } from '@strongroom/core'

import { ShreddedMark } from '../collection/shredded-mark.ts'
import { likelyStored } from '../collection/stored-form.ts'
import { isTree } from '../values/resolve.ts'
import type { MongooseType, SchemaInternals } from './internals.ts'
import { markOf } from './marks.ts'
import { typesIn, typesWithin } from './schema-types.ts'

const refusing = new WeakSet<MongooseType>()

// Whether bytes of these are a stored value, the keys of the person tell when they are written.
const TAKES_BYTES: ReadonlySet<string> = new Set(['Buffer', 'Mixed'])

/** Has marked paths cast neither `SHREDDED` nor what the driver's own collection reads there. */
export function refuseStored(schema: SchemaInternals): void {
  for (const type of typesIn(schema)) {
    if (markOf(type, '') === undefined) continue
    for (const each of typesWithin(type)) {
      if (refusing.has(each)) continue
      refusing.add(each)
      const cast = each.cast
      each.cast = function (this: unknown, value: unknown, ...rest: unknown[]) {
        if (value instanceof ShreddedMark) value.toBSON()
        if (!TAKES_BYTES.has(each.instance) && !isTree(value) && likelyStored(value) !== undefined)
          throw invalidArgument(each.path, 'is encrypted already: write what the model reads there, and not what is stored')
        return cast.call(this, value, ...rest)
      }
    }
  }
}
