// findOneAndUpdate, findOneAndReplace and findOneAndDelete: the document before or after, decrypted, with nothing that was not asked for.
import { SHREDDED } from '@strongroom/mongo-adapter'
import { Binary, BSON } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { outcome, refusalOf } from '../refusals.ts'
import { ada, bob, dataCommands, type Person, rival, uri, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeAll(async () => {
    w = await world()
  })
  beforeEach(async () => {
    // secantusd keeps entries of a unique index for values that were taken away.
    await w.stored.drop()
    await w.users.createIndexes()
    await w.plain.deleteMany({})
    for (const each of [w.users, w.plain]) await each.insertMany([ada, bob, rival])
    w.commands.length = 0
  })
  const pinned = { _id: 'ada', orgId: 'acme' }

  test('one command where nothing has to be looked up', async () => {
    await w.users.findOneAndUpdate({ plan: 'pro' }, { $set: { plan: 'x' } })
    await w.users.findOneAndUpdate(pinned, { $set: { name: 'x' } })
    await w.users.findOneAndReplace(pinned, { orgId: 'acme' })
    await w.users.findOneAndDelete({ plan: 'free' })
    expect(dataCommands(w)).toEqual(['findAndModify', 'findAndModify', 'findAndModify', 'findAndModify'])
  })

  test.each<[string, object]>([
    ['before, as it is by default', {}],
    ['after', { returnDocument: 'after' }],
    ['parts of it', { projection: { name: 1, 'address.street': 1, _id: 0 } }],
    ['all but whose it is', { projection: { orgId: 0, _id: 0, phones: 0 }, returnDocument: 'after' }],
    ['with all that the server says', { includeResultMetadata: true, projection: { email: 1 } }],
    ['by a sort', { sort: { _id: -1 }, returnDocument: 'after' }],
  ])('as the driver gives it: %s', async (_, options) => {
    const both = async (call: (users: World['plain']) => Promise<unknown>): Promise<void> => {
      const [ours, theirs] = [await call(w.users as never), await call(w.plain)].map((answer) => {
        const { $clusterTime: __, operationTime: ___, ...rest } = (answer ?? { nothing: true }) as Record<string, unknown>
        return rest
      })
      expect(ours).toEqual(theirs)
    }
    await both((users) =>
      users.findOneAndUpdate({ age: 36, orgId: 'acme' }, { $set: { name: 'Canary-New', 'address.city': 'x' } }, options),
    )
    await both((users) => users.findOneAndUpdate({ plan: 'none' }, { $set: { name: 'Canary-New' } }, options))
    await both((users) => users.findOneAndReplace({ _id: 'bob', orgId: 'acme' }, { orgId: 'acme', name: 'Canary-Other' }, options))
    const { returnDocument: __, ...rest } = options as { returnDocument?: unknown }
    await both((users) => users.findOneAndDelete({ age: 36, orgId: 'rival' }, rest))
    await both((users) => users.findOneAndDelete({ _id: 'nobody' }, rest))
    expect(BSON.EJSON.stringify(w.commands.filter(({ command }) => command['findAndModify'] === 'users'))).not.toContain('Canary')
  })

  test('elements that are chosen by arrayFilters', async () => {
    const options = { arrayFilters: [{ 'n.title': 'one' }], returnDocument: 'after' as const, projection: { notes: 1 } }
    expect(await w.users.findOneAndUpdate({ plan: 'pro' }, { $set: { 'notes.$[n].text': 'Canary' } as never }, options)).toEqual({
      _id: 'ada',
      notes: [{ title: 'one', text: 'Canary' }],
    })
  })

  test('values as the call wants them', async () => {
    const answer = await w.users.findOneAndUpdate(pinned, { $set: { plan: 'x' } }, { promoteValues: false, includeResultMetadata: true })
    expect(answer.value?.age).toMatchObject({ _bsontype: 'Int32' })
    expect(answer.value?.name).toBe(ada.name)
  })

  test('shredded values: thrown, once the document is written, or marked', async () => {
    await w.users.insertOne({ ...bob, _id: 'sam', email: 'sam@example.com' })
    await w.vault.tenant('acme').subject('sam').shred()
    const error = await refusalOf(() => w.users.findOneAndUpdate({ _id: 'sam' }, { $set: { plan: 'x' } }))
    expect([error.code, error.message]).toEqual(['shredded', expect.stringMatching(/; the document was written or deleted all the same$/)])
    expect((await w.stored.findOne({ _id: 'sam' }))?.['plan']).toBe('x')
    const marked = await w.users.findOneAndUpdate({ _id: 'sam' }, { $set: { plan: 'y' } }, { shredded: 'mark' })
    expect(marked).toEqual({ _id: 'sam', orgId: 'acme', plan: 'x', email: SHREDDED, name: SHREDDED, age: SHREDDED })
    // Nothing can be encrypted for him.
    expect(await outcome(() => w.users.findOneAndUpdate({ _id: 'sam' }, { $set: { name: 'x' } }, { shredded: 'mark' }))).toBe('shredded')
    expect(await w.users.findOneAndDelete({ _id: 'sam' }, { projection: { plan: 1 } })).toEqual({ _id: 'sam', plan: 'y' })
    expect(await outcome(() => w.users.findOneAndDelete({}, { shredded: 'maybe' as never }))).toBe('invalid_argument')
  })

  test('what somebody has put into the database is thrown as well', async () => {
    await w.stored.updateOne({ _id: 'eve' }, { $set: { name: new Binary(new Uint8Array(60), 0x80) } })
    const error = await refusalOf(() => w.users.findOneAndUpdate({ _id: 'eve' }, { $set: { plan: 'x' } }))
    expect([error.code, error.message]).toEqual(['decrypt_failed', expect.stringContaining('name of the document with _id eve')])
  })

  test('refused before anything is sent', async () => {
    const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['invalid_argument', () => w.users.findOneAndUpdate(pinned, { $set: { plan: 'x' } }, { returnDocument: 'both' as never })],
      ['invalid_argument', () => w.users.findOneAndUpdate(pinned, { name: 'x' } as never)],
      ['invalid_argument', () => w.users.findOneAndReplace(pinned, { name: 'x' } as Person)],
      ['unsupported_operation', () => w.users.findOneAndReplace(pinned, { orgId: 'rival' })],
      ['unsupported_operation', () => w.users.findOneAndUpdate(pinned, [{ $set: { name: 'x' } }] as never)],
      ['unsupported_operation', () => w.users.findOneAndDelete({ name: 'Canary' })],
      ['unsupported_operation', () => w.users.findOneAndDelete({}, { sort: { name: 1 } })],
      ['unsupported_operation', () => w.users.findOneAndDelete({}, { projection: { 'phones.$': 1 } })],
    ]
    for (const [code, call] of calls) expect([code, await outcome(call)]).toEqual([code, code])
    expect(dataCommands(w)).toEqual([])
  })
})
