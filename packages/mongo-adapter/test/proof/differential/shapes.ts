// The schemas that random operations are done on, and what may stand in their documents: few values each, so that much is found.
import { encrypted } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { Binary, type Document, Double, Long, ObjectId } from 'mongodb'
import { z } from 'zod'

/** A path, and what can be asked of it. */
export interface Path {
  readonly path: string
  /** `holder`: an array of objects that hold something encrypted. */
  readonly kind: 'plain' | 'indexed' | 'sealed' | 'holder'
  readonly array: boolean
  readonly value: fc.Arbitrary<unknown>
  /** Paths within an element of a holder. */
  readonly within: readonly Path[]
}

export interface Shape {
  readonly name: string
  readonly schema: z.ZodType
  readonly tenant: string
  readonly subject: string
  readonly tenants: readonly unknown[]
  /** Where the subject is not `_id`. */
  readonly subjects: readonly unknown[]
  readonly ids: readonly unknown[]
  /** The unique indexes that the plain collection needs to be like the encrypted one. */
  readonly unique: readonly Readonly<Record<string, 1>>[]
  /** A document without `_id`. Whose it is goes mostly by its id, so that what is asked for is there. */
  readonly document: fc.Arbitrary<Document>
  readonly paths: readonly Path[]
  /** Of updates: members of `$set`, `$push` and others that write something encrypted, and that do not. */
  readonly sealedUpdates: fc.Arbitrary<Document>
  readonly plainUpdates: fc.Arbitrary<Document>
  readonly projections: readonly Document[]
  /** Paths whose distinct values are asked for. */
  readonly distinct: readonly string[]
}

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const path = (name: string, kind: Path['kind'], value: fc.Arbitrary<unknown>, more: Partial<Path> = {}): Path => ({
  path: name,
  kind,
  value,
  array: false,
  within: [],
  ...more,
})
/** `{ operator: { path: value } }` of one of these. */
const updates = (...each: readonly (readonly [string, string, fc.Arbitrary<unknown>])[]): fc.Arbitrary<Document> =>
  fc.oneof(...each.map(([operator, name, value]) => value.map((operand) => ({ [operator]: { [name]: operand } }))))

const emails = oneOf('ada@example.com', 'bob@example.com', 'eve@example.com', 'zoe@example.com', 'yan@example.com')
const names = oneOf('Ada', 'Bob', '', 'Ünïcode 🔑', 'x'.repeat(300))
const plans = oneOf('free', 'pro', 'team')
const ages = oneOf(0, 1, 36, 36.5, -7)
const nothing = fc.constant('')

const flat: Shape = {
  name: 'flat',
  schema: z.object({
    _id: z.string(),
    orgId: z.string(),
    plan: z.string().nullish(),
    rank: z.number().optional(),
    email: encrypted(z.string(), { index: { scope: 'application', unique: true, normalize: 'email' } }).nullish(),
    name: encrypted(z.string()).nullish(),
    age: encrypted(z.number(), { index: { scope: 'tenant' } }).optional(),
  }),
  tenant: 'orgId',
  subject: '_id',
  tenants: ['acme', 'rival'],
  subjects: [],
  ids: ['u0', 'u1', 'u2', 'u3', 'u4', 'u5'],
  unique: [{ email: 1 }],
  document: fc.record(
    {
      orgId: oneOf('acme', 'rival'),
      plan: fc.oneof(plans, fc.constant(null)),
      rank: oneOf(1, 2, 3),
      email: fc.oneof({ weight: 4, arbitrary: emails }, fc.constant(null)),
      name: fc.oneof(names, fc.constant(null)),
      age: ages,
    },
    { requiredKeys: ['orgId'] },
  ),
  paths: [
    path('plan', 'plain', plans),
    path('rank', 'plain', oneOf(1, 2, 3)),
    path('email', 'indexed', emails),
    path('name', 'sealed', names),
    path('age', 'indexed', ages),
  ],
  sealedUpdates: updates(['$set', 'email', emails], ['$set', 'email', fc.constant(null)], ['$set', 'name', names], ['$set', 'age', ages]),
  plainUpdates: updates(
    ['$set', 'plan', plans],
    ['$inc', 'rank', oneOf(1, -1)],
    ['$mul', 'rank', oneOf(2)],
    ['$max', 'rank', oneOf(2)],
    ['$unset', 'email', nothing],
    ['$unset', 'name', nothing],
    ['$unset', 'plan', nothing],
    ['$rename', 'plan', oneOf('rank')],
  ),
  projections: [
    { name: 1 },
    { email: 1, _id: 0 },
    { plan: 1 },
    { email: 0 },
    { orgId: 0, name: 0 },
    { _id: 0, plan: 0 },
    { age: true, plan: true },
    { _id: 1 },
    { _id: 1, orgId: 0 },
  ],
  distinct: ['plan', 'rank', 'email', 'age', 'orgId', '_id'],
}

