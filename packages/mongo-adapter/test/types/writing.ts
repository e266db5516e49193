// Type tests: updates and bulk writes. Compiled by `npm run typecheck`; nothing here runs.
import type { Vault } from '@strongroom/core'
import {
  encrypted,
  encryptedCollection,
  type EncryptedBulkOperation,
  type EncryptedCollectionOf,
  encryptedDb,
  type EncryptedUpdate,
} from '@strongroom/mongo-adapter'
import type { Collection, Db } from 'mongodb'
import { z } from 'zod'

declare const vault: Vault
declare const db: Db
declare const collection: Collection
declare const whole: z.output<typeof User>

const User = z.object({
  _id: z.string(),
  org: z.object({ id: z.string(), title: z.string() }),
  plan: z.enum(['free', 'pro']),
  other: z.string().optional(),
  logins: z.number().default(0),
  seen: z.date().optional(),
  tags: z.array(z.string()).default([]),
  marks: z.array(z.object({ at: z.number(), by: z.string() })),
  settings: z.record(z.string(), z.unknown()),
  email: encrypted(z.email(), { index: { scope: 'application' } }).nullish(),
  pin: encrypted(z.number(), { index: { scope: 'tenant' } }),
  name: encrypted(z.string()).optional(),
  born: encrypted(z.date()).nullable(),
  address: z.object({ street: encrypted(z.string()), city: z.string() }).optional(),
  phones: z.array(encrypted(z.string(), { index: { scope: 'tenant' } })).default([]),
  keys: z.array(encrypted(z.string())).optional(),
  items: z.array(z.object({ sku: z.string(), count: z.number(), note: encrypted(z.string()) })),
  more: z.looseObject({ secret: encrypted(z.string()) }),
})
const where = { schema: User, tenant: 'org.id', subject: '_id' } as const
const users = encryptedCollection(vault, collection, where)
const by = { _id: 'x' }
const item = { sku: 'a', count: 1, note: 'x' }

