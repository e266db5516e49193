// Type tests of pipelines and of encryptedDb: what compiles, and (by @ts-expect-error) what must not. Compiled by `npm run typecheck`.
import type { Vault } from '@strongroom/core'
import {
  encrypted,
  encryptedCollection,
  encryptedDb,
  type EncryptedAggregationCursor,
  plain,
  type ShreddedMark,
} from '@strongroom/mongo-adapter'
import type { Collection, Db, Document } from 'mongodb'
import { z } from 'zod'

// Both ways, in an invariant place.
interface Invariant<T> {
  use(value: T): T
  readonly held: (value: T) => T
}
type Same<A, B> = Invariant<A> extends Invariant<B> ? (Invariant<B> extends Invariant<A> ? true : false) : false
declare function same<A, B>(is: Same<A, B>): void
declare const vault: Vault
declare const db: Db
declare const collection: Collection

const User = z.object({ _id: z.string(), orgId: z.string(), email: encrypted(z.email()) })
const Order = z.object({ _id: z.number(), orgId: z.string(), userId: z.string(), note: encrypted(z.string()) })
const ofUsers = { schema: User, tenant: 'orgId', subject: '_id' } as const
const alone = encryptedCollection(vault, collection, ofUsers)

const shop = encryptedDb(vault, db, {
  users: ofUsers,
  orders: { schema: Order, tenant: 'orgId', subject: 'userId', shredded: 'throw' },
  events: plain<{ kind: string }>(),
  anything: plain(),
})

export async function collections(): Promise<void> {
  same<typeof shop.users, typeof alone>(true)
  same<typeof shop.events, Collection<{ kind: string }>>(true)
  same<typeof shop.anything, Collection>(true)
  // As of the collection: lists mark, unless it says otherwise.
  const [user] = await shop.users.find().toArray()
  same<NonNullable<typeof user>['email'], string | ShreddedMark>(true)
  const [order] = await shop.orders.find().toArray()
  same<NonNullable<typeof order>['note'], string>(true)
  same<NonNullable<typeof order>['_id'], number>(true)
  // @ts-expect-error: nobody named it
  void shop.others
  // @ts-expect-error
  encryptedDb(vault, db, { users: { schema: User } })
  // @ts-expect-error
  encryptedDb(vault, db, { users: alone })
}

export async function pipelines(): Promise<void> {
  const untyped = shop.users.aggregate([{ $match: { orgId: 'acme' } }])
  same<typeof untyped, EncryptedAggregationCursor<Document>>(true)
  const counted = shop.users.aggregate<{ n: number }>([{ $count: 'n' }])
  same<Awaited<ReturnType<typeof counted.next>>, { n: number } | null>(true)
  const mapped = await counted.map(({ n }) => n).toArray()
  same<typeof mapped, number[]>(true)
  const grouped = shop.users.aggregate().group<{ _id: string; n: number }>({ _id: '$orgId', n: { $sum: 1 } })
  same<typeof grouped, EncryptedAggregationCursor<{ _id: string; n: number }>>(true)
  // @ts-expect-error: what a pipeline gives the caller says
  await counted.forEach(({ m }) => m === 1)
  // @ts-expect-error: no option of pipelines
  shop.users.aggregate([], { out: 'others' })
  // @ts-expect-error
  shop.users.aggregate([], { shredded: 'maybe' })
  // @ts-expect-error
  shop.users.aggregate({ $match: {} })
}