const objectIds = (start: number, count: number): readonly ObjectId[] =>
  Array.from({ length: count }, (_, i) => new ObjectId(`65f0000000000000000000${(start + i).toString(16).padStart(2, '0')}`))
const [orgs, owners, records] = [objectIds(1, 2), objectIds(16, 3), objectIds(32, 6)]
const cities = oneOf('London', 'Paris')
const contact = fc.record({ email: emails, city: cities }, { requiredKeys: [] })
const profile = fc.record({ name: names, contact }, { requiredKeys: [] })

const nested: Shape = {
  name: 'nested, with ObjectIds',
  schema: z.object({
    _id: z.instanceof(ObjectId),
    org: z.object({ id: z.instanceof(ObjectId), region: z.string().optional() }),
    owner: z.instanceof(ObjectId),
    profile: z
      .object({
        name: encrypted(z.string()).optional(),
        contact: z
          .object({ email: encrypted(z.string(), { index: { scope: 'tenant', unique: true } }).optional(), city: z.string().optional() })
          .optional(),
      })
      .optional(),
    manager: encrypted(z.instanceof(ObjectId), { index: { scope: 'application' } }).optional(),
  }),
  tenant: 'org.id',
  subject: 'owner',
  tenants: orgs,
  subjects: owners,
  ids: records,
  unique: [{ 'org.id': 1, 'profile.contact.email': 1 }],
  document: fc.record(
    {
      org: fc.record({ id: oneOf(...orgs), region: oneOf('eu', 'us') }, { requiredKeys: ['id'] }),
      owner: oneOf(...owners),
      profile,
      manager: oneOf(...owners),
    },
    { requiredKeys: ['org', 'owner'] },
  ),
  paths: [
    path('org.region', 'plain', oneOf('eu', 'us')),
    path('owner', 'plain', oneOf(...owners)),
    path('profile.contact.city', 'plain', cities),
    path('profile.contact.email', 'indexed', emails),
    path('profile.name', 'sealed', names),
    path('manager', 'indexed', oneOf(...owners)),
  ],
  sealedUpdates: updates(
    ['$set', 'profile', profile],
    ['$set', 'profile.name', names],
    ['$set', 'profile.contact', contact],
    ['$set', 'profile.contact.email', emails],
    ['$set', 'manager', oneOf(...owners)],
  ),
  plainUpdates: updates(
    ['$set', 'org.region', oneOf('eu', 'us')],
    ['$set', 'profile.contact.city', cities],
    ['$unset', 'profile.contact.email', nothing],
    ['$unset', 'profile', nothing],
    ['$unset', 'manager', nothing],
  ),
  projections: [
    { 'profile.name': 1 },
    { 'profile.contact.email': 1, _id: 0 },
    { 'profile.contact.city': 1, owner: 1 },
    { profile: 1 },
    { 'profile.contact': 0 },
    { owner: 0 },
    { 'org.region': 0, _id: 0 },
    { 'org.region': 1 },
  ],
  distinct: ['profile.contact.email', 'profile.contact.city', 'manager', 'owner'],
}

const phones = oneOf('+442079460001', '+442079460002', '+4930901820', '+33170180645')
const tags = oneOf('red', 'green', 'blue')
const titles = oneOf('one', 'two')
const note = fc.record({ title: titles, text: names, tag: tags }, { requiredKeys: ['title'] })
const phoneList = fc.array(fc.oneof({ weight: 6, arbitrary: phones }, fc.constant(null)), { maxLength: 4 })

