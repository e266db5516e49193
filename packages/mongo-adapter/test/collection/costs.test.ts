// What calls cost: queries of the key store and calls of the provider grow with batches and tenants, never with documents.
import { beforeEach, describe, expect, test } from 'vitest'

import { type Person, uri, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  const people = (count: number, orgId = 'acme', from = 0): Person[] =>
    Array.from({ length: count }, (_, i) => ({
      _id: `${orgId}${from + i}`,
      orgId,
      plan: 'many',
      email: `${orgId}${from + i}@example.com`,
      name: `n${from + i}`,
      phones: [`+4420794${String(60000 + from + i)}`],
    }))
  async function cost<T>(
    call: () => Promise<T>,
  ): Promise<{ readonly queries: number; readonly puts: number; readonly provider: number; readonly result: T }> {
    w.queries.count = 0
    w.puts.count = 0
    w.provider.count = 0
    const result = await call()
    return { queries: w.queries.count, puts: w.puts.count, provider: w.provider.count, result }
  }

  test('a find: a query for each batch of other people, none for people whose keys are there', async () => {
    await w.users.insertMany(people(400))
    const perBatch = async (batchSize: number): Promise<number> => {
      const cold = await w.reopen()
      const filter = { plan: 'many', orgId: 'acme' }
      // What a tenant costs once.
      await cold.findOne(filter)
      const { queries, result } = await cost(() => cold.find(filter).sort({ _id: 1 }).batchSize(batchSize).toArray())
      expect(result).toHaveLength(400)
      expect((await cost(() => cold.find(filter).batchSize(batchSize).toArray())).queries).toBe(0)
      return queries
    }
    expect([await perBatch(50), await perBatch(100), await perBatch(200)]).toEqual([8, 4, 2])
  })

  test('a search by an index and the count of it: the same', async () => {
    await w.users.insertMany(people(200).map((each) => ({ ...each, age: 36 })))
    const cold = await w.reopen()
    const filter = { orgId: 'acme', age: 36 }
    await cold.findOne({ orgId: 'acme', age: 36 })
    const { queries, provider } = await cost(() => cold.find(filter).batchSize(100).toArray())
    expect([queries, provider]).toEqual([2, 0])
    expect((await cost(() => cold.countDocuments(filter))).queries).toBe(0)
  })

  test('a search for many values: an index value for each of them, and for each hit, whosever they are', async () => {
    const tenants = Array.from({ length: 10 }, (_, i) => `t${i}`)
    for (const tenant of tenants) await w.vault.tenants.create(tenant)
    const all = tenants.flatMap((tenant) => people(10, tenant))
    await w.users.insertMany(all)
    w.accesses.length = 0
    expect(await w.users.find({ email: { $in: all.map(({ email }) => email as string) } }).toArray()).toHaveLength(100)
    const made = w.accesses.filter(({ operation }) => operation === 'index.value').length
    // What is sent, what is sought, what was found.
    expect(made).toBe(300)
  })

  test('insertMany of new people: few queries, and no more provider calls for more of them', async () => {
    await w.users.insertMany(people(1))
    const hundred = await cost(() => w.users.insertMany(people(100, 'acme', 1)))
    const thousand = await cost(() => w.users.insertMany(people(1000, 'acme', 101)))
    expect([hundred.provider, thousand.provider]).toEqual([0, 0])
    expect(thousand.queries).toBeLessThanOrEqual(hundred.queries)
    expect(thousand.queries).toBeLessThanOrEqual(3)
    // A record for each person, and none for people that are known.
    expect([hundred.puts, thousand.puts]).toEqual([100, 1000])
    const again = await cost(async () => expect(w.users.insertMany(people(1000, 'acme', 101))).rejects.toMatchObject({ code: 11000 }))
    expect([again.queries, again.puts, again.provider]).toEqual([0, 0, 0])
  })

  test('updates of whoever is found: a query for each batch of people, whose values are all encrypted before they are sent', async () => {
    await w.users.insertMany(people(1200))
    const cold = await w.reopen()
    await cold.updateOne({ _id: 'acme0' }, { $set: { name: 'x' } })
    w.commands.length = 0
    const { queries, puts, provider, result } = await cost(() => cold.updateMany({ plan: 'many' }, { $set: { name: 'y' } }))
    expect(result).toMatchObject({ matchedCount: 1200 })
    expect([queries, puts, provider]).toEqual([2, 0, 0])
    const sent = w.commands.map(({ commandName, command }) => [commandName, (command['updates'] as readonly unknown[] | undefined)?.length])
    expect(sent).toEqual([
      ['find', undefined],
      ['update', 1000],
      ['getMore', undefined],
      ['update', 200],
    ])
    expect((await cost(() => cold.updateOne({ plan: 'many' }, { $set: { name: 'z' } }))).queries).toBe(0)
  })

  test('documents of one person, and of several tenants', async () => {
    await w.users.insertMany([...people(50, 'acme'), ...people(50, 'rival')])
    const cold = await w.reopen()
    const { provider, result } = await cost(() => cold.find({ plan: 'many' }).toArray())
    expect(result).toHaveLength(100)
    // A wrapping key of each tenant, and of the vault itself.
    expect(provider).toBeLessThanOrEqual(3)
  })
})
