// Legal holds: nothing of a place is destroyed while one stands on it, above it or beneath it.
import { days, openVault } from '@strongroom/core'
import { createErasure, type Hold, sweep } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { describe, expect, test } from 'vitest'

import { all, APART, email, GRACE, outcome, pass, policy, refusalOf, type World, world } from './support.ts'

const WHY = { reason: 'case 4711' }

const PLACES = {
  tenant: (w: World) => w.acme,
  subject: (w: World) => w.acme.subject('alice'),
  item: (w: World) => w.acme.subject('alice').item('mail'),
}

describe.each([
  ['tenant', 'subject'],
  ['tenant', 'item'],
  ['subject', 'tenant'],
  ['subject', 'subject'],
  ['subject', 'item'],
  ['item', 'tenant'],
  ['item', 'subject'],
] as const)('a hold on the %s, a request for the %s', (held, asked) => {
  test('is not destroyed while it stands, whatever the grace; and by the next sweep once it is released', async () => {
    const w = await world()
    await PLACES.item(w).encrypt(email, 'ada@example.com')
    await w.erasure.hold(PLACES[held](w), WHY)
    const request = await w.erasure.request(PLACES[asked](w), { reason: 'subjectRequest', grace: 0 })
    expect([request.state, await PLACES.item(w).state()]).toEqual(['suspended', 'suspended'])
    await pass(w, GRACE + days(30))
    expect([(await request.refresh())?.state, await PLACES.item(w).state()]).toEqual(['suspended', 'suspended'])
    expect(await all(w.erasure.list())).toMatchObject([{ id: request.id, waitsFor: 'hold' }])
    await w.erasure.release(PLACES[held](w), { reason: 'case closed' })
    await w.erasure.sweep()
    expect((await request.refresh())?.state).toBe('erased')
  })
})

test('it waits past its due instant, and every sweep says so and why; the first behind the release destroys, whatever the clock says', async () => {
  for (const grace of [0, GRACE]) {
    const w = await world()
    const alice = w.acme.subject('alice')
    await w.erasure.hold(alice, WHY)
    const request = await w.erasure.request(alice, { reason: 'subjectRequest', grace })
    if (grace > 0) await pass(w, GRACE + days(1))
    for (let i = 0; i < 4; i++) {
      expect([grace, i, await w.erasure.sweep()]).toMatchObject([grace, i, { done: 0, waiting: 1, held: 1, failures: [] }])
      expect(await sweep([w.erasure])).toMatchObject([{ waiting: 1, held: 1 }])
      if (i === 1) w.clock.advance(APART)
    }
    await w.erasure.release(alice, { reason: 'case closed' })
    expect(await w.erasure.sweep()).toMatchObject({ done: 1, waiting: 0 })
    expect([grace, (await request.refresh())?.state]).toEqual([grace, 'erased'])
  }
})

test('a shred is refused with it too, by a process that has no erasures as well, and told by its id', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  const stored = await alice.encrypt(email, 'ada@example.com')
  await w.erasure.hold(alice, WHY)
  const other = await openVault(w.vaultOptions)
  for (const place of [alice, w.acme, alice.item('mail'), other.tenant('acme').subject('alice')]) {
    const refusal = await refusalOf(() => place.shred())
    expect([refusal.code, refusal.message.includes((await alice.references()).join('.'))]).toEqual(['held', true])
  }
  expect(await alice.decrypt(email, stored)).toBe('ada@example.com')
  await alice.shred({ dangerouslyDespiteHold: true })
  expect(await alice.state()).toBe('shredded')
})

test('on somebody else of the tenant: nothing is held', async () => {
  const w = await world()
  await w.erasure.hold(w.acme.subject('bob'), WHY)
  const { state } = await w.erasure.request(w.acme.subject('alice'), { reason: 'subjectRequest', grace: 0 })
  expect(state).toBe('shredding')
})