const arrays: Shape = {
  name: 'arrays',
  schema: z.object({
    _id: z.string(),
    orgId: z.string(),
    personId: z.string(),
    labels: z.array(z.string()),
    phones: z.array(encrypted(z.string(), { index: { scope: 'tenant', normalize: 'phone' } }).nullable()),
    notes: z.array(
      z.object({
        title: z.string(),
        text: encrypted(z.string()).optional(),
        tag: encrypted(z.string(), { index: { scope: 'application' } }).optional(),
      }),
    ),
    grid: z.array(z.array(encrypted(z.number()))).optional(),
  }),
  tenant: 'orgId',
  subject: 'personId',
  tenants: ['acme', 'rival'],
  subjects: ['p0', 'p1'],
  ids: ['d0', 'd1', 'd2', 'd3', 'd4'],
  unique: [],
  document: fc.record(
    {
      orgId: oneOf('acme', 'rival'),
      personId: oneOf('p0', 'p1'),
      labels: fc.array(tags, { maxLength: 3 }),
      phones: phoneList,
      notes: fc.array(note, { maxLength: 3 }),
      grid: fc.array(fc.array(ages, { maxLength: 2 }), { maxLength: 2 }),
    },
    { requiredKeys: ['orgId', 'personId', 'labels', 'phones', 'notes'] },
  ),
  paths: [
    path('labels', 'plain', tags, { array: true }),
    path('phones', 'indexed', phones, { array: true }),
    path('notes.tag', 'indexed', tags),
    path('notes.1.tag', 'indexed', tags),
    path('notes.text', 'sealed', names),
    path('notes.title', 'plain', titles),
    path('notes', 'holder', titles, {
      array: true,
      within: [path('title', 'plain', titles), path('tag', 'indexed', tags), path('text', 'sealed', names)],
    }),
    path('grid', 'sealed', ages, { array: true }),
  ],
  sealedUpdates: updates(
    ['$set', 'phones', phoneList],
    ['$set', 'phones.1', phones],
    ['$push', 'phones', phones],
    [
      '$push',
      'phones',
      fc.record(
        { $each: fc.array(phones, { maxLength: 3 }), $position: oneOf(0, 1, -1), $slice: oneOf(0, 2, -2, 5) },
        { requiredKeys: ['$each'] },
      ),
    ],
    ['$set', 'notes', fc.array(note, { maxLength: 2 })],
    ['$set', 'notes.0', note],
    ['$set', 'notes.1.text', names],
    ['$set', 'notes.$[].text', names],
    ['$set', 'phones.$[]', phones],
    ['$push', 'notes', note],
    ['$push', 'notes', fc.record({ $each: fc.array(note, { maxLength: 2 }), $position: oneOf(0, -1) }, { requiredKeys: ['$each'] })],
    ['$set', 'grid', fc.array(fc.array(ages, { maxLength: 2 }), { maxLength: 2 })],
  ),
  plainUpdates: updates(
    ['$push', 'labels', tags],
    ['$addToSet', 'labels', tags],
    ['$pull', 'labels', tags],
    ['$pop', 'labels', oneOf(1, -1)],
    ['$pop', 'phones', oneOf(1, -1)],
    ['$pop', 'notes', oneOf(1, -1)],
    ['$unset', 'phones.0', nothing],
    ['$unset', 'notes.0.tag', nothing],
    ['$set', 'notes.$[].title', titles],
    ['$unset', 'grid', nothing],
  ),
  projections: [
    { phones: 1 },
    { labels: 1 },
    { 'notes.title': 1 },
    { 'notes.tag': 1, _id: 0 },
    { 'notes.text': 0 },
    { 'notes.tag': 0 },
    { phones: 0, personId: 0 },
    { labels: 1, orgId: 1, _id: 0 },
  ],
  // Through arrays of objects with a position only: secantusd finds nothing there otherwise.
  distinct: ['labels', 'phones', 'phones.1', 'notes.0.tag', 'notes.1.title', 'personId'],
}

const card = fc.record({ kind: fc.constant('card'), number: oneOf('4111', '5500'), holder: names }, { requiredKeys: ['kind', 'number'] })
const bank = fc.record({ kind: fc.constant('bank'), iban: oneOf('DE01', 'FR02'), holder: names }, { requiredKeys: ['kind', 'iban'] })
const payment = fc.oneof(card, bank)
const person = { orgId: oneOf('acme', 'rival'), personId: oneOf('p0', 'p1') }

const union: Shape = {
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
    ['$inc', 'seats', oneOf(1, 5)],
    ['$unset', 'payment', nothing],
    ['$unset', 'payment.holder', nothing],
    ['$rename', 'extra', oneOf('other')],
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

const values: Shape = {
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

export const SHAPES: readonly Shape[] = [flat, nested, arrays, union, values]
