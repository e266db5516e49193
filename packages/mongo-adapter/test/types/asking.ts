// Type tests: filters, sorts, projections and keys. Compiled by `npm run typecheck`; nothing here runs.
import type { Vault } from '@strongroom/core'
import { encrypted, encryptedCollection, type EncryptedFilter } from '@strongroom/mongo-adapter'
import { type Collection, ObjectId } from 'mongodb'
import { z } from 'zod'

declare const vault: Vault
declare const collection: Collection
declare const whole: z.output<typeof User>

interface Tree {
  name: string
  children?: Tree[] | undefined
}
const Tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), children: z.array(Tree).optional() }))
const Branch = z.object({
  name: z.string(),
  get branches() {
    return z.array(Branch).optional()
  },
})
const User = z.object({
  _id: z.string(),
  orgId: z.string(),
  plan: z.enum(['free', 'pro']),
  logins: z.number().default(0),
  seen: z.date().optional(),
  tags: z.array(z.string()).default([]),
  marks: z.array(z.object({ at: z.number(), by: z.string() })).optional(),
  settings: z.record(z.string(), z.unknown()),
  anything: z.any(),
  tree: Tree,
  branch: Branch,
  email: encrypted(z.email(), { index: { scope: 'application' } }).nullish(),
  pin: encrypted(z.number(), { padded: true, index: { scope: 'tenant' } }),
  name: encrypted(z.string()).min(1).optional(),
  born: encrypted(z.date()).nullable(),
  address: z
    .object({ street: encrypted(z.string()), city: z.string() })
    .readonly()
    .optional(),
  phones: z.array(encrypted(z.string(), { index: { scope: 'tenant' } }).nullable()).default([]),
  keys: z.array(encrypted(z.string())).optional(),
  items: z.array(z.object({ sku: z.string(), code: encrypted(z.string(), { index: { scope: 'tenant' } }), note: encrypted(z.string()) })),
  more: z.looseObject({ secret: encrypted(z.string()) }),
  event: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('call'), to: encrypted(z.string(), { index: { scope: 'tenant' } }) }),
    z.object({ kind: z.literal('mail'), count: z.number() }),
  ]),
})
const where = { schema: User, tenant: 'orgId', subject: '_id' } as const
const users = encryptedCollection(vault, collection, where)

