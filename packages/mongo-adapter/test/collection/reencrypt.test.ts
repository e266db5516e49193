// After a rotation of a person's key: every value of hers is written again under the new one, and nothing else is changed.
import type { Progress } from '@strongroom/core'
import { encrypted, encryptedCollection, SHREDDED } from '@strongroom/mongo-adapter'
import { Binary, Double, type Document, Int32 } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { outcome, refusalOf } from '../refusals.ts'
import { ada, bob, dataCommands, rival, uri, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertMany([ada, bob, rival])
  })
  const HERS = { tenant: 'acme', subject: 'ada' }
  const toEnd = async (run: AsyncIterable<Progress>): Promise<readonly Progress[]> => {
    const met: Progress[] = []
    for await (const progress of run) {
      met.push(progress)
      // The clock stands still: the cache bound passes when the run waits for it.
      if (progress.phase === 'waiting' && progress.done === 0) setTimeout(() => w.clock.advance(3_600_000), 1)
    }
    return met
  }
  const subject = () => w.vault.tenant('acme').subject('ada')
  async function rotate(): Promise<void> {
    await toEnd(w.vault.rotateSubjectKey(subject()))
    w.clock.advance(3_600_000)
  }
  const retire = (holder: Pick<World['users'], 'resource'> = w.users) =>
    outcome(() => toEnd(w.vault.retireVersion(subject(), { holders: [holder.resource()], dataBackup: { startedAt: w.clock.now() } })))

  test('rotateSubjectKey, reencrypt, retireVersion: all of hers reads as before, and what is older does not open any more', async () => {
    const before = await w.stored.find().toArray()
    await rotate()
    expect(await retire()).toBe('still_referenced')
    expect(await toEnd(w.users.reencrypt(HERS))).toEqual([
      { phase: 'reencrypting', done: 0, total: 1 },
      { phase: 'reencrypting', done: 1, total: 1 },
      { phase: 'checking', done: 0, total: 1 },
      { phase: 'checking', done: 1, total: 1 },
    ])
    w.clock.advance(1)
    expect(await retire()).toBe('done')
    expect(await w.users.findOne({ _id: 'ada' })).toEqual(ada)
    expect(await w.users.find({ email: 'ada@example.com' }).toArray()).toEqual([ada])
    expect(await w.users.find({ orgId: 'acme', phones: ada.phones[1] as string }).toArray()).toEqual([ada])
    // Of others nothing was touched.
    for (const _id of ['bob', 'eve']) expect(await w.stored.findOne({ _id })).toEqual(before.find((each) => each._id === _id))
    // What a backup from before brings back is dead.
    await w.stored.replaceOne({ _id: 'ada' }, before.find(({ _id }) => _id === 'ada') as Document)
    for (const shredded of ['throw', 'mark'] as const)
      expect(await outcome(() => w.users.findOne({ _id: 'ada' }, { shredded }))).toBe('retired')
    const error = await refusalOf(() => toEnd(w.users.reencrypt(HERS)))
    expect([error.code, error.message]).toEqual(['retired', expect.stringContaining('of the document with _id ada')])
  })

  test('it changes ciphertexts and nothing else: index values, order, types of what is plain beside them', async () => {
    await w.stored.updateOne({ _id: 'ada' }, { $set: { 'notes.0.rank': new Double(1), 'address.zip': new Int32(7), odd: [new Double(2)] } })
    const raw = () => w.stored.findOne({ _id: 'ada' }, { promoteValues: false }) as Promise<Document>
    const before = await raw()
    await rotate()
    await toEnd(w.users.reencrypt(HERS))
    const after = await raw()
    const [old, now] = [parts(before), parts(after)]
    expect(now.ciphertexts).toHaveLength(7)
    for (const [i, c] of now.ciphertexts.entries()) {
      expect(c.sub_type).toBe(0x80)
      expect(c.value()).not.toEqual(old.ciphertexts[i]?.value())
    }
    // One key, one context: one tag.
    expect(new Set(now.ciphertexts.map((c) => c.toString('hex').slice(0, 34))).size).toBe(1)
    expect(now.rest).toEqual(old.rest)
  })

  // What is left of a document when its ciphertexts are taken out.
  function parts(document: Document): { readonly ciphertexts: readonly Binary[]; readonly rest: unknown } {
    const ciphertexts: Binary[] = []
    const walk = (value: unknown): unknown => {
      if (value instanceof Binary && value.length() > 21) return (ciphertexts.push(value), 'ciphertext')
      if (Array.isArray(value)) return value.map(walk)
      if (typeof value !== 'object' || value === null || '_bsontype' in value) return value
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each)]))
    }
    return { rest: walk(document), ciphertexts }
  }

  test('a second run writes nothing, and so does one with nothing behind', async () => {
    for (const rotated of [false, true, false]) {
      if (rotated) await rotate()
      const before = await w.stored.findOne({ _id: 'ada' })
      w.commands.length = 0
      await toEnd(w.users.reencrypt(HERS))
      expect(dataCommands(w).includes('update')).toBe(rotated)
      expect(JSON.stringify(await w.stored.findOne({ _id: 'ada' })) === JSON.stringify(before)).toBe(!rotated)
    }
  })

  test('both stored forms, arrays as the database has them, null, and what is not there', async () => {
    const stored = (await w.stored.findOne({ _id: 'ada' })) as Document
    const change = { email: (stored['email'] as Document)['c'] as unknown, phones: { 0: stored['phones'][0] as unknown } }
    await w.stored.updateOne({ _id: 'ada' }, { $set: change, $unset: { age: 1 } })
    const before = await w.users.findOne({ _id: 'ada' })
    await rotate()
    await toEnd(w.users.reencrypt(HERS))
    expect(await w.users.findOne({ _id: 'ada' })).toEqual(before)
    expect(await retire()).toBe('done')
    expect(await w.users.findOne({ _id: 'ada' })).toEqual(before)
    await w.users.updateOne({ _id: 'ada', orgId: 'acme' }, { $set: { email: null, phones: [] } })
    await rotate()
    await toEnd(w.users.reencrypt(HERS))
    expect(await retire()).toBe('done')
    expect(await w.users.findOne({ _id: 'ada' })).toMatchObject({ email: null, phones: [] })
  })

  test('arrays of arrays, arrays within arrays, and lists of index values', async () => {
    const schema = z.object({
      _id: z.int(),
      orgId: z.string(),
      who: z.string(),
      grid: z.array(z.array(encrypted(z.string()))),
      deep: z.object({ list: z.array(z.object({ n: z.number(), inner: z.array(encrypted(z.string(), { index: { scope: 'tenant' } })) })) }),
    })
    const stored = w.client.db(w.stored.dbName).collection<Document & { _id: number }>('things')
    const things = encryptedCollection(w.vault, stored, { schema, tenant: 'orgId', subject: 'who' })
    const documents = Array.from({ length: 5 }, (_, _id) => ({
      _id,
      orgId: 'acme',
      who: _id === 3 ? 'bob' : 'ada',
      grid: [[`${_id}a`, `${_id}b`], [], [`${_id}c`]],
      deep: {
        list: [
          { n: 1, inner: [`${_id}d`] },
          { n: 2, inner: [`${_id}e`, `${_id}f`] },
        ],
      },
    }))
    await things.insertMany(documents)
    const index = ((await stored.findOne({ _id: 0 })) as Document)['deep'].list[0].inner[0].i as unknown
    await stored.updateOne({ _id: 0 }, { $set: { 'deep.list.0.inner.0.i': [index, index] } })
    await rotate()
    const [, ...met] = await toEnd(things.reencrypt(HERS))
    expect(met[0]).toEqual({ phase: 'reencrypting', done: 4, total: 4 })
    expect(await retire(things)).toBe('done')
    expect(await things.find().sort({ _id: 1 }).toArray()).toEqual(documents)
    expect((await things.find({ orgId: 'acme', 'deep.list.inner': '0d' }).toArray()).map(({ _id }) => _id)).toEqual([0])
    expect(((await stored.findOne({ _id: 0 })) as Document)['deep'].list[0].inner[0].i).toEqual([index, index])
  })

  const SMALL = z.object({ _id: z.string(), orgId: z.string(), who: z.string(), name: encrypted(z.string()) })
  const small = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ _id: `d${String(i).padStart(5, '0')}`, orgId: 'acme', who: 'ada', name: `name ${i}` }))

  test('however many documents there are, the keys are asked for once; it ends at a signal, and goes on where it stopped', async () => {
    const stored = w.client.db(w.stored.dbName).collection('small')
    const things = encryptedCollection(w.vault, stored, { schema: SMALL, tenant: 'orgId', subject: 'who' })
    await things.insertMany(small(1))
    const queriesOf = async (run: () => Promise<unknown>): Promise<number> => {
      w.queries.count = 0
      await run()
      return w.queries.count
    }
    await rotate()
    const forOne = await queriesOf(() => toEnd(things.reencrypt(HERS)))
    await things.insertMany(small(210).slice(1))
    await rotate()
    const controller = new AbortController()
    const interrupted = async () => {
      for await (const { done } of things.reencrypt(HERS, { signal: controller.signal }))
        if (done > 0) controller.abort(new Error('enough'))
    }
    expect(await queriesOf(() => expect(interrupted()).rejects.toThrow('enough'))).toBe(forOne)
    w.commands.length = 0
    await queriesOf(async () => expect((await toEnd(things.reencrypt(HERS))).at(-1)).toEqual({ phase: 'checking', done: 210, total: 210 }))
    expect(w.commands.flatMap(({ command }) => (command['updates'] as readonly unknown[] | undefined) ?? [])).toHaveLength(10)
    expect(w.queries.count).toBeLessThanOrEqual(forOne)
    expect(await retire(things)).toBe('done')
    expect(await things.find().sort({ _id: 1 }).toArray()).toEqual(small(210))

    // What does not open in the first batch keeps none of the others waiting.
    await stored.updateOne({ _id: 'd00000' as never }, { $set: { name: 'plaintext' } })
    await rotate()
    expect(await outcome(() => toEnd(things.reencrypt(HERS)))).toBe('decrypt_failed')
    await things.updateOne({ _id: 'd00000', orgId: 'acme', who: 'ada' }, { $set: { name: 'name 0' } })
    expect(await retire(things)).toBe('done')
  })

  test('what somebody else writes between the reading and the writing stays, and what is left of the old key is met again', async () => {
    await rotate()
    const her = { _id: 'ada', orgId: 'acme' }
    const driver = w.users.dangerouslyUnwrap()
    // Each of these comes in just before the update is sent.
    const edits = [
      () => w.users.updateOne(her, { $set: { email: 'new@example.com', name: 'Newer' } }),
      () => w.users.updateOne(her, { $set: { phones: ['+44 20 7946 0009'] } }),
      () => w.users.updateOne(her, { $push: { notes: { $each: [{ title: 'zero', text: 'first' }], $position: 0 } } }),
      () => w.users.updateOne(her, { $unset: { age: 1 } }),
      () => w.stored.deleteOne({ _id: 'bob' }),
    ]
    const bulkWrite = driver.bulkWrite.bind(driver)
    driver.bulkWrite = async (...given) => {
      await edits.shift()?.()
      return bulkWrite(...given)
    }
    await toEnd(w.users.reencrypt(HERS))
    expect(edits).toEqual([])
    expect(await retire()).toBe('done')
    expect(await w.users.findOne(her)).toEqual({
      ...Object.fromEntries(Object.entries(ada).filter(([name]) => name !== 'age')),
      email: 'new@example.com',
      name: 'Newer',
      phones: ['+44 20 7946 0009'],
      notes: [{ title: 'zero', text: 'first' }, ...ada.notes],
    })
  })

  test('a document that is deleted, or given to somebody else, between reading and writing is left alone', async () => {
    await rotate()
    const driver = w.users.dangerouslyUnwrap()
    const bulkWrite = driver.bulkWrite.bind(driver)
    for (const edit of [() => w.stored.updateOne({ _id: 'ada' }, { $set: { orgId: 'rival' } }), () => w.stored.deleteOne({ _id: 'ada' })]) {
      driver.bulkWrite = async (...given) => {
        await edit()
        return bulkWrite(...given)
      }
      await toEnd(w.users.reencrypt(HERS))
      const there = await w.stored.findOne({ _id: 'ada' })
      expect(there?.['orgId']).toBe(there === null ? undefined : 'rival')
      if (there !== null) await w.stored.updateOne({ _id: 'ada' }, { $set: { orgId: 'acme' } })
    }
  })

  test('what is damaged is said at the end, once everything else is written', async () => {
    const stored = w.client.db(w.stored.dbName).collection<Document & { _id: string }>('small')
    const things = encryptedCollection(w.vault, stored, { schema: SMALL, tenant: 'orgId', subject: 'who' })
    await things.insertMany(small(4))
    const nameOf = async (_id: string) => (await stored.findOne({ _id }))?.['name'] as Binary
    const whole = await nameOf('d00001')
    for (const name of ['plaintext', new Binary(new Uint8Array(80).fill(1), 0x80), await nameOf('d00000'), { c: 'plaintext' }]) {
      await stored.updateOne({ _id: 'd00001' }, { $set: { name } })
      await rotate()
      const before = await nameOf('d00003')
      const error = await refusalOf(() => toEnd(things.reencrypt(HERS)))
      expect([error.code, error.message]).toEqual(['decrypt_failed', expect.stringContaining('name of the document with _id d00001: ')])
      expect((await nameOf('d00001')).toString()).toBe(name.toString())
      expect((await nameOf('d00003')).value().subarray(1, 17)).not.toEqual(before.value().subarray(1, 17))
    }
    await stored.updateOne({ _id: 'd00001' }, { $set: { name: whole } })
    await toEnd(things.reencrypt(HERS))
    expect(await retire(things)).toBe('done')
    expect(await things.find().sort({ _id: 1 }).toArray()).toEqual(small(4))
  })

  test('values of a former life stay as they are', async () => {
    await subject().shred()
    await subject().recreate({ reason: 'subjectRequest' })
    await w.users.updateOne({ _id: 'ada', orgId: 'acme' }, { $set: { name: 'again' } })
    await rotate()
    await toEnd(w.users.reencrypt(HERS))
    expect(await retire()).toBe('done')
    expect(await w.users.findOne({ _id: 'ada' }, { shredded: 'mark' })).toMatchObject({ name: 'again', email: SHREDDED, age: SHREDDED })
  })

  test('of nobody, of one who is suspended or shredded, and wrong arguments', async () => {
    const run = (whose: unknown, options?: unknown) => refusalOf(() => toEnd(w.users.reencrypt(whose as never, options as never)))
    expect((await run({ tenant: 'acme', subject: 'nobody' })).code).toBe('not_found')
    expect((await run({ tenant: 'nobody', subject: 'ada' })).code).toBe('not_found')
    expect(w.puts.count).toBeGreaterThan(0)
    await w.vault.tenant('acme').subject('bob').suspend()
    expect((await run({ tenant: 'acme', subject: 'bob' })).code).toBe('suspended')
    await w.vault.tenant('acme').subject('bob').shred()
    expect((await run({ tenant: 'acme', subject: 'bob' })).code).toBe('shredded')
    for (const whose of [
      undefined,
      {},
      { tenant: 'acme' },
      { tenant: 'acme', subject: 5 },
      { tenant: { $ne: 1 }, subject: 'ada' },
      { ...HERS, item: 'x' },
    ])
      expect([whose, await outcome(() => w.users.reencrypt(whose as never))]).toEqual([whose, 'invalid_argument'])
    expect(await outcome(() => w.users.reencrypt(HERS, { concurrency: 5 } as never))).toBe('invalid_argument')
    expect(await outcome(() => w.users.for({ tenant: 'rival' }).reencrypt(HERS))).toBe('invalid_argument')
    await toEnd(w.users.for({ tenant: 'acme' }).reencrypt(HERS))
  })

  test('somebody who puts back what was there each time does not keep it for ever, and keeps nobody else from being written', async () => {
    const collection = w.client.db(w.stored.dbName).collection('letters')
    const letters = encryptedCollection(w.vault, collection, {
      schema: z.object({ _id: z.string(), orgId: z.string(), who: z.string(), text: encrypted(z.string()) }),
      tenant: 'orgId',
      subject: 'who',
    })
    const stored = w.client.db(w.stored.dbName).collection<Document & { _id: string }>('letters')
    await letters.insertMany(['one', 'two'].map((_id) => ({ _id, orgId: 'acme', who: 'ada', text: _id })))
    const [one, two] = await stored.find().sort({ _id: 1 }).toArray()
    await letters.updateOne({ _id: 'two' }, { $set: { text: 'other' } })
    const other = await stored.findOne({ _id: 'two' })
    await rotate()
    let calls = 0
    const own = collection.bulkWrite.bind(collection)
    Reflect.set(collection, 'bulkWrite', async (...given: Parameters<typeof own>) => {
      // One of two old values in turn: whichever was read is there no more.
      const turn = calls++ % 2 === 0 ? two?.['text'] : other?.['text']
      await stored.updateOne({ _id: 'two' }, { $set: { text: turn as Binary } })
      return own(...given)
    })
    const stop = AbortSignal.timeout(10_000)
    const error = await refusalOf(() => toEnd(letters.reencrypt(HERS, { signal: stop })))
    expect([error.code, stop.aborted]).toEqual(['conflict', false])
    expect((await stored.findOne({ _id: 'one' }))?.['text']).not.toEqual(one?.['text'])
    Reflect.deleteProperty(collection, 'bulkWrite')
    await stored.updateOne({ _id: 'two' }, { $set: { text: two?.['text'] as Binary } })
    await toEnd(letters.reencrypt(HERS))
    expect(await letters.findOne({ _id: 'two' })).toMatchObject({ text: 'two' })
  })

  test('nothing is sent before it is iterated; reads and writes are of a majority', async () => {
    await rotate()
    w.commands.length = 0
    const run = w.users.reencrypt(HERS)
    expect(dataCommands(w)).toEqual([])
    await toEnd(run)
    for (const { commandName, command } of w.commands.filter((each) => ['find', 'aggregate'].includes(each.commandName)))
      expect([commandName, command['readConcern'], command['collation']]).toEqual([
        commandName,
        { level: 'majority' },
        { locale: 'simple' },
      ])
    const update = w.commands.find(({ commandName }) => commandName === 'update')?.command
    expect([update?.['writeConcern'], update?.['updates'][0].collation]).toEqual([{ w: 'majority', j: true }, { locale: 'simple' }])
  })
})
