// What MongoDB answers where secantusd does not: expressions that pass through arrays. The answers are made here, of values that are stored.
import { encrypted, encryptedCollection, type EncryptedCollection } from '@strongroom/mongo-adapter'
import type { Document } from 'mongodb'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { openPipelineDocuments } from '../../dist/collection/aggregation/open-pipeline.js'
import { documentsOf, HIDDEN } from '../../dist/collection/aggregation/shape.js'
import { translate } from '../../dist/collection/aggregation/translate.js'
import { layoutOf } from '../../dist/collection/layout.js'
import { uri, world, type World } from '../collection/support.ts'
import { outcome } from '../refusals.ts'
import { emptyDatabase, openClient } from '../support.ts'

const schema = z.object({
  _id: z.string(),
  org: z.string(),
  name: encrypted(z.string()).optional(),
  rows: z.array(z.object({ title: z.string(), text: encrypted(z.string()).optional(), list: z.array(encrypted(z.string())).optional() })),
})
const where = { schema, tenant: 'org', subject: '_id', context: 'answers' } as const
const layout = layoutOf({ ...where, bind: 'record' })
const record = { o: { t: 'acme', s: 'ada', i: 'ada' } }

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  let stored: Document
  beforeAll(async () => {
    w = await world()
    const collection = emptyDatabase(openClient()).collection('answers')
    const users = encryptedCollection(w.vault, collection, where) as unknown as EncryptedCollection<Document & { _id: string }>
    const rows = [{ title: 'one', text: 'first', list: ['a', 'b'] }, { title: 'two' }, { title: 'three', text: 'third', list: [] }]
    await users.insertOne({ _id: 'ada', org: 'acme', name: 'Ada', rows } as never)
    stored = (await collection.findOne()) as Document
  })
  const open = async (stages: readonly Document[], answer: Document): Promise<Document | undefined> => {
    const context = { owners: layout, scope: undefined, tenants: undefined, values: () => [], verify: () => undefined } as never
    const { shape } = translate(documentsOf(layout), stages, context)
    return (await openPipelineDocuments(w.vault, shape, [answer], { bson: {}, shredded: 'mark' }))[0]
  }
  const rows = (): readonly Document[] => stored['rows'] as readonly Document[]

  test('a reference through an array gives a list of what is there', async () => {
    const answer = { [HIDDEN]: record, texts: [rows()[0]?.['text'], rows()[2]?.['text']], lists: [rows()[0]?.['list'], []] }
    expect(await open([{ $project: { _id: 0, texts: '$rows.text', lists: '$rows.list' } }], answer)).toEqual({
      texts: ['first', 'third'],
      lists: [['a', 'b'], []],
    })
  })

  test('and is carried as one', async () => {
    const answer = {
      _id: null,
      all: [
        { v: [rows()[0]?.['text']], o: record.o },
        { v: [], o: record.o },
      ],
      first: { v: null, o: record.o },
    }
    expect(await open([{ $group: { _id: null, all: { $push: '$rows.text' }, first: { $first: '$name' } } }], answer)).toEqual({
      _id: null,
      all: [['first'], []],
      first: null,
    })
  })

  test('what is set through an array is set in each element', async () => {
    const answer = { ...stored, [HIDDEN]: record, rows: rows().map((row) => ({ ...row, name: stored['name'] as unknown, text: 'plain' })) }
    expect(await open([{ $set: { 'rows.name': '$name', 'rows.text': 'plain' } }], answer)).toMatchObject({
      rows: [
        { title: 'one', name: 'Ada', text: 'plain' },
        { title: 'two', name: 'Ada', text: 'plain' },
        { title: 'three', name: 'Ada', text: 'plain' },
      ],
    })
  })

  test('what is dropped through an array is gone, whether the server has dropped it or not', async () => {
    const shown = {
      _id: 'ada',
      org: 'acme',
      name: 'Ada',
      rows: [{ title: 'one', list: ['a', 'b'] }, { title: 'two' }, { title: 'three', list: [] }],
    }
    for (const kept of [rows(), rows().map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'text')))])
      for (const stage of [{ $unset: 'rows.text' }, { $project: { 'rows.text': 0 } }, { $project: { rows: { text: 0 } } }])
        expect(await open([stage], { ...stored, [HIDDEN]: record, rows: kept })).toEqual(shown)
  })

  test('a record of somebody else, or none, opens nothing', async () => {
    for (const other of [
      undefined,
      null,
      'x',
      [],
      {},
      { o: null },
      { o: { ...record.o, s: 'bob' } },
      { o: { ...record.o, t: 'rival' } },
      { o: { ...record.o, i: 'bob' } },
      { o: { t: 'acme', s: 'ada' } },
      [record],
    ])
      expect([
        other,
        await outcome(() => open([{ $project: { name: 1 } }], { _id: 'ada', [HIDDEN]: other, name: stored['name'] as unknown })),
      ]).toEqual([other, 'decrypt_failed'])
    for (const other of [undefined, null, 'x', { ...record.o, s: 'bob' }])
      expect([
        other,
        await outcome(() =>
          open([{ $group: { _id: null, n: { $first: '$name' } } }], { _id: null, n: { v: stored['name'] as unknown, o: other } }),
        ),
      ]).toEqual([other, 'decrypt_failed'])
    expect(
      await outcome(() => open([{ $group: { _id: null, n: { $first: '$name' } } }], { _id: null, n: stored['name'] as unknown })),
    ).toBe('decrypt_failed')
  })
})
