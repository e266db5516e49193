// What somebody else stored: owners that cannot be opened and ids of odd types harm no document beside them, and are named.
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { Binary, type Document } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { outcome, refusalOf } from '../refusals.ts'
import { ada, bob, rival, uri, world, type World } from './support.ts'

const STORED = new Binary(new Uint8Array(80), 0x80)

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertMany([ada, bob, rival])
  })
  const put = (document: object): Promise<unknown> => w.stored.insertOne(document as never)

  describe.each<[string, Document & { readonly _id: string }]>([
    ['a tenant that there is not', { _id: 'odd', orgId: 'nobody' }],
    ['a tenant of no name that can be', { _id: 'odd', orgId: 'n'.repeat(2000) }],
    ['a subject of no name that can be', { _id: 'o'.repeat(2000), orgId: 'acme' }],
    ['no tenant', { _id: 'odd' }],
  ])('%s', (_, owner) => {
    test('with nothing encrypted, it is read, and all beside it', async () => {
      await put(owner)
      expect(await w.users.find({}, { projection: { orgId: 1 } }).toArray()).toContainEqual(owner)
      expect(await w.users.find({}, { projection: { name: 1 } }).toArray()).toContainEqual({ _id: owner._id })
      expect(await w.users.find().sort({ _id: 1 }).toArray()).toHaveLength(4)
    })

    test('a value that is said to be of it does not open: the error names the document, and others are read', async () => {
      await put({ ...owner, name: STORED })
      const error = await refusalOf(() => w.users.find().toArray())
      expect(error.code).toBe('decrypt_failed')
      expect(error.message).toContain(`name of the document with _id ${owner._id}:`)
      expect(await w.users.find({}, { projection: { orgId: 1 } }).toArray()).toHaveLength(4)
      expect(await w.users.find({ _id: { $in: ['ada', 'bob'] } }).toArray()).toHaveLength(2)
    })

    test('what a search finds in it is compared, and is none', async () => {
      const email = (await w.stored.findOne({ _id: 'ada' }))?.['email'] as object
      await w.stored.dropIndexes()
      await put({ ...owner, email })
      for (const act of [() => w.users.countDocuments({ email: ada.email }), () => w.users.find({ email: ada.email }).toArray()])
        expect(await outcome(act)).toBe('decrypt_failed')
    })
  })

  test('remains are counted, whatever the state of their owners', async () => {
    await put({ _id: 'odd', orgId: 'nobody', name: STORED })
    const place = { tenant: 'nobody', subject: 'odd', references: ['0'.repeat(32), '1'.repeat(32)] }
    expect([await w.users.resource().verify(place), await w.users.resource({ erase: 'values' }).verify(place)]).toEqual([1, 1])
  })

  test('a suspended tenant or subject: only what is encrypted asks for it', async () => {
    for (const place of [w.vault.tenant('rival').subject('eve'), w.vault.tenant('acme').subject('ada')]) {
      await place.suspend()
      expect(await w.users.find({}, { projection: { plan: 1 } }).toArray()).toHaveLength(3)
      expect(await outcome(() => w.users.find({}, { projection: { name: 1 } }).toArray())).toBe('suspended')
      await place.resume()
    }
    await w.vault.tenants.suspend('rival')
    expect(await w.users.find({}, { projection: { plan: 1 } }).toArray()).toHaveLength(3)
    expect(await outcome(() => w.users.find().toArray())).toBe('suspended')
    expect(await outcome(() => w.users.find({ orgId: 'rival', age: 36 }).toArray())).toBe('suspended')
    expect(await w.users.find({ orgId: 'acme' }).toArray()).toHaveLength(2)
  })

  test.each<[string, unknown]>([
    ['an object that says nothing of itself', { toString: 1, valueOf: 1 }],
    ['an object', { x: 1 }],
    ['a regular expression', /x/],
  ])('an _id of an odd type: %s', async (_, _id) => {
    await put({ _id, orgId: 'acme', name: STORED })
    const error = await refusalOf(() => w.users.find().toArray())
    expect([error.code, error.message]).toEqual([
      'decrypt_failed',
      expect.stringContaining('name of a document whose _id is no single value:'),
    ])
    expect(await w.users.find({}, { projection: { plan: 1 } }).toArray()).toHaveLength(4)
  })

  test.each<[string, string | Binary]>([
    ['lines', 'x\n2030-01-01 ERROR all is well'],
    ['colours of a terminal', '\u001b[31mx'],
    ['other directions', 'x\u202ey'],
    ['bytes', new Binary(Uint8Array.of(1, 10, 2))],
  ])('an _id that would write %s into a log is not shown', async (_, _id) => {
    await put({ _id, orgId: 'acme', name: STORED })
    const { message } = await refusalOf(() => w.users.find().toArray())
    expect(message).toContain('name of a document whose _id holds what is not printed:')
    expect(message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
  })

  test('the same where values are bound to no id, and of a shape that is none', async () => {
    const schema = z.object({
      _id: z.any(),
      orgId: z.string(),
      who: z.string(),
      v: encrypted(z.string()).optional(),
      list: z.array(encrypted(z.string())).optional(),
    })
    const stored = w.client.db(w.stored.dbName).collection('unbound')
    const things = encryptedCollection(w.vault, stored, { schema, tenant: 'orgId', subject: 'who', bind: 'none' })
    await things.insertOne({ _id: 1, orgId: 'acme', who: 'ada', v: 'x' })
    for (const damage of [{ v: STORED }, { list: 5 }]) {
      await stored.insertOne({ _id: { toString: 1 } as never, orgId: 'acme', who: 'ada', ...damage })
      expect((await refusalOf(() => things.find().toArray())).code).toBe('decrypt_failed')
      await stored.deleteMany({ v: { $ne: null }, _id: { $ne: 1 as never } })
      await stored.deleteMany({ list: 5 })
    }
    // Its values open, whatever it is called.
    const [own] = await stored.find().toArray()
    await stored.insertOne({ _id: { toString: 1 } as never, orgId: 'acme', who: 'ada', v: own?.['v'] as unknown })
    expect(await things.find().toArray()).toHaveLength(2)
  })
})