export async function updates(name: string | undefined): Promise<void> {
  await users.updateOne(by, {
    $set: { plan: 'pro', email: 'x', name: 'y', born: null, 'address.street': 'z', address: { street: 'a', city: 'b' } },
  })
  await users.updateOne(by, { $set: { phones: ['x'], 'phones.0': 'y', 'phones.$': 'z', 'phones.$[]': 'x', 'phones.$[each]': 'x' } })
  await users.updateOne(by, {
    $set: { 'items.0.note': 'x', 'items.$.sku': 'y', 'items.$[each].note': 'z', items: [item], 'items.1': item },
  })
  await users.updateOne(by, { $set: { 'settings.theme': 1, 'more.extra': 1, 'more.extra.deep': 2, 'more.secret': 'x', 'tags.0': 'x' } })
  await users.updateOne(by, { $unset: { email: '', 'address.street': 1, name: true, seen: '' } })
  await users.updateMany(by, {
    $inc: { logins: 1, 'items.0.count': -1, 'more.extra': 1 },
    $mul: { logins: 2n },
    $bit: { logins: { or: 1 } },
  })
  await users.updateMany(by, {
    $min: { logins: 1, plan: 'free' },
    $max: { seen: new Date() },
    $currentDate: { seen: true, 'settings.at': true },
  })
  await users.updateOne(by, { $rename: { plan: 'other' } })
  await users.updateOne(by, { $push: { phones: 'x', keys: { $each: ['x'], $position: 0, $slice: 5 }, items: item, tags: 'x' } })
  await users.updateOne(by, {
    $push: { marks: { $each: [{ at: 1, by: 'x' }], $sort: { at: -1 } }, 'settings.list': 5 },
    $pop: { keys: 1, tags: -1, items: 1 },
  })
  await users.updateOne(by, { $pull: { phones: 'x', tags: { $in: ['x'] }, marks: { at: { $gt: 1 } } } })
  await users.updateOne(by, { $pull: { phones: { $in: ['x'] } } })
  await users.updateOne(by, { $pull: { items: { sku: 'x', count: { $gt: 1 }, note: { $exists: true } } } })
  await users.updateOne(by, { $pullAll: { phones: ['x'], tags: ['y'] } })
  await users.updateOne(by, { $addToSet: { phones: 'x' } })
  await users.updateOne(by, { $addToSet: { phones: { $each: ['x'] }, tags: { $each: ['x', 'y'] } } })
  // Whose a new document is, it says.
  await users.updateOne({ email: 'x' }, { $setOnInsert: { _id: 'y', 'org.id': 'acme', pin: 5 }, $set: { plan: 'pro' } }, { upsert: true })
  const change: EncryptedUpdate<typeof User, 'org.id'> = { $set: { plan: 'pro' } }
  change.$unset = { email: '' }
  await users.findOneAndUpdate(by, change, { returnDocument: 'after' })
  if (name !== undefined) await users.updateOne(by, { $set: { name } })

  // @ts-expect-error: unknown path
  await users.updateOne(by, { $set: { pln: 'pro' } })
  // @ts-expect-error
  await users.updateOne(by, { $set: { 'address.cty': 'x' } })
  // @ts-expect-error
  await users.updateOne(by, { $unset: { pln: '' } })
  // @ts-expect-error: elements are named by a position
  await users.updateOne(by, { $set: { 'items.note': 'x' } })
  // @ts-expect-error: within an encrypted value
  await users.updateOne(by, { $set: { 'name.first': 'x' } })
  // @ts-expect-error: values of another type
  await users.updateOne(by, { $set: { pin: 'x' } })
  // @ts-expect-error
  await users.updateOne(by, { $set: { plan: 'none' } })
  // @ts-expect-error
  await users.updateOne(by, { $set: { 'phones.$[each]': 5 } })
  // @ts-expect-error
  await users.updateOne(by, { $set: { 'more.secret': 5 } })
  // @ts-expect-error: whose it is
  await users.updateOne(by, { $set: { _id: 'y' } })
  // @ts-expect-error
  await users.updateOne(by, { $set: { 'org.id': 'y' } })
  // @ts-expect-error: what holds it
  await users.updateOne(by, { $set: { org: { id: 'y', title: 'x' } } })
  // @ts-expect-error
  await users.updateOne(by, { $unset: { org: '' } })
  // @ts-expect-error
  await users.updateOne(by, { $rename: { 'org.id': 'plan' } })
  // @ts-expect-error: computed
  await users.updateOne(by, { $inc: { pin: 1 } })
  // @ts-expect-error
  await users.updateOne(by, { $mul: { pin: 1 } })
  // @ts-expect-error
  await users.updateOne(by, { $min: { pin: 1 } })
  // @ts-expect-error
  await users.updateOne(by, { $max: { born: new Date() } })
  // @ts-expect-error
  await users.updateOne(by, { $bit: { pin: { or: 1 } } })
  // @ts-expect-error
  await users.updateOne(by, { $currentDate: { born: true } })
  // @ts-expect-error
  await users.updateOne(by, { $inc: { 'more.secret': 1 } })
  // @ts-expect-error: what holds an encrypted value
  await users.updateOne(by, { $min: { address: { street: 'x', city: 'y' } } })
  // @ts-expect-error: from
  await users.updateOne(by, { $rename: { name: 'plan' } })
  // @ts-expect-error: and to
  await users.updateOne(by, { $rename: { plan: 'name' } })
  // @ts-expect-error: no number
  await users.updateOne(by, { $inc: { plan: 1 } })
  // @ts-expect-error: no date
  await users.updateOne(by, { $currentDate: { logins: true } })
  // @ts-expect-error: no array
  await users.updateOne(by, { $push: { name: 'x' } })
  // @ts-expect-error
  await users.updateOne(by, { $push: { plan: 'x' } })
  // @ts-expect-error
  await users.updateOne(by, { $pop: { email: 1 } })
  // @ts-expect-error: would compare what is stored
  await users.updateOne(by, { $push: { phones: { $each: ['x'], $sort: 1 } } })
  // @ts-expect-error: it has no index
  await users.updateOne(by, { $pull: { keys: 'x' } })
  // @ts-expect-error
  await users.updateOne(by, { $pullAll: { keys: ['x'] } })
  // @ts-expect-error
  await users.updateOne(by, { $addToSet: { keys: 'x' } })
  // @ts-expect-error: it has no index
  await users.updateOne(by, { $pull: { items: { note: 'x' } } })
  // @ts-expect-error: of what holds encrypted values, as a whole
  await users.updateOne(by, { $pullAll: { items: [item] } })
  // @ts-expect-error
  await users.updateOne(by, { $addToSet: { items: item } })
  // @ts-expect-error: by anything but equality
  await users.updateOne(by, { $pull: { phones: { $gt: 'x' } } })
  // @ts-expect-error: one by one
  await users.updateOne(by, { $addToSet: { phones: { $each: ['x', 'y'] } } })
  // @ts-expect-error: unknown in an element
  await users.updateOne(by, { $pull: { marks: { att: 1 } } })
  // @ts-expect-error: no operator
  await users.updateOne(by, { plan: 'pro' })
  // @ts-expect-error: one that there is not
  await users.updateOne(by, { $sett: { plan: 'pro' } })
  // @ts-expect-error: a pipeline
  await users.updateOne(by, [{ $set: { plan: 'pro' } }])
  // @ts-expect-error: in all methods
  await users.updateMany(by, { $inc: { pin: 1 } })
  // @ts-expect-error
  await users.findOneAndUpdate(by, { $inc: { pin: 1 } })
  // @ts-expect-error: within a scope
  await users.for({ tenant: 'acme' }).updateOne(by, { $inc: { pin: 1 } })
}

