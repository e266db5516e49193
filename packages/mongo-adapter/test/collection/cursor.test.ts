// The cursor of find beside the driver's own on the same documents, not encrypted: whatever is done with both gives the same, or ours refuses.
import { once } from 'node:events'
import { SHREDDED } from '@strongroom/mongo-adapter'
import { type Collection, type Document, type FindCursor, MongoCursorExhaustedError } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { outcome } from '../refusals.ts'
import { dataCommands, type Person, looseUsers, uri, world, type World } from './support.ts'

const people: readonly Person[] = Array.from({ length: 12 }, (_, i) => ({
  _id: `u${String(i).padStart(2, '0')}`,
  orgId: i % 2 === 0 ? 'acme' : 'rival',
  plan: i % 3 === 0 ? 'pro' : 'free',
  email: `u${i}@example.com`,
  name: `Canary-${i}`,
  age: 30 + (i % 4),
}))

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeAll(async () => {
    w = await world()
    await w.users.insertMany(people)
    await w.plain.insertMany([...people])
  })
  beforeEach(() => {
    w.commands.length = 0
  })

  /** The same done with both. What either throws is shown by the name of its error. */
  async function both(filter: object, run: (cursor: FindCursor<Person>) => unknown): Promise<unknown> {
    const results = []
    for (const users of [w.plain, w.users as unknown as Collection<Person>]) {
      const cursor = users.find(filter)
      try {
        results.push(await run(cursor))
      } catch (error) {
        results.push(`threw ${(error as Error).name}`)
      } finally {
        await cursor.close()
      }
    }
    expect(results[1]).toEqual(results[0])
    return results[1]
  }
  const ids = (documents: readonly Document[]): readonly unknown[] => documents.map(({ _id }) => _id)
  const sorted = (cursor: FindCursor<Person>): FindCursor<Person> => cursor.sort({ _id: 1 })

  describe.each<[string, object]>([
    ['of a plain filter', { plan: 'free' }],
    ['of everything', {}],
    ['of a search by an index', { orgId: 'acme', age: { $in: [30, 32] } }],
  ])('a cursor %s', (_, filter) => {
    test.each<[string, (cursor: FindCursor<Person>) => unknown]>([
      ['toArray', (c) => sorted(c).toArray()],
      ['sort, in every form', async (c) => ids(await c.sort('_id', -1).toArray())],
      [
        'sort by a map',
        async (c) =>
          ids(
            await c
              .sort(
                new Map([
                  ['plan', 1 as const],
                  ['_id', -1 as const],
                ]),
              )
              .toArray(),
          ),
      ],
      [
        'sort by pairs',
        async (c) =>
          ids(
            await c
              .sort([
                ['plan', 'desc'],
                ['_id', 'ascending'],
              ])
              .toArray(),
          ),
      ],
      ['sort by a pair', async (c) => ids(await c.sort(['_id', -1]).toArray())],
      ['sort by names', async (c) => ids(await c.sort(['plan', '_id']).toArray())],
      ['limit', async (c) => ids(await sorted(c).limit(3).toArray())],
      ['a limit of nothing', async (c) => ids(await sorted(c).limit(0).toArray())],
      ['a negative limit', async (c) => ids(await sorted(c).limit(-3).toArray())],
      ['skip', async (c) => ids(await sorted(c).skip(2).toArray())],
      ['skip and limit over batches', async (c) => ids(await sorted(c).batchSize(2).skip(1).limit(3).toArray())],
      ['skip all', async (c) => ids(await sorted(c).skip(100).toArray())],
      ['batchSize', async (c) => ids(await sorted(c).batchSize(1).toArray())],
      ['project', async (c) => sorted(c).project({ name: 1, _id: 0 }).toArray()],
      ['another filter', async (c) => ids(await sorted(c).filter({ plan: 'pro' }).toArray())],
      [
        'map, twice',
        async (c) =>
          sorted(c)
            .map(({ name }) => name)
            .map((name) => `<${name}>`)
            .toArray(),
      ],
      [
        'map to undefined',
        async (c) =>
          sorted(c)
            .map(() => undefined)
            .toArray(),
      ],
      ['hasNext and next', async (c) => [await c.hasNext(), (await c.next()) !== null, await c.hasNext()]],
      [
        'next to the end',
        async (c) => {
          while ((await c.next()) !== null);
          return [await c.next(), await c.hasNext(), c.closed]
        },
      ],
      ['tryNext', async (c) => [await sorted(c).tryNext(), await c.tryNext()]],
      [
        'forEach',
        async (c) => {
          const seen: unknown[] = []
          await sorted(c).forEach(({ _id }) => void seen.push(_id))
          return seen
        },
      ],
      [
        'forEach that ends',
        async (c) => {
          const seen: unknown[] = []
          await sorted(c).forEach(({ _id }) => seen.push(_id) < 2)
          return seen
        },
      ],
      [
        'for await that ends',
        async (c) => {
          for await (const { _id } of sorted(c)) return [_id, c.closed]
          return undefined
        },
      ],
      [
        'closed within for await',
        async (c) => {
          for await (const each of sorted(c)) if (each._id !== '') break
          return [c.closed, await c.hasNext()]
        },
      ],
      [
        'closed before it began',
        async (c) => {
          await c.close()
          return [c.closed, await c.toArray(), await c.hasNext(), await c.next()]
        },
      ],
      [
        'rewind',
        async (c) => {
          const first = await sorted(c).toArray()
          c.rewind()
          return [first, await c.toArray()]
        },
      ],
      [
        'rewind in the midst',
        async (c) => {
          await sorted(c).batchSize(1).next()
          c.rewind()
          return ids(await c.toArray())
        },
      ],
      [
        'rewind and change',
        async (c) => {
          await sorted(c).next()
          c.rewind()
          return ids(await c.limit(2).toArray())
        },
      ],
      [
        'clone',
        async (c) => {
          const copy = sorted(c).limit(2).clone()
          const all = ids(await c.toArray())
          return [all, ids(await copy.toArray())]
        },
      ],
      [
        'clone forgets map',
        async (c) =>
          sorted(c)
            .map(() => 5)
            .clone()
            .limit(1)
            .toArray(),
      ],
      [
        'buffered documents',
        async (c) => {
          const first = c.bufferedCount()
          await sorted(c).hasNext()
          const count = c.bufferedCount()
          return [first, count, ids(c.readBufferedDocuments(1)), c.bufferedCount(), ids(c.readBufferedDocuments()), ids(await c.toArray())]
        },
      ],
      [
        'toArray after some',
        async (c) => {
          await sorted(c).batchSize(2).next()
          return ids(await c.toArray())
        },
      ],
      [
        'comment, maxTimeMS, flags',
        async (c) => ids(await sorted(c).comment('x').maxTimeMS(5000).addCursorFlag('noCursorTimeout', true).allowDiskUse().toArray()),
      ],
      ['concerns', async (c) => ids(await sorted(c).withReadConcern('majority').withReadPreference('primary').toArray())],
      [
        'concerns as they are said',
        (c) => {
          c.withReadConcern('majority').withReadPreference('secondaryPreferred')
          return [c.readConcern?.level, c.readPreference.mode]
        },
      ],
      ['concerns by default', (c) => [c.readConcern?.level, c.readPreference.mode]],
      ['a hint', async (c) => ids(await sorted(c).hint('_id_').toArray())],
      ['a hint by key', async (c) => ids(await sorted(c).hint({ _id: 1 }).toArray())],
      [
        'the id',
        async (c) => {
          const before = c.id
          await sorted(c).batchSize(1).next()
          return [before, c.id?.isZero(), c.killed]
        },
      ],
      [
        'killed',
        async (c) => {
          await sorted(c).batchSize(1).next()
          await c.close()
          return [c.killed, c.closed]
        },
      ],
    ])('%s', async (_name, run) => {
      await both(filter, run)
    })
  })

  test('what is next after it was closed in the midst', async () => {
    const cursor = w.users.find().batchSize(1)
    await cursor.next()
    await cursor.close()
    await expect(cursor.next()).rejects.toBeInstanceOf(MongoCursorExhaustedError)
  })

  test('a stream, and one that is given up', async () => {
    const names: unknown[] = []
    const stream = w.users.find().sort({ _id: 1 }).batchSize(2).stream()
    for await (const { name } of stream) names.push(name)
    expect(names).toEqual(people.map(({ name }) => name))
    const given = w.users.find().batchSize(1)
    const second = given.stream()
    await once(second, 'readable')
    second.destroy()
    await once(second, 'close')
    expect(given.closed).toBe(true)
  })

  test('sorting by a map keeps the order, whatever the names', async () => {
    await looseUsers(w)
      .find()
      .sort(
        new Map([
          ['plan', 1 as const],
          ['1', -1 as const],
        ]),
      )
      .toArray()
    const sort = w.commands.find(({ commandName }) => commandName === 'find')?.command['sort'] as ReadonlyMap<string, number>
    expect([...sort.keys()]).toEqual(['plan', '1'])
  })

  test('limits and skips count documents, not hits that cannot be compared any more', async () => {
    const fresh = await world()
    await fresh.users.insertMany(people)
    for (const subject of ['u00', 'u04']) await fresh.vault.tenant('acme').subject(subject).shred()
    const filter = { orgId: 'acme', age: { $in: [30, 32] } }
    const found = async (limit: number, skip = 0): Promise<readonly unknown[]> =>
      ids(await fresh.users.find(filter).sort({ _id: 1 }).skip(skip).limit(limit).toArray())
    expect(await found(2)).toEqual(['u02', 'u06'])
    expect(await found(1, 1)).toEqual(['u06'])
    expect(await fresh.users.countDocuments(filter, { limit: 3 })).toBe(3)
    expect(await fresh.users.countDocuments(filter, { skip: 1 })).toBe(3)
    expect(await fresh.users.countDocuments(filter, { skip: 9 })).toBe(0)
    expect((await fresh.users.findOne(filter, { sort: { _id: 1 } }))?._id).toBe('u02')
  })

  test('nothing is sent before it is iterated; then nothing can be changed', async () => {
    const cursor = w.users.find().sort({ _id: 1 }).limit(2)
    expect(dataCommands(w)).toEqual([])
    await cursor.next()
    for (const change of [
      () => cursor.sort({ plan: 1 }),
      () => cursor.limit(1),
      () => cursor.project({ name: 1 }),
      () => cursor.filter({ plan: 'x' }),
      () => cursor.map(() => 1),
      () => cursor.hint('_id_'),
      () => cursor.withReadConcern('local'),
    ])
      expect(await outcome(change)).toBe('unsupported_operation')
    cursor.rewind()
    expect(await cursor.sort({ _id: -1 }).toArray()).toHaveLength(2)
  })

  test('what a cursor refuses it refuses at once, and stays as it was', async () => {
    const cursor = w.users.find({ plan: 'pro' }).sort({ _id: 1 })
    for (const [change, code] of [
      [() => cursor.filter({ name: 'x' }), 'unsupported_operation'],
      [() => cursor.filter({ age: 30 }), 'tenant_required'],
      [() => cursor.sort({ name: 1 }), 'unsupported_operation'],
      [() => cursor.sort({ plan: { $meta: 'textScore' } }), 'unsupported_operation'],
      [() => cursor.sort({ plan: 2 as never }), 'invalid_argument'],
      [() => cursor.sort(5 as never), 'invalid_argument'],
      [() => cursor.project({ 'name.x': 1 }), 'unsupported_operation'],
      [() => cursor.hint({ name: 1 }), 'unsupported_operation'],
      [() => cursor.limit('1' as never), 'invalid_argument'],
      [() => cursor.limit(1.5), 'invalid_argument'],
      [() => w.users.countDocuments({}, { limit: 0 }), 'invalid_argument'],
      [() => w.users.countDocuments({}, { skip: -1 }), 'invalid_argument'],
      [() => cursor.skip(-1), 'invalid_argument'],
      [() => cursor.batchSize(-1), 'invalid_argument'],
      [() => cursor.maxTimeMS('1' as never), 'invalid_argument'],
      [() => cursor.forEach(5 as never), 'invalid_argument'],
      [() => cursor.addCursorFlag('tailable', true), 'unsupported_operation'],
      [() => w.users.find().allowDiskUse(), 'invalid_argument'],
      [() => w.users.find({ email: 'x@example.com' }).collation({ locale: 'en' }), 'unsupported_operation'],
      [() => w.users.find().collation({ locale: 'en' }).filter({ email: 'x@example.com' }), 'unsupported_operation'],
      [() => w.users.for({ tenant: 'acme' }).find().collation({ locale: 'en' }), 'unsupported_operation'],
    ] as const)
      expect(await outcome(change)).toBe(code)
    expect(dataCommands(w)).toEqual([])
    expect(ids(await cursor.toArray())).toEqual(['u00', 'u03', 'u06', 'u09'])
  })

  test('a transform that fails closes the cursor, and so does a value that does not open', async () => {
    const failing = w.users
      .find()
      .batchSize(1)
      .map((): unknown => {
        throw new Error('mine')
      })
    await expect(failing.next()).rejects.toThrow('mine')
    expect([failing.closed, failing.killed]).toEqual([true, true])
    expect(
      await outcome(() =>
        w.users
          .find()
          .map(() => null)
          .toArray(),
      ),
    ).toBe('invalid_argument')
    const seen: unknown[] = []
    const inTheMidst = w.users
      .find()
      .sort({ _id: 1 })
      .batchSize(4)
      .map(({ _id }) => {
        seen.push(_id)
        if (seen.length === 3) throw new Error('mine')
      })
    await expect(inTheMidst.toArray()).rejects.toThrow('mine')
    expect([seen, inTheMidst.killed]).toEqual([['u00', 'u01', 'u02'], true])
    const fresh = await world()
    await fresh.users.insertMany(people)
    await fresh.stored.updateOne({ _id: 'u03' }, { $set: { name: 'Canary-Plain' } })
    const cursor = fresh.users.find().sort({ _id: 1 }).batchSize(2)
    expect([(await cursor.next())?._id, (await cursor.next())?._id]).toEqual(['u00', 'u01'])
    expect(await outcome(() => cursor.next())).toBe('decrypt_failed')
    expect(cursor.closed).toBe(true)
  })

  test('a signal ends it', async () => {
    const controller = new AbortController()
    const cursor = w.users.find({}, { signal: controller.signal })
    await cursor.next()
    controller.abort(new Error('enough'))
    await expect(cursor.next()).rejects.toThrow('enough')
    await expect(w.users.countDocuments({}, { signal: controller.signal })).rejects.toThrow('enough')
  })

  test('shredded values: as the collection says, and the call', async () => {
    for (const [shredded, list, single] of [
      [undefined, 'mark', 'throw'],
      ['mark', 'mark', 'mark'],
      ['throw', 'throw', 'throw'],
    ] as const) {
      const fresh = await world(shredded === undefined ? {} : { shredded })
      await fresh.users.insertMany(people.slice(0, 2))
      await fresh.vault.tenant('acme').subject('u00').shred()
      const byList = await outcome(() => fresh.users.find().toArray())
      const byOne = await outcome(() => fresh.users.findOne({ _id: 'u00' }))
      expect([byList, byOne]).toEqual([list === 'mark' ? 'done' : 'shredded', single === 'mark' ? 'done' : 'shredded'])
      expect((await fresh.users.find({ _id: 'u00' }, { shredded: 'mark' }).next())?.name).toBe(SHREDDED)
      expect(await outcome(() => fresh.users.find({ _id: 'u00' }, { shredded: 'throw' }).next())).toBe('shredded')
      expect(await outcome(() => fresh.users.find({}, { shredded: 'yes' as never }))).toBe('invalid_argument')
    }
  })
})
