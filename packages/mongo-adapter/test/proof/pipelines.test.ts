// Pipelines that are refused, on a server behind a tap: nothing is sent, no key is made, and no error shows what was searched for.
import type { Document } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { STAGES } from '../../dist/collection/aggregation/stages.js'
import { refusalOf } from '../refusals.ts'
import { ada, bob, eve, ghost, NEEDLES, type Person } from './people.ts'
import { openProof, type Proof, uri } from './proof.ts'

const U = 'unsupported_operation'
const I = 'invalid_argument'
const T = 'tenant_required'
const email = { $eq: ['$email', ghost.email] }
const search = { $match: { email: ghost.email } }

const REFUSED: readonly (readonly [string, string, readonly unknown[]])[] = [
  ['an operator on an encrypted path', U, [{ $project: { same: email } }]],
  ['one within others', U, [{ $set: { a: { $cond: [{ $and: [true, email] }, 1, { b: 2 }] } } }]],
  ['one in $let', U, [{ $set: { a: { $let: { vars: { x: '$email' }, in: { $eq: ['$$x', ghost.email] } } } } }]],
  ['one in $map', U, [{ $set: { a: { $map: { input: '$phones', in: { $eq: ['$$this', ghost.phone] } } } } }]],
  ['one in $filter', U, [{ $set: { a: { $filter: { input: ['x'], cond: email } } } }]],
  ['one in $switch', U, [{ $set: { a: { $switch: { branches: [{ case: email, then: 1 }], default: 2 } } } }]],
  ['what holds something encrypted', U, [{ $set: { a: { $mergeObjects: ['$address', { street: ghost.street }] } } }]],
  ['a list with something encrypted', U, [{ $set: { a: ['$email', ghost.email] } }]],
  ['$$ROOT', U, [{ $set: { all: '$$ROOT', x: ghost.name } }]],
  ['$$ROOT in $push', U, [{ $group: { _id: null, all: { $push: '$$ROOT' } } }]],
  ['a path of $$ROOT', U, [{ $set: { a: { $toUpper: '$$ROOT.email' } } }]],
  ['$$CURRENT', U, [{ $set: { a: '$$CURRENT.email' } }]],
  ['a $$CURRENT of ones own', I, [{ $set: { a: { $let: { vars: { CURRENT: '$plan' }, in: ghost.email } } } }]],
  ['an operator that sees everything', U, [{ $set: { a: { $getField: 'email' }, b: ghost.email } }]],
  ['an operator that is code', U, [{ $set: { a: { $function: { body: `() => '${ghost.email}'`, args: [], lang: 'js' } } } }]],
  ['an operator that there is not', U, [{ $set: { a: { $nothing: ghost.email } } }]],
  ['an operator beside a member', I, [{ $set: { a: { $add: [1], email: ghost.email } } }]],
  ['a sum of what is encrypted', U, [{ $group: { _id: null, n: { $sum: '$pin' } } }]],
  ['a set of what is encrypted', U, [{ $group: { _id: null, n: { $addToSet: '$email' } } }]],
  ['an accumulator that there is not', U, [{ $group: { _id: null, n: { $accumulator: { init: ghost.name } } } }]],
  ['$group by what has no index', U, [{ $group: { _id: '$name', n: { $sum: ghost.pin } } }]],
  ['$group by an array', U, [{ $match: { orgId: 'acme' } }, { $group: { _id: '$phones' } }]],
  ['$group by an index of a tenant, of nobody', T, [{ $group: { _id: '$nick' } }]],
  ['$group by an index of a tenant, of two', T, [{ $match: { orgId: { $in: ['acme', 'rival'] } } }, { $group: { _id: '$nick' } }]],
  ['$group by something computed', U, [{ $group: { _id: { $toLower: '$email' } } }]],
  ['a search of a tenant, of nobody', T, [{ $match: { pin: ghost.pin } }]],
  ['a search of a tenant, of nobody, after a stage', T, [{ $set: { n: '$pin' } }, { $match: { n: ghost.pin } }]],
  ['a search by what has no index, after a stage', U, [{ $set: { n: '$name' } }, { $match: { n: ghost.name } }]],
  ['a range, after a stage', U, [{ $match: { orgId: 'acme' } }, { $set: { n: '$pin' } }, { $match: { n: { $gt: ghost.pin } } }]],
  ['an expression in $match', U, [{ $match: { $expr: email } }]],
  ['an expression in $match, after a stage', U, [{ $set: { a: 1 } }, { $match: { $expr: email } }]],
  ['a whole object, after a stage', U, [{ $set: { a: '$address' } }, { $match: { a: { street: ghost.street, city: 'x' } } }]],
  ['what was dropped', U, [{ $unset: 'email' }, search]],
  ['what was not kept', U, [{ $project: { name: 1 } }, search]],
  ['what a group has not', I, [{ $group: { _id: '$plan' } }, search]],
  ['a path that is not declared', I, [{ $match: { emial: ghost.email } }]],
  ['a path that is not declared, after a stage', I, [{ $set: { a: 1 } }, { $match: { emial: ghost.email } }]],
  ['a reference to one', I, [{ $project: { mail: '$emial', x: ghost.name } }]],
  ['a position', U, [{ $match: { orgId: 'acme' } }, { $set: { a: 1 } }, { $match: { 'phones.0': ghost.phone } }]],
  ['what is within', U, [{ $set: { a: '$file.diagnosis', b: ghost.name } }]],
  ['what is within, kept', U, [{ $project: { 'file.diagnosis': 1 } }]],
  ['what is within, set', U, [{ $set: { 'file.diagnosis': ghost.text } }]],
  ['what is within, dropped', U, [{ $unset: 'file.diagnosis' }]],
  ['$sort by an encrypted path', U, [{ $sort: { email: 1 } }, search]],
  ['$sort by one that was renamed', U, [{ $set: { mail: '$email' } }, { $sort: { mail: 1 } }]],
  ['$sort by a score', U, [{ $sort: { plan: { $meta: ghost.text } } }]],
  ['the hidden member', I, [{ $project: { a: '$_strongroom.o', x: ghost.name } }]],
  ['the hidden member, searched', I, [{ $set: { a: 1 } }, { $match: { '_strongroom.o.s': ghost.name } }]],
  ['the hidden member, set', I, [{ $set: { _strongroom: { o: { s: ghost.name } } } }]],
  ['the hidden member, deep', I, [{ $set: { '_strongroom.m0': ghost.name } }]],
  ['the hidden member, dropped', I, [{ $unset: '_strongroom' }]],
  ['the hidden member, kept out', I, [{ $project: { _strongroom: 0 } }]],
  ['the hidden member, grouped', I, [{ $group: { _id: null, _strongroom: { $first: '$plan' } } }]],
  ['the hidden member, in $facet', I, [{ $facet: { _strongroom: [search] } }]],
  ['the hidden member, in $unwind', I, [{ $unwind: { path: '$phones', includeArrayIndex: '_strongroom' } }]],
  ['the hidden member, counted', I, [{ $count: '_strongroom' }]],
  ['something encrypted beneath what is plain', U, [{ $set: { 'plan.mail': '$email', x: ghost.name } }]],
  ['$unwind within an array', U, [{ $match: { orgId: 'acme' } }, { $unwind: '$notes.text' }, { $match: { 'notes.text': ghost.text } }]],
  ['both to keep and to leave out', I, [{ $project: { email: 1, name: 0 } }]],
  ['a path and what is within it', I, [{ $project: { address: 1, 'address.street': 1 } }]],
  ['two stages in one', I, [{ ...search, $count: 'n' }]],
  ['a filter that is none', I, [{ $match: ghost.email }]],
  ['no filter', I, [{ $match: null }, search]],
  ['no stage', I, [{}]],
  ['what is no stage', I, [ghost.email]],
  ['what is no pipeline', I, ghost.email as never],
  ['a limit that is none', I, [search, { $limit: ghost.pin + 0.5 }]],
  ['a limit of nothing', I, [search, { $limit: 0 }]],
  [
    'a getter that throws',
    I,
    [
      {
        get $match(): never {
          throw new Error(ghost.email)
        },
      },
    ],
  ],
  ['what would be code', I, [{ $set: { a: () => ghost.email } }]],
  ['an unknown stage', U, [{ $nothing: { email: ghost.email } }]],
  ['a stage by a name that every object has', U, [{ constructor: { email: ghost.email } }]],
  ...Object.entries(STAGES)
    .filter(([, says]) => says !== 'works')
    .map(([name]) => [name, U, [{ [name]: { email: ghost.email, newRoot: '$email', into: ghost.name } }]] as const),
  ...Object.entries(STAGES)
    .filter(([, says]) => says !== 'works')
    .map(([name]) => [`${name} within $facet`, U, [{ $facet: { a: [search, { [name]: ghost.email }] } }]] as const),
]

