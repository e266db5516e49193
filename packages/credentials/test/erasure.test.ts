// Connections as something that an erasure sees to: what is counted, ended and left, and what is removed again after a restore.
import {
  type DeadPlaces,
  type ErasedPlace,
  type Item,
  type NamelessPlace,
  type Progress,
  type Resource,
  StrongroomError,
  type Subject,
} from '@strongroom/core'
import { manualClock } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { outcome, type World, world } from './support.ts'

const START = Date.UTC(2030, 0, 1, 13)
const UNTIL = Date.UTC(2030, 0, 8)
const NOBODY: DeadPlaces = { fates: (places) => Promise.resolve(places.map(() => 'alive')) }

async function placeOf(handle: Item): Promise<ErasedPlace & NamelessPlace> {
  const { tenant = '', subject, item } = handle.names()
  return { kind: item === undefined ? 'subject' : 'item', tenant, subject, item, references: await handle.references() }
}

async function connected(): Promise<World & { readonly clock: ReturnType<typeof manualClock>; readonly resource: Required<Resource> }> {
  const clock = manualClock(START)
  const w = await world({ vaultOptions: { clock } })
  const acme = w.vault.tenant('acme')
  const owners: readonly (readonly [Subject, string])[] = [
    [w.alice, 'crm'],
    [w.alice, 'crm-2'],
    [acme.subject('bob'), 'crm'],
    [acme.self(), 'crm'],
    [w.vault.tenant('rival').subject('alice'), 'crm'],
  ]
  for (const [owner, name] of owners) await w.credentials.connection(owner, name, { provider: 'crm' }).save(w.server.grant())
  return { ...w, clock, resource: w.credentials.resource() }
}

const entries = ({ stateStore }: World) => stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/connections')

async function putBack({ stateStore }: World, some: ReturnType<typeof entries>): Promise<void> {
  for (const { namespace, key, value } of some) await stateStore.put(namespace, key, value, { expected: 'absent' })
}

describe('of a place', () => {
  test('its connections are counted, ended and revoked; those of others stay', async () => {
    const w = await connected()
    const [alice, acme] = await Promise.all([placeOf(w.alice), w.vault.tenant('acme').self().references()])
    const tenant = { tenant: 'acme', references: acme.slice(0, 1) }
    const self = { tenant: 'acme', self: true, references: acme } as const
    expect(await Promise.all([alice, tenant, self].map((place) => w.resource.count(place)))).toEqual([2, 4, 1])
    expect([await w.resource.erase(alice), await w.resource.erase(alice), await w.resource.verify(alice)]).toEqual([2, 0, 0])
    expect(w.server.revoked).toHaveLength(2)
    expect([await w.resource.erase(self), await w.resource.erase(tenant), await w.resource.verify(tenant)]).toEqual([1, 1, 0])
    expect(entries(w)).toHaveLength(1)
  })

  test('an item of the name of a connection is that one', async () => {
    const w = await connected()
    const place = await placeOf(w.alice.item('crm-2'))
    w.server.revocation = { status: 503 }
    expect([await w.resource.count(place), await w.resource.erase(place), await w.resource.verify(place)]).toEqual([1, 1, 0])
    expect(await w.resource.survivors(place)).toEqual([{ what: 'revocation', name: 'crm', count: 1, until: UNTIL }])
    const other = await placeOf(w.alice.item('crm'))
    expect([await w.resource.count(other), await w.resource.survivors(other)]).toEqual([1, []])
  })

  test('tokens that wait to be revoked outlive it, and it is said of which provider, how many and until when', async () => {
    const w = await connected()
    const alice = await placeOf(w.alice)
    w.server.revocation = { status: 503 }
    await w.alice.shred()
    expect([await w.resource.count(alice), await w.resource.erase(alice)]).toEqual([0, 0])
    expect(await w.resource.survivors(alice)).toEqual([{ what: 'revocation', name: 'crm', count: 2, until: UNTIL }])
    // A name that somebody else wrote there stands in no certificate.
    const prefix = `${w.vault.id}/${alice.references.join('/')}/${'0'.repeat(32)}`
    const planted = { form: 1, connection: 'x', provider: 'Canary', hint: 'refresh_token', attempts: 0, token: 'x' }
    for (const [id, value] of Object.entries({ [`${UNTIL}/x`]: '{}', 'never/y': JSON.stringify(planted) }))
      await w.stateStore.put('strongroom/revocations', `${prefix}/${id}`, new TextEncoder().encode(value), { expected: 'absent' })
    expect(await w.resource.survivors(alice)).toContainEqual({ what: 'revocation', name: 'unknown', count: 2, until: UNTIL })
    w.clock.advance(60_000)
    w.server.revocation = { status: 200 }
    await w.credentials.sweep().catch(() => undefined)
    w.clock.advance(6 * 3_600_000)
    await w.credentials.sweep().catch(() => undefined)
    expect((await w.resource.survivors(alice)).map(({ name }) => name)).toEqual(['unknown'])
  })

  test('one that nobody has confirmed by its end outlives it for good, and it is said for a year', async () => {
    const w = await connected()
    const alice = await placeOf(w.alice)
    w.server.revocation = { status: 503 }
    await w.alice.shred()
    const outcomes = () => w.events.filter(({ type }) => type === 'revocation')
    w.clock.advance(8 * 86_400_000)
    expect(await w.credentials.sweep()).toMatchObject({ failed: 0 })
    expect(await w.credentials.sweep()).toMatchObject({ done: 0 })
    expect(outcomes()).toMatchObject([{ outcome: 'unconfirmed' }, { outcome: 'unconfirmed' }])
    expect(await w.resource.survivors(alice)).toEqual([{ what: 'revocation', name: 'crm', count: 2, until: UNTIL }])
    // No token is in it.
    const notes = w.stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/revocations')
    expect(notes.map(({ value }) => (JSON.parse(Buffer.from(value).toString()) as { token: string }).token)).toEqual(['', ''])
    w.clock.advance(366 * 86_400_000)
    await w.credentials.sweep()
    expect([await w.resource.survivors(alice), outcomes().length]).toEqual([[], 2])
  })

  test('what a process has left behind its shred is tidied up', async () => {
    const w = await connected()
    const [alice, before] = [await placeOf(w.alice), entries(w)]
    await w.alice.shred()
    await putBack(
      w,
      before.filter(({ key }) => key.includes(alice.references.join('/'))),
    )
    expect([await w.resource.verify(alice), await w.resource.erase(alice), await w.resource.verify(alice)]).toEqual([2, 2, 0])
  })

  test('a damaged entry goes with its owner, not before, and keeps no other from going', async () => {
    const w = await connected()
    const alice = await placeOf(w.alice)
    const key = `${w.vault.id}/${alice.references.join('/')}/${'0'.repeat(32)}`
    await w.stateStore.put('strongroom/connections', key, new Uint8Array([1]), { expected: 'absent' })
    expect([await w.resource.count(alice), await outcome(() => w.resource.erase(alice))]).toEqual([3, 'decrypt_failed'])
    expect(await w.resource.verify(alice)).toBe(1)
    await w.alice.shredWithoutRevocation()
    expect([await w.resource.erase(alice), await w.resource.verify(alice)]).toEqual([1, 0])
  })

  test('the whole tenant, gone: what is left is found by references alone', async () => {
    const w = await connected()
    const before = entries(w)
    const references = (await w.alice.references()).slice(0, 1)
    await w.vault.tenant('acme').shred()
    await putBack(
      w,
      before.filter(({ key }) => key.includes(references[0] as string)),
    )
    expect([await w.resource.erase({ tenant: 'acme', references }), entries(w).length]).toEqual([4, 1])
  })

  test.each<[string, unknown]>([
    ['no references', { tenant: 'acme', references: [] }],
    ['a person left out', { tenant: 'acme', references: ['0'.repeat(32), '1'.repeat(32)] }],
    ['part of a reference', { tenant: 'acme', references: ['0'] }],
    ['an item of nobody', { tenant: 'acme', item: 'crm', references: ['0'.repeat(32), '1'.repeat(32)] }],
    ['nothing', undefined],
  ])('a place of another form is refused: %s', async (_, place) => {
    const { resource, ...w } = await connected()
    for (const call of [resource.count, resource.erase, resource.verify, resource.survivors])
      expect(await outcome(() => call(place as never))).toBe('invalid_argument')
    expect(entries(w)).toHaveLength(5)
  })

  test('it ends at a signal', async () => {
    const w = await connected()
    const signal = AbortSignal.abort(new StrongroomError('conflict', 'enough'))
    expect([
      await outcome(async () => w.resource.erase(await placeOf(w.alice), { signal })),
      await outcome(() => w.resource.replay(NOBODY, { signal })),
      entries(w).length,
    ]).toEqual(['conflict', 'conflict', 5])
  })
})

