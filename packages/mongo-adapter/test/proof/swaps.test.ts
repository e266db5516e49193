// Whoever can write to the database moves what is stored: values between documents, paths, people, tenants and collections, and old ones back.
import { Binary } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'

import { ada, bob, type Person } from '../collection/support.ts'
import { refusalOf } from '../refusals.ts'
import { uri } from '../support.ts'
import { a1, a2, at, b1, openOrders, type Orders, r1 } from './orders.ts'

const PATHS = ['code', 'label', 'name', 'address.street', 'tags.0', 'items.1.sku', 'items.1.text'] as const

/** The encrypted value itself, of both forms. */
const cipherOf = (stored: unknown): Binary => (stored instanceof Binary ? stored : (stored as { readonly c: Binary }).c)
/** In the form of what stood there: an indexed value keeps its index value, so that it is still found. */
const inPlaceOf = (stood: unknown, moved: Binary): unknown => (stood instanceof Binary ? moved : { ...(stood as object), c: moved })

describe.skipIf(uri === undefined)('on a server', () => {
  let o: Orders
  beforeEach(async () => {
    o = await openOrders()
  })

  /** That a document opens no more, in any way of reading it, and that it says where; and that the others do. */
  async function expectBroken(id: string, path: string): Promise<void> {
    for (const call of [
      () => o.orders.findOne({ _id: id }),
      () => o.orders.find({ _id: id }).toArray(),
      () => o.orders.find().toArray(),
      () => o.orders.find({ _id: id }, { projection: { [path.split('.')[0] as string]: 1, _id: 0 } }).next(),
    ]) {
      const error = await refusalOf(call)
      expect([error.code, error.message]).toEqual(['decrypt_failed', expect.stringContaining(`${path} of the document with _id ${id}`)])
    }
  }

  describe.each(PATHS)('%s', (path) => {
    test.each<[string, () => Promise<unknown>]>([
      ['from another document of the same person', async () => at(await o.stored.findOne({ _id: a2._id }), path)],
      ['from another person', async () => at(await o.stored.findOne({ _id: b1._id }), path)],
      ['from another tenant', async () => at(await o.stored.findOne({ _id: r1._id }), path)],
      ['from the same document of another collection', async () => at(await o.storedDrafts.findOne({ _id: a1._id }), path)],
      ['from another path of the same document', async () => at(await o.stored.findOne({ _id: a1._id }), 'other')],
    ])('%s', async (_, origin) => {
      const stood = at(await o.stored.findOne({ _id: a1._id }), path)
      const moved = await origin()
      await o.stored.updateOne({ _id: a1._id }, { $set: { [path]: inPlaceOf(stood, cipherOf(moved)) } })
      await expectBroken(a1._id, path)
      if (!(moved instanceof Binary)) {
        await o.stored.updateOne({ _id: a1._id }, { $set: { [path]: moved } })
        await expectBroken(a1._id, path)
      }
      // It was nothing else that broke.
      await o.stored.updateOne({ _id: a1._id }, { $set: { [path]: stood } })
      expect(await o.orders.findOne({ _id: a1._id })).toEqual(a1)
    })

    test('plaintext, an altered value, one that is cut, and none where one must be', async () => {
      const stood = at(await o.stored.findOne({ _id: a1._id }), path)
      const bytes = cipherOf(stood).value()
      const altered = Uint8Array.from(bytes, (byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))
      for (const put of [
        'plaintext',
        { plaintext: true },
        inPlaceOf(stood, new Binary(altered, 0x80)),
        inPlaceOf(stood, new Binary(bytes.subarray(0, -1), 0x80)),
        inPlaceOf(stood, new Binary(new Uint8Array(0), 0x80)),
        ['list', stood],
        {},
      ]) {
        await o.stored.updateOne({ _id: a1._id }, { $set: { [path]: put } })
        await expectBroken(a1._id, path)
      }
    })
  })

  describe('whole documents', () => {
    test.each<[string, () => Promise<string>]>([
      ['under another _id', async () => moved({ _id: 'a9' })],
      ['to another person', async () => moved({ _id: 'a1', personId: 'bob' })],
      ['to another tenant', async () => moved({ _id: 'a1', orgId: 'rival' })],
      ['over another document', async () => moved({ _id: 'b1' })],
      ['over another document, with its owner', async () => moved({ _id: 'b1', personId: 'bob' })],
    ])('%s', async (_, move) => expectBroken(await move(), 'code'))

    async function moved(changes: { readonly _id: string; readonly personId?: string; readonly orgId?: string }): Promise<string> {
      const document = await o.stored.findOne({ _id: 'a1' })
      await o.stored.replaceOne({ _id: changes._id }, { ...document, ...changes }, { upsert: true })
      return changes._id
    }

    test('to another collection', async () => {
      await o.stored.replaceOne({ _id: 'a1' }, (await o.storedDrafts.findOne({ _id: 'a1' })) as { _id: string })
      await expectBroken('a1', 'code')
    })
  })

  describe('older values', () => {
    test('an index value that is older than its value, or newer, is no hit, and no search goes past it', async () => {
      const old = at(await o.stored.findOne({ _id: 'a1' }), 'code') as { readonly c: Binary; readonly i: Binary }
      await o.orders.updateOne({ _id: 'a1', orgId: 'acme', personId: 'ada' }, { $set: { code: 'newer' } })
      const newer = at(await o.stored.findOne({ _id: 'a1' }), 'code') as typeof old
      for (const [stored, code] of [
        [{ c: newer.c, i: old.i }, a1.code],
        [{ c: old.c, i: newer.i }, 'newer'],
      ] as const) {
        await o.stored.updateOne({ _id: 'a1' }, { $set: { code: stored } })
        for (const filter of [{ code }, { code: { $ne: 'x' } }])
          expect((await refusalOf(() => o.orders.find(filter).toArray())).code).toBe('decrypt_failed')
      }
    })

    test('a value from before its person was shredded stays shredded', async () => {
      const old = await o.stored.findOne({ _id: 'a1' })
      await o.w.vault.tenant('acme').subject('ada').shred()
      await o.stored.replaceOne({ _id: 'a1' }, old as { _id: string })
      expect((await refusalOf(() => o.orders.findOne({ _id: 'a1' }))).code).toBe('shredded')
    })
  })

  // The README says so, under "What is not protected".
  describe('not protected', () => {
    test('an older value of the same path of the same document opens', async () => {
      const old = await o.stored.findOne({ _id: 'a1' })
      await o.orders.updateOne({ _id: 'a1', orgId: 'acme', personId: 'ada' }, { $set: { code: 'newer', name: 'newer' } })
      await o.stored.updateOne({ _id: 'a1' }, { $set: { code: old?.['code'] as unknown, name: old?.['name'] as unknown } })
      expect(await o.orders.findOne({ code: a1.code })).toEqual(a1)
    })

    test('the order and the number of the elements of an array', async () => {
      const stored = await o.stored.findOne({ _id: 'a1' })
      const [first, second] = at(stored, 'tags') as readonly unknown[]
      const items = at(stored, 'items') as readonly { readonly sku: unknown; readonly text: unknown }[]
      const crossed = [
        { sku: items[1]?.sku, text: items[0]?.text },
        { sku: items[0]?.sku, text: items[1]?.text },
      ]
      await o.stored.updateOne({ _id: 'a1' }, { $set: { tags: [second, first, second], items: crossed } })
      const [tag0, tag1] = a1.tags ?? []
      const [item0, item1] = a1.items ?? []
      expect(await o.orders.findOne({ _id: 'a1' })).toEqual({
        ...a1,
        tags: [tag1, tag0, tag1],
        items: [
          { sku: item1?.sku, text: item0?.text },
          { sku: item0?.sku, text: item1?.text },
        ],
      })
    })

    test('that a value, an element or a document is missing, or null', async () => {
      await o.stored.updateOne({ _id: 'a1' }, { $unset: { code: 1, 'address.street': 1 }, $set: { label: null, tags: [] } })
      await o.stored.deleteOne({ _id: 'a2' })
      const { code: _, ...rest } = a1
      expect(await o.orders.find({ personId: 'ada', orgId: 'acme' }).toArray()).toEqual([{ ...rest, label: null, tags: [], address: {} }])
    })

    test('that values are unique', async () => {
      await o.w.users.insertOne(ada)
      const same: Person = { ...bob, email: 'ada@example.com' }
      await expect(o.w.users.insertOne(same)).rejects.toMatchObject({ code: 11_000 })
      await o.w.stored.dropIndex('email_1')
      await o.w.users.insertOne(same)
      expect(await o.w.users.countDocuments({ email: 'ada@example.com' })).toBe(2)
    })

    test('plain paths', async () => {
      await o.stored.updateOne({ _id: 'a1' }, { $set: { plan: 'pro' } })
      expect((await o.orders.findOne({ _id: 'a1' }))?.plan).toBe('pro')
    })

    test('a document that is moved to a collection of the same context in another database', async () => {
      const elsewhere = o.open({ database: `${o.w.stored.dbName}-copy` })
      await elsewhere.stored.insertOne((await o.stored.findOne({ _id: 'a1' })) as { _id: string })
      expect(await elsewhere.orders.findOne({ code: a1.code })).toEqual(a1)
    })

    test("without bind: 'record', values of one person between documents, and no other", async () => {
      const { orders, stored } = o.open({ bind: 'none', name: 'loose' })
      await orders.insertMany([a1, a2, b1])
      for (const [from, opens] of [
        ['a2', true],
        ['b1', false],
      ] as const) {
        await stored.updateOne({ _id: 'a1' }, { $set: { name: at(await stored.findOne({ _id: from }), 'name') } })
        if (opens) expect((await orders.findOne({ _id: 'a1' }))?.name).toBe(a2.name)
        else expect((await refusalOf(() => orders.findOne({ _id: 'a1' }))).code).toBe('decrypt_failed')
      }
    })
  })
})
