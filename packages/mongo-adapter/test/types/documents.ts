// Type tests: what compiles, and (by @ts-expect-error) what must not. Compiled by `npm run typecheck`; nothing here runs.
import type { Vault } from '@strongroom/core'
import {
  encrypted,
  encryptedCollection,
  type EncryptedFindCursor,
  partialResult,
  type Shreddable,
  type ShreddedMark,
} from '@strongroom/mongo-adapter'
import type { Collection, ObjectId } from 'mongodb'
import { z } from 'zod'

// Both ways, in an invariant place.
interface Invariant<T> {
  use(value: T): T
  readonly held: (value: T) => T
}
type Same<A, B> = Invariant<A> extends Invariant<B> ? (Invariant<B> extends Invariant<A> ? true : false) : false
declare function same<A, B>(is: Same<A, B>): void
declare const vault: Vault
declare const collection: Collection

const User = z.object({
  _id: z.string(),
  orgId: z.string(),
  plan: z.enum(['free', 'pro']),
  email: encrypted(z.email().min(3), { index: { scope: 'application' } }),
  name: encrypted(z.string()).min(1).optional(),
  born: encrypted(z.date()).nullish(),
  address: z
    .object({ street: encrypted(z.string()), city: z.string() })
    .readonly()
    .optional(),
  phones: z.array(encrypted(z.string())).default([]),
  whole: encrypted(z.object({ a: z.number() })),
  event: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('call'), to: encrypted(z.string()) }),
    z.object({ kind: z.literal('mail'), count: z.number() }),
  ]),
})
type User = z.output<typeof User>

interface Marked {
  _id: string
  orgId: string
  plan: 'free' | 'pro'
  email: string | ShreddedMark
  name?: string | ShreddedMark | undefined
  born?: Date | ShreddedMark | null | undefined
  address?: Readonly<{ street: string | ShreddedMark; city: string }> | undefined
  phones: (string | ShreddedMark)[]
  whole: { a: number } | ShreddedMark
  event: { kind: 'call'; to: string | ShreddedMark } | { kind: 'mail'; count: number }
}
type Read<T> = { [K in keyof T]: T[K] }
same<Read<Omit<Shreddable<typeof User>, 'address'>>, Read<Omit<Marked, 'address'>>>(true)
declare const address: NonNullable<Shreddable<typeof User>['address']>
same<typeof address.street, string | ShreddedMark>(true)
same<typeof address.city, string>(true)

// What a document is to be written as knows no marks.
same<User['email'], string>(true)

const where = { schema: User, tenant: 'orgId', subject: '_id' } as const
const users = encryptedCollection(vault, collection, where)
const throwing = encryptedCollection(vault, collection, { ...where, shredded: 'throw' })
const marking = encryptedCollection(vault, collection, { ...where, shredded: 'mark' })
type M = Shreddable<typeof User>

export async function reading(): Promise<void> {
  // Lists mark, single documents throw: by default, for the collection, for the call.
  same<ReturnType<typeof users.find>, EncryptedFindCursor<M>>(true)
  const list = await users.find().toArray()
  same<(typeof list)[number], M>(true)
  const one = await users.findOne()
  same<typeof one, User | null>(true)
  const allThrow = await throwing.find().toArray()
  same<(typeof allThrow)[number], User>(true)
  const oneMarked = await marking.findOne()
  same<typeof oneMarked, M | null>(true)
  const callThrows = await users.find({}, { shredded: 'throw' }).toArray()
  same<(typeof callThrows)[number], User>(true)
  const callMarks = await throwing.findOne({}, { shredded: 'mark' })
  same<typeof callMarks, M | null>(true)
  const either = await users.findOne({}, { shredded: Math.random() > 0.5 ? 'throw' : 'mark' })
  same<typeof either, M | null>(true)
  const scoped = await marking.for({ tenant: 'acme' }).findOne()
  same<typeof scoped, M | null>(true)
  const mapped = await users
    .find()
    .map(({ plan }) => plan)
    .toArray()
  same<(typeof mapped)[number], 'free' | 'pro'>(true)
  // @ts-expect-error: the address may be gone
  list[0]?.email.toUpperCase()
  // @ts-expect-error: there may be no such document
  one.email.toUpperCase()
}

export async function writing(document: User, marked: M, mark: ShreddedMark): Promise<void> {
  await users.insertOne(document)
  // @ts-expect-error: a mark is no value
  await users.insertOne(marked)
  // @ts-expect-error
  await users.insertMany([{ ...document, email: mark }])
  // @ts-expect-error
  await users.replaceOne({ _id: 'x' }, { ...document, email: mark })
  // @ts-expect-error
  await users.updateOne({ _id: 'x' }, { $set: { email: mark } })
  // @ts-expect-error
  encryptedCollection(vault, collection, { ...where, shredded: 'maybe' })
}