test('replay removes what a restored state store has again of the dead, and nothing of the living or the suspended', async () => {
  const w = await connected()
  const before = entries(w)
  await w.alice.shred()
  await w.alice.recreate({ reason: 'subjectRequest' })
  await w.connection.save(w.server.grant())
  const now = new Set(entries(w).map(({ key }) => key))
  await putBack(
    w,
    before.filter(({ key }) => !now.has(key)),
  )
  await w.vault.tenant('acme').subject('bob').suspend()
  await w.stateStore.put('strongroom/connections', `${w.vault.id}/${'0'.repeat(32)}/${'1'.repeat(32)}/x`, new Uint8Array([1]), {
    expected: 'absent',
  })
  expect(await w.resource.replay(NOBODY)).toEqual({ looked: 6, removed: 1, suspended: 0 })
  expect(await w.resource.replay(NOBODY)).toEqual({ looked: 5, removed: 0, suspended: 0 })
  expect(await w.connection.use((token) => token.reveal())).not.toBe('')
})

test('replay leaves the connection of who lives and whose key was rotated since the key store that was put back', async () => {
  const w = await connected()
  const before = w.keyStore.snapshot()
  const toEnd = async (run: AsyncIterable<Progress>): Promise<void> => {
    for await (const { phase, done } of run) if (phase === 'waiting' && done === 0) setTimeout(() => w.clock.advance(3_600_000), 1)
  }
  await toEnd(w.vault.rotateSubjectKey(w.alice))
  w.clock.advance(3_600_000)
  const holders = [{ countValues: () => Promise.resolve(0) }]
  await toEnd(w.vault.retireVersion(w.alice, { holders, dataBackup: { startedAt: w.clock.now() } }))
  for (const record of before) if (record.type === 'node') w.keyStore.edit({ type: 'node', ref: record.ref }, () => record)
  await w.vault.reconcile()
  const connections = entries(w)
  expect([await w.alice.state(), await w.resource.replay(NOBODY)]).toEqual(['absent', { looked: 5, removed: 0, suspended: 0 }])
  expect(entries(w)).toEqual(connections)
  expect(await outcome(() => w.connection.use((token) => token.reveal()))).toBe('retired')
  // Nobody reads her tokens any more: to end the connection tells so.
  expect(await w.connection.disconnect()).toMatchObject({ revocation: 'unconfirmed' })
})
