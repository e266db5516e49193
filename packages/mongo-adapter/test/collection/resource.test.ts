// What a collection tells of people and of key versions: what rotation and erasure rest on.
import { type DeadPlaces, type PlaceFate, type Progress, type RetiringVersion, StrongroomError } from '@strongroom/core'
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { Binary, type Document, Long, ObjectId, UUID } from 'mongodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { outcome } from '../refusals.ts'
import { ada, bob, rival, uri, world, type World } from './support.ts'

const REFERENCES = (depth: number): readonly string[] => Array.from({ length: depth }, (_, i) => `${i}`.repeat(32))
const named = (tenant: string, subject?: string) => ({ tenant, subject, references: REFERENCES(subject === undefined ? 1 : 2) })

interface StoredFlat {
  readonly email?: { readonly c: Binary; readonly i: Binary }
  readonly inner?: { readonly name: Binary }
}

describe.skipIf(uri === undefined)('on a server', () => {
  let w: World
  beforeEach(async () => {
    w = await world()
    await w.users.insertMany([ada, bob, rival])
  })
  const her = { tenant: 'acme', subject: 'ada', references: REFERENCES(2) }
  const toEnd = async (run: AsyncIterable<Progress>): Promise<void> => {
    for await (const { phase, done } of run) {
      // The clock stands still: the cache bound passes when the run waits for it.
      if (phase === 'waiting' && done === 0) setTimeout(() => w.clock.advance(3_600_000), 1)
    }
  }

  test('retireVersion: not while a value needs the old version, and then it is gone', async () => {
    const subject = w.vault.tenant('acme').subject('ada')
    const holders = [w.users.resource()]
    const retire = async (): Promise<string> => {
      w.clock.advance(3_600_000)
      return outcome(async () => toEnd(w.vault.retireVersion(subject, { holders, dataBackup: { startedAt: w.clock.now() } })))
    }
    await toEnd(w.vault.rotateSubjectKey(subject))
    w.clock.advance(3_600_000)
    expect(await retire()).toBe('still_referenced')
    // One value of the old version is one too many.
    const { _id, ...rest } = ada
    await w.users.replaceOne({ _id, orgId: 'acme' }, { ...rest, notes: [] })
    expect(await retire()).toBe('done')
    expect(await w.users.findOne({ _id })).toEqual({ ...ada, notes: [] })
  })

  test('values are counted by their tags: of all paths, in both forms, within arrays', async () => {
    const seen: RetiringVersion[] = []
    const subject = w.vault.tenant('acme').subject('ada')
    await toEnd(w.vault.rotateSubjectKey(subject))
    w.clock.advance(3_600_000)
    const spy = { countValues: async (version: RetiringVersion) => (seen.push(version), Promise.resolve(1)) }
    await outcome(() => toEnd(w.vault.retireVersion(subject, { holders: [spy], dataBackup: { startedAt: w.clock.now() } })))
    const [version] = seen as [RetiringVersion]
    const count = async (of: Partial<RetiringVersion> = {}): Promise<number> =>
      w.users.resource().countValues({ ...version, valueTag: version.valueTag.bind(version), ...of })
    // email, name, age, street, two phones, a note.
    expect(await count()).toBe(7)
    const stored = await w.stored.findOne({ _id: 'ada' })
    await w.stored.updateOne(
      { _id: 'ada' },
      { $set: { email: (stored?.['email'] as { c: Binary } | undefined)?.c, phones: { 0: stored?.['phones'][0] as unknown } } },
    )
    expect(await count()).toBe(6)
    await w.users.updateOne({ _id: 'ada', orgId: 'acme' }, { $set: { name: 'new version' } })
    expect(await count()).toBe(5)
    // Whose they are is known by name, where it is.
    expect(await count({ subject: 'bob' })).toBe(0)
    expect(await count({ subject: undefined })).toBe(5)
    expect(await count({ item: 'hubspot' })).toBe(0)
    expect(await count({ valueTag: () => new Uint8Array(16) })).toBe(0)
    const nameless = { ...version, valueTag: version.valueTag.bind(version) }
    const get = (): never => {
      throw new StrongroomError('unsupported_operation', 'no names')
    }
    Object.defineProperties(nameless, { tenant: { get }, subject: { get }, item: { get } })
    expect(await w.users.resource().countValues(nameless)).toBe(5)
    // Index values by theirs: of this index, bob's is left in the tenant.
    const index = (stored?.['email'] as { i: Binary } | undefined)?.i.value() as Uint8Array
    expect(await count({ valueTag: () => new Uint8Array(16), indexTag: index.slice(1, 5), subject: undefined })).toBe(1)
    await w.stored.updateOne({ _id: 'bob' }, { $set: { 'email.i': [new Binary(index, 0x80), new Binary(index, 0x80)] } })
    expect(await count({ valueTag: () => new Uint8Array(16), indexTag: index.slice(1, 5), subject: undefined })).toBe(2)
  })

  test('values without an index are found where there is nothing else', async () => {
    await w.users.insertOne({ _id: 'zoe', orgId: 'acme', name: 'Zoe' })
    const subject = w.vault.tenant('acme').subject('zoe')
    await toEnd(w.vault.rotateSubjectKey(subject))
    w.clock.advance(3_600_000)
    const retire = { holders: [w.users.resource()], dataBackup: { startedAt: w.clock.now() } }
    expect(await outcome(() => toEnd(w.vault.retireVersion(subject, retire)))).toBe('still_referenced')
    await w.users.updateOne({ _id: 'zoe', orgId: 'acme' }, { $set: { name: 'Zoe' } })
    expect(await outcome(() => toEnd(w.vault.retireVersion(subject, retire)))).toBe('done')
  })

  test('where nothing encrypted is in an array, the database looks for the tag: in both forms, and of index values', async () => {
    const email = encrypted(z.string(), { index: { scope: 'tenant' } }).optional()
    const schema = z.object({ _id: z.string(), orgId: z.string(), email, inner: z.object({ name: encrypted(z.string()) }).optional() })
    const stored = w.client.db(w.stored.dbName).collection('flat')
    const things = encryptedCollection(w.vault, stored, { schema, tenant: 'orgId', subject: '_id' })
    await things.insertMany([
      { _id: 'ada', orgId: 'acme', email: 'x' },
      { _id: 'bob', orgId: 'acme', inner: { name: 'x' } },
      { _id: 'none', orgId: 'acme' },
    ])
    const [{ email: email0 } = {}, { inner: { name: name0 } = {} } = {}] = await stored.find<StoredFlat>({}).sort({ _id: 1 }).toArray()
    const count = async (value: Binary | undefined, index: Binary | undefined): Promise<readonly [number, number]> => {
      const retiring = {
        tenant: 'acme',
        subject: undefined,
        item: undefined,
        version: 1,
        valueTag: () => value?.value().slice(1, 17) ?? new Uint8Array(16),
        indexTag: index?.value().slice(1, 5) ?? new Uint8Array(4),
      }
      w.commands.length = 0
      const values = await things.resource().countValues(retiring)
      return [values, await stored.countDocuments(w.commands[0]?.command['filter'] as Document)]
    }
    expect(await count(email0?.c, undefined)).toEqual([1, 1])
    expect(await count(name0, undefined)).toEqual([1, 1])
    expect(await count(undefined, email0?.i)).toEqual([1, 1])
    expect(await count(undefined, undefined)).toEqual([0, 0])
  })

  const Arrays = z.object({
    _id: z.string(),
    orgId: z.string(),
    phones: z.array(encrypted(z.string())).optional(),
    grid: z.array(z.array(encrypted(z.string()))).optional(),
    notes: z.array(z.object({ text: encrypted(z.string()) })).optional(),
    deep: z.object({ list: z.array(z.object({ inner: z.array(encrypted(z.string())) })) }).optional(),
  })
  test.each<[string, object, object | undefined, number]>([
    ['a position where no array was', {}, { 'phones.0': 'x' }, 1],
    ['a member of a position where no array was', {}, { 'notes.0.text': 'x' }, 1],
    ['positions of arrays within', {}, { 'deep.list.0.inner': ['x', 'y'] }, 2],
    ['an array of arrays', { grid: [['x'], ['y', 'z']] }, undefined, 3],
    ['positions in an array of arrays', {}, { 'grid.0.0': 'x' }, 1],
  ])('values are found as the database has arrays: %s', async (_, members, change, values) => {
    const options = { schema: Arrays, tenant: 'orgId', subject: '_id' }
    const things = encryptedCollection(w.vault, w.client.db(w.stored.dbName).collection('arrays'), options)
    await things.insertOne({ _id: 'zoe', orgId: 'acme', ...members })
    if (change !== undefined) await things.updateOne({ _id: 'zoe', orgId: 'acme' }, { $set: change as never })
    const before = await things.findOne({ _id: 'zoe' })
    expect(await things.resource({ erase: 'values' }).verify(named('acme', 'zoe'))).toBe(values)
    const subject = w.vault.tenant('acme').subject('zoe')
    await toEnd(w.vault.rotateSubjectKey(subject))
    w.clock.advance(3_600_000)
    const findings = []
    for await (const finding of w.vault.verifyKeys({ holders: [things.resource()] })) findings.push(finding)
    expect(findings).toEqual([])
    const retire = { holders: [things.resource()], dataBackup: { startedAt: w.clock.now() } }
    expect(await outcome(() => toEnd(w.vault.retireVersion(subject, retire)))).toBe('still_referenced')
    expect(await things.findOne({ _id: 'zoe' })).toEqual(before)
    const resource = things.resource({ erase: 'values' })
    expect([await resource.erase(named('acme', 'zoe')), await resource.verify(named('acme', 'zoe'))]).toEqual([values, 0])
    expect(await things.findOne({ _id: 'zoe' })).toMatchObject({ _id: 'zoe', orgId: 'acme' })
  })

  test('verifyKeys takes it too', async () => {
    await toEnd(w.vault.rotateSubjectKey(w.vault.tenant('acme').subject('ada')))
    w.clock.advance(3_600_000)
    const findings = []
    for await (const finding of w.vault.verifyKeys({ holders: [w.users.resource()] })) findings.push(finding)
    // Still needed, so not left behind.
    expect(findings).toEqual([])
    await w.users.resource().erase(her)
    for await (const finding of w.vault.verifyKeys({ holders: [w.users.resource()] })) findings.push(finding)
    expect(findings).toHaveLength(1)
  })

  test('count, verify, erase: of a person, of a tenant', async () => {
    const resource = w.users.resource()
    expect([resource.name, w.users.resource({ erase: 'values' }).name]).toEqual(['users', 'users (values)'])
    expect([await resource.count(her), await resource.verify(her), await resource.count(named('acme'))]).toEqual([1, 1, 2])
    await w.vault.tenant('acme').subject('ada').shred()
    expect([await resource.erase(her), await resource.erase(her), await resource.verify(her)]).toEqual([1, 0, 0])
    expect([await resource.count(named('acme', 'bob')), await resource.count(named('rival', 'bob'))]).toEqual([1, 0])
    expect([await resource.erase(named('acme')), await resource.verify(named('acme'))]).toEqual([1, 0])
    expect(await w.stored.countDocuments()).toBe(1)
  })

  test('it holds nothing of items, nor of what is the tenant itself', async () => {
    const item = { ...her, kind: 'item', item: 'hubspot', references: REFERENCES(3) } as const
    const self = { kind: 'self', tenant: 'acme', self: true, references: REFERENCES(2) } as const
    for (const resource of [w.users.resource(), w.users.resource({ erase: 'values' })])
      for (const place of [item, self, { ...self, kind: 'item', item: 'hubspot', references: REFERENCES(3) } as const])
        expect([await resource.count(place), await resource.erase(place), await resource.survivors(place)]).toEqual([0, 0, []])
    expect(await w.stored.countDocuments()).toBe(3)
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['no tenant', { subject: 'ada', references: REFERENCES(2) }],
    ['no references', { tenant: 'acme', subject: 'ada' }],
    ['a person left out', { tenant: 'acme', subject: undefined, references: REFERENCES(2) }],
    ['an item left out', { tenant: 'acme', subject: 'ada', references: REFERENCES(3) }],
    ['no name', { tenant: 'acme', subject: '', references: REFERENCES(2) }],
    ['an operator', { tenant: 'acme', subject: { $ne: '' }, references: REFERENCES(2) }],
    ['an operator', { tenant: { $ne: '' }, references: REFERENCES(1) }],
    ['a word', { tenant: 'acme', self: 'yes', references: REFERENCES(1) }],
  ])('a place of another form is refused, and nothing is erased: %s', async (_, place) => {
    const resource = w.users.resource()
    for (const call of [resource.count, resource.erase, resource.verify, resource.survivors])
      expect(await outcome(() => call(place as never))).toBe('invalid_argument')
    expect(await outcome(() => Promise.resolve(w.users.resource({ erase: 'all' as never })))).toBe('invalid_argument')
    expect(await w.stored.countDocuments()).toBe(3)
  })

  test('erase: values: all that is encrypted goes, with its index values, and what is plain stays', async () => {
    const resource = w.users.resource({ erase: 'values' })
    // email, name, age, street, two phones, a note; whatever they are.
    await w.stored.updateOne({ _id: 'ada' }, { $set: { name: new Binary(new Uint8Array(80), 0x80) } })
    expect([await resource.count(her), await resource.verify(her), await resource.count(named('acme'))]).toEqual([7, 7, 10])
    await w.vault.tenant('acme').subject('ada').shred()
    expect([await resource.erase(her), await resource.erase(her), await resource.verify(her)]).toEqual([7, 0, 0])
    expect(await w.stored.findOne({ _id: 'ada' })).toEqual({
      _id: 'ada',
      orgId: 'acme',
      plan: 'pro',
      address: { city: 'London' },
      notes: [{ title: 'one' }],
    })
    expect([await resource.verify(named('acme')), await w.users.findOne({ email: bob.email as string })]).toEqual([3, bob])
    expect([await resource.erase(named('acme')), await w.stored.countDocuments()]).toEqual([3, 3])
  })

  test('erase: values: also where something else than an array is, with names that no path can have', async () => {
    const resource = w.users.resource({ erase: 'values' })
    const { notes, phones } = (await w.stored.findOne({ _id: 'ada' })) as unknown as {
      readonly notes: readonly unknown[]
      readonly phones: readonly unknown[]
    }
    for (const name of ['a.b', '$a', '']) {
      await w.stored.updateOne({ _id: 'ada' }, { $set: { notes: { [name]: notes[0] }, phones: { [name]: phones[0] } } })
      expect([name, await resource.verify(her)]).toEqual([name, expect.any(Number)])
      await resource.erase(her)
      expect([name, await resource.verify(her)]).toEqual([name, 0])
    }
    expect(await w.stored.findOne({ _id: 'ada' })).toMatchObject({ _id: 'ada', orgId: 'acme', plan: 'pro', address: { city: 'London' } })
  })

  test('erasing ends at a signal, and says what was not done by not being done', async () => {
    const [signal, reason] = [AbortSignal.abort(new Error('enough')), 'enough']
    for (const erase of ['documents', 'values'] as const) {
      await expect(w.users.resource({ erase }).erase(her, { signal })).rejects.toThrow(reason)
      await expect(w.users.resource({ erase }).replay(fatesOf({}), { signal })).rejects.toThrow(reason)
    }
    expect(await w.users.resource({ erase: 'values' }).count(her)).toBe(7)
  })

  test('what outlives a person are the keys of indexes: of the application, and of her tenant, which go with him', async () => {
    const index = (name: string, scope: string) => ({ what: 'index', name, scope, generation: 1 })
    const ofTenant = [index('users.age', 'tenant'), index('users.phones[]', 'tenant')]
    const of = (kind: 'subject' | 'tenant', depth: number) => w.users.resource().survivors({ kind, references: REFERENCES(depth) })
    expect(await of('subject', 2)).toEqual([index('users.email', 'application'), ...ofTenant])
    expect(await of('tenant', 1)).toEqual([index('users.email', 'application')])
  })

  const fatesOf = (fates: Readonly<Record<string, PlaceFate>>): DeadPlaces => ({
    fates: (places) => Promise.resolve(places.map(({ subject = '' }) => fates[subject] ?? 'alive')),
  })

  test('replay: documents of the dead go again, those of others stay', async () => {
    const restored = await w.stored.find().toArray()
    await w.vault.tenant('acme').subject('ada').shred()
    const dead = fatesOf({ ada: 'dead', eve: 'suspended' })
    expect(await w.users.resource().replay(dead)).toEqual({ looked: 3, removed: 1, suspended: 1, retired: 0 })
    expect(await w.users.resource().replay(dead)).toEqual({ looked: 2, removed: 0, suspended: 1, retired: 0 })
    expect((await w.stored.find().toArray()).map(({ _id }) => _id).toSorted()).toEqual(['bob', 'eve'])
    await w.stored.insertOne(restored.find(({ _id }) => _id === 'ada') as never)
    expect(await w.users.resource({ erase: 'values' }).replay(dead)).toEqual({ looked: 3, removed: 7, suspended: 1, retired: 0 })
    expect(await w.stored.findOne({ _id: 'ada' })).toMatchObject({ plan: 'pro', notes: [{ title: 'one' }] })
  })

  test('replay: of who has come back only the documents of the former life go', async () => {
    const subject = w.vault.tenant('acme').subject('ada')
    const [before] = await w.stored.find({ _id: 'ada' }).toArray()
    await subject.shred()
    await subject.recreate({ reason: 'subjectRequest' })
    const { notes: _, ...plain } = ada
    await w.users.replaceOne({ _id: 'ada', orgId: 'acme' }, plain)
    const fates = fatesOf({})
    expect(await w.users.resource().replay(fates)).toEqual({ looked: 3, removed: 0, suspended: 0, retired: 0 })
    // One value of her new life in it: it is hers. One that is damaged tells of no life.
    await w.stored.updateOne({ _id: 'ada' }, { $set: { notes: before?.['notes'] } })
    expect(await w.users.resource().replay(fates)).toMatchObject({ removed: 0 })
    await w.stored.replaceOne({ _id: 'ada' }, { ...before, name: new Binary(new Uint8Array(80), 0x80) })
    expect(await w.users.resource().replay(fates)).toMatchObject({ removed: 0 })
    await w.stored.replaceOne({ _id: 'ada' }, before as never)
    expect(await w.users.resource().replay(fates)).toEqual({ looked: 3, removed: 1, suspended: 0, retired: 0 })
    expect(await w.stored.countDocuments({ _id: 'ada' })).toBe(0)
  })

  test('replay: what a rotation has ended is of nobody dead: it is left, and counted', async () => {
    const subject = w.vault.tenant('acme').subject('ada')
    const [before] = await w.stored.find({ _id: 'ada' }).toArray()
    await toEnd(w.vault.rotateSubjectKey(subject))
    const { _id, ...rest } = ada
    await w.users.replaceOne({ _id, orgId: 'acme' }, rest)
    w.clock.advance(3_600_000)
    const retiring = { holders: [w.users.resource()], dataBackup: { startedAt: w.clock.now() } }
    await toEnd(w.vault.retireVersion(subject, retiring))
    // The data is put back from before the rotation.
    await w.stored.replaceOne({ _id }, before as never)
    for (const erase of ['documents', 'values'] as const)
      expect(await w.users.resource({ erase }).replay(fatesOf({}))).toEqual({ looked: 3, removed: 0, suspended: 0, retired: 1 })
    expect(await w.stored.findOne({ _id })).toEqual(before)
    await expect(w.users.findOne({ _id }, { shredded: 'mark' })).rejects.toMatchObject({
      code: 'retired',
      message: expect.stringContaining('of the document with _id ada') as string,
    })
    // Once she is shredded, all of it is of a life that has ended, also for who has come back.
    await subject.shred()
    await subject.recreate({ reason: 'subjectRequest' })
    expect(await w.users.resource().replay(fatesOf({}))).toEqual({ looked: 3, removed: 1, suspended: 0, retired: 0 })
  })

  test('replay leaves what says nothing of whose it is, and asks for each person once in a batch', async () => {
    await w.stored.insertMany([{ _id: 'plain' }, { _id: 'odd', orgId: 5 }] as never)
    const asked: unknown[] = []
    const dead: DeadPlaces = {
      fates: (places) => {
        asked.push(...places)
        return Promise.resolve(places.map(() => 'unknown'))
      },
    }
    expect(await w.users.resource().replay(dead)).toEqual({ looked: 5, removed: 0, suspended: 0, retired: 0 })
    expect(asked).toHaveLength(3)
    expect(asked).toContainEqual({ tenant: 'acme', subject: 'ada' })
  })

  test('reads are of the primary and of what a majority has; deletes are of a majority', async () => {
    w.commands.length = 0
    const resource = w.users.resource()
    await resource.count(her)
    await resource.verify(her)
    await resource.countValues({
      tenant: 'acme',
      subject: 'ada',
      item: undefined,
      version: 1,
      valueTag: () => new Uint8Array(16),
      indexTag: new Uint8Array(4),
    })
    await resource.erase(her)
    const commands = w.commands.map(({ command }) => command)
    expect(commands.slice(0, 3).map(({ readConcern, collation }) => [readConcern, collation])).toEqual(
      Array.from({ length: 3 }, () => [{ level: 'majority' }, { locale: 'simple' }]),
    )
    expect([commands[3]?.['writeConcern'], commands[3]?.['deletes'][0].collation]).toEqual([
      { w: 'majority', j: true },
      { locale: 'simple' },
    ])
  })

  test('names are those of the vault, whatever documents hold', async () => {
    const db = w.client.db(w.stored.dbName)
    const orgs = [
      [z.number(), 5, '5', '5.0'],
      [z.bigint(), Long.fromString('9007199254740993'), '9007199254740993', '9223372036854775808'],
      [z.instanceof(ObjectId), new ObjectId('0123456789abcdef01234567'), '0123456789abcdef01234567', '0123456789ABCDEF01234567'],
      [
        z.instanceof(UUID),
        new UUID('00112233-4455-6677-8899-aabbccddeeff'),
        '00112233-4455-6677-8899-aabbccddeeff',
        '00112233445566778899aabbccddeeff',
      ],
    ] as const
    for (const [i, [type, value, name, other]] of orgs.entries()) {
      const schema = z.object({ _id: z.string(), org: type, secret: encrypted(z.string()) })
      const things = encryptedCollection(w.vault, db.collection(`things${i}`), { schema, tenant: 'org', subject: '_id' })
      await w.vault.tenants.create(name)
      await things.insertOne({ _id: 'x', org: value as never, secret: 's' })
      const counts = (tenant: string) => Promise.all([named(tenant), named(tenant, 'x')].map((place) => things.resource().count(place)))
      expect([name, await counts(name)]).toEqual([name, [1, 1]])
      expect([other, await counts(other)]).toEqual([other, [0, 0]])
      const asked: unknown[] = []
      await things.resource().replay({ fates: (places) => (asked.push(...places), Promise.resolve(places.map(() => 'alive'))) })
      expect(asked).toEqual([{ tenant: name, subject: 'x' }])
    }
  })
})