export async function filters(): Promise<void> {
  // Plain paths: whatever MongoDB can ask.
  users.find()
  users.find({})
  users.find({ plan: 'pro', logins: { $gte: 1, $lt: 9 }, seen: { $gt: new Date(), $type: 'date' } })
  users.find({ plan: null, seen: { $ne: null }, logins: { $mod: [2, 0] } })
  users.find({ plan: { $in: ['free', 'pro'], $exists: true }, orgId: /^a/, _id: { $regex: '^a', $options: 'i' } })
  users.find({ orgId: { $not: /^a/ }, logins: { $not: { $gt: 5 } } })
  users.find({ tags: 'a', 'tags.0': 'b', settings: { a: 1 }, 'settings.theme.dark': true })
  users.find({ tags: { $all: ['a'], $size: 1, $elemMatch: { $gt: 'a' } } })
  users.find({ marks: { $elemMatch: { at: { $gt: 1 }, by: 'x', $or: [{ at: 5 }] }, $size: 2 }, 'marks.at': { $gt: 1 } })
  users.find({ tags: ['a', 'b'], anything: { $near: [1, 1] }, 'anything.at.all': 5, 'tree.children.name': 'x' })
  users.find({ 'branch.name': 'x', 'branch.branches.name': 'x', 'branch.branches.0.branches.1.name': 'x' })
  users.find({ 'branch.branches.branches.branches.branches.branches.branches.branches.branches.name': 'x' })
  users.find({
    'address.city': { $gt: 'A' },
    'items.sku': 'x',
    'items.0.sku': { $regex: /x/ },
    'event.kind': 'call',
    'event.count': { $gt: 1 },
  })
  users.find({ 'more.extra': { $gt: 1 }, 'more.extra.deep': 'x' })
  users.find({ $and: [{ plan: 'pro' }, { $or: [{ email: 'x' }, { pin: 5 }] }], $nor: [{ plan: 'free' }], $comment: 'why' })
  // Encrypted ones: equality with an index, and absence.
  users.find({ email: 'ada@example.com', pin: { $in: [1, 2, null], $nin: [3], $ne: 4 } })
  users.find({ email: null, name: null, born: { $exists: true, $ne: null }, 'address.street': { $not: { $exists: true } } })
  users.find({ email: { $eq: 'x', $all: ['x'], $not: { $in: ['y'] } }, name: { $in: [null] } })
  users.find({ phones: 'x', 'phones.0': 'y', keys: { $size: 2, $exists: true }, 'keys.1': null })
  users.find({ phones: { $all: ['x'], $size: 1, $elemMatch: { $in: ['x'], $ne: 'y' }, $not: { $size: 2 } } })
  users.find({ items: { $elemMatch: { sku: { $gt: 'a' }, code: 'x', $or: [{ note: null }] }, $size: 2 }, address: { $exists: false } })
  users.find({ 'items.code': 'x', 'items.3.code': { $in: ['x'] }, 'items.note': { $exists: true }, 'event.to': 'x', address: null })
  // One that is put together.
  const filter: EncryptedFilter<typeof User> = { plan: 'pro' }
  filter.email = 'ada@example.com'
  const conditions: EncryptedFilter<typeof User>[] = [filter]
  await users.findOne({ $or: conditions })
  await users.countDocuments(filter)
  await users.deleteMany(filter)
  await users.distinct('plan', filter)

  // @ts-expect-error: unknown path
  users.find({ pln: 'pro' })
  // @ts-expect-error: unknown within an object
  users.find({ 'address.cty': 'x' })
  // @ts-expect-error: nor in an element
  users.find({ items: { $elemMatch: { skuu: 'x' } } })
  // @ts-expect-error
  users.find({ marks: { $elemMatch: { att: 1 } } })
  // @ts-expect-error
  users.find({ 'items.skuu': 'x' })
  // @ts-expect-error: none of its values
  users.find({ plan: 'none' })
  // @ts-expect-error: nothing is within a string
  users.find({ 'plan.x': 'pro' })
  // @ts-expect-error: nor within what is encrypted
  users.find({ 'name.x': 'pro' })
  // @ts-expect-error: not searchable without an index
  users.find({ name: 'Ada' })
  // @ts-expect-error
  users.find({ name: { $in: ['Ada'] } })
  // @ts-expect-error
  users.find({ name: { $ne: 'Ada' } })
  // @ts-expect-error
  users.find({ born: new Date() })
  // @ts-expect-error
  users.find({ keys: 'x' })
  // @ts-expect-error
  users.find({ 'keys.0': 'x' })
  // @ts-expect-error
  users.find({ 'address.street': 'x' })
  // @ts-expect-error
  users.find({ 'items.note': 'x' })
  // @ts-expect-error
  users.find({ items: { $elemMatch: { note: 'x' } } })
  // @ts-expect-error
  users.find({ 'more.secret': 'x' })
  // @ts-expect-error: ranges
  users.find({ pin: { $gt: 5 } })
  // @ts-expect-error
  users.find({ born: { $lte: new Date() } })
  // @ts-expect-error
  users.find({ 'items.0.code': { $gt: 'x' } })
  // @ts-expect-error
  users.find({ 'event.to': { $gte: 'x' } })
  // @ts-expect-error
  users.find({ 'more.secret': { $gte: 'x' } })
  // @ts-expect-error: patterns
  users.find({ email: /ada/ })
  // @ts-expect-error
  users.find({ email: { $regex: 'ada' } })
  // @ts-expect-error
  users.find({ email: { $not: /ada/ } })
  // @ts-expect-error
  users.find({ email: { $not: { $gt: 'a' } } })
  // @ts-expect-error: what is stored has another type
  users.find({ email: { $type: 'string' } })
  // @ts-expect-error: no array
  users.find({ email: { $size: 1 } })
  // @ts-expect-error
  users.find({ email: { $elemMatch: { $eq: 'x' } } })
  // @ts-expect-error: of elements only equality
  users.find({ phones: { $elemMatch: { $gt: 'x' } } })
  // @ts-expect-error: the whole array
  users.find({ phones: ['x'] })
  // @ts-expect-error: the whole of what holds encrypted values
  users.find({ address: { street: 'x', city: 'y' } })
  // @ts-expect-error
  users.find({ items: [] })
  // @ts-expect-error: values of another type
  users.find({ pin: '5' })
  // @ts-expect-error
  users.find({ logins: { $gt: 'x' } })
  // @ts-expect-error: an operator that there is not
  users.find({ logins: { $greater: 1 } })
  // @ts-expect-error
  users.find({ $where: 'this.plan' })
  // @ts-expect-error
  users.find({ $expr: { $gt: ['$pin', 5] } })
  // @ts-expect-error
  users.find({ $text: { $search: 'x' } })
  // @ts-expect-error: in lists of filters too
  users.find({ $or: [{ name: 'Ada' }] })
  // @ts-expect-error: and in all methods
  await users.findOne({ pin: { $gt: 5 } })
  // @ts-expect-error
  await users.countDocuments({ pin: { $gt: 5 } })
  // @ts-expect-error
  await users.deleteOne({ pin: { $gt: 5 } })
  // @ts-expect-error
  await users.deleteMany({ pin: { $gt: 5 } })
  // @ts-expect-error
  await users.replaceOne({ pin: { $gt: 5 } }, whole)
  // @ts-expect-error
  await users.findOneAndDelete({ pin: { $gt: 5 } })
  // @ts-expect-error
  await users.findOneAndReplace({ pin: { $gt: 5 } }, {})
  // @ts-expect-error
  await users.distinct('plan', { pin: { $gt: 5 } })
  // @ts-expect-error
  users.find().filter({ pin: { $gt: 5 } })
  // @ts-expect-error
  users.for({ tenant: 'acme' }).find({ pin: { $gt: 5 } })
}

