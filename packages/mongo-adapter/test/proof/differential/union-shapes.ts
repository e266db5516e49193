// Documents of several kinds.
import { encrypted } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { z } from 'zod'

import { names, nothing, NUMBERS, often, oneOf, path, plans, tags, updates, type Shape } from './shape.ts'

const card = fc.record({ kind: fc.constant('card'), number: oneOf('4111', '5500'), holder: names }, { requiredKeys: ['kind', 'number'] })
const bank = fc.record({ kind: fc.constant('bank'), iban: oneOf('DE01', 'FR02'), holder: names }, { requiredKeys: ['kind', 'iban'] })
const payment = fc.oneof(card, bank)
const person = { orgId: oneOf('acme', 'rival'), personId: oneOf('p0', 'p1') }

export const union: Shape = {
  name: 'discriminated unions, loose',
  schema: z.discriminatedUnion('type', [
    z.looseObject({
      _id: z.string(),
      type: z.literal('person'),
      orgId: z.string(),
      personId: z.string(),
      nick: encrypted(z.string(), { index: { scope: 'tenant', normalize: 'text' } }).optional(),
      payment: z
        .discriminatedUnion('kind', [
          z.object({
            kind: z.literal('card'),
            number: encrypted(z.string(), { index: { scope: 'tenant' } }),
            holder: encrypted(z.string()).optional(),
          }),
          z.object({
            kind: z.literal('bank'),
            iban: encrypted(z.string(), { index: { scope: 'tenant' } }),
            holder: encrypted(z.string()).optional(),
          }),
        ])
        .optional(),
    }),
    z.looseObject({
      _id: z.string(),
      type: z.literal('company'),
      orgId: z.string(),
      personId: z.string(),
      vat: encrypted(z.string(), { index: { scope: 'application' } }),
    }),
  ]),
  tenant: 'orgId',
  subject: 'personId',
  tenants: ['acme', 'rival'],
  subjects: ['p0', 'p1'],
  ids: ['d0', 'd1', 'd2', 'd3', 'd4'],
  unique: [],
  document: fc.oneof(
    fc.record(
      { type: fc.constant('person'), ...person, nick: tags, payment, extra: plans },
      { requiredKeys: ['type', 'orgId', 'personId'] },
    ),
    fc.record(
      { type: fc.constant('company'), ...person, vat: oneOf('V1', 'V2'), seats: oneOf(1, 2) },
      { requiredKeys: ['type', 'orgId', 'personId', 'vat'] },
    ),
  ),
  paths: [
    path('type', 'plain', oneOf('person', 'company')),
    path('extra', 'plain', plans),
    path('nick', 'indexed', tags),
    path('payment.kind', 'plain', oneOf('card', 'bank')),
    path('payment.number', 'indexed', oneOf('4111', '5500')),
    path('payment.iban', 'indexed', oneOf('DE01', 'FR02')),
    path('payment.holder', 'sealed', names),
    path('vat', 'indexed', oneOf('V1', 'V2')),
  ],
  sealedUpdates: updates(
    ['$set', 'payment', payment],
    ['$set', 'payment.holder', names],
    ['$set', 'nick', tags],
    ['$set', 'vat', oneOf('V1', 'V2')],
  ),
  plainUpdates: updates(
    ['$set', 'extra', plans],
    ...often(3, [
      ...NUMBERS.map(([operator, operand]) => [operator, 'seats', operand] as const),
      ['$rename', 'extra', oneOf('other')] as const,
    ]),
    ['$unset', 'payment', nothing],
    ['$unset', 'payment.holder', nothing],
  ),
  projections: [
    { payment: 1 },
    { 'payment.kind': 1 },
    { extra: 1, nick: 1 },
    { payment: 0 },
    { personId: 0, extra: 0 },
    { vat: 1, _id: 0 },
  ],
  distinct: ['nick', 'payment.kind', 'payment.iban', 'vat', 'extra'],
}
