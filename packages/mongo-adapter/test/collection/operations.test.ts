// The table of operations is whole: no method of the driver is left out, what it says is what the classes do, and the document is made from it.
import { readFileSync } from 'node:fs'
import {
  EncryptedAggregationCursor,
  EncryptedChangeStream,
  EncryptedCollection,
  encrypted,
  encryptedCollection,
  EncryptedFindCursor,
} from '@strongroom/mongo-adapter'
import { AggregationCursor, ChangeStream, Collection, FindCursor, MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { EXPRESSION_OPERATORS } from '../../dist/collection/aggregation/expression-operators.js'
import { ACCUMULATORS } from '../../dist/collection/aggregation/group.js'
import { STAGES } from '../../dist/collection/aggregation/stages.js'
import { AGGREGATION_CURSOR, CHANGE_STREAM, COLLECTION, FIND_CURSOR, type Operations } from '../../dist/collection/operations.js'
import * as options from '../../dist/collection/options.js'
import type { OptionTable } from '../../dist/collection/options.js'
import { outcome, refusalOf } from '../refusals.ts'

const PAGE = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

/** What a class of the driver has, its parents' included, without what every emitter of events has. */
function methodsOf(driver: { readonly prototype: object }): readonly string[] {
  const names = new Set<string>()
  for (let at = driver.prototype; at !== Object.prototype && !Object.hasOwn(at, 'emit'); at = Object.getPrototypeOf(at) as object)
    for (const key of Reflect.ownKeys(at)) if (key !== 'constructor') names.add(String(key))
  return [...names].sort()
}

const CLASSES: readonly [string, { readonly prototype: object }, Operations][] = [
  ['Collection', Collection, COLLECTION],
  ['FindCursor', FindCursor, FIND_CURSOR],
  ['AggregationCursor', AggregationCursor, AGGREGATION_CURSOR],
  ['ChangeStream', ChangeStream, CHANGE_STREAM],
]

describe.each(CLASSES)('%s', (name, driver, table) => {
  test('every method of the driver is in the table, and nothing else', () => {
    expect(Object.keys(table).sort()).toEqual(methodsOf(driver))
  })

  test('docs/operations.md says of each what the table says', () => {
    const part = PAGE.split(`## ${name}\n`)[1]?.split('\n## ')[0] ?? ''
    const rows = [...part.matchAll(/^\| `([^`]+)` \| (works|refused) \| (.*)\|$/gm)].map(([, ...row]) => row)
    expect(rows.sort()).toEqual(
      Object.entries(table)
        .filter(([, says]) => says !== 'own')
        .map(([method, says]) => (typeof says === 'string' ? [method, says, ''] : [method, 'refused', `${says.instead} `]))
        .sort(),
    )
  })
})

test('docs/operations.md has each stage, accumulator and operator of pipelines', () => {
  const part = PAGE.split('## Aggregation\n')[1]?.split('\n## ')[0] ?? ''
  const rows = [...part.matchAll(/^\| `([^`]+)` \| (works|refused) \| (.*)\|$/gm)].map(([, ...row]) => row)
  expect(rows).toEqual(
    Object.entries(STAGES).map(([name, says]) => (says === 'works' ? [name, says, ''] : [name, 'refused', `${says.instead} `])),
  )
  for (const name of [...Object.keys(ACCUMULATORS), ...EXPRESSION_OPERATORS])
    expect([name, part.includes(`\`${name}\``)]).toEqual([name, true])
})

describe('what the table says is what happens', () => {
  // Connects to nothing: a call that would send something fails otherwise than it should.
  const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 1 })
  const schema = z.object({ _id: z.string(), org: z.string(), name: encrypted(z.string()) })
  const users = encryptedCollection({ tenant: () => undefined } as never, client.db('d').collection('c'), {
    schema,
    tenant: 'org',
    subject: '_id',
  })
  const cursor = users.find()
  const pipeline = users.aggregate()
  const worksIn = (table: Operations): readonly string[] => Object.keys(table).filter((name) => table[name] === 'works')
  const refusedIn = (table: Operations): readonly [string, string][] =>
    Object.entries(table).flatMap(([name, says]) => (typeof says === 'string' ? [] : [[name, says.instead] as [string, string]]))

  test.each(refusedIn(COLLECTION))('%s of a collection is refused: instead %s', async (name, instead) => {
    const error = await refusalOf(() => (users as unknown as Record<string, () => unknown>)[name]?.() ?? 'missing')
    expect([error.code, error.message]).toEqual(['unsupported_operation', expect.stringContaining(`; instead: ${instead} (`)])
    expect(error.message).toMatch(new RegExp(`^${name} does`))
  })

  test.each(refusedIn(FIND_CURSOR))('%s of a cursor is refused: instead %s', async (name, instead) => {
    const error = await refusalOf(() => (cursor as unknown as Record<string, () => unknown>)[name]?.() ?? 'missing')
    expect([error.code, error.message]).toEqual(['unsupported_operation', expect.stringContaining(`; instead: ${instead} (`)])
    expect(error.message).toMatch(new RegExp(`^${name} of a cursor does`))
  })

  test.each(refusedIn(AGGREGATION_CURSOR))('%s of a cursor of a pipeline is refused: instead %s', async (name, instead) => {
    const error = await refusalOf(() => (pipeline as unknown as Record<string, () => unknown>)[name]?.() ?? 'missing')
    expect([error.code, error.message]).toEqual(['unsupported_operation', expect.stringContaining(`; instead: ${instead} (`)])
    expect(error.message).toMatch(new RegExp(`^${name} of a cursor does`))
  })

  test('what works is there', () => {
    for (const name of worksIn(COLLECTION)) expect([name, name in EncryptedCollection.prototype]).toEqual([name, true])
    for (const name of worksIn(FIND_CURSOR).filter((each) => !each.startsWith('Symbol')))
      expect([name, name in EncryptedFindCursor.prototype]).toEqual([name, true])
    for (const name of worksIn(AGGREGATION_CURSOR).filter((each) => !each.startsWith('Symbol')))
      expect([name, name in EncryptedAggregationCursor.prototype]).toEqual([name, true])
    for (const name of worksIn(CHANGE_STREAM).filter((each) => !each.startsWith('Symbol')))
      expect([name, name in EncryptedChangeStream.prototype]).toEqual([name, true])
    for (const each of [EncryptedFindCursor, EncryptedAggregationCursor, EncryptedChangeStream])
      for (const symbol of [Symbol.asyncIterator, Symbol.asyncDispose]) expect(symbol in each.prototype).toBe(true)
  })

  test('a collection whose documents come raw', async () => {
    for (const reading of [{ raw: true }, { fieldsAsRaw: { a: true } }]) {
      const raw = client.db('d').collection('c', reading)
      expect(
        await outcome(() => encryptedCollection({ tenant: () => undefined } as never, raw, { schema, tenant: 'org', subject: '_id' })),
      ).toBe('unsupported_operation')
    }
  })

  describe.each<[string, OptionTable, (given: never) => unknown]>([
    ['find', options.FIND_OPTIONS, (given) => users.find({}, given)],
    ['findOne', options.FIND_OPTIONS, (given) => users.findOne({}, given)],
    ['aggregate', options.AGGREGATE_OPTIONS, (given) => users.aggregate([], given)],
    ['countDocuments', options.COUNT_OPTIONS, (given) => users.countDocuments({}, given)],
    ['estimatedDocumentCount', options.ESTIMATED_COUNT_OPTIONS, (given) => users.estimatedDocumentCount(given)],
    ['distinct', options.DISTINCT_OPTIONS, (given) => users.distinct('org', {}, given)],
    ['watch', options.WATCH_OPTIONS, (given) => users.watch([], given)],
    ['insertOne', options.INSERT_OPTIONS, (given) => users.insertOne({ _id: 'x', org: 'x', name: 'x' }, given)],
    ['insertMany', options.INSERT_MANY_OPTIONS, (given) => users.insertMany([{ _id: 'x', org: 'x', name: 'x' }], given)],
    ['updateOne', options.UPDATE_OPTIONS, (given) => users.updateOne({}, { $set: { name: 'x' } }, given)],
    ['updateMany', options.UPDATE_MANY_OPTIONS, (given) => users.updateMany({}, { $unset: { name: 1 } }, given)],
    ['replaceOne', options.REPLACE_OPTIONS, (given) => users.replaceOne({ _id: 'x', org: 'x' }, { org: 'x', name: 'x' }, given)],
    ['deleteOne', options.DELETE_OPTIONS, (given) => users.deleteOne({}, given)],
    ['deleteMany', options.DELETE_OPTIONS, (given) => users.deleteMany({}, given)],
    ['findOneAndUpdate', options.FIND_ONE_AND_UPDATE_OPTIONS, (given) => users.findOneAndUpdate({}, { $set: { name: 'x' } }, given)],
    ['findOneAndReplace', options.FIND_ONE_AND_REPLACE_OPTIONS, (given) => users.findOneAndReplace({}, { org: 'x', name: 'x' }, given)],
    ['findOneAndDelete', options.FIND_ONE_AND_DELETE_OPTIONS, (given) => users.findOneAndDelete({}, given)],
    ['bulkWrite', options.BULK_WRITE_OPTIONS, (given) => users.bulkWrite([{ deleteOne: { filter: {} } }], given)],
    ['createIndex', options.CREATE_INDEX_OPTIONS, (given) => users.createIndex('org', given)],
    ['dropIndex', options.DROP_INDEX_OPTIONS, (given) => users.dropIndex('org_1', given)],
    ['dropIndexes', options.DROP_INDEX_OPTIONS, (given) => users.dropIndexes(given)],
    ['drop', options.DROP_OPTIONS, (given) => users.drop(given)],
    ['isCapped', options.IS_CAPPED_OPTIONS, (given) => users.isCapped(given)],
    ['indexes', options.LIST_INDEXES_OPTIONS, (given) => users.indexes(given)],
    ['listIndexes', options.LIST_INDEXES_OPTIONS, (given) => users.listIndexes(given)],
  ])('options of %s', (name, table, call) => {
    test('those that are refused, and those that there are not', async () => {
      for (const option of Object.keys(table).filter((each) => table[each] === 'refused'))
        expect([option, await outcome(() => call({ [option]: {} } as never))]).toEqual([option, 'unsupported_operation'])
      expect(await outcome(() => call({ nothing: 1 } as never))).toBe('invalid_argument')
      // Read, and left out where it is the default: only then is a server looked for.
      const known = Object.fromEntries(Object.keys(table).map((option) => [option, false]))
      const read = options.readDriverOptions(known, table)
      expect(Object.keys(read).sort()).toEqual(
        Object.keys(table)
          .filter((each) => table[each] === 'works')
          .sort(),
      )
    })

    test('docs/operations.md has each', () => {
      const row = PAGE.split('\n').find((line) => line.startsWith('| ') && (line.split(' | ')[0] ?? '').slice(2).split(', ').includes(name))
      const [, working = '', refused = ''] = row?.split(' | ') ?? []
      for (const option of Object.keys(table))
        expect([option, (table[option] === 'works' ? working : refused).includes(`\`${option}\``)]).toEqual([option, true])
    })
  })
})