export async function sorts(): Promise<void> {
  users.find().sort('plan').sort({ plan: 1, 'address.city': 'desc', 'items.sku': -1 }).sort(['plan', 'logins']).sort(['plan', -1])
  users
    .find()
    .sort([['plan', 1]])
    .sort(new Map([['plan', 1]]))
    .sort({ $natural: -1 })
    .sort('plan', -1)
  users.find({}, { sort: { 'settings.x': 1, 'more.extra': -1, _id: 1 } })
  await users.findOne({}, { sort: { plan: 1 } })
  await users.updateOne({ plan: 'pro' }, { $set: { plan: 'free' } }, { sort: { logins: 1 } })
  await users.replaceOne({ plan: 'pro' }, whole, { sort: { logins: 1 } })
  await users.findOneAndUpdate({ plan: 'pro' }, { $set: { plan: 'free' } }, { sort: { logins: 1 }, shredded: 'mark' })
  await users.findOneAndDelete({ plan: 'pro' }, { sort: { logins: 1 }, projection: { plan: 1 } })

  // @ts-expect-error: an encrypted path
  users.find().sort({ email: 1 })
  // @ts-expect-error
  users.find().sort('email')
  // @ts-expect-error
  users.find().sort(['plan', 'email'])
  // @ts-expect-error
  users.find().sort([['email', 1]])
  // @ts-expect-error
  users.find().sort({ 'items.code': 1 })
  // @ts-expect-error
  users.find().sort({ 'more.secret': 1 })
  // @ts-expect-error: what holds some
  users.find().sort({ address: 1 })
  // @ts-expect-error: unknown path
  users.find().sort({ pln: 1 })
  // @ts-expect-error: no direction
  users.find().sort({ plan: 2 })
  // @ts-expect-error
  users.find({}, { sort: { email: 1 } })
  // @ts-expect-error
  await users.findOne({}, { sort: { email: 1 } })
  // @ts-expect-error
  await users.updateOne({ plan: 'pro' }, { $set: { plan: 'free' } }, { sort: { email: 1 } })
  // @ts-expect-error
  await users.replaceOne({ plan: 'pro' }, whole, { sort: { email: 1 } })
  // @ts-expect-error
  await users.findOneAndDelete({ plan: 'pro' }, { sort: { email: 1 } })
  // @ts-expect-error
  await users.findOneAndReplace({ plan: 'pro' }, {}, { sort: { email: 1 } })
  // @ts-expect-error
  await users.findOneAndUpdate({ plan: 'pro' }, { $set: { plan: 'free' } }, { sort: { email: 1 } })
}

