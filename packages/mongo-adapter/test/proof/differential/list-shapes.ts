// Documents with lists, of values, of objects and of lists.
import { encrypted } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { z } from 'zod'

import { ages, names, nothing, often, oneOf, path, tags, updates, type Shape } from './shape.ts'

const phones = oneOf('+442079460001', '+442079460002', '+4930901820', '+33170180645')
const titles = oneOf('one', 'two')
const note = fc.record({ title: titles, text: names, tag: tags }, { requiredKeys: ['title'] })
const phoneList = fc.array(fc.oneof({ weight: 6, arbitrary: phones }, fc.constant(null)), { maxLength: 4 })

export const arrays: Shape = {
  name: 'arrays',
  schema: z.object({
    _id: z.string(),
    orgId: z.string(),
    personId: z.string(),
    labels: z.array(z.string()),
    phones: z.array(encrypted(z.string(), { index: { scope: 'tenant', normalize: 'phone' } }).nullable()),
    notes: z.array(
      z.object({
        title: z.string(),
        text: encrypted(z.string()).optional(),
        tag: encrypted(z.string(), { index: { scope: 'application' } }).optional(),
      }),
    ),
    grid: z.array(z.array(encrypted(z.number()))).optional(),
  }),
  tenant: 'orgId',
  subject: 'personId',
  tenants: ['acme', 'rival'],
  subjects: ['p0', 'p1'],
  ids: ['d0', 'd1', 'd2', 'd3', 'd4'],
  unique: [],
  document: fc.record(
    {
      orgId: oneOf('acme', 'rival'),
      personId: oneOf('p0', 'p1'),
      labels: fc.array(tags, { maxLength: 3 }),
      phones: phoneList,
      notes: fc.array(note, { maxLength: 3 }),
      grid: fc.array(fc.array(ages, { maxLength: 2 }), { maxLength: 2 }),
    },
    { requiredKeys: ['orgId', 'personId', 'labels', 'phones', 'notes'] },
  ),
  paths: [
    path('labels', 'plain', tags, { array: true }),
    path('phones', 'indexed', phones, { array: true }),
    path('notes.tag', 'indexed', tags, { through: true }),
    path('notes.1.tag', 'indexed', tags),
    path('notes.text', 'sealed', names),
    path('notes.title', 'plain', titles, { through: true }),
    path('notes', 'holder', titles, {
      array: true,
      within: [path('title', 'plain', titles), path('tag', 'indexed', tags), path('text', 'sealed', names)],
    }),
    path('grid', 'sealed', ages, { array: true }),
  ],
  sealedUpdates: updates(
    ['$set', 'phones', phoneList],
    ['$set', 'phones.1', phones],
    ['$push', 'phones', phones],
    [
      '$push',
      'phones',
      fc.record(
        { $each: fc.array(phones, { maxLength: 3 }), $position: oneOf(0, 1, -1), $slice: oneOf(0, 2, -2, 5) },
        { requiredKeys: ['$each'] },
      ),
    ],
    ['$set', 'notes', fc.array(note, { maxLength: 2 })],
    ['$set', 'notes.0', note],
    ['$set', 'notes.1.text', names],
    ['$set', 'notes.$[].text', names],
    ['$set', 'phones.$[]', phones],
    ['$push', 'notes', note],
    ['$push', 'notes', fc.record({ $each: fc.array(note, { maxLength: 2 }), $position: oneOf(0, -1) }, { requiredKeys: ['$each'] })],
    ['$set', 'grid', fc.array(fc.array(ages, { maxLength: 2 }), { maxLength: 2 })],
  ),
  elementUpdates: updates(
    ['$pull', 'phones', phones],
    ['$pull', 'phones', fc.array(phones, { maxLength: 3 }).map(($in) => ({ $in }))],
    ['$pullAll', 'phones', fc.array(phones, { maxLength: 3 })],
    ['$pullAll', 'phones', fc.array(phones, { maxLength: 1 })],
    ['$pull', 'notes', tags.map((tag) => ({ tag }))],
    ['$pull', 'notes', fc.tuple(titles, tags).map(([title, tag]) => ({ title, tag: { $nin: [tag] } }))],
    ['$addToSet', 'phones', phones],
    ['$addToSet', 'phones', phones.map((one) => ({ $each: [one] }))],
    ['$addToSet', 'phones', phones],
  ),
  plainUpdates: updates(
    ...often(3, [
      ['$push', 'labels', tags],
      ['$push', 'labels', fc.array(tags, { maxLength: 3 }).map(($each) => ({ $each, $slice: -3 }))],
      ['$addToSet', 'labels', tags],
      ['$pull', 'labels', tags],
      ['$pullAll', 'labels', fc.array(tags, { maxLength: 2 })],
      ['$pop', 'labels', oneOf(1, -1)],
      ['$pop', 'phones', oneOf(1, -1)],
      ['$pop', 'notes', oneOf(1, -1)],
      ['$pull', 'notes', titles.map((title) => ({ title }))],
      ['$pull', 'notes', titles.map((title) => ({ title: { $in: [title] }, text: { $exists: false } }))],
    ] as const),
    ['$unset', 'phones.0', nothing],
    ['$unset', 'notes.0.tag', nothing],
    ['$set', 'notes.$[].title', titles],
    ['$unset', 'grid', nothing],
  ),
  projections: [
    { phones: 1 },
    { labels: 1 },
    { 'notes.title': 1 },
    { 'notes.tag': 1, _id: 0 },
    { 'notes.text': 0 },
    { 'notes.tag': 0 },
    { phones: 0, personId: 0 },
    { labels: 1, orgId: 1, _id: 0 },
  ],
  // Not through arrays of objects: secantusd finds nothing there.
  distinct: ['labels', 'phones', 'personId'],
}