export async function replacing(): Promise<void> {
  const { _id, ...rest } = whole
  await users.replaceOne(by, whole)
  await users.replaceOne(by, rest)
  await users.findOneAndReplace(by, rest)
  await users.bulkWrite([{ replaceOne: { filter: { _id, 'org.id': 'acme' }, replacement: rest } }])
  // What is to stay has to be said: the members of the tenant as well.
  const { org: __, ...nobodys } = rest
  const { pin: ___, ...less } = rest
  // @ts-expect-error
  await users.replaceOne(by, nobodys)
  // @ts-expect-error
  await users.replaceOne(by, less)
  // @ts-expect-error
  await users.findOneAndReplace(by, nobodys)
  // @ts-expect-error
  await users.findOneAndReplace(by, { ...rest, pin: 'x' })
  // @ts-expect-error
  await users.bulkWrite([{ replaceOne: { filter: { _id, 'org.id': 'acme' }, replacement: nobodys } }])
}

export async function bulk(): Promise<void> {
  const own = { _id: 'x', 'org.id': 'acme' }
  await users.bulkWrite([
    { updateOne: { filter: own, update: { $set: { name: 'x' } }, upsert: true, sort: { plan: 1 } } },
    { updateMany: { filter: { email: null }, update: { $inc: { logins: 1 } } } },
    { replaceOne: { filter: own, replacement: whole } },
    { deleteMany: { filter: { plan: 'free' } } },
  ])
  const operations: EncryptedBulkOperation<z.output<typeof User>, typeof User, 'org.id'>[] = []
  operations.push({ deleteOne: { filter: { plan: 'pro' } } })
  await users.bulkWrite(operations)
  // @ts-expect-error: a search by an index, whose hits could not be compared
  await users.bulkWrite([{ deleteOne: { filter: { email: 'x' } } }])
  // @ts-expect-error
  await users.bulkWrite([{ updateMany: { filter: { phones: 'x' }, update: { $set: { plan: 'pro' } } } }])
  // @ts-expect-error
  await users.bulkWrite([{ updateOne: { filter: own, update: { $inc: { pin: 1 } } } }])
  // @ts-expect-error
  await users.bulkWrite([{ updateOne: { filter: own, update: { $set: { _id: 'y' } } } }])
  // @ts-expect-error
  await users.bulkWrite([{ updateOne: { filter: own, update: { $set: { plan: 'pro' } }, sort: { email: 1 } } }])
  // @ts-expect-error: unknown path
  await users.bulkWrite([{ deleteOne: { filter: { pln: 'pro' } } }])
  // @ts-expect-error: no operation
  await users.bulkWrite([{ upsertOne: { filter: own } }])
}

export async function named(): Promise<void> {
  const { members } = encryptedDb(vault, db, { members: where })
  await use(users)
  await use(members)
  // Who names neither tenant nor subject by a literal is not told of them.
  await use(encryptedCollection(vault, collection, { ...where, tenant: 'org.id' as string }))
  // @ts-expect-error
  members.find({ pin: { $gt: 5 } })
  // @ts-expect-error
  await members.updateOne(by, { $set: { 'org.id': 'x' } })

  async function use(given: EncryptedCollectionOf<typeof User>): Promise<void> {
    await given.findOne({ email: 'x' })
    // @ts-expect-error
    await given.findOne({ name: 'x' })
    // @ts-expect-error
    await given.updateOne(by, { $set: { _id: 'x' } })
  }
}
