// What each row of the cursor of pipelines is run with.
import type { EncryptedAggregationCursor } from '@strongroom/mongo-adapter'
import { expect } from 'vitest'

import { ada, bob, eve, ghost, type Person } from './people.ts'
import type { Proof } from './proof.ts'
import type { Run } from './rows.ts'

const PEOPLE = [ada, bob, eve]
const piped = ({ users }: Proof): EncryptedAggregationCursor<Person> =>
  users.aggregate<Person>([{ $match: { email: { $ne: ghost.email } } }, { $sort: { _id: 1 } }], { shredded: 'throw' })
const expectPiped = async (cursor: EncryptedAggregationCursor<Person>): Promise<void> => expect(await cursor.toArray()).toEqual(PEOPLE)

export const PIPELINE_RUNS: Readonly<Record<string, Run>> = {
  async next(proof) {
    const cursor = piped(proof)
    for (const each of [...PEOPLE, null]) expect(await cursor.next()).toEqual(each)
  },
  async hasNext(proof) {
    const cursor = piped(proof).limit(1)
    expect([await cursor.hasNext(), await cursor.next(), await cursor.hasNext()]).toEqual([true, ada, false])
  },
  async tryNext(proof) {
    const cursor = piped(proof).limit(1)
    expect([await cursor.tryNext(), await cursor.tryNext()]).toEqual([ada, null])
  },
  toArray: (proof) => expectPiped(piped(proof)),
  async forEach(proof) {
    const met: Person[] = []
    await piped(proof).forEach((person) => void met.push(person))
    expect(met).toEqual(PEOPLE)
  },
  async close(proof) {
    const cursor = piped(proof).batchSize(1)
    await cursor.next()
    await cursor.close()
    expect(await cursor.hasNext()).toBe(false)
  },
  async closed(proof) {
    const cursor = piped(proof)
    expect(cursor.closed).toBe(false)
    await cursor.toArray()
    expect(cursor.closed).toBe(true)
  },
  addStage: async (proof) =>
    expect(
      await piped(proof)
        .addStage<Person>({ $match: { email: { $in: [bob.email, ghost.email] } } })
        .toArray(),
    ).toEqual([bob]),
  group: async (proof) =>
    expect(
      await piped(proof)
        .group({ _id: null, pins: { $push: '$pin' } })
        .toArray(),
    ).toEqual([{ _id: null, pins: PEOPLE.map(({ pin }) => pin) }]),
  limit: async (proof) => expect(await piped(proof).limit(2).toArray()).toEqual([ada, bob]),
  async lookup(proof) {
    const own = { from: proof.users.collectionName, localField: 'email', foreignField: 'email', as: 'same' }
    expect(await piped(proof).lookup(own).toArray()).toEqual(PEOPLE.map((each) => ({ ...each, same: [each] })))
  },
  match: async (proof) =>
    expect(
      await piped(proof)
        .match({ email: { $in: [bob.email, ghost.email] } })
        .toArray(),
    ).toEqual([bob]),
  project: async (proof) =>
    expect(await piped(proof).project({ _id: 0, number: '$pin', 'address.street': 1 }).toArray()).toEqual([
      { number: ada.pin, address: { street: ada.address?.street } },
      { number: bob.pin },
      { number: eve.pin },
    ]),
  skip: async (proof) => expect(await piped(proof).skip(2).toArray()).toEqual([eve]),
  sort: async (proof) => expect(await piped(proof).sort({ orgId: -1, _id: 1 }).toArray()).toEqual([eve, ada, bob]),
  unwind: async (proof) =>
    expect(
      await piped(proof)
        .unwind('$phones')
        .map(({ phones }) => phones as unknown)
        .toArray(),
    ).toEqual([...(ada.phones ?? []), ...(bob.phones ?? [])]),
  map: async (proof) =>
    expect(
      await piped(proof)
        .map(({ name }) => name)
        .toArray(),
    ).toEqual(PEOPLE.map(({ name }) => name)),
  batchSize: (proof) => expectPiped(piped(proof).batchSize(1)),
  maxTimeMS: (proof) => expectPiped(piped(proof).maxTimeMS(60_000)),
  async stream(proof) {
    const met: unknown[] = []
    for await (const person of piped(proof).stream()) met.push(person)
    expect(met).toEqual(PEOPLE)
  },
  clone: (proof) => expectPiped(piped(proof).clone()),
  async rewind(proof) {
    const cursor = piped(proof)
    await cursor.next()
    cursor.rewind()
    await expectPiped(cursor)
  },
  addCursorFlag: (proof) => expectPiped(piped(proof).addCursorFlag('noCursorTimeout', true)),
  async bufferedCount(proof) {
    const cursor = piped(proof)
    await cursor.next()
    expect(cursor.bufferedCount()).toBe(2)
  },
  async readBufferedDocuments(proof) {
    const cursor = piped(proof)
    await cursor.next()
    expect(cursor.readBufferedDocuments()).toEqual([bob, eve])
  },
  withReadConcern: (proof) => expectPiped(piped(proof).withReadConcern('majority')),
  withReadPreference: (proof) => expectPiped(piped(proof).withReadPreference('primary')),
  async id(proof) {
    const cursor = piped(proof).batchSize(1)
    expect(cursor.id).toBeUndefined()
    await cursor.next()
    expect(cursor.id?.isZero()).toBe(false)
    await cursor.close()
  },
  async killed(proof) {
    const cursor = piped(proof).batchSize(1)
    await cursor.next()
    expect(cursor.killed).toBe(false)
    await cursor.close()
    expect(cursor.killed).toBe(true)
  },
  async readConcern(proof) {
    const cursor = piped(proof).withReadConcern('majority')
    expect(cursor.readConcern?.level).toBe('majority')
    await expectPiped(cursor)
  },
  async readPreference(proof) {
    const cursor = piped(proof).withReadPreference('primary')
    expect(cursor.readPreference.mode).toBe('primary')
    await expectPiped(cursor)
  },
  async 'Symbol(Symbol.asyncIterator)'(proof) {
    const met: Person[] = []
    for await (const person of piped(proof)) met.push(person)
    expect(met).toEqual(PEOPLE)
  },
  async 'Symbol(nodejs.asyncDispose)'(proof) {
    const cursor = piped(proof).batchSize(1)
    await cursor.next()
    await cursor[Symbol.asyncDispose]()
    expect(cursor.closed).toBe(true)
  },
}

export const PIPELINE_REFUSALS: Readonly<Record<string, readonly unknown[]>> = {
  explain: ['allPlansExecution'],
  geoNear: [{ near: { type: 'Point', coordinates: [1, 2] }, distanceField: 'd', query: { email: ghost.email } }],
  namespace: [],
  out: [ghost.name],
  redact: [{ $cond: [{ $eq: ['$email', ghost.email] }, '$$KEEP', '$$PRUNE'] }],
}
