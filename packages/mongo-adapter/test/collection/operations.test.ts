// The table of operations is whole: no method of the driver is left out, what it says is what the classes do, and the document is made from it.
import { readFileSync } from 'node:fs'
import { EncryptedCollection, encrypted, encryptedCollection, EncryptedFindCursor } from '@strongroom/mongo-adapter'
import { AggregationCursor, ChangeStream, Collection, FindCursor, MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { AGGREGATION_CURSOR, CHANGE_STREAM, COLLECTION, FIND_CURSOR, type Outcome } from '../../dist/collection/operations.js'
import { outcome } from '../refusals.ts'

/** What a class of the driver has, its parents' included, without what every emitter of events has. */
function methodsOf(driver: { readonly prototype: object }): readonly string[] {
  const names = new Set<string>()
  for (let at = driver.prototype; at !== Object.prototype && !Object.hasOwn(at, 'emit'); at = Object.getPrototypeOf(at) as object)
    for (const key of Reflect.ownKeys(at)) if (key !== 'constructor') names.add(String(key))
  return [...names].sort()
}

const CLASSES: readonly [string, { readonly prototype: object }, Readonly<Record<string, Outcome>>][] = [
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
    const page = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8')
    const part = page.split(`## ${name}\n`)[1]?.split('\n## ')[0] ?? ''
    const rows = [...part.matchAll(/^\| `([^`]+)` \| (works|refused) /gm)].map(([, method, says]) => [method, says])
    expect(rows.sort()).toEqual(
      Object.entries(table)
        .filter(([, says]) => says !== 'own')
        .map(([method, says]) => [method, says])
        .sort(),
    )
  })
})

describe('what the table says is what happens', () => {
  // Connects to nothing: a call that would send something fails otherwise than it should.
  const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 1 })
  const schema = z.object({ _id: z.string(), org: z.string(), name: encrypted(z.string()) })
  const users = encryptedCollection({} as never, client.db('d').collection('c'), { schema, tenant: 'org', subject: '_id' })
  const cursor = users.find()
  const of = (wanted: Outcome, table: Readonly<Record<string, Outcome>>): readonly string[] =>
    Object.keys(table).filter((name) => table[name] === wanted)

  test.each(of('refused', COLLECTION))('%s of a collection is refused', async (name) => {
    expect(await outcome(() => (users as unknown as Record<string, () => unknown>)[name]?.() ?? 'missing')).toBe('unsupported_operation')
  })

  test.each(of('refused', FIND_CURSOR))('%s of a cursor is refused', async (name) => {
    expect(await outcome(() => (cursor as unknown as Record<string, () => unknown>)[name]?.() ?? 'missing')).toBe('unsupported_operation')
  })

  test('what works is there', () => {
    for (const name of of('works', COLLECTION)) expect([name, name in EncryptedCollection.prototype]).toEqual([name, true])
    for (const name of of('works', FIND_CURSOR).filter((each) => !each.startsWith('Symbol')))
      expect([name, name in EncryptedFindCursor.prototype]).toEqual([name, true])
    expect(Symbol.asyncIterator in EncryptedFindCursor.prototype).toBe(true)
  })

  test('options that are not known are refused', async () => {
    for (const options of [
      { raw: true },
      { fieldsAsRaw: { a: true } },
      { forceServerObjectId: true },
      { collation: { locale: 'en' } },
      { let: {} },
    ]) {
      expect(await outcome(() => users.find({}, options as never))).toBe('invalid_argument')
      expect(await outcome(() => users.insertOne({ _id: 'x', org: 'x', name: 'x' }, options as never))).toBe('invalid_argument')
      expect(await outcome(() => users.deleteMany({}, options as never))).toBe('invalid_argument')
    }
    const raw = client.db('d').collection('c', { raw: true })
    expect(await outcome(() => encryptedCollection({} as never, raw, { schema, tenant: 'org', subject: '_id' }))).toBe(
      'unsupported_operation',
    )
  })
})