export async function projections(): Promise<void> {
  users.find().project({ email: 1, 'address.street': true, _id: 0 }).sort({ plan: 1 })
  users.find({}, { projection: { phones: 0, 'items.note': 0, 'more.extra': false } })
  await users.findOne({}, { projection: { plan: 1, phones: 1 } })
  // @ts-expect-error: both
  users.find().project({ email: 1, plan: 0 })
  // @ts-expect-error: unknown path
  users.find().project({ pln: 1 })
  // @ts-expect-error
  await users.findOne({}, { projection: { 'address.cty': 1 } })
  // @ts-expect-error: within an encrypted value
  users.find().project({ 'name.first': 1 })
  // @ts-expect-error: computed
  users.find().project({ plan: '$email' })
  // @ts-expect-error
  users.find().project({ phones: { $slice: 1 } })
  // @ts-expect-error
  await users.findOneAndDelete({}, { projection: { plan: '$email' } })
}

export async function keys(): Promise<void> {
  await users.distinct('email')
  await users.distinct('items.code')
  await users.distinct('address.city')
  await users.distinct('phones')
  await users.createIndex({ orgId: 1, email: 1 }, { unique: true })
  await users.createIndex('items.code')
  await users.createIndex(['plan', { email: -1 }, ['address.city', 'text']])
  await users.createIndex(new Map([['plan', 1]]))
  await users.createIndex({ 'settings.$**': 1 })
  // @ts-expect-error: it has no index
  await users.createIndex({ name: 1 })
  // @ts-expect-error
  await users.createIndex('address.street')
  // @ts-expect-error: unknown path
  await users.createIndex({ pln: 1 })
  // @ts-expect-error: it has no index
  await users.distinct('name')
  // @ts-expect-error: it holds encrypted values
  await users.distinct('address')
  // @ts-expect-error: unknown path
  await users.distinct('pln')
}

const Open = z.looseObject({ orgId: z.string(), secret: encrypted(z.string()) })
const open = encryptedCollection(vault, collection, { schema: Open, tenant: 'orgId', subject: 'orgId' })
export function loose(): void {
  open.find({ whatever: { $gt: 5 }, 'a.b': 1, $or: [{ x: 1 }], secret: null }).sort({ whatever: 1, _id: 1 })
  // @ts-expect-error: what is declared is what it is
  open.find({ secret: { $gt: 'x' } })
  // @ts-expect-error
  open.find({ secret: 'x' })
  // @ts-expect-error
  open.find().sort({ secret: 1 })
}

const Note = z.object({ orgId: z.string(), author: z.string(), text: encrypted(z.string()) })
const notes = encryptedCollection(vault, collection, { schema: Note, tenant: 'orgId', subject: 'author' })
const Event = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('a'), orgId: z.string(), who: z.string(), text: encrypted(z.string()) }),
  z.object({ kind: z.literal('b'), orgId: z.string(), who: z.string(), count: z.number() }),
])
const events = encryptedCollection(vault, collection, { schema: Event, tenant: 'orgId', subject: 'who' })
export function ids(): void {
  notes.find({ _id: new ObjectId(), author: 'ada' }).sort({ _id: -1 })
  // @ts-expect-error: where the schema says nothing, it is an ObjectId
  notes.find({ _id: 'x' })
  events.find({ _id: new ObjectId(), kind: 'a', count: { $gt: 1 }, text: null })
  // @ts-expect-error: in none of the options
  events.find({ kind: 'c' })
  // @ts-expect-error
  events.find({ text: 'x' })
}

// Whether there is an index turns out at run time: both work.
export function decided(options: Parameters<typeof encrypted>[1]): void {
  const schema = z.object({ _id: z.string(), orgId: z.string(), nick: encrypted(z.string(), options) })
  encryptedCollection(vault, collection, { schema, tenant: 'orgId', subject: '_id' }).find({ nick: 'x' })
}
