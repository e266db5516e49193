// Documents as large and as deep as the server takes them, and larger: stored whole, or an error that shows nothing, and nothing stored.
import { inspect } from 'node:util'

import { StrongroomError } from '@strongroom/core'
import { encrypted, encryptedCollection, type EncryptedCollection } from '@strongroom/mongo-adapter'
import { Binary, BSON, type Collection, type Document, MongoError } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { uri, world, type World } from '../collection/support.ts'

const MOST = 16 * 1024 * 1024
const CANARY = 'Canary-Value '
type Thing = Document & { _id: string }
const ThingSchema = z.looseObject({
  _id: z.string(),
  org: z.string(),
  secret: encrypted(z.unknown()).optional(),
  indexed: encrypted(z.unknown(), { index: { scope: 'application' } }).optional(),
  list: z.array(encrypted(z.string())).optional(),
})
const ada = { _id: 'ada', org: 'acme' }
const text = (length: number): string => CANARY.repeat(Math.ceil(length / CANARY.length)).slice(0, length)
const nested = (levels: number): unknown => {
  let value: unknown = CANARY
  for (let level = 0; level < levels; level++) value = { a: value }
  return value
}

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  let things: EncryptedCollection<Thing>
  let stored: Collection<Thing>
  let plain: Collection<Thing>
  beforeEach(async () => {
    w = await world()
    const db = w.client.db(w.stored.dbName)
    stored = db.collection('things')
    plain = db.collection('plainthings')
    things = encryptedCollection(w.vault, db.collection('things'), { schema: ThingSchema, tenant: 'org', subject: '_id' }) as never
  })

  const writes: readonly [string, (document: Thing) => Promise<unknown>][] = [
    ['insertOne', (document) => things.insertOne(document)],
    ['insertMany', (document) => things.insertMany([document])],
    ['insertMany out of order', (document) => things.insertMany([document], { ordered: false })],
  ]
  const changes: readonly [string, (document: Thing) => Promise<unknown>][] = [
    ['replaceOne', ({ _id, ...rest }) => things.replaceOne(ada, rest)],
    ['updateOne', ({ _id, org: _org, ...rest }) => things.updateOne(ada, { $set: rest })],
  ]

  async function refused(call: () => Promise<unknown>): Promise<unknown> {
    const error = await call().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error instanceof StrongroomError || error instanceof MongoError, inspect(error).slice(0, 1000)).toBe(true)
    const told = inspect(error, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null })
    expect(told).not.toContain('Canary')
    return error
  }

  async function rawBytes(): Promise<Buffer> {
    return Buffer.concat((await stored.find({}, { raw: true }).toArray()).map((each) => Buffer.from(each as never)))
  }

  const large: readonly [string, () => object][] = [
    ['an encrypted string of 16 MiB', () => ({ secret: text(MOST) })],
    ['one that is larger than what the driver sends at once', () => ({ secret: text(50 * 1024 * 1024) })],
    ['an encrypted object of 17 MiB', () => ({ secret: { a: [text(MOST), text(1024 * 1024)] } })],
    ['encrypted bytes of 20 MiB', () => ({ secret: new Uint8Array(20 * 1024 * 1024).fill(67) })],
    ['16 MiB in many values', () => ({ list: Array.from({ length: 17 }, () => text(1024 * 1024)) })],
    ['16 MiB in a plain member, beside a small secret', () => ({ secret: CANARY, plain: 'x'.repeat(MOST) })],
  ]
  test.each(large)('%s: refused by every write, and nothing is stored', async (_, make) => {
    for (const [, write] of writes) {
      await refused(() => write({ ...ada, ...make() }))
      expect(await stored.countDocuments()).toBe(0)
    }
    await things.insertOne({ ...ada, secret: 'before' })
    const before = await stored.find().toArray()
    for (const [, change] of changes) {
      await refused(() => change({ ...ada, ...make() }))
      expect(await stored.find().toArray()).toEqual(before)
    }
    await things.updateOne(ada, { $set: { secret: 'after' } })
    expect(await things.findOne(ada)).toEqual({ ...ada, secret: 'after' })
  })

  test('at the edge: what fits encrypted is stored, what fits only as plaintext is not', async () => {
    const size = (document: Document): number => BSON.calculateObjectSize(document)
    await things.insertOne({ ...ada, secret: text(1000) })
    const [first] = await stored.find().toArray()
    const overhead = size(first as Document) - size({ ...ada, secret: text(1000) })
    expect(overhead).toBeGreaterThan(0)
    // The driver takes no document of 16 MiB itself into insertMany.
    const fits = text(999 + MOST - size(first as Document))
    for (const [, write] of [...writes, ...changes]) {
      const replacing = changes.some(([, each]) => each === write)
      await stored.deleteMany({})
      if (replacing) await things.insertOne(ada)
      await write({ ...ada, secret: fits })
      const [largest] = await stored.find().toArray()
      expect(size(largest as Document)).toBe(MOST - 1)
      expect(((await things.findOne(ada)) as Thing)['secret'] === fits).toBe(true)
      expect((await rawBytes()).includes('Canary')).toBe(false)
      // More, up to what would fit as plaintext.
      for (const more of [2, overhead]) {
        if (!replacing) await stored.deleteMany({})
        const tooLarge = { ...ada, secret: fits + text(more) }
        expect(size(tooLarge)).toBeLessThanOrEqual(MOST)
        await refused(() => write(tooLarge))
        expect(await stored.countDocuments()).toBe(replacing ? 1 : 0)
        if (replacing) expect(((await things.findOne(ada)) as Thing)['secret'] === fits).toBe(true)
      }
    }
    await plain.insertOne({ ...ada, secret: fits + text(overhead) })
    expect(size((await plain.findOne(ada)) as Document)).toBe(MOST - 1)
  }, 600_000)

  // In an update the operator is a level of its own.
  test('nested 100 levels deep, encrypted and plain; by $set 99', async () => {
    for (const [name, write] of [...writes, ...changes]) {
      const levels = name === 'updateOne' ? 99 : 100
      for (const document of [
        { ...ada, secret: nested(levels) },
        { ...ada, secret: 'x', plain: nested(levels) },
      ]) {
        await stored.deleteMany({})
        if (changes.some(([each]) => each === name)) await things.insertOne(ada)
        await write(document)
        expect(await things.findOne(ada)).toEqual(document)
        expect((await rawBytes()).includes('Canary')).toBe('plain' in document)
      }
    }
  })

  test('nested 101 levels deep: refused before anything is sent', async () => {
    await things.insertOne({ ...ada, secret: 'before' })
    const before = await stored.find().toArray()
    for (const document of [
      { ...ada, secret: nested(101) },
      { ...ada, plain: nested(101) },
      { ...ada, list: [nested(100)] as never },
    ])
      for (const [, write] of [...writes, ...changes]) {
        w.commands.length = 0
        expect(((await refused(() => write(document))) as StrongroomError).code).toBe('invalid_argument')
        expect(w.commands).toEqual([])
      }
    expect(await stored.find().toArray()).toEqual(before)
  })

  test('lists of 100,000', async () => {
    const list = Array.from({ length: 100_000 }, (_, i) => `Canary ${i}`)
    const secret = Array.from({ length: 100_000 }, (_, i) => ({ i, text: 'Canary' }))
    for (const document of [
      { ...ada, list },
      { ...ada, secret },
      { ...ada, plain: list.map((_, i) => i), secret: 'Canary' },
    ]) {
      await stored.deleteMany({})
      await things.insertOne(document)
      expect(await things.findOne(ada)).toEqual(document)
      expect((await rawBytes()).includes('Canary')).toBe(false)
    }
    await things.replaceOne(ada, { ...ada, list: [] })
    await things.updateOne(ada, { $push: { list: { $each: list } } } as never)
    expect(((await things.findOne(ada)) as Thing)['list']).toEqual(list)
  }, 600_000)

  test('large values that are indexed, and long lists of what is searched for', async () => {
    const values = [text(65_535), new Binary(Buffer.from(text(65_533)), 0x80)]
    const others = Array.from({ length: 20_000 }, (_, n) => `other ${n}`)
    for (const [i, indexed] of values.entries()) {
      const document = { _id: `large${i}`, org: 'acme', indexed }
      await things.insertOne(document)
      expect(await things.find({ indexed } as never).toArray()).toEqual([document])
      expect(await things.countDocuments({ indexed: { $in: [...others, indexed] } } as never)).toBe(1)
    }
    expect((await rawBytes()).includes('Canary')).toBe(false)
    for (const indexed of [text(65_536), new Binary(Buffer.from(text(65_535)), 0x80), new Binary(new Uint8Array(1_000_000).fill(67))])
      for (const call of [
        () => things.insertOne({ ...ada, indexed }),
        () => things.updateOne(ada, { $set: { indexed } }),
        () => things.find({ indexed } as never).toArray(),
      ])
        expect(((await refused(call)) as StrongroomError).code).toBe('invalid_argument')
    for (const _id of [text(65_536), new Binary(new Uint8Array(1_000_000).fill(67))])
      expect(((await refused(() => things.insertOne({ ...ada, _id: _id as string, secret: 'x' }))) as StrongroomError).code).toBe(
        'invalid_argument',
      )
    expect(await stored.countDocuments()).toBe(values.length)
  })
})