export async function findingAndWriting(document: User): Promise<void> {
  // As findOne: of whatever the collection, or the call, does about shredded values.
  const updated = await users.findOneAndUpdate({ plan: 'pro' }, { $set: { plan: 'free' } })
  same<typeof updated, User | null>(true)
  const markedOne = await marking.findOneAndDelete({ plan: 'pro' })
  same<typeof markedOne, M | null>(true)
  const callMarks = await users.findOneAndReplace({ plan: 'pro' }, document, { shredded: 'mark' })
  same<typeof callMarks, M | null>(true)
  const whole = await users.findOneAndUpdate({ plan: 'pro' }, { $set: { plan: 'free' } }, { includeResultMetadata: true, upsert: true })
  same<typeof whole.value, User | null>(true)
  const { insertedCount } = await users.bulkWrite([{ insertOne: { document } }, { deleteOne: { filter: { plan: 'pro' } } }])
  same<typeof insertedCount, number>(true)
  // @ts-expect-error: of no document of this schema
  await users.bulkWrite([{ insertOne: { document: { ...document, plan: 'none' } } }])
  // @ts-expect-error
  await users.findOneAndUpdate({ plan: 'none' }, { $set: { plan: 'free' } })
  // @ts-expect-error: there may be no such document
  updated.plan.toUpperCase()
}

const Note = z.object({ orgId: z.string(), author: z.string(), text: encrypted(z.string()) })
const notes = encryptedCollection(vault, collection, { schema: Note, tenant: 'orgId', subject: 'author' })

export async function changes(): Promise<void> {
  const lookup = { fullDocument: 'updateLookup' } as const
  for await (const change of users.watch([], lookup)) {
    if (change.operationType === 'insert') same<(typeof change)['fullDocument'], M>(true)
    if (change.operationType === 'update') same<(typeof change)['updateDescription']['updatedFields'], Partial<M> | undefined>(true)
    same<(typeof change)['withheld'], readonly string[] | undefined>(true)
  }
  const thrown = await throwing.watch([], lookup).next()
  if (thrown.operationType === 'replace') same<(typeof thrown)['fullDocument'], User>(true)
  const callThrows = await users.watch([], { ...lookup, shredded: 'throw' }).tryNext()
  if (callThrows?.operationType === 'insert') same<(typeof callThrows)['fullDocument'], User>(true)
  const callMarks = await throwing.watch([], { ...lookup, shredded: 'mark' }).next()
  if (callMarks.operationType === 'insert') same<(typeof callMarks)['fullDocument'], M>(true)
  // @ts-expect-error: an update says by itself not whose it is
  users.watch([], {})
  // @ts-expect-error
  users.watch([], { fullDocument: 'default' })
  // @ts-expect-error: person by person
  users.reencrypt({ tenant: 'acme' })
}

export async function ids(document: User, id: ObjectId): Promise<void> {
  // As from the driver: of the type that the schema says, or an ObjectId.
  const one = await users.insertOne(document)
  same<typeof one.insertedId, string>(true)
  const many = await users.insertMany([document])
  same<typeof many.insertedIds, { [key: number]: string }>(true)
  const { _id, ...withoutId } = document
  // @ts-expect-error: the schema demands it
  await users.insertOne(withoutId)
  // @ts-expect-error
  await users.insertMany([withoutId])

  const note = { orgId: 'acme', author: 'ada', text: 'x' }
  const made = await notes.insertOne(note)
  same<typeof made.insertedId, ObjectId>(true)
  await notes.insertMany([note, { ...note, _id: id }])
  // @ts-expect-error: where the schema says nothing, it is an ObjectId
  await notes.insertOne({ ...note, _id })
  // @ts-expect-error: of no document of this schema
  await notes.insertOne({ ...note, txet: 'x' })

  // What is read has one, whether the schema says so or not.
  const found = await notes.findOne({ _id: id })
  same<NonNullable<typeof found>['_id'], ObjectId>(true)
  const [listed] = await notes.find().toArray()
  same<NonNullable<typeof listed>['_id'], ObjectId>(true)
  same<NonNullable<typeof listed>['text'], string | ShreddedMark>(true)
  const thrown = await notes.findOne({}, { shredded: 'throw' })
  same<NonNullable<typeof thrown>['_id'], ObjectId>(true)
  const [allThrown] = await notes.find({}, { shredded: 'throw' }).toArray()
  same<NonNullable<typeof allThrown>['_id'], ObjectId>(true)
  const marked = await notes.findOne({}, { shredded: 'mark' })
  same<NonNullable<typeof marked>['_id'], ObjectId>(true)
  const [allMarked] = await notes.find({}, { shredded: 'mark' }).toArray()
  same<NonNullable<typeof allMarked>['_id'], ObjectId>(true)
}

// The driver's collection, of whatever type it was made with.
export function typed(own: Collection<User>, other: Collection<{ readonly name: string }>): void {
  same<typeof users, ReturnType<typeof ofType>>(true)
  function ofType() {
    return encryptedCollection(vault, own, where)
  }
  encryptedCollection(vault, other, { ...where, shredded: 'throw' })
}

export function counts(error: unknown): void {
  const result = partialResult(error)
  same<NonNullable<typeof result>['modifiedCount'], number>(true)
  // @ts-expect-error: there may be none
  return void result.deletedCount
}
