// Three collections of one database, encrypted and plain, and the same documents in three that are not encrypted.
import { encrypted, encryptedDb, type EncryptedDb, plain } from '@strongroom/mongo-adapter'
import type { Db, Document } from 'mongodb'
import { z } from 'zod'

import { world, type World } from '../collection/support.ts'
import { emptyDatabase, openClient } from '../support.ts'

const address = { index: { scope: 'application', domain: 'address' } } as const
export const User = z.object({
  _id: z.string(),
  orgId: z.string(),
  plan: z.string().optional(),
  email: encrypted(z.string(), address).nullish(),
  nick: encrypted(z.string(), { index: { scope: 'tenant', domain: 'nick' } }).optional(),
  name: encrypted(z.string()).optional(),
  phones: z.array(encrypted(z.string(), { index: { scope: 'tenant' } })).optional(),
})
export const Order = z.object({
  _id: z.number(),
  shop: z.object({ org: z.string() }),
  buyer: z.string(),
  total: z.number(),
  mail: encrypted(z.string(), address).nullish(),
  alias: encrypted(z.string(), { index: { scope: 'tenant', domain: 'nick' } }).optional(),
  text: encrypted(z.string(), { index: { scope: 'tenant' } }).optional(),
  lines: z.array(z.object({ sku: z.string(), note: encrypted(z.string()).optional() })).optional(),
})
const declared = {
  users: { schema: User, tenant: 'orgId', subject: '_id' },
  orders: { schema: Order, tenant: 'shop.org', subject: 'buyer' },
  events: plain<{ who: string; kind: string }>(),
} as const

export const people: readonly z.output<typeof User>[] = [
  { _id: 'ada', orgId: 'acme', plan: 'pro', email: 'ada@example.com', nick: 'queen', name: 'Ada', phones: ['1', '2'] },
  { _id: 'bob', orgId: 'acme', plan: 'free', email: null, nick: 'king', name: 'Bob', phones: [] },
  { _id: 'cyd', orgId: 'acme', plan: 'free', email: 'cyd@example.com', nick: 'jack', name: 'Cyd' },
  { _id: 'eve', orgId: 'rival', plan: 'pro', email: 'eve@example.com', nick: 'queen', name: 'Eve' },
]
export const orders: readonly z.output<typeof Order>[] = [
  {
    _id: 1,
    shop: { org: 'acme' },
    buyer: 'ada',
    total: 5,
    mail: 'ada@example.com',
    alias: 'queen',
    text: 'one',
    lines: [{ sku: 'a', note: 'n1' }, { sku: 'b' }],
  },
  { _id: 2, shop: { org: 'acme' }, buyer: 'ada', total: 6, mail: 'cyd@example.com', alias: 'jack', text: 'two' },
  { _id: 3, shop: { org: 'acme' }, buyer: 'cyd', total: 7, mail: 'ada@example.com', text: 'three' },
  { _id: 4, shop: { org: 'rival' }, buyer: 'ada', total: 8, mail: 'eve@example.com', alias: 'queen', text: 'four' },
]
export const events = [
  { _id: 1, who: 'ada', kind: 'x' },
  { _id: 2, who: 'bob', kind: 'y' },
] as const

export interface Shop {
  readonly w: World
  readonly db: Db
  readonly shop: EncryptedDb<typeof declared>
  /** The same, with nothing encrypted. */
  readonly bare: Db
}

export async function openShop(): Promise<Shop> {
  const w = await world()
  const [db, bare] = [emptyDatabase(openClient()), emptyDatabase(openClient())].map((each) => w.client.db(each.databaseName)) as [Db, Db]
  const shop = encryptedDb(w.vault, db, declared)
  await shop.users.createIndexes()
  await shop.orders.createIndexes()
  await shop.users.insertMany(people)
  await shop.orders.insertMany(orders)
  await shop.events.insertMany(events.map((each) => ({ ...each })) as never)
  for (const [name, documents] of Object.entries({ users: people, orders, events }))
    await bare.collection(name).insertMany(documents.map((each) => ({ ...each })) as unknown as Document[])
  w.commands.length = 0
  return { w, db, shop, bare }
}