test('one at a time of a place; each is listed, and so is its release', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  await w.erasure.hold(alice, WHY)
  expect(await outcome(() => w.erasure.hold(alice, WHY))).toBe('already_exists')
  w.clock.advance(days(1))
  await w.erasure.release(alice, { reason: 'closed' })
  expect(await outcome(() => w.erasure.release(alice, WHY))).toBe('not_found')
  await w.erasure.hold(alice, { reason: 'case 4712' })
  const references = await alice.references()
  const holds = await all(w.erasure.holds())
  expect(holds).toMatchObject([
    { references, reason: 'case 4712' },
    { references, reason: 'case 4711', released: { reason: 'closed' } },
  ])
  const stored = w.stateStore.snapshot().map(({ key, value }) => `${key}${Buffer.from(value).toString('latin1')}`)
  expect(stored.filter((text) => text.includes('case 47') || text.includes('alice'))).toEqual([])
})

test('put while keys are being destroyed: it is kept, or said to come too late', async () => {
  for (const at of ['shred.noted', 'shred.counted', 'shred.done', 'shred.entered', 'resource.noted'] as const) {
    const w = await world()
    const alice = w.acme.subject('alice')
    await alice.encrypt(email, 'ada@example.com')
    const late: (readonly string[])[] = []
    const reached = async (name: string): Promise<void> => {
      if (name === at && late.length === 0) late.push((await w.erasure.hold(alice, WHY)).mayBeTooLate)
    }
    const other = createErasure(w.vault, withFailpoints({ policy, resources: [w.logs] }, reached))
    const { id } = await other.request(alice, { reason: 'subjectRequest', grace: 0 })
    await pass({ ...w, erasure: other }, APART)
    expect([at, late]).toEqual([at, [[id]]])
    const isKept = at === 'shred.noted' || at === 'shred.counted'
    expect([at, await alice.state()]).toEqual([at, isKept ? 'suspended' : 'shredded'])
    // What has gone too far is ended all the same.
    expect([at, (await other.get(id))?.state]).toEqual([at, isKept ? 'suspended' : 'erased'])
  }
})

test('beneath a tenant that was shredded past it: released by what is listed, and all requests end', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  await w.erasure.hold(alice, WHY)
  const requests = [
    await w.erasure.request(alice, { reason: 'subjectRequest' }),
    await w.erasure.request(w.acme, { reason: 'contractEnded' }),
  ]
  await w.acme.shred({ reason: 'contractEnded', dangerouslyDespiteHold: true })
  await pass(w, GRACE + days(1))
  const states = async () => Promise.all(requests.map(async ({ id }) => (await w.erasure.get(id))?.state))
  expect(await states()).toEqual(['suspended', 'suspended'])
  expect(await outcome(() => w.erasure.release(alice, WHY))).toBe('shredded')
  const [hold] = await all(w.erasure.holds())
  await w.erasure.release(hold as Hold, { reason: 'case closed' })
  await pass(w, APART)
  expect(await states()).toEqual(['erased', 'erased'])
  expect(await all(w.erasure.holds())).toMatchObject([{ reason: WHY.reason, released: { reason: 'case closed' } }])
  expect(await outcome(() => w.erasure.release(hold as Hold, WHY))).toBe('not_found')
  for (const references of [[], ['x'], [1], Array.from({ length: 4 }, () => '0'.repeat(32))])
    expect(await outcome(() => w.erasure.release({ ...(hold as Hold), references: references as string[] }, WHY))).toBe('invalid_argument')
})

test('one that was planted, and that nobody can read, stands as well; the others are listed, and it can be released', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  const key = [w.vault.id, ...(await alice.references()), 'hold'].join('/')
  await w.stateStore.put('strongroom/holds', key, Uint8Array.of(1), { expected: 'absent' })
  const { state } = await w.erasure.request(alice, { reason: 'subjectRequest', grace: 0 })
  expect(state).toBe('suspended')
  await w.erasure.hold(w.acme.subject('bob'), WHY)
  const seen: string[] = []
  const listing = (async () => {
    for await (const { reason } of w.erasure.holds()) seen.push(reason)
  })()
  expect([await outcome(() => listing), seen]).toEqual(['decrypt_failed', [WHY.reason]])
  await w.erasure.release(alice, { reason: 'nobody has put it there' })
  await pass(w, 3 * APART)
  expect(await alice.state()).toBe('shredded')
  expect(await all(w.erasure.holds())).toMatchObject([{ reason: WHY.reason }, { reason: 'unreadable', since: 0, released: {} }])
})
