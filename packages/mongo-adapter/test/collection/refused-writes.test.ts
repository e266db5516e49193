// A write that is refused makes no key, for nobody that it names, and sends nothing.
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { refusalOf } from '../refusals.ts'
import { dataCommands, uri, world, type World } from './support.ts'

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
  })
  const good = { _id: 'good', orgId: 'acme', email: 'good@example.com', age: 5 }

  test.each<[string, string, string, (w: World) => unknown]>([
    ['a telephone number that is none', 'invalid_argument', 'phones[]', ({ users }) => users.insertOne({ ...good, phones: ['0151 1'] })],
    [
      'an indexed value that is too long',
      'invalid_argument',
      'email',
      ({ users }) => users.insertOne({ ...good, email: 'x'.repeat(70_000) }),
    ],
    ['an _id that is too long', 'invalid_argument', '_id', ({ users }) => users.insertOne({ ...good, _id: 'x'.repeat(70_000) })],
    [
      'the second without a tenant',
      'invalid_argument',
      'orgId',
      ({ users }) => users.insertMany([good, { _id: 'x', email: 'x@x.xx' } as never]),
    ],
    [
      'the second of a tenant that there is not',
      'not_found',
      '',
      ({ users }) => users.insertMany([good, { ...good, _id: 'x', orgId: 'nobody' }]),
    ],
    ['one alone of such a tenant', 'not_found', '', ({ users }) => users.insertOne({ ...good, orgId: 'nobody' })],
    [
      'a tenant of too long a name',
      'invalid_argument',
      'tenant',
      ({ users }) => users.insertMany([good, { ...good, _id: 'x', orgId: 'n'.repeat(1000) }]),
    ],
    [
      'a subject of too long a name',
      'invalid_argument',
      'subject',
      ({ users }) => users.insertMany([good, { ...good, _id: 's'.repeat(1000) }]),
    ],
    ['one alone of such a name', 'invalid_argument', 'subject', ({ users }) => users.insertOne({ ...good, _id: 's'.repeat(1000) })],
    [
      'the last of more than are encrypted at once',
      'not_found',
      '',
      ({ users }) =>
        users.insertMany([
          ...Array.from({ length: 1000 }, (_, i) => ({ _id: `x${i}`, orgId: 'acme', name: 'x' })),
          { ...good, orgId: 'nobody' },
        ]),
    ],
    ...(
      [
        ['of an index', 'phones[]', { phones: ['0151 1'] }],
        ['of what is encrypted', 'name', { name: /x/ }],
        ['of an _id', '_id', { _id: 'x'.repeat(70_000) }],
        ['of whose it is', 'orgId', { orgId: 5 }],
        ['of whose it is, before any other', 'orgId', { orgId: 5, _id: 'x'.repeat(70_000), phones: ['0151 1'] }],
        ['of whose it is, as a name', 'subject', { _id: 's'.repeat(1000) }],
        ['that is not declared', 'document', { other: 'x' }],
      ] as const
    ).map(([what, argument, wrong]): [string, string, string, (w: World) => unknown] => [
      `the last of more than are encrypted at once, for a value ${what}`,
      'invalid_argument',
      argument,
      ({ users }) =>
        users.insertMany([
          ...Array.from({ length: 1000 }, (_, i) => ({ _id: `x${i}`, orgId: 'acme', name: 'x' })),
          { ...good, ...wrong } as never,
        ]),
    ]),
    [
      'an update',
      'invalid_argument',
      'phones[]',
      ({ users }) => users.updateOne({ _id: 'good', orgId: 'acme' }, { $set: { phones: ['0151 1'] } }),
    ],
    [
      'an update of a tenant that there is not',
      'not_found',
      '',
      ({ users }) => users.updateOne({ _id: 'x', orgId: 'nobody' }, { $set: { email: 'a@b.cc' } }),
    ],
    [
      'a replacement',
      'invalid_argument',
      'phones[]',
      ({ users }) => users.replaceOne({ _id: 'good', orgId: 'acme' }, { ...good, phones: [''] }),
    ],
    [
      'a replacement of one of too long a name',
      'invalid_argument',
      'subject',
      ({ users }) => users.replaceOne({ _id: 's'.repeat(1000), orgId: 'acme' }, { orgId: 'acme', email: 'a@b.cc' }),
    ],
  ])('%s', async (_, code, argument, write) => {
    const before = w.keyStore.snapshot().length
    w.puts.count = 0
    const error = await refusalOf(() => write(w))
    expect([error.code, error.argument ?? '']).toEqual([code, argument])
    expect([w.puts.count, w.keyStore.snapshot().length]).toEqual([0, before])
    expect(dataCommands(w)).toEqual([])
    // What is right in them is taken.
    await w.users.insertOne(good)
    expect(w.puts.count).toBeGreaterThan(0)
  })

  test('several tenants at once are taken', async () => {
    await w.users.insertMany([good, { ...good, _id: 'x', orgId: 'rival', email: 'x@example.com' }])
    expect(await w.users.find().sort({ _id: 1 }).toArray()).toHaveLength(2)
  })

  test('a domain that is no name, when the collection is made', async () => {
    const make = (context: string, domain?: string): unknown => {
      const index = { scope: 'tenant', ...(domain === undefined ? {} : { domain }) } as const
      const schema = z.object({ _id: z.string(), orgId: z.string(), v: encrypted(z.string(), { index }) })
      return encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('domains'), {
        schema,
        context,
        tenant: 'orgId',
        subject: '_id',
      })
    }
    for (const domain of ['d'.repeat(257), 'é'.repeat(129), '\ud800']) {
      const error = await refusalOf(() => make('domains', domain))
      expect([error.code, error.argument]).toEqual(['invalid_argument', 'index.domain'])
    }
    const error = await refusalOf(() => make('c'.repeat(255)))
    expect([error.code, error.argument]).toEqual(['invalid_argument', 'index.domain'])
    make('domains', 'd'.repeat(256))
    make('c'.repeat(254))
  })
})
