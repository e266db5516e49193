// Values of every type of BSON that is encrypted.
import { encrypted } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { Binary, Double, Long } from 'mongodb'
import { z } from 'zod'

import { records } from './object-shapes.ts'
import { nothing, oneOf, path, updates, type Shape } from './shape.ts'

const scalars = fc.oneof(
  oneOf<unknown>('a', '', '5', 5, 5.5, 0, -0, 2 ** 31, 2 ** 53, Number.NaN, Infinity, -1e300, true, false),
  oneOf<unknown>(new Date(0), new Date(-1), new Date(5), Long.fromNumber(5), new Double(5), Long.fromString('9223372036854775807'), 5n),
  oneOf<unknown>(records[0], records[1], new Binary(Uint8Array.of(1, 2), 0), new Binary(Uint8Array.of(1, 2), 5), Uint8Array.of(1, 2)),
)
const whole = fc.oneof(
  scalars,
  // Without null: a search for that looks into an array, and cannot into one that is encrypted as a whole.
  fc.array(scalars, { maxLength: 3 }),
  fc.record({ a: scalars, b: fc.array(fc.record({ c: scalars })), d: fc.constant(null) }, { requiredKeys: [] }),
)

export const values: Shape = {
  name: 'values of every type, with integers for names',
  schema: z.object({
    _id: z.int(),
    org: z.int(),
    v: encrypted(z.any(), { index: { scope: 'tenant' } }).optional(),
    w: encrypted(z.any()).optional(),
    p: z.any().optional(),
  }),
  tenant: 'org',
  subject: '_id',
  tenants: [1, 2],
  subjects: [],
  ids: [1, 2, 3, 4, -5],
  unique: [],
  document: fc.record(
    { org: oneOf(1, 2), v: fc.oneof({ weight: 9, arbitrary: scalars }, fc.constant(null)), w: whole, p: whole },
    { requiredKeys: ['org'] },
  ),
  paths: [path('v', 'indexed', scalars), path('w', 'sealed', whole), path('p', 'plain', scalars)],
  sealedUpdates: updates(['$set', 'v', scalars], ['$set', 'w', whole]),
  plainUpdates: updates(['$set', 'p', whole], ['$unset', 'v', nothing], ['$unset', 'w', nothing]),
  projections: [{ v: 1 }, { w: 1, _id: 0 }, { v: 0 }, { p: 0 }],
  distinct: [],
}
