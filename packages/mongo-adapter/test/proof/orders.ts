// Documents of people who have several, in two tenants and two collections: what the tests of moved values move between.
import { encrypted, encryptedCollection, type EncryptedCollection, type Shreddable } from '@strongroom/mongo-adapter'
import type { Collection, Document } from 'mongodb'
import { z } from 'zod'

import { world, type World } from '../collection/support.ts'

export const Order = z.object({
  _id: z.string(),
  orgId: z.string(),
  personId: z.string(),
  plan: z.string().optional(),
  code: encrypted(z.string(), { index: { scope: 'application' } }).nullish(),
  label: encrypted(z.string(), { index: { scope: 'tenant' } }).nullish(),
  name: encrypted(z.string()).optional(),
  other: encrypted(z.string()).optional(),
  address: z.object({ street: encrypted(z.string()) }).optional(),
  tags: z.array(encrypted(z.string(), { index: { scope: 'tenant' } }).nullable()).optional(),
  items: z.array(z.object({ sku: encrypted(z.string(), { index: { scope: 'tenant' } }), text: encrypted(z.string()) })).optional(),
})
export type Order = z.output<typeof Order>
export type Stored = Collection<Document & { _id: string }>

export interface Orders {
  readonly w: World
  readonly orders: EncryptedCollection<Order, Shreddable<typeof Order>>
  readonly stored: Stored
  /** Another collection with the same schema and ids. */
  readonly drafts: EncryptedCollection<Order, Shreddable<typeof Order>>
  readonly storedDrafts: Stored
  /** The collection, or one in another database, with other options. */
  open(options: { readonly bind?: 'record' | 'none'; readonly database?: string; readonly name?: string }): {
    readonly orders: EncryptedCollection<Order, Shreddable<typeof Order>>
    readonly stored: Stored
  }
}

const order = (id: string, orgId: string, personId: string): Order => ({
  _id: id,
  orgId,
  personId,
  plan: 'free',
  code: `code of ${id}`,
  label: `label of ${id}`,
  name: `name of ${id}`,
  other: `other of ${id}`,
  address: { street: `street of ${id}` },
  tags: [`tag 0 of ${id}`, `tag 1 of ${id}`],
  items: [
    { sku: `sku 0 of ${id}`, text: `text 0 of ${id}` },
    { sku: `sku 1 of ${id}`, text: `text 1 of ${id}` },
  ],
})
/** Two of one person, one of another, and one of somebody of the same name in another tenant. */
export const a1 = order('a1', 'acme', 'ada')
export const a2 = order('a2', 'acme', 'ada')
export const b1 = order('b1', 'acme', 'bob')
export const r1 = order('r1', 'rival', 'ada')
export const ALL: readonly Order[] = [a1, a2, b1, r1]

export async function openOrders(): Promise<Orders> {
  const w = await world()
  const open: Orders['open'] = ({ bind = 'record', database, name = 'orders' }) => {
    const collection = w.client.db(database ?? w.stored.dbName).collection(name)
    const orders = encryptedCollection(w.vault, collection, { schema: Order, tenant: 'orgId', subject: 'personId', bind })
    // As by the driver: what does not compile is asked for as well.
    return { orders: orders as unknown as Orders['orders'], stored: collection as unknown as Stored }
  }
  const { orders, stored } = open({})
  const { orders: drafts, stored: storedDrafts } = open({ name: 'drafts' })
  for (const each of [orders, drafts]) {
    await each.createIndexes()
    await each.insertMany(ALL)
  }
  return { w, orders, stored, drafts, storedDrafts, open }
}

/** The value at a dotted path. */
export function at(document: Document | null, path: string): unknown {
  return path.split('.').reduce<unknown>((value, step) => (value as Document | undefined)?.[step], document)
}
