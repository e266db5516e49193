// Reading all of what a query finds: the server is asked for the next batch before one is decrypted, and nothing else changes.
import { FindCursor, MongoNetworkError } from 'mongodb'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { dataCommands, type Person, uri, world, type World } from './support.ts'

const people: readonly Person[] = Array.from({ length: 2100 }, (_, i) => ({
  _id: `u${String(i).padStart(4, '0')}`,
  orgId: 'acme',
  plan: i < 30 ? 'few' : 'many',
  name: `Canary-${String(i)}`,
}))

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  /** How many values had been opened when each batch was asked for. */
  let opened: number[]
  const opens = (): number => w.accesses.filter(({ operation }) => operation === 'decrypt').length

  beforeAll(async () => {
    w = await world()
    await w.users.insertMany(people)
    w.client.on('commandStarted', ({ commandName }) => {
      if (commandName === 'getMore') opened.push(opens())
    })
  })
  beforeEach(() => {
    opened = []
    w.commands.length = 0
    w.accesses.length = 0
  })
  afterEach(async () => {
    await w.users.updateOne({ _id: 'u0005', orgId: 'acme' }, { $set: { name: 'Canary-5' } })
  })

  const few = (): ReturnType<World['users']['find']> => w.users.find({ plan: 'few' }).sort({ _id: 1 }).batchSize(10)

  test('toArray asks for a batch before it opens the one before', async () => {
    expect(await few().toArray()).toEqual(people.slice(0, 30))
    expect(opened.slice(0, 2)).toEqual([0, 10])
    expect(opens()).toBe(30)
  })

  test('whoever takes one after the other is given a batch before the next is asked for', async () => {
    const found: unknown[] = []
    for await (const person of few()) found.push(person)
    expect(found).toEqual(people.slice(0, 30))
    expect(opened.slice(0, 2)).toEqual([10, 20])
  })

  test('toArray of what was begun gives the rest', async () => {
    const cursor = few()
    expect(await cursor.next()).toEqual(people[0])
    expect(await cursor.toArray()).toEqual(people.slice(1, 30))
    expect(cursor.closed).toBe(true)
  })

  test('all come in batches of 1000, unless somebody says another size or a limit', async () => {
    const sizes = (): unknown[] =>
      w.commands.filter(({ commandName }) => commandName !== 'killCursors').map(({ command }) => command['batchSize'])
    expect(await w.users.find().sort({ _id: 1 }).toArray()).toEqual(people)
    expect(sizes()).toEqual([1000, 1000, 1000])
    w.commands.length = 0
    expect(await w.users.aggregate([{ $sort: { _id: 1 } }]).toArray()).toEqual(people)
    expect(
      w.commands.map(({ command }) => (command['cursor'] as { batchSize?: number } | undefined)?.batchSize ?? command['batchSize']),
    ).toEqual([1000, 1000, 1000])
    w.commands.length = 0
    expect(await w.users.find().sort({ _id: 1 }).limit(5).toArray()).toEqual(people.slice(0, 5))
    expect(await w.users.findOne({ _id: 'u0001' })).toEqual(people[1])
    expect(sizes()).not.toContain(1000)
    expect(dataCommands(w)).toEqual(['find', 'find'])
  })

  test('a value that does not open ends it, with nothing left open at the server', async () => {
    await w.stored.updateOne({ _id: 'u0005' }, [{ $set: { name: { $literal: 'plaintext' } } }])
    const cursor = few()
    await expect(cursor.toArray()).rejects.toMatchObject({ code: 'decrypt_failed' })
    expect([cursor.closed, opened.length]).toEqual([true, 1])
    expect(w.commands.map(({ commandName }) => commandName)).toContain('killCursors')
  })

  test('a batch that does not come fails it as the driver says', async () => {
    const { hasNext } = FindCursor.prototype
    const spy = vi.spyOn(FindCursor.prototype, 'hasNext')
    spy.mockImplementationOnce(hasNext).mockRejectedValueOnce(new MongoNetworkError('away'))
    const cursor = few()
    try {
      await expect(cursor.toArray()).rejects.toThrow(MongoNetworkError)
    } finally {
      spy.mockRestore()
    }
    expect(cursor.closed).toBe(true)
    expect(w.commands.map(({ commandName }) => commandName)).toContain('killCursors')
  })
})