const found = { $match: { email: { $in: [ada.email, bob.email, ghost.email] } } }
const byId = { $sort: { _id: 1 } }
/** Each stage that works, searching for canaries and carrying them, and what the driver would answer on plaintext. */
const WORKING: Readonly<Record<string, (own: string) => readonly [readonly Document[], readonly unknown[]]>> = {
  $match: () => [
    [{ $match: { orgId: 'acme' } }, { $set: { was: '$pin' } }, { $match: { was: { $in: [bob.pin, ghost.pin] } } }],
    [{ ...bob, was: bob.pin }],
  ],
  $sort: () => [
    [found, { $sort: { plan: 1 } }],
    [bob, ada],
  ],
  $limit: () => [[found, byId, { $limit: 1 }], [ada]],
  $skip: () => [[found, byId, { $skip: 1 }], [bob]],
  $count: () => [[found, { $count: 'n' }], [{ n: 2 }]],
  $project: () => [
    [found, byId, { $project: { _id: 0, mail: '$email', file: 1 } }],
    [{ mail: ada.email, file: ada.file }, { mail: bob.email }],
  ],
  $set: () => [
    [found, byId, { $set: { name: '$email' } }],
    [
      { ...ada, name: ada.email },
      { ...bob, name: bob.email },
    ],
  ],
  $addFields: () => [
    [found, byId, { $addFields: { plan: '$pin' } }],
    [
      { ...ada, plan: ada.pin },
      { ...bob, plan: bob.pin },
    ],
  ],
  $unset: () => [
    [found, byId, { $unset: ['_id', 'orgId', 'phones', 'name', 'pin', 'plan'] }, { $limit: 2 }],
    [without(ada), without(bob)],
  ],
  $unwind: () => [[{ $match: { orgId: 'acme', phones: bob.phones?.[0] } }, { $unwind: '$phones' }], [{ ...bob, phones: bob.phones?.[0] }]],
  $group: () => [
    [byId, { $group: { _id: '$email', names: { $push: '$name' } } }, { $match: { _id: { $in: [eve.email, ghost.email] } } }],
    [{ _id: eve.email, names: [eve.name] }],
  ],
  $facet: () => [
    [byId, { $facet: { a: [found, { $project: { pin: 1 } }], n: [{ $count: 'n' }] } }],
    [{ a: [ada, bob].map(({ _id, pin }) => ({ _id, pin })), n: [{ n: 3 }] }],
  ],
  $lookup: (from) => [
    [
      { $match: { _id: 'ada' } },
      {
        $lookup: { from, localField: 'email', foreignField: 'email', as: 'same', pipeline: [{ $match: { email: { $ne: ghost.email } } }] },
      },
    ],
    [{ ...ada, same: [ada] }],
  ],
  $unionWith: (coll) => [
    [found, { $unionWith: { coll, pipeline: [{ $match: { email: { $in: [eve.email, ghost.email] } } }] } }, byId],
    [ada, bob, eve],
  ],
}

