// Documents of plain members, and of objects within objects.
import { encrypted } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { z } from 'zod'

import { ages, emails, names, nothing, NUMBERS, often, oneOf, path, plans, updates, type Shape } from './shape.ts'

export const flat: Shape = {
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
    ...often(3, [
      ...NUMBERS.map(([operator, operand]) => [operator, 'rank', operand] as const),
      ['$rename', 'plan', oneOf('rank')] as const,
    ]),
    ['$unset', 'email', nothing],
    ['$unset', 'name', nothing],
    ['$unset', 'plan', nothing],
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
const [orgs, owners] = [objectIds(1, 2), objectIds(16, 3)]
export const records: readonly ObjectId[] = objectIds(32, 6)
const cities = oneOf('London', 'Paris')
const contact = fc.record({ email: emails, city: cities }, { requiredKeys: [] })
const profile = fc.record({ name: names, contact }, { requiredKeys: [] })

export const nested: Shape = {
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
