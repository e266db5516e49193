// Places as resources are asked about them, once their names are forgotten.
import { type NamelessPlace, requireNamelessPlace } from '@strongroom/core'
import { expect, test } from 'vitest'

import { refusalOf } from './vault/support.ts'

const references = (depth: number): readonly string[] => Array.from({ length: depth }, (_, i) => `${i}`.repeat(32))

test.each<NamelessPlace>([
  { kind: 'tenant', references: references(1) },
  { kind: 'subject', references: references(2) },
  { kind: 'self', references: references(2) },
  { kind: 'item', references: references(3) },
])('a place by its references: $kind', (place) => {
  expect(requireNamelessPlace(place)).toBe(place)
})

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['text', 'tenant'],
  ['no kind', { references: references(1) }],
  ['a kind that there is not', { kind: 'toString', references: references(1) }],
  ['no references', { kind: 'tenant' }],
  ['too few', { kind: 'subject', references: references(1) }],
  ['too many', { kind: 'tenant', references: references(2) }],
  ['names', { kind: 'subject', references: ['acme', 'alice'] }],
  ['what is no text', { kind: 'tenant', references: [5] }],
])('is refused where it is none: %s', async (_, place) => {
  expect(await refusalOf(() => requireNamelessPlace(place as NamelessPlace))).toMatchObject({ code: 'invalid_argument', argument: 'place' })
})