const DROPPED = ['_id', 'orgId', 'phones', 'name', 'pin', 'plan']
function without(person: Person): unknown {
  return Object.fromEntries(Object.entries(person).filter(([name]) => !DROPPED.includes(name)))
}

test('each stage that works is run', () => {
  expect(Object.keys(WORKING)).toEqual(Object.keys(STAGES).filter((name) => STAGES[name] === 'works'))
})

describe.skipIf(uri === undefined)('on a server', () => {
  let proof: Proof
  beforeAll(async () => {
    proof = await openProof()
    await proof.fresh()
  })
  afterAll(() => proof.close())
  beforeEach(() => proof.listen())

  test.each(Object.keys(WORKING))('%s works, and shows nothing', async (name) => {
    const [pipeline, expected] = WORKING[name]?.(proof.users.collectionName) ?? [[], []]
    expect(await proof.users.aggregate(pipeline).toArray()).toEqual(expected)
    await proof.explain()
    await proof.gather(name)
    expect(proof.witness.findings(NEEDLES)).toEqual([])
    for (const channel of ['sent', 'received', 'command', 'driver log', 'explain'] as const)
      expect([channel, proof.witness.heard(channel) > 0]).toEqual([channel, true])
  })

  test.each(REFUSED)('refused before anything is sent, and no key is made: %s', async (name, code, pipeline) => {
    const before = await proof.keyRecords()
    const calls = { ...proof.provider.calls }
    const error = await refusalOf(() => proof.users.aggregate(pipeline as Document[]))
    expect([error.code, error.message]).toEqual([code, expect.any(String)])
    expect(proof.commands).toEqual([])
    expect(proof.data.commands()).toEqual([])
    expect(await proof.keyRecords()).toBe(before)
    expect(proof.provider.calls).toEqual(calls)
    proof.witness.error(name, error)
    await proof.gather(name)
    expect(proof.witness.findings(NEEDLES)).toEqual([])
  })

  test('a stage that is put behind a cursor is refused alike, and the cursor is as before', async () => {
    const cursor = proof.users.aggregate([{ $match: { email: ada.email } }])
    for (const change of [
      () => cursor.match({ name: ghost.name }),
      () => cursor.addStage({ $out: ghost.name }),
      () => cursor.sort({ email: 1 }),
      () => cursor.project({ a: '$$ROOT' }),
      () => cursor.group({ _id: '$name' }),
      () => cursor.limit(0.5),
    ])
      expect(['unsupported_operation', 'invalid_argument']).toContain((await refusalOf(change)).code)
    expect(proof.data.commands()).toEqual([])
    expect(await cursor.toArray()).toEqual([ada])
    expect((await refusalOf(() => cursor.match({}))).code).toBe(U)
  })

  test('what the server explains of a pipeline shows nothing', async () => {
    await proof.users.aggregate([{ $match: { email: { $in: [ada.email, ghost.email] } } }, { $project: { mail: '$email' } }]).toArray()
    await proof.explain()
    await proof.users.aggregate([{ $match: { orgId: 'acme', pin: ada.pin } }, { $group: { _id: '$nick', n: { $sum: 1 } } }]).toArray()
    await proof.explain()
    expect(proof.witness.heard('explain')).toBeGreaterThan(0)
    await proof.gather('explained')
    expect(proof.witness.findings(NEEDLES)).toEqual([])
  })
})
