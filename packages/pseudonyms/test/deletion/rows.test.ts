// Rows go with the keys of their pseudonyms, on a running server.
import { mongoRows, type MongoRowsOptions, days } from '@strongroom/pseudonyms'
import type { Collection } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'

import { DAY, outcome, pseudonymsOf, refusalOf, START, swept, world } from '../support.ts'
import { requestsIn } from './requests.ts'

const NAME = `strongroom-pseudonym-rows-${process.pid}`
const collection = requestsIn(NAME)
let requests: Collection
beforeEach(() => {
  requests = collection()
})

describe('rows of a collection', () => {
  test('of periods that are over they go, to the instant; the others stay', async () => {
    const w = await world()
    const pseudonyms = pseudonymsOf(w)
    const rows = pseudonyms.resource(mongoRows(requests, { at: 'at' }))
    const instants = [START - DAY, START - 1, START, START + DAY - 1]
    await requests.insertMany(instants.map((at) => ({ at: new Date(at), ip: 'x' })))
    w.clock.advance(days(29) - 1)
    expect(await rows.sweep()).toEqual(swept())
    w.clock.advance(1)
    expect(await rows.sweep()).toEqual(swept({ done: 2 }))
    // Now the key of START's day is refused as well, and its rows are gone in the same instant.
    w.clock.advance(DAY)
    expect(await outcome(() => pseudonyms.unlock({ at: START + DAY - 1 }))).toBe('period_over')
    expect([await rows.sweep(), await requests.countDocuments()]).toEqual([swept({ done: 2 }), 0])
  })

  test('with fields: they go, the rows stay; repeated, nothing is left to do', async () => {
    const w = await world()
    const rows = pseudonymsOf(w).resource(mongoRows(requests, { at: 'at', fields: ['ip', 'forwarded.for'] }))
    await requests.insertMany([
      { _id: 1 as never, at: new Date(START - DAY), ip: 'x', path: '/' },
      { _id: 2 as never, at: new Date(START - DAY), forwarded: { for: 'y', by: 'z' } },
      { _id: 3 as never, at: new Date(START + DAY), ip: 'x' },
      { _id: 4 as never, at: new Date(START - DAY), path: '/' },
    ])
    w.clock.advance(days(30))
    await rows.prepare()
    expect([await rows.sweep(), await rows.sweep()]).toEqual([swept({ done: 2 }), swept()])
    expect(
      await requests
        .find({}, { projection: { at: 0 } })
        .sort({ _id: 1 })
        .toArray(),
    ).toEqual([
      { _id: 1, path: '/' },
      { _id: 2, forwarded: { by: 'z' } },
      { _id: 3, ip: 'x' },
      { _id: 4, path: '/' },
    ])
    const [, index] = await requests.indexes()
    expect(index?.['expireAfterSeconds']).toBeUndefined()
  })

  test('prepared, the server removes them too: an index with the time to live, made once', async () => {
    const rows = pseudonymsOf(await world(), { retain: days(30) }).resource(mongoRows(requests, { at: 'at' }))
    await rows.prepare()
    await rows.prepare()
    const [, index] = await requests.indexes()
    expect([index?.key, index?.['expireAfterSeconds']]).toEqual([{ at: 1 }, 30 * 86_400])
  })

  test('one with another time to live is not changed behind anybody’s back', async () => {
    await requests.createIndex({ at: 1 }, { expireAfterSeconds: 5 })
    const rows = pseudonymsOf(await world()).resource(mongoRows(requests, { at: 'at' }))
    expect(await outcome(() => rows.prepare())).toBe('conflict')
  })

  test('ended by its signal', async () => {
    const rows = pseudonymsOf(await world()).resource(mongoRows(requests, { at: 'at' }))
    await expect(rows.sweep({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })
})

test.each([
  [{ at: '' }, 'at'],
  [{ at: '$where' }, 'at'],
  [{}, 'at'],
  [{ at: 'at', fields: [] }, 'fields'],
  [{ at: 'at', fields: ['at'] }, 'fields'],
  [{ at: 'at', fields: ['$set'] }, 'fields'],
  [{ at: 'at', fields: 'ip' }, 'fields'],
] as const)('%j', async (options, argument) => {
  const error = await refusalOf(() => mongoRows(requests, options as unknown as MongoRowsOptions))
  expect([error.code, error.argument]).toEqual(['invalid_argument', argument])
})

test('rows of any other store, and none', async () => {
  const w = await world()
  const seen: number[] = []
  const rows = pseudonymsOf(w).resource({
    removeBefore: async (instant) => seen.push(instant),
  })
  await rows.prepare()
  expect(await rows.sweep()).toEqual(swept({ done: 1 }))
  expect(seen).toEqual([START - days(29)])
  expect((await refusalOf(() => pseudonymsOf(w).resource({} as never))).argument).toBe('rows')
})
